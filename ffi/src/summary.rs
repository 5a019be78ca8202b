//! Summaries.

use arena::{Board, Builder, Summary};

use crate::clock;
use crate::failure::Failure;
use crate::handle;
use crate::metric::{self, Definition, Metric, registered};
use crate::status::Status;

fn begin(board: &Board, definition: &Definition<'_>) -> Result<Builder<Summary>, Failure> {
    definition.refuse_bounds()?;
    definition.refuse_aggregation()?;
    definition.refuse_states()?;
    Ok(board.summary(definition.name, definition.help))
}

registered!(Summary, begin);

/// Finds or adds a summary; a sink on failure.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `summary` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_summary_register(
    board: *const Board,
    metric: *const Metric,
    summary: *mut *mut Summary,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { metric::register(board, metric, summary, "summary") }
}

/// Counts an observation.
///
/// # Safety
///
/// `summary` is NULL or a summary that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_summary_observe(summary: *const Summary, value: f64) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(summary) = unsafe { summary.as_ref() } {
        summary.observe(value);
    }
}

/// Counts the seconds since `start_nanos` of `tb_monotonic_nanos`.
///
/// # Safety
///
/// `summary` is NULL or a summary that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_summary_observe_since(summary: *const Summary, start_nanos: u64) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(summary) = unsafe { summary.as_ref() } {
        summary.observe(clock::seconds_since(start_nanos));
    }
}

/// Whether updates go nowhere.
///
/// # Safety
///
/// `summary` is NULL or a summary that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_summary_is_sink(summary: *const Summary) -> i32 {
    // SAFETY: NULL or alive, by this function's contract.
    unsafe { summary.as_ref() }
        .is_none_or(Summary::is_sink)
        .into()
}

/// Gives a handle back.
///
/// # Safety
///
/// `summary` is NULL, or the handle's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_summary_free(summary: *mut Summary) {
    // SAFETY: every `tb_summary *` came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(summary) };
}
