//! Families: what their series have in common, checked once; a series by its label values.
//!
//! Five functions for each kind of metric, the same but for the type, so that a C compiler
//! tells a family of gauges from one of counters.

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
    find: fn(&Family<M>, &[&str]) -> Result<M, Failure>,
) -> Status {
    let make = || {
        // SAFETY: the same contract as this function's.
        let (family, values) = unsafe { chosen(family, values, value_count) }?;
        find(family, &values)
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

/// Checks a family of counters.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `family` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_family_register(
    board: *const Board,
    metric: *const Metric,
    family: *mut *mut Family<Counter>,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { metric::register_family(board, metric, family) }
}

/// One of a family's counters, by label values.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `counter` is NULL
/// or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_family_with(
    family: *const Family<Counter>,
    values: *const *const c_char,
    value_count: usize,
    counter: *mut *mut Counter,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe {
        with(
            family,
            values,
            value_count,
            counter,
            "counter",
            |family, values| Ok(family.try_with(values)?),
        )
    }
}

/// Ends one of a family's counters, by label values.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `removed` is
/// NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_family_remove(
    family: *const Family<Counter>,
    values: *const *const c_char,
    value_count: usize,
    removed: *mut i32,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { remove(family, values, value_count, removed, Family::remove) }
}

/// Ends all of a family's counters.
///
/// # Safety
///
/// `family` is NULL or not freed; `removed` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_family_clear(
    family: *const Family<Counter>,
    removed: *mut u64,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { clear(family, removed, Family::clear) }
}

/// Gives a family of counters back.
///
/// # Safety
///
/// `family` is NULL, or the family's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_family_free(family: *mut Family<Counter>) {
    // SAFETY: every family came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(family) };
}

/// Checks a family of gauges.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `family` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_family_register(
    board: *const Board,
    metric: *const Metric,
    family: *mut *mut Family<Gauge>,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { metric::register_family(board, metric, family) }
}

/// One of a family's gauges, by label values.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `gauge` is NULL
/// or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_family_with(
    family: *const Family<Gauge>,
    values: *const *const c_char,
    value_count: usize,
    gauge: *mut *mut Gauge,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe {
        with(
            family,
            values,
            value_count,
            gauge,
            "gauge",
            |family, values| Ok(family.try_with(values)?),
        )
    }
}

/// Ends one of a family's gauges, by label values.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `removed` is
/// NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_family_remove(
    family: *const Family<Gauge>,
    values: *const *const c_char,
    value_count: usize,
    removed: *mut i32,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { remove(family, values, value_count, removed, Family::remove) }
}

/// Ends all of a family's gauges.
///
/// # Safety
///
/// `family` is NULL or not freed; `removed` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_family_clear(
    family: *const Family<Gauge>,
    removed: *mut u64,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { clear(family, removed, Family::clear) }
}

/// Gives a family of gauges back.
///
/// # Safety
///
/// `family` is NULL, or the family's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_family_free(family: *mut Family<Gauge>) {
    // SAFETY: every family came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(family) };
}

/// Checks a family of histograms.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `family` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_histogram_family_register(
    board: *const Board,
    metric: *const Metric,
    family: *mut *mut Family<Histogram>,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { metric::register_family(board, metric, family) }
}

/// One of a family's histograms, by label values.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `histogram` is NULL
/// or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_histogram_family_with(
    family: *const Family<Histogram>,
    values: *const *const c_char,
    value_count: usize,
    histogram: *mut *mut Histogram,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe {
        with(
            family,
            values,
            value_count,
            histogram,
            "histogram",
            |family, values| Ok(family.try_with(values)?),
        )
    }
}

/// Ends one of a family's histograms, by label values.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `removed` is
/// NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_histogram_family_remove(
    family: *const Family<Histogram>,
    values: *const *const c_char,
    value_count: usize,
    removed: *mut i32,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { remove(family, values, value_count, removed, Family::remove) }
}

/// Ends all of a family's histograms.
///
/// # Safety
///
/// `family` is NULL or not freed; `removed` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_histogram_family_clear(
    family: *const Family<Histogram>,
    removed: *mut u64,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { clear(family, removed, Family::clear) }
}

/// Gives a family of histograms back.
///
/// # Safety
///
/// `family` is NULL, or the family's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_histogram_family_free(family: *mut Family<Histogram>) {
    // SAFETY: every family came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(family) };
}

/// Checks a family of summaries.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `family` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_summary_family_register(
    board: *const Board,
    metric: *const Metric,
    family: *mut *mut Family<Summary>,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { metric::register_family(board, metric, family) }
}

/// One of a family's summaries, by label values.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `summary` is NULL
/// or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_summary_family_with(
    family: *const Family<Summary>,
    values: *const *const c_char,
    value_count: usize,
    summary: *mut *mut Summary,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe {
        with(
            family,
            values,
            value_count,
            summary,
            "summary",
            |family, values| Ok(family.try_with(values)?),
        )
    }
}

/// Ends one of a family's summaries, by label values.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `removed` is
/// NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_summary_family_remove(
    family: *const Family<Summary>,
    values: *const *const c_char,
    value_count: usize,
    removed: *mut i32,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { remove(family, values, value_count, removed, Family::remove) }
}

/// Ends all of a family's summaries.
///
/// # Safety
///
/// `family` is NULL or not freed; `removed` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_summary_family_clear(
    family: *const Family<Summary>,
    removed: *mut u64,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { clear(family, removed, Family::clear) }
}

/// Gives a family of summaries back.
///
/// # Safety
///
/// `family` is NULL, or the family's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_summary_family_free(family: *mut Family<Summary>) {
    // SAFETY: every family came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(family) };
}

/// Checks a family of infos.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `family` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_info_family_register(
    board: *const Board,
    metric: *const Metric,
    family: *mut *mut Family<Info>,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { metric::register_family(board, metric, family) }
}

/// One of a family's infos, by label values.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `info` is NULL
/// or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_info_family_with(
    family: *const Family<Info>,
    values: *const *const c_char,
    value_count: usize,
    info: *mut *mut Info,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe {
        with(
            family,
            values,
            value_count,
            info,
            "info",
            |family, values| Ok(family.try_with(values)?),
        )
    }
}

/// Ends one of a family's infos, by label values.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `removed` is
/// NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_info_family_remove(
    family: *const Family<Info>,
    values: *const *const c_char,
    value_count: usize,
    removed: *mut i32,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { remove(family, values, value_count, removed, Family::remove) }
}

/// Ends all of a family's infos.
///
/// # Safety
///
/// `family` is NULL or not freed; `removed` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_info_family_clear(
    family: *const Family<Info>,
    removed: *mut u64,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { clear(family, removed, Family::clear) }
}

/// Gives a family of infos back.
///
/// # Safety
///
/// `family` is NULL, or the family's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_info_family_free(family: *mut Family<Info>) {
    // SAFETY: every family came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(family) };
}

/// Checks a family of state sets.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `family` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_state_set_family_register(
    board: *const Board,
    metric: *const Metric,
    family: *mut *mut Family<StateSet>,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { metric::register_family(board, metric, family) }
}

/// One of a family's state sets, by label values.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `state_set` is NULL
/// or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_state_set_family_with(
    family: *const Family<StateSet>,
    values: *const *const c_char,
    value_count: usize,
    state_set: *mut *mut StateSet,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe {
        with(
            family,
            values,
            value_count,
            state_set,
            "state_set",
            |family, values| Ok(family.try_with(values)?),
        )
    }
}

/// Ends one of a family's state sets, by label values.
///
/// # Safety
///
/// `family` is NULL or not freed; `values` is NULL or points to `value_count` texts; `removed` is
/// NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_state_set_family_remove(
    family: *const Family<StateSet>,
    values: *const *const c_char,
    value_count: usize,
    removed: *mut i32,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { remove(family, values, value_count, removed, Family::remove) }
}

/// Ends all of a family's state sets.
///
/// # Safety
///
/// `family` is NULL or not freed; `removed` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_state_set_family_clear(
    family: *const Family<StateSet>,
    removed: *mut u64,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { clear(family, removed, Family::clear) }
}

/// Gives a family of state sets back.
///
/// # Safety
///
/// `family` is NULL, or the family's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_state_set_family_free(family: *mut Family<StateSet>) {
    // SAFETY: every family came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(family) };
}
