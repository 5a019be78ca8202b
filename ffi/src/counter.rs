//! Counters.

use arena::{Board, Builder, Counter, Number};

use crate::boundary;
use crate::exemplar;
use crate::failure::Failure;
use crate::handle;
use crate::metric::{self, Definition, Label, Metric, registered};
use crate::status::{self, Status};

fn begin(board: &Board, definition: &Definition<'_>) -> Result<Builder<Counter>, Failure> {
    definition.refuse_bounds()?;
    definition.refuse_aggregation()?;
    definition.refuse_states()?;
    Ok(board.counter(definition.name, definition.help))
}

registered!(Counter, begin);

/// Finds or adds a counter; a sink on failure.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `counter` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_register(
    board: *const Board,
    metric: *const Metric,
    counter: *mut *mut Counter,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { metric::register(board, metric, counter, "counter") }
}

/// Adds one.
///
/// # Safety
///
/// `counter` is NULL or a counter that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_inc(counter: *const Counter) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(counter) = unsafe { counter.as_ref() } {
        counter.inc();
    }
}

/// Adds `amount`.
///
/// # Safety
///
/// `counter` is NULL or a counter that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_add(counter: *const Counter, amount: u64) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(counter) = unsafe { counter.as_ref() } {
        counter.add(amount);
    }
}

/// Adds an amount that may not be whole; refuses what a counter cannot take.
///
/// # Safety
///
/// `counter` is NULL or a counter that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_add_double(counter: *const Counter, amount: f64) -> Status {
    // SAFETY: NULL or alive, by this function's contract.
    let added = match unsafe { counter.as_ref() } {
        Some(counter) => counter.add_f64(amount),
        None => amount.is_finite() && amount >= 0.0,
    };
    // No words for `tb_last_error`: they would need a thread-local and an allocation, and this
    // may run in a signal handler.
    if added {
        status::OK
    } else {
        status::INVALID_ARGUMENT
    }
}

/// Adds `amount` and makes it the exemplar.
///
/// # Safety
///
/// `counter` is NULL or a counter that is not freed; `labels` is NULL or points to `label_count`
/// labels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_add_with_exemplar(
    counter: *const Counter,
    amount: u64,
    labels: *const Label,
    label_count: usize,
) {
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(counter) = unsafe { counter.as_ref() } {
        let add = |labels: &[(&str, &str)]| counter.add_with_exemplar(amount, labels);
        // SAFETY: the same contract as this function's.
        unsafe { exemplar::with_labels(labels, label_count, add) };
    }
}

/// Adds an amount that may not be whole and makes it the exemplar; refuses what a counter cannot
/// take.
///
/// # Safety
///
/// As [`tb_counter_add_with_exemplar`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_add_double_with_exemplar(
    counter: *const Counter,
    amount: f64,
    labels: *const Label,
    label_count: usize,
) -> Status {
    let mut added = amount.is_finite() && amount >= 0.0;
    // SAFETY: NULL or alive, by this function's contract.
    if let Some(counter) = unsafe { counter.as_ref() } {
        let add = |labels: &[(&str, &str)]| added = counter.add_f64_with_exemplar(amount, labels);
        // SAFETY: the same contract as this function's.
        unsafe { exemplar::with_labels(labels, label_count, add) };
    }
    // No words for `tb_last_error`, as in `tb_counter_add_double`.
    if added {
        status::OK
    } else {
        status::INVALID_ARGUMENT
    }
}

/// The value, as near as a double comes.
///
/// # Safety
///
/// `counter` is NULL or a counter that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_value(counter: *const Counter) -> f64 {
    boundary::call_or(0.0, || {
        // SAFETY: NULL or alive, by this function's contract.
        unsafe { counter.as_ref() }.map_or(0.0, |counter| counter.get().as_f64())
    })
}

/// The value, when it is an integer.
///
/// # Safety
///
/// `counter` is NULL or a counter that is not freed; `value` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_value_exact(counter: *const Counter, value: *mut u64) -> i32 {
    // SAFETY: NULL or to write, by this function's contract.
    let Some(value) = (unsafe { value.as_mut() }) else {
        return 0;
    };
    *value = 0;
    boundary::call_or(0, || {
        // SAFETY: NULL or alive, by this function's contract.
        match unsafe { counter.as_ref() }.map_or(Number::Int(0), Counter::get) {
            Number::Int(whole) => {
                *value = whole;
                1
            }
            Number::Float(_) => 0,
        }
    })
}

/// Whether updates go nowhere.
///
/// # Safety
///
/// `counter` is NULL or a counter that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_is_sink(counter: *const Counter) -> i32 {
    // SAFETY: NULL or alive, by this function's contract.
    unsafe { counter.as_ref() }
        .is_none_or(Counter::is_sink)
        .into()
}

/// Gives a handle back.
///
/// # Safety
///
/// `counter` is NULL, or the handle's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_counter_free(counter: *mut Counter) {
    // SAFETY: every `tb_counter *` came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(counter) };
}
