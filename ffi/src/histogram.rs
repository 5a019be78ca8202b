//! Histograms.

use arena::{Board, Builder, Histogram};

use crate::clock;
use crate::exemplar;
use crate::failure::Failure;
use crate::handle;
use crate::metric::{self, Definition, Label, Metric, registered};
use crate::status::Status;

/// Without bounds or native buckets, the arena has its default bounds.
fn begin(board: &Board, definition: &Definition<'_>) -> Result<Builder<Histogram>, Failure> {
    definition.refuse_aggregation()?;
    definition.refuse_states()?;
    let builder = board.histogram(definition.name, definition.help);
    Ok(match (definition.bounds, definition.native) {
        (Some(_), Some(_)) => {
            return Err(Failure::invalid(format!(
                "`{}` has bounds and native buckets: leave the bounds out, classic buckets are shown anyway",
                definition.name
            )));
        }
        (Some(bounds), None) => builder.buckets(bounds),
        (None, Some(native)) => builder.native(native),
        (None, None) => builder,
    })
}

registered!(Histogram, begin);

/// Finds or adds a histogram; a sink on failure.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `histogram` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_histogram_register(
    board: *const Board,
    metric: *const Metric,
    histogram: *mut *mut Histogram,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { metric::register(board, metric, histogram, "histogram") }
}

/// Counts an observation.
///
/// # Safety
///
/// `histogram` is NULL or a histogram that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_histogram_observe(histogram: *const Histogram, value: f64) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(histogram) = unsafe { histogram.as_ref() } {
        histogram.observe(value);
    }
}

/// Counts an observation and makes it the exemplar of its bucket.
///
/// # Safety
///
/// `histogram` is NULL or a histogram that is not freed; `labels` is NULL or points to
/// `label_count` labels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_histogram_observe_with_exemplar(
    histogram: *const Histogram,
    value: f64,
    labels: *const Label,
    label_count: usize,
) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(histogram) = unsafe { histogram.as_ref() } {
        let observe = |labels: &[(&str, &str)]| histogram.observe_with_exemplar(value, labels);
        // SAFETY: the same contract as this function's.
        unsafe { exemplar::with_labels(labels, label_count, observe) };
    }
}

/// Counts the seconds since `start_nanos` of `tb_monotonic_nanos`.
///
/// # Safety
///
/// `histogram` is NULL or a histogram that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_histogram_observe_since(histogram: *const Histogram, start_nanos: u64) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(histogram) = unsafe { histogram.as_ref() } {
        histogram.observe(clock::seconds_since(start_nanos));
    }
}

/// Whether updates go nowhere.
///
/// # Safety
///
/// `histogram` is NULL or a histogram that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_histogram_is_sink(histogram: *const Histogram) -> i32 {
    // SAFETY: NULL or alive, by this function's contract.
    unsafe { histogram.as_ref() }
        .is_none_or(Histogram::is_sink)
        .into()
}

/// Gives a handle back.
///
/// # Safety
///
/// `histogram` is NULL, or the handle's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_histogram_free(histogram: *mut Histogram) {
    // SAFETY: every `tb_histogram *` came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(histogram) };
}
