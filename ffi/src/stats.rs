//! `tb_stats`: how full a board is.

use std::ffi::{CStr, c_char};
use std::mem::{offset_of, size_of};

use arena::{Board, RefusedReason};

use crate::board;
use crate::boundary;
use crate::grown::{self, Grown};
use crate::status::Status;

/// `TB_REFUSED_REASONS`. More than there are, since an array in the middle of a struct cannot grow.
pub(crate) const REFUSED_REASONS: usize = 16;

/// What the arena's `Stats` says, with the refusals by their number.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Stats {
    pub(crate) struct_size: usize,
    pub(crate) bytes_reserved: u64,
    pub(crate) bytes_total: u64,
    pub(crate) slots: u32,
    pub(crate) slots_used: u32,
    pub(crate) series: u32,
    pub(crate) families: u32,
    pub(crate) processes: u32,
    pub(crate) processes_used: u32,
    pub(crate) planes: u32,
    pub(crate) planes_ready: u32,
    pub(crate) planes_refused: u32,
    pub(crate) refused_reasons: u32,
    pub(crate) reclaimed: u64,
    pub(crate) reaped: u64,
    pub(crate) damaged: u64,
    pub(crate) refused: [u64; REFUSED_REASONS],
    pub(crate) parts: u64,
    pub(crate) folded: u64,
    pub(crate) overflowed: u64,
    pub(crate) expired: u64,
}

// SAFETY: `repr(C)`, begins with `struct_size`, and holds only integers.
unsafe impl Grown for Stats {
    const NAME: &'static str = "stats";
    const FIRST_SIZE: usize = offset_of!(Self, parts);
    const DEFAULT: Self = Stats {
        struct_size: size_of::<Stats>(),
        bytes_reserved: 0,
        bytes_total: 0,
        slots: 0,
        slots_used: 0,
        series: 0,
        families: 0,
        processes: 0,
        processes_used: 0,
        planes: 0,
        planes_ready: 0,
        planes_refused: 0,
        refused_reasons: 0,
        reclaimed: 0,
        reaped: 0,
        damaged: 0,
        refused: [0; REFUSED_REASONS],
        parts: 0,
        folded: 0,
        overflowed: 0,
        expired: 0,
    };
}

/// Fills the caller's struct.
///
/// # Safety
///
/// `board` is NULL or open; `stats` is NULL or begins with the size it has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_stats(board: *const Board, stats: *mut Stats) -> Status {
    boundary::call(|| {
        // SAFETY: NULL or a live board, by this function's contract.
        let now = unsafe { board::given(board) }?.stats();
        let mut refused = [0; REFUSED_REASONS];
        for (entry, (_, count)) in refused.iter_mut().zip(&now.refused) {
            *entry = *count;
        }
        let told = Stats {
            struct_size: size_of::<Stats>(),
            bytes_reserved: now.bytes_reserved,
            bytes_total: now.bytes_total,
            slots: now.slots,
            slots_used: now.slots_used,
            series: now.series,
            families: now.families,
            processes: now.processes,
            processes_used: now.processes_used,
            planes: now.planes,
            planes_ready: now.planes_ready,
            planes_refused: now.planes_refused,
            refused_reasons: now.refused.len() as u32,
            reclaimed: now.reclaimed,
            reaped: now.reaped,
            damaged: now.damaged,
            refused,
            parts: now.parts.into(),
            folded: now.folded,
            overflowed: now.overflowed,
            expired: now.expired,
        };
        // SAFETY: NULL, or as large as it says, by this function's contract.
        unsafe { grown::write(stats, &told) }
    })
}

/// The arena's reasons as it writes them, in its order, with the NUL that C wants: a test holds
/// them against `RefusedReason::ALL`.
const REASON_NAMES: [&CStr; RefusedReason::ALL.len()] = [
    c"board_full",
    c"process_table_full",
    c"too_long",
    c"damaged",
    c"overrun",
    c"unlockable",
    c"serials_exhausted",
    c"read_only",
    c"family_full",
    c"bad_exemplar",
    c"retired",
];
const _: () = assert!(REASON_NAMES.len() <= REFUSED_REASONS);

/// The name of a reason; NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn tb_refused_reason_name(reason: u32) -> *const c_char {
    REASON_NAMES
        .get(reason as usize)
        .map_or(std::ptr::null(), |name| name.as_ptr())
}
