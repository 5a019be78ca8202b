//! Families: what their series have in common, checked once; a series by its label values.
//!
//! Five functions for each kind of metric, the same but for the type, so that a C compiler
//! tells a family of gauges from one of counters: a macro writes them, with their names spelled
//! out, where a search for one finds it.

use std::ffi::c_char;

use arena::{Board, Counter, Family, Gauge, Histogram, Info, RegisterError, StateSet, Summary};

use crate::boundary;
use crate::failure::Failure;
use crate::handle;
use crate::metric::{self, Metric, Registered};
use crate::status::Status;
use crate::text;

/// A family, and the label values that choose one of its series.
///
/// # Safety
///
/// `family` is NULL or not freed for `'a`; `values` is NULL or points to `value_count` texts that
/// stay unchanged for `'a`.
unsafe fn chosen<'a, M>(
    family: *const Family<M>,
    values: *const *const c_char,
    value_count: usize,
) -> Result<(&'a Family<M>, Vec<&'a str>), Failure> {
    // SAFETY: NULL or alive, by this function's contract.
    let family = unsafe { family.as_ref() }.ok_or_else(|| Failure::null("family"))?;
    // SAFETY: NULL or that many texts, by this function's contract.
    let given = unsafe { metric::array(values, value_count, "values") }?.unwrap_or(&[]);
    let mut values = Vec::with_capacity(given.len());
    for value in given {
        // SAFETY: NULL or text, by this function's contract.
        values.push(unsafe { text::utf8(*value, "value") }?);
    }
    Ok((family, values))
}

/// The series of `family` with these label values, or a sink.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `out` is NULL
/// or to write.
unsafe fn with<M: Registered>(
    family: *const Family<M>,
    values: *const *const c_char,
    value_count: usize,
    out: *mut *mut M,
    what: &str,
    find: fn(&Family<M>, &[&str]) -> Result<M, RegisterError>,
) -> Status {
    let make = || {
        // SAFETY: the same contract as this function's.
        let (family, values) = unsafe { chosen(family, values, value_count) }?;
        Ok(find(family, &values)?)
    };
    // SAFETY: NULL or to write, by this function's contract.
    unsafe { handle::hand_out(out, what, Some(M::nowhere), make) }
}

/// Ends the series of `family` with these label values.
///
/// # Safety
///
/// As [`chosen`]; `removed` is NULL or to write.
unsafe fn remove<M>(
    family: *const Family<M>,
    values: *const *const c_char,
    value_count: usize,
    removed: *mut i32,
    end: fn(&Family<M>, &[&str]) -> Result<bool, RegisterError>,
) -> Status {
    // SAFETY: NULL or to write, by this function's contract.
    let mut removed = unsafe { removed.as_mut() };
    if let Some(removed) = &mut removed {
        **removed = 0;
    }
    boundary::call(|| {
        // SAFETY: the same contract as this function's.
        let (family, values) = unsafe { chosen(family, values, value_count) }?;
        let was_there = end(family, &values)?;
        if let Some(removed) = removed {
            *removed = was_there.into();
        }
        Ok(())
    })
}

/// Ends all series of `family`.
///
/// # Safety
///
/// `family` is NULL or not freed; `removed` is NULL or to write.
unsafe fn clear<M>(
    family: *const Family<M>,
    removed: *mut u64,
    end: fn(&Family<M>) -> Result<u64, RegisterError>,
) -> Status {
    // SAFETY: NULL or to write, by this function's contract.
    let mut removed = unsafe { removed.as_mut() };
    if let Some(removed) = &mut removed {
        **removed = 0;
    }
    boundary::call(|| {
        // SAFETY: NULL or alive, by this function's contract.
        let family = unsafe { family.as_ref() }.ok_or_else(|| Failure::null("family"))?;
        let count = end(family)?;
        if let Some(removed) = removed {
            *removed = count;
        }
        Ok(())
    })
}

/// The functions of the families of one kind of metric. `$one` is what the header calls the handle
/// of a series.
macro_rules! families {
    ($kind:ident, $one:literal, $many:literal,
     $register:ident, $with:ident, $remove:ident, $clear:ident, $free:ident) => {
        #[doc = concat!("Checks a family of ", $many, ".")]
        ///
        /// # Safety
        ///
        /// `board` is NULL or open; `metric` is NULL or as the header says; `family` is NULL or to
        /// write.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $register(
            board: *const Board,
            metric: *const Metric,
            family: *mut *mut Family<$kind>,
        ) -> Status {
            // SAFETY: the same contract as this function's.
            unsafe { metric::register_family(board, metric, family) }
        }

        #[doc = concat!("One of a family's ", $many, ", by label values.")]
        ///
        /// # Safety
        ///
        /// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `out`
        /// is NULL or to write.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $with(
            family: *const Family<$kind>,
            values: *const *const c_char,
            value_count: usize,
            out: *mut *mut $kind,
        ) -> Status {
            // SAFETY: the same contract as this function's.
            unsafe { with(family, values, value_count, out, $one, Family::try_with) }
        }

        #[doc = concat!("Ends one of a family's ", $many, ", by label values.")]
        ///
        /// # Safety
        ///
        /// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts;
        /// `removed` is NULL or to write.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $remove(
            family: *const Family<$kind>,
            values: *const *const c_char,
            value_count: usize,
            removed: *mut i32,
        ) -> Status {
            // SAFETY: the same contract as this function's.
            unsafe { remove(family, values, value_count, removed, Family::remove) }
        }

        #[doc = concat!("Ends all of a family's ", $many, ".")]
        ///
        /// # Safety
        ///
        /// `family` is NULL or not freed; `removed` is NULL or to write.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $clear(family: *const Family<$kind>, removed: *mut u64) -> Status {
            // SAFETY: the same contract as this function's.
            unsafe { clear(family, removed, Family::clear) }
        }

        #[doc = concat!("Gives a family of ", $many, " back.")]
        ///
        /// # Safety
        ///
        /// `family` is NULL, or the family's only remaining use.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $free(family: *mut Family<$kind>) {
            // SAFETY: every family came from `hand_out`; last use by this function's contract.
            unsafe { handle::take_back(family) };
        }
    };
}

families!(
    Counter,
    "counter",
    "counters",
    tb_counter_family_register,
    tb_counter_family_with,
    tb_counter_family_remove,
    tb_counter_family_clear,
    tb_counter_family_free
);
families!(
    Gauge,
    "gauge",
    "gauges",
    tb_gauge_family_register,
    tb_gauge_family_with,
    tb_gauge_family_remove,
    tb_gauge_family_clear,
    tb_gauge_family_free
);
families!(
    Histogram,
    "histogram",
    "histograms",
    tb_histogram_family_register,
    tb_histogram_family_with,
    tb_histogram_family_remove,
    tb_histogram_family_clear,
    tb_histogram_family_free
);
families!(
    Summary,
    "summary",
    "summaries",
    tb_summary_family_register,
    tb_summary_family_with,
    tb_summary_family_remove,
    tb_summary_family_clear,
    tb_summary_family_free
);
families!(
    Info,
    "info",
    "infos",
    tb_info_family_register,
    tb_info_family_with,
    tb_info_family_remove,
    tb_info_family_clear,
    tb_info_family_free
);
families!(
    StateSet,
    "state_set",
    "state sets",
    tb_state_set_family_register,
    tb_state_set_family_with,
    tb_state_set_family_remove,
    tb_state_set_family_clear,
    tb_state_set_family_free
);
