//! `tb_metric`: what to register, read from C and checked as far as C can get it wrong. What
//! makes a good name, label or bound is the arena's to say.

use std::ffi::c_char;
use std::mem::{offset_of, size_of};
use std::ptr;
use std::slice;

use arena::{Aggregation, Board, Family, Native};

use crate::aggregation;
use crate::board;
use crate::failure::Failure;
use crate::grown::{self, Grown};
use crate::handle;
use crate::native::{self, NativeBuckets};
use crate::status::Status;
use crate::text;

/// One label, in arrays of them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Label {
    pub(crate) name: *const c_char,
    pub(crate) value: *const c_char,
}

/// A family, and one series of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Metric {
    pub(crate) struct_size: usize,
    pub(crate) name: *const c_char,
    pub(crate) help: *const c_char,
    pub(crate) unit: *const c_char,
    pub(crate) labels: *const Label,
    pub(crate) label_count: usize,
    pub(crate) bounds: *const f64,
    pub(crate) bound_count: usize,
    pub(crate) aggregation: u32,
    pub(crate) series_cap: u32,
    pub(crate) native: *const NativeBuckets,
    pub(crate) states: *const *const c_char,
    pub(crate) state_count: usize,
}

// SAFETY: `repr(C)`, begins with `struct_size`, and holds only integers and raw pointers.
unsafe impl Grown for Metric {
    const NAME: &'static str = "metric";
    const FIRST_SIZE: usize = offset_of!(Self, aggregation);
    const DEFAULT: Self = Metric {
        struct_size: size_of::<Metric>(),
        name: ptr::null(),
        help: ptr::null(),
        unit: ptr::null(),
        labels: ptr::null(),
        label_count: 0,
        bounds: ptr::null(),
        bound_count: 0,
        aggregation: 0,
        series_cap: 0,
        native: ptr::null(),
        states: ptr::null(),
        state_count: 0,
    };
}

/// A `tb_metric` in Rust's terms, borrowing the caller's text and numbers.
pub(crate) struct Definition<'a> {
    pub(crate) name: &'a str,
    pub(crate) help: &'a str,
    pub(crate) unit: &'a str,
    labels: &'a [Label],
    pub(crate) bounds: Option<&'a [f64]>,
    pub(crate) aggregation: Aggregation,
    pub(crate) series_cap: u64,
    pub(crate) native: Option<Native>,
    pub(crate) states: Vec<&'a str>,
}

/// A kind of metric that can be registered: the arena's builders, under one name for this crate.
pub(crate) trait Registered: Sized {
    /// A handle that goes nowhere.
    fn nowhere() -> Self;
    /// Registers the series with these label names and values.
    fn series(
        board: &Board,
        definition: &Definition<'_>,
        labels: &[(&str, &str)],
    ) -> Result<Self, Failure>;
    /// Registers the family with these label names.
    fn family(
        board: &Board,
        definition: &Definition<'_>,
        labels: &[&str],
    ) -> Result<Family<Self>, Failure>;
}

/// Implements [`Registered`] for a type of handle. `$begin` makes the arena's builder of a
/// board and a definition, and refuses what this kind cannot have.
macro_rules! registered {
    ($metric:ident, $begin:expr) => {
        impl $crate::metric::Registered for $metric {
            fn nowhere() -> Self {
                $metric::sink()
            }

            fn series(
                board: &arena::Board,
                definition: &$crate::metric::Definition<'_>,
                labels: &[(&str, &str)],
            ) -> Result<Self, $crate::failure::Failure> {
                let builder = $begin(board, definition)?
                    .unit(definition.unit)
                    .series_cap(definition.series_cap);
                let labelled = |builder: arena::Builder<Self>, (name, value): &(&str, &str)| {
                    builder.label(name, value)
                };
                Ok(labels.iter().fold(builder, labelled).register()?)
            }

            fn family(
                board: &arena::Board,
                definition: &$crate::metric::Definition<'_>,
                labels: &[&str],
            ) -> Result<arena::Family<Self>, $crate::failure::Failure> {
                let builder = $begin(board, definition)?
                    .unit(definition.unit)
                    .series_cap(definition.series_cap);
                Ok(builder.labels(labels).family()?)
            }
        }
    };
}
pub(crate) use registered;

impl<'a> Definition<'a> {
    /// # Safety
    ///
    /// `metric` is NULL, or as the header says and unchanged for `'a`, with all it points to.
    unsafe fn read(metric: *const Metric) -> Result<Self, Failure> {
        // SAFETY: NULL, or as large as it says, by this function's contract.
        let given = unsafe { grown::read(metric) }?;
        // SAFETY: NULL or that many texts for `'a`, by this function's contract.
        let names = unsafe { array(given.states, given.state_count, "metric.states") }?;
        let mut states = Vec::new();
        for state in names.unwrap_or(&[]) {
            // SAFETY: NULL or text for `'a`, by this function's contract.
            states.push(unsafe { text::utf8(*state, "metric.states") }?);
        }
        Ok(Definition {
            // SAFETY: NULL or text for `'a`, by this function's contract.
            name: unsafe { text::utf8(given.name, "metric.name") }?,
            // SAFETY: as above.
            help: unsafe { text::utf8_or_empty(given.help, "metric.help") }?,
            // SAFETY: as above.
            unit: unsafe { text::utf8_or_empty(given.unit, "metric.unit") }?,
            // SAFETY: NULL or that many labels for `'a`, by this function's contract.
            labels: unsafe { array(given.labels, given.label_count, "metric.labels") }?
                .unwrap_or(&[]),
            // SAFETY: as above, for bounds.
            bounds: unsafe { array(given.bounds, given.bound_count, "metric.bounds") }?,
            aggregation: aggregation::of(given.aggregation)?,
            series_cap: given.series_cap.into(),
            // SAFETY: NULL, or as large as it says, by this function's contract.
            native: unsafe { native::read(given.native) }?,
            states,
        })
    }

    /// For the kinds that have no buckets.
    pub(crate) fn refuse_bounds(&self) -> Result<(), Failure> {
        match (self.bounds, self.native) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(Failure::invalid(format!(
                "`{}` has native buckets, and only a histogram can",
                self.name
            ))),
            (Some(_), _) => Err(Failure::invalid(format!(
                "`{}` has bounds, and only a histogram can",
                self.name
            ))),
        }
    }

    /// For the kinds that are in no state.
    pub(crate) fn refuse_states(&self) -> Result<(), Failure> {
        if self.states.is_empty() {
            return Ok(());
        }
        Err(Failure::invalid(format!(
            "`{}` has states, and only a state set can",
            self.name
        )))
    }

    /// For the kinds that processes always add up.
    pub(crate) fn refuse_aggregation(&self) -> Result<(), Failure> {
        match self.aggregation {
            Aggregation::Last => Ok(()),
            _ => Err(Failure::invalid(format!(
                "`{}` has an aggregation, and only a gauge can",
                self.name
            ))),
        }
    }
}

/// The array at `start`; None for NULL, which must then have no items.
///
/// # Safety
///
/// `start` is NULL, or points to `count` items that stay unchanged for `'a`.
pub(crate) unsafe fn array<'a, T>(
    start: *const T,
    count: usize,
    what: &str,
) -> Result<Option<&'a [T]>, Failure> {
    if start.is_null() {
        return if count == 0 {
            Ok(None)
        } else {
            Err(Failure::null(what))
        };
    }
    // More than can be in memory: a count that was never set.
    if count > isize::MAX as usize / size_of::<T>() {
        return Err(Failure::invalid(format!(
            "`{what}` cannot have {count} items"
        )));
    }
    // SAFETY: not NULL and not beyond `isize::MAX` bytes (both checked above); readable, aligned
    // and unchanged by this function's contract.
    Ok(Some(unsafe { slice::from_raw_parts(start, count) }))
}

/// Names and values of labels.
///
/// # Safety
///
/// Each text is NULL, or ends in NUL and stays unchanged for `'a`.
pub(crate) unsafe fn label_texts<'a>(given: &[Label]) -> Result<Vec<(&'a str, &'a str)>, Failure> {
    let mut labels = Vec::with_capacity(given.len());
    for label in given {
        // SAFETY: NULL or text, by this function's contract.
        let name = unsafe { text::utf8(label.name, "label.name") }?;
        // SAFETY: as above.
        let value = unsafe { text::utf8(label.value, "label.value") }
            .map_err(|failure| Failure::invalid(format!("{name}: {}", failure.message)))?;
        labels.push((name, value));
    }
    Ok(labels)
}

/// Registers one series for C, or hands out a sink.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `out` is NULL or to write.
pub(crate) unsafe fn register<M: Registered>(
    board: *const Board,
    metric: *const Metric,
    out: *mut *mut M,
    what: &str,
) -> Status {
    let make = || {
        // SAFETY: NULL or a live board, by this function's contract.
        let board = unsafe { board::given(board) }?;
        // SAFETY: NULL or a metric, by this function's contract.
        let definition = unsafe { Definition::read(metric) }?;
        // SAFETY: each text is NULL or ends in NUL, by this function's contract.
        let labels = unsafe { label_texts(definition.labels) }?;
        M::series(board, &definition, &labels)
    };
    // SAFETY: NULL or to write, by this function's contract.
    unsafe { handle::hand_out(out, what, Some(M::nowhere), make) }
}

/// Checks a family for C: labels with names alone.
///
/// # Safety
///
/// As [`register`].
pub(crate) unsafe fn register_family<M: Registered>(
    board: *const Board,
    metric: *const Metric,
    out: *mut *mut Family<M>,
) -> Status {
    let make = || {
        // SAFETY: NULL or a live board, by this function's contract.
        let board = unsafe { board::given(board) }?;
        // SAFETY: NULL or a metric, by this function's contract.
        let definition = unsafe { Definition::read(metric) }?;
        let mut names = Vec::with_capacity(definition.labels.len());
        for label in definition.labels {
            // SAFETY: NULL or text, by this function's contract.
            let name = unsafe { text::utf8(label.name, "label.name") }?;
            if !label.value.is_null() {
                return Err(Failure::invalid(format!(
                    "label `{name}` has a value; a family's labels get theirs in tb_..._family_with"
                )));
            }
            names.push(name);
        }
        M::family(board, &definition, &names)
    };
    // SAFETY: NULL or to write, by this function's contract.
    unsafe { handle::hand_out(out, "family", None, make) }
}
