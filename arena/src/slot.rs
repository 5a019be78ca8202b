//! Slots: what a state word says, and how slots are claimed and given back.
//!
//! ```text
//!                claim                 link, finish            remove           unlink
//!  FREE ───────────────▶ BUILDING(row) ────────────▶ READY ───────────▶ REMOVED ──────▶ FREE
//!   ▲  ▲                    │ reap, lose                                                 │
//!   │  └────────────────────┘                                                            │
//!   └────────────────────────────────────────────────────────────────────────────────────┘
//!  FREE or a dead CONT ──▶ CONT(head, serial): lives and dies with its head's serial
//!  READY ──▶ FOLDING ──▶ REMOVED: the part of a dead process, see `fold`
//! ```
//!
//! Only the claimer writes a slot's record, and only between its claim and the link. A
//! claimer that dies leaves BUILDING, which names its row; a reaper that holds the row's
//! change lock and finds its life lock free gives the slot back or completes it.

use crate::error::RefusedReason;
use crate::layout::Control;
use crate::mutation::{self, Mutation};
use crate::segment::Segment;
use crate::sync::Ordering;
use core::mem::offset_of;

/// The index of a slot, checked against the board's capacity.
///
/// Invariant: below `slots` of the segment it came from. [`Segment::slot`] makes it from an
/// index that was read; a handle makes it again from one that it stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) u32);

impl Slot {
    #[inline]
    pub(crate) fn index(self) -> u32 {
        self.0
    }
}

pub(crate) const KIND_SHIFT: u32 = 61;
const SERIAL_SHIFT: u32 = 22;
/// Bits that any slot's number fits in: those of an argument.
pub(crate) const SLOT_BITS: u32 = SERIAL_SHIFT;
/// Serials end here: 2^39 registrations, 17 years at a thousand a second. Beyond it
/// registration is refused, because a serial is never used twice.
pub(crate) const MAX_SERIAL: u64 = (1 << (KIND_SHIFT - SERIAL_SHIFT)) - 1;
pub(crate) const ARGUMENT_MASK: u64 = (1 << SERIAL_SHIFT) - 1;
/// The kind of FOLDING, and of the name of a part that was folded.
const FOLDING: u64 = 3;

/// A state word, decoded: `kind:3 | serial:39 | argument:22`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody's.
    Free,
    /// The process of `row` is writing its record.
    Building { row: u32, serial: u64 },
    /// Alive: this word is the tag of its cells.
    Ready { serial: u64 },
    /// A dead process's gauge on its way into the accumulator.
    Folding { serial: u64 },
    /// Its series has ended; it is still, or may still be, linked.
    Removed { serial: u64 },
    /// Part of the chain of `head`, as long as that carries `serial`.
    Continuation { head: u32, serial: u64 },
    /// No rule makes this word.
    Invalid,
}

impl State {
    /// Decodes a word; anything that no rule makes is [`Invalid`](State::Invalid).
    #[inline]
    pub(crate) fn of(word: u64) -> State {
        let serial = word >> SERIAL_SHIFT & MAX_SERIAL;
        let argument = (word & ARGUMENT_MASK) as u32;
        match (word >> KIND_SHIFT, argument) {
            (0, 0) if serial == 0 => State::Free,
            (1, row) => State::Building { row, serial },
            (2, 0) => State::Ready { serial },
            (FOLDING, 0) => State::Folding { serial },
            (4, 0) => State::Removed { serial },
            (5, head) => State::Continuation { head, serial },
            _ => State::Invalid,
        }
    }

    /// The word of this state.
    #[inline]
    pub(crate) fn word(self) -> u64 {
        let (kind, serial, argument) = match self {
            State::Free => return 0,
            State::Building { row, serial } => (1, serial, row),
            State::Ready { serial } => (2, serial, 0),
            State::Folding { serial } => (FOLDING, serial, 0),
            State::Removed { serial } => (4, serial, 0),
            State::Continuation { head, serial } => (5, serial, head),
            State::Invalid => unreachable!("an invalid state is never written"),
        };
        debug_assert!(serial <= MAX_SERIAL && u64::from(argument) <= ARGUMENT_MASK);
        kind << KIND_SHIFT | serial << SERIAL_SHIFT | u64::from(argument)
    }
}

/// What an accumulator says beside its value: which part was folded into it last.
/// `FOLDING:3 | serial:39 | slot:22`.
pub(crate) fn fold_name(slot: Slot, serial: u64) -> u64 {
    FOLDING << KIND_SHIFT | serial << SERIAL_SHIFT | u64::from(slot.index())
}

/// The slot, not yet checked, and the serial of the part that a name means.
pub(crate) fn of_fold_name(name: u64) -> Option<(u32, u64)> {
    let serial = name >> SERIAL_SHIFT & MAX_SERIAL;
    (name >> KIND_SHIFT == FOLDING).then_some(((name & ARGUMENT_MASK) as u32, serial))
}

impl Segment {
    /// A number that no life of any slot has had. One `fetch_add`.
    pub(crate) fn next_serial(&self) -> Result<u64, RefusedReason> {
        // Relaxed: only uniqueness matters, and a single word's changes are ordered.
        let word = self.control(offset_of!(Control, serial));
        // Looked at first, so that refusals do not wrap the word around.
        if word.load(Ordering::Relaxed) >= MAX_SERIAL {
            return Err(RefusedReason::SerialsExhausted);
        }
        match word.fetch_add(1, Ordering::Relaxed) {
            last if last < MAX_SERIAL => Ok(last + 1),
            _ => Err(RefusedReason::SerialsExhausted),
        }
    }

    /// Whether a slot with this state word may be claimed.
    fn is_claimable(&self, word: u64) -> bool {
        match State::of(word) {
            State::Free => true,
            State::Continuation { head, serial } => match self.slot(head) {
                // ORDERING: [S4] Acquire; pairs with every CAS that takes a head out of
                // BUILDING and READY. Whoever then claims the continuation and writes to it
                // has the head's end behind him, so a reader that meets the new bytes also
                // meets the ended state and drops what it read.
                Some(head) => match State::of(self.state(head).load(Ordering::Acquire)) {
                    State::Building { serial: now, .. } | State::Ready { serial: now } => {
                        now != serial
                    }
                    _ => true,
                },
                None => true,
            },
            _ => false,
        }
    }

    /// Takes a slot that is FREE or a dead CONT and makes it `claimed`; `None` when the
    /// board is full. Lock-free; one pass over the state words, 8 bytes a slot.
    pub(crate) fn claim(&self, claimed: State) -> Option<Slot> {
        let slots = self.geometry.slots;
        let hint = self.control(offset_of!(Control, hint));
        // Relaxed: a hint may be anything.
        let start = (hint.load(Ordering::Relaxed) % u64::from(slots)) as u32;
        for step in 0..slots {
            let slot = self.slot((start + step) % slots)?;
            let state = self.state(slot);
            // ORDERING: [S4] Acquire; pairs with the Release below. Whoever meets a CONT sees
            // its head BUILDING, or what came after, and never takes it for dead.
            let word = state.load(Ordering::Acquire);
            if !self.is_claimable(word) {
                continue;
            }
            // ORDERING: [S3] Acquire; pairs with the CAS to FREE. What the life before did
            // to this slot is over. [S4] Release: a CONT brings its head's claim along.
            let both = mutation::ordering(
                Mutation::ContinuationRelaxed,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            if state
                .compare_exchange(word, claimed.word(), both, Ordering::Relaxed)
                .is_ok()
            {
                hint.store(u64::from(slot.index()) + 1, Ordering::Relaxed);
                return Some(slot);
            }
        }
        None
    }

    /// Changes `slot` from exactly `from` to FREE; its continuations are free with it.
    pub(crate) fn release(&self, slot: Slot, from: State) -> bool {
        // ORDERING: [S3] [S4] Release: see `claim` and `is_claimable`. Acquire, so that a
        // helper who frees what another unlinked passes that on.
        self.state(slot)
            .compare_exchange(
                from.word(),
                State::Free.word(),
                Ordering::AcqRel,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// Makes a linked BUILDING slot READY; anyone may, because a linked record is complete.
    pub(crate) fn complete(&self, slot: Slot, row: u32, serial: u64) {
        // A failure means that someone else has done it, and perhaps more.
        // ORDERING: [S1] Release; pairs with the Acquire of readers that come by the state
        // word. Acquire is not needed: who links or finds has the record behind him already.
        let _ = self.state(slot).compare_exchange(
            State::Building { row, serial }.word(),
            State::Ready { serial }.word(),
            mutation::ordering(Mutation::ReadyRelaxed, Ordering::Release, Ordering::Relaxed),
            Ordering::Relaxed,
        );
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;

    #[test]
    fn state_words_round_trip_and_strangers_are_invalid() {
        for state in [
            State::Free,
            State::Building {
                row: 65_534,
                serial: 7,
            },
            State::Ready { serial: MAX_SERIAL },
            State::Folding { serial: 1 },
            State::Removed { serial: 2 },
            State::Continuation {
                head: (1 << 22) - 1,
                serial: 3,
            },
        ] {
            assert_eq!(State::of(state.word()), state);
        }
        for word in [1, u64::MAX, 2 << 61 | 1, 6 << 61, 7 << 61, 1 << 22] {
            assert_eq!(State::of(word), State::Invalid, "{word:#x}");
        }
    }
}
