//! Where there are no restartable sequences: every update goes to the shared plane.
//!
//! aarch64 compiles this; it was tested under emulation only.

use super::{Outcome, Target};

/// # Safety
/// None needed; the signature is that of the real one.
pub(crate) unsafe fn add_int(_: &Target, _unit: u64, _cell: u64, _amount: u64) -> Outcome {
    Outcome::NoPlane
}

/// # Safety
/// None needed; the signature is that of the real one.
pub(crate) unsafe fn add_float(_: &Target, _unit: u64, _cell: u64, _amount: f64) -> Outcome {
    Outcome::NoPlane
}

/// # Safety
/// None needed; the signature is that of the real one.
pub(crate) unsafe fn observe(
    _: &Target,
    _unit: u64,
    _cell: u64,
    _sum_unit: u64,
    _amount: f64,
) -> Outcome {
    Outcome::NoPlane
}

/// # Safety
/// None needed; the signature is that of the real one.
pub(crate) unsafe fn begin(
    _: &Target,
    _unit: u64,
    _own_state: *const u64,
    _own_word: u64,
) -> Outcome {
    Outcome::NoPlane
}

/// The CPU that this thread runs on, by its rseq area.
pub(crate) fn cpu(_area: isize) -> Option<u32> {
    None
}
