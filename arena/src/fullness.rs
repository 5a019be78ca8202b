//! What a process remembers of a board that was full.
//!
//! To find no free slot takes passes over all state words and a probe of each process; to find
//! no free row takes a probe of each. A handle that cannot be registered again would pay for
//! that at every update. So the process remembers what it could not get, and is told by the
//! board's counts of what was given back that it is worth another look. Now and then it looks
//! anyway: something may have become free uncounted.

use crate::layout::Control;
use crate::segment::Segment;
use crate::sync::Ordering;
use crate::sync::plain::AtomicU64;
use core::mem::offset_of;

/// Refusals between two looks that nothing gave reason to.
const LOOK_EVERY: u64 = 64;
/// The same for process rows, each of which costs a syscall to look at.
const ROWS_EVERY: u64 = 4_096;

/// Relaxed all along: it may be wrong in any way, at the cost of one look or one refusal.
#[derive(Default)]
pub(crate) struct Fullness {
    slots: Memory,
    rows: Memory,
}

/// What was not to be had, and when.
#[derive(Default)]
struct Memory {
    /// How much was wanted, in the low 8 bits, and above them one more than the board had given
    /// back of it by then; 0 if nothing was ever refused.
    word: AtomicU64,
    refusals: AtomicU64,
}

fn word_of(given_back: u64, wanted: u16) -> u64 {
    given_back.wrapping_add(1) << 8 | u64::from(wanted & 0xff)
}

impl Memory {
    fn note(&self, given_back: u64, wanted: u16) {
        self.word
            .store(word_of(given_back, wanted), Ordering::Relaxed);
    }

    fn says_no(&self, given_back: u64, wanted: u16, every: u64) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        word != 0
            && word >> 8 == word_of(given_back, 0) >> 8
            && u64::from(wanted) >= word & 0xff
            && !(self.refusals.fetch_add(1, Ordering::Relaxed)).is_multiple_of(every)
    }
}

impl Segment {
    /// Slots that the board has given back, to be read before they are looked for.
    pub(crate) fn reclaimed(&self) -> u64 {
        // Relaxed: a statistic.
        self.control(offset_of!(Control, reclaimed))
            .load(Ordering::Relaxed)
    }

    /// Rows that the board has given back, to be read before one is looked for.
    pub(crate) fn rows_reaped(&self) -> u64 {
        // Relaxed: a statistic.
        self.control(offset_of!(Control, reaped))
            .load(Ordering::Relaxed)
    }

    /// Whether it is not worth while to look for so many slots.
    pub(crate) fn is_known_full(&self, slots: u16) -> bool {
        let memory = &self.process.fullness.slots;
        memory.says_no(self.reclaimed(), slots, LOOK_EVERY)
    }

    /// So many slots were looked for since `reclaimed` was read, and were not to be had.
    pub(crate) fn note_full(&self, reclaimed: u64, slots: u16) {
        self.process.fullness.slots.note(reclaimed, slots);
    }

    /// Whether it is not worth while to look for a row.
    pub(crate) fn is_known_crowded(&self) -> bool {
        let memory = &self.process.fullness.rows;
        memory.says_no(self.rows_reaped(), 1, ROWS_EVERY)
    }

    /// A row was looked for since `reaped` was read, and was not to be had.
    pub(crate) fn note_crowded(&self, reaped: u64) {
        self.process.fullness.rows.note(reaped, 1);
    }
}
