//! Gauges.

use arena::{Board, Builder, Gauge};

use crate::failure::Failure;
use crate::handle;
use crate::metric::{self, Definition, Metric, registered};
use crate::status::Status;

fn begin(board: &Board, definition: &Definition<'_>) -> Result<Builder<Gauge>, Failure> {
    definition.refuse_bounds()?;
    definition.refuse_states()?;
    let gauge = board.gauge(definition.name, definition.help);
    Ok(gauge.aggregation(definition.aggregation))
}

registered!(Gauge, begin);

/// Finds or adds a gauge; a sink on failure.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `gauge` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_register(
    board: *const Board,
    metric: *const Metric,
    gauge: *mut *mut Gauge,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { metric::register(board, metric, gauge, "gauge") }
}

/// Sets the value.
///
/// # Safety
///
/// `gauge` is NULL or a gauge that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_set(gauge: *const Gauge, value: f64) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(gauge) = unsafe { gauge.as_ref() } {
        gauge.set(value);
    }
}

/// Adds 1.
///
/// # Safety
///
/// `gauge` is NULL or a gauge that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_inc(gauge: *const Gauge) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(gauge) = unsafe { gauge.as_ref() } {
        gauge.inc();
    }
}

/// Subtracts 1.
///
/// # Safety
///
/// `gauge` is NULL or a gauge that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_dec(gauge: *const Gauge) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(gauge) = unsafe { gauge.as_ref() } {
        gauge.dec();
    }
}

/// Adds `amount`.
///
/// # Safety
///
/// `gauge` is NULL or a gauge that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_add(gauge: *const Gauge, amount: f64) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(gauge) = unsafe { gauge.as_ref() } {
        gauge.add(amount);
    }
}

/// Subtracts `amount`.
///
/// # Safety
///
/// `gauge` is NULL or a gauge that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_sub(gauge: *const Gauge, amount: f64) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(gauge) = unsafe { gauge.as_ref() } {
        gauge.sub(amount);
    }
}

/// Sets the value to the seconds since 1970.
///
/// # Safety
///
/// `gauge` is NULL or a gauge that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_set_to_current_time(gauge: *const Gauge) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(gauge) = unsafe { gauge.as_ref() } {
        gauge.set_to_current_time();
    }
}

/// The value.
///
/// # Safety
///
/// `gauge` is NULL or a gauge that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_value(gauge: *const Gauge) -> f64 {
    // SAFETY: NULL or alive, by this function's contract.
    unsafe { gauge.as_ref() }.map_or(0.0, Gauge::get)
}

/// Whether updates go nowhere.
///
/// # Safety
///
/// `gauge` is NULL or a gauge that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_is_sink(gauge: *const Gauge) -> i32 {
    // SAFETY: NULL or alive, by this function's contract.
    unsafe { gauge.as_ref() }.is_none_or(Gauge::is_sink).into()
}

/// Gives a handle back.
///
/// # Safety
///
/// `gauge` is NULL, or the handle's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_gauge_free(gauge: *mut Gauge) {
    // SAFETY: every `tb_gauge *` came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(gauge) };
}
