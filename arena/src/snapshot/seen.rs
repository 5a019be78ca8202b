//! What a reader saw in each state word.
//!
//! A word a slot: the state word itself, or, where a series is, its tag with the slot of its
//! family in the bits that a tag leaves empty, so that what a series belonged to is still known
//! when it has gone.

use crate::segment::Segment;
use crate::slot::{ARGUMENT_MASK, KIND_SHIFT, State};
use crate::sync::Ordering;

/// No state has this kind: that of a tag with one bit more.
const SERIES: u64 = 6;
const SERIES_BIT: u64 = 1 << 63;
/// What no rule allows is all one.
const INVALID: u64 = u64::MAX;
/// No word is this, and so every word is another.
const FORGOTTEN: u64 = 7 << KIND_SHIFT;

pub(super) struct Seen(Vec<u64>);

#[inline]
fn is_same(seen: u64, word: u64) -> bool {
    if seen >> KIND_SHIFT == SERIES {
        (seen ^ SERIES_BIT) & !ARGUMENT_MASK == word
    } else {
        seen == word
    }
}

impl Seen {
    /// All of a new board's slots: free.
    pub(super) fn new(slots: usize) -> Seen {
        Seen(vec![0; slots])
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the slot's state word was `word`.
    #[inline]
    pub(super) fn is(&self, slot: u32, word: u64) -> bool {
        is_same(self.0[slot as usize], word)
    }

    /// The first slot from `from` on whose state word is another now, and that word.
    pub(super) fn next_other(&self, from: u32, segment: &Segment) -> Option<(u32, u64)> {
        let states = segment.states();
        let slots = self.0.iter().zip(states.iter()).enumerate();
        let mut slots = slots.skip(from as usize);
        slots.find_map(|(slot, (seen, state))| {
            // ORDERING: [S1] Acquire; pairs with the Release of `complete`: a READY slot's
            // record is complete.
            let word = state.load(Ordering::Acquire);
            (!is_same(*seen, word)).then_some((slot as u32, word))
        })
    }

    pub(super) fn set(&mut self, slot: u32, word: u64) {
        let is_valid = State::of(word) != State::Invalid;
        self.0[slot as usize] = if is_valid { word } else { INVALID };
    }

    /// A series of the family in the slot `family`, which is below the board's.
    pub(super) fn set_series(&mut self, slot: u32, tag: u64, family: u32) {
        self.0[slot as usize] = tag | SERIES_BIT | u64::from(family);
    }

    /// Makes the next pass look at the slot again.
    pub(super) fn forget(&mut self, slot: u32) {
        self.0[slot as usize] = FORGOTTEN;
    }

    /// The tag in this slot of what is not a series; of a part that is being folded, its word.
    pub(super) fn tag(&self, slot: u32) -> Option<u64> {
        self.0.get(slot as usize).copied()
    }

    /// The tag of the series in this slot, and the slot of its family.
    pub(super) fn series(&self, slot: u32) -> Option<(u64, u32)> {
        let seen = *self.0.get(slot as usize)?;
        (seen >> KIND_SHIFT == SERIES).then_some((
            (seen ^ SERIES_BIT) & !ARGUMENT_MASK,
            (seen & ARGUMENT_MASK) as u32,
        ))
    }

    /// Whether `tag` was seen in this slot, whatever that number is.
    pub(super) fn is_life(&self, slot: u64, tag: u64) -> bool {
        let slot = u32::try_from(slot).ok();
        slot.is_some_and(|slot| (slot as usize) < self.0.len() && self.is(slot, tag))
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_its_tag_and_names_its_family() {
        let mut seen = Seen::new(2);
        let tag = State::Ready { serial: 7 }.word();
        let last = ARGUMENT_MASK as u32;
        for family in [0, 1, last] {
            seen.set_series(1, tag, family);
            assert!(seen.is(1, tag) && seen.is_life(1, tag));
            assert_eq!(seen.series(1), Some((tag, family)));
            let others = [
                0,
                tag | 1,
                tag ^ SERIES_BIT,
                State::Removed { serial: 7 }.word(),
            ];
            assert!(others.iter().all(|other| !seen.is(1, *other)));
        }
        assert_eq!((seen.series(0), seen.series(2)), (None, None));
        assert!(!seen.is_life(2, tag) && !seen.is_life(u64::MAX, tag));
    }

    #[test]
    fn a_word_that_no_rule_makes_is_no_series() {
        let mut seen = Seen::new(1);
        let tag = State::Ready { serial: 7 }.word();
        for word in [tag ^ SERIES_BIT, tag | 3, u64::MAX] {
            seen.set(0, word);
            assert_eq!(seen.series(0), None);
            assert!(!seen.is(0, tag));
        }
        seen.set(0, tag);
        assert_eq!(seen.series(0), None);
        assert!(seen.is(0, tag));
        seen.forget(0);
        assert!(!seen.is(0, tag) && !seen.is(0, 0));
    }
}
