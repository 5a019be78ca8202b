//! What a process remembers of a board that was full.
//!
//! To find no free slot takes passes over all state words and a probe of each process. A handle
//! that cannot be registered again would pay for that at every update. So the process remembers
//! how many slots it could not get, and is told by the board's count of reclaimed slots that it
//! is worth another look. Now and then it looks anyway: a slot may have become free uncounted.

use crate::layout::Control;
use crate::segment::Segment;
use crate::sync::Ordering;
use crate::sync::plain::AtomicU64;
use core::mem::offset_of;

/// Refusals between two looks that nothing gave reason to.
const LOOK_EVERY: u64 = 64;

/// Relaxed all along: it may be wrong in any way, at the cost of one look or one refusal.
pub(crate) struct Fullness {
    /// `slots:8` that were not to be had when `reclaimed + 1 : 56` slots had been reclaimed;
    /// 0 if that never happened.
    word: AtomicU64,
    refusals: AtomicU64,
}

impl Fullness {
    pub(crate) fn unknown() -> Fullness {
        Fullness {
            word: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
        }
    }
}

impl Segment {
    /// The board as it is now, to be given to [`note_full`](Self::note_full).
    pub(crate) fn reclaimed(&self) -> u64 {
        // Relaxed: a statistic.
        self.control(offset_of!(Control, reclaimed))
            .load(Ordering::Relaxed)
    }

    /// Whether it is not worth while to look for so many slots.
    pub(crate) fn is_known_full(&self, slots: u16) -> bool {
        let fullness = &self.process.fullness;
        let word = fullness.word.load(Ordering::Relaxed);
        word != 0
            && word >> 8 == (self.reclaimed() + 1) & (u64::MAX >> 8)
            && u64::from(slots) >= word & 0xff
            && !fullness
                .refusals
                .fetch_add(1, Ordering::Relaxed)
                .is_multiple_of(LOOK_EVERY)
    }

    /// So many slots were looked for since `reclaimed` was read, and were not to be had.
    pub(crate) fn note_full(&self, reclaimed: u64, slots: u16) {
        let word = (reclaimed + 1) << 8 | u64::from(slots);
        self.process.fullness.word.store(word, Ordering::Relaxed);
    }
}
