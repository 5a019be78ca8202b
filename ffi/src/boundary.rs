//! The line that neither an error nor a panic of Rust crosses.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::failure::Failure;
use crate::last_error;
use crate::status::{self, Status};

/// Runs `work` and tells C what it came to. A failure's words are kept for `tb_last_error`.
///
/// Unwind safety is asserted: everything a call can touch is either the arena's, which holds
/// its invariants at every instruction because any process may die at any, or an output that
/// was given its failure value before `work` began.
pub(crate) fn call(work: impl FnOnce() -> Result<(), Failure>) -> Status {
    let failure = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return status::OK,
        Ok(Err(failure)) => failure,
        Err(payload) => Failure::new(status::PANIC, describe(payload)),
    };
    last_error::remember(&failure.message);
    failure.status
}

/// Runs `work` for a function that has no status to return: `otherwise` stands for a panic.
pub(crate) fn call_or<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        last_error::remember(&describe(payload));
        otherwise
    })
}

fn describe(payload: Box<dyn Any + Send>) -> String {
    let text = match payload.downcast::<&'static str>() {
        Ok(text) => (*text).to_owned(),
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => {
                // Dropping a stranger could panic once more, and out of this function.
                std::mem::forget(payload);
                "of an unknown kind".to_owned()
            }
        },
    };
    format!(
        "a bug in libtallyboard {}: it panicked: {text}",
        arena::VERSION
    )
}
