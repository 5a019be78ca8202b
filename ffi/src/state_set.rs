//! State sets.

use std::ffi::c_char;

use arena::{Board, Builder, StateSet};

use crate::boundary;
use crate::failure::Failure;
use crate::handle;
use crate::metric::{self, Definition, Metric, registered};
use crate::status::{self, Status};
use crate::text;

fn begin(board: &Board, definition: &Definition<'_>) -> Result<Builder<StateSet>, Failure> {
    definition.refuse_bounds()?;
    definition.refuse_aggregation()?;
    Ok(board.state_set(definition.name, definition.help, &definition.states))
}

registered!(StateSet, begin);

/// Finds or adds a state set; a sink on failure.
///
/// # Safety
///
/// `board` is NULL or open; `metric` is NULL or as the header says; `state_set` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_state_set_register(
    board: *const Board,
    metric: *const Metric,
    state_set: *mut *mut StateSet,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { metric::register(board, metric, state_set, "state_set") }
}

/// Sets the state that holds, by its name.
///
/// # Safety
///
/// `state_set` is NULL or a state set that is not freed; `state` is NULL or text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_state_set_set(
    state_set: *const StateSet,
    state: *const c_char,
) -> Status {
    boundary::call(|| {
        // SAFETY: NULL or text, by this function's contract.
        let state = unsafe { text::utf8(state, "state") }?;
        // SAFETY: NULL or alive, by this function's contract.
        let is_known = unsafe { state_set.as_ref() }.is_none_or(|set| set.set(state));
        is_known.then_some(()).ok_or_else(|| {
            Failure::invalid(format!(
                "`{state}` is none of the states that were declared: name one of tb_metric.states"
            ))
        })
    })
}

/// Sets the state that holds, by its place.
///
/// # Safety
///
/// `state_set` is NULL or a state set that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_state_set_set_place(
    state_set: *const StateSet,
    place: usize,
) -> Status {
    // SAFETY: NULL or alive, by this function's contract.
    let is_known = unsafe { state_set.as_ref() }.is_none_or(|set| set.set_place(place));
    // No words for `tb_last_error`: this may run in a signal handler.
    if is_known {
        status::OK
    } else {
        status::INVALID_ARGUMENT
    }
}

/// The place of the state that holds.
///
/// # Safety
///
/// `state_set` is NULL or a state set that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_state_set_place(state_set: *const StateSet) -> usize {
    // SAFETY: NULL or alive, by this function's contract.
    unsafe { state_set.as_ref() }.map_or(0, StateSet::place)
}

/// Whether updates go nowhere.
///
/// # Safety
///
/// `state_set` is NULL or a state set that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_state_set_is_sink(state_set: *const StateSet) -> i32 {
    // SAFETY: NULL or alive, by this function's contract.
    unsafe { state_set.as_ref() }
        .is_none_or(StateSet::is_sink)
        .into()
}

/// Gives a handle back.
///
/// # Safety
///
/// `state_set` is NULL, or the handle's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_state_set_free(state_set: *mut StateSet) {
    // SAFETY: every `tb_state_set *` came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(state_set) };
}
