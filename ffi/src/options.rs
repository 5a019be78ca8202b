//! `tb_board_options`.

use std::mem::{offset_of, size_of};
use std::time::Duration;

use arena::BoardOptions;

use crate::failure::Failure;
use crate::grown::{self, Grown};

/// How to make a board; 0 is the default of each field.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Options {
    pub(crate) struct_size: usize,
    pub(crate) slots: u32,
    pub(crate) processes: u32,
    pub(crate) mode: u32,
    pub(crate) has_group: u32,
    pub(crate) group: u32,
    pub(crate) allow_any_filesystem: u32,
    pub(crate) series_cap: u32,
    pub(crate) keep_dead_seconds: u32,
}

// SAFETY: `repr(C)`, begins with `struct_size`, and holds only integers.
unsafe impl Grown for Options {
    const NAME: &'static str = "options";
    const FIRST_SIZE: usize = offset_of!(Self, series_cap);
    const DEFAULT: Self = Options {
        struct_size: size_of::<Options>(),
        slots: 0,
        processes: 0,
        mode: 0,
        has_group: 0,
        group: 0,
        allow_any_filesystem: 0,
        series_cap: 0,
        keep_dead_seconds: 0,
    };
}

/// The arena's options for those at `given`; its defaults for NULL.
///
/// # Safety
///
/// As [`grown::read`].
pub(crate) unsafe fn read(given: *const Options) -> Result<BoardOptions, Failure> {
    let mut options = BoardOptions::new();
    if given.is_null() {
        return Ok(options);
    }
    // SAFETY: the same contract as this function's.
    let given = unsafe { grown::read(given) }?;
    if given.slots != 0 {
        options = options.slots(given.slots);
    }
    if given.processes != 0 {
        options = options.processes(given.processes);
    }
    if given.mode != 0 {
        options = options.mode(given.mode);
    }
    if given.has_group != 0 {
        options = options.group(given.group);
    }
    if given.keep_dead_seconds != 0 {
        options = options.keep_dead(Duration::from_secs(given.keep_dead_seconds.into()));
    }
    options = options.series_cap(given.series_cap.into());
    Ok(options.allow_any_filesystem(given.allow_any_filesystem != 0))
}
