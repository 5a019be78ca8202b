//! Definitions of one name that differ: which is the newest, and which is out of use.
//!
//! All of them stand side by side in one list. A definition's *rank* is the tag of its first
//! life; a process whose definition was reclaimed makes it anew with its old rank.

use crate::index::Link;
use crate::layout::HeadRecord;
use crate::record::{FAMILY, SERIES, Shape};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::sync::Ordering;
use core::mem::offset_of;

/// The rank that a family's note says; its tag where that cannot be one.
pub(crate) fn rank_of(note: u64, tag: u64) -> u64 {
    match State::of(note) {
        State::Ready { .. } if note < tag => note,
        _ => tag,
    }
}

impl Segment {
    /// Of two definitions of one name, the one with the greater rank is the newer.
    pub(crate) fn rank(&self, family: Bound) -> u64 {
        let note = self.head_word(family.slot, offset_of!(HeadRecord, note));
        // What else is there now may have another meaning of the word.
        if self.still_lives(family) {
            rank_of(note, family.tag())
        } else {
            family.tag()
        }
    }

    /// Whether this is a definition that a newer one has replaced and that has no series any
    /// more. A walk through one list; a pass over the state words if it was replaced.
    pub(crate) fn is_out_of_use(&self, family: Bound) -> bool {
        self.is_family(family.slot) && self.is_replaced(family) && {
            !self.has_series(family.tag()) && self.still_lives(family)
        }
    }

    /// Whether a family has any series. A pass over the state words.
    fn has_series(&self, family: u64) -> bool {
        let mut slots = (0..self.geometry.slots).filter_map(|index| self.slot(index));
        slots.any(|slot| {
            // ORDERING: [S1] Acquire: the record behind it.
            let state = State::of(self.state(slot).load(Ordering::Acquire));
            matches!(state, State::Ready { .. })
                && self.head_word(slot, offset_of!(HeadRecord, parent)) == family
                && Shape::of(self.head_word(slot, offset_of!(HeadRecord, shape))).kind == SERIES
        })
    }

    fn is_family(&self, slot: Slot) -> bool {
        Shape::of(self.head_word(slot, offset_of!(HeadRecord, shape))).kind == FAMILY
    }

    fn is_replaced(&self, family: Bound) -> bool {
        let hash_of = |slot| self.head_word(slot, offset_of!(HeadRecord, hash));
        let hash = hash_of(family.slot);
        // ORDERING: [L1] Acquire, as in `walk`. A list that changes under this look may end it
        // early or lead elsewhere: the next sweep looks again, and whoever was taken for
        // replaced and is used registers again.
        let mut link = Link::of(self.head(self.list_of(hash)).load(Ordering::Acquire));
        for _ in 0..self.geometry.slots {
            let Some(slot) = link.target().and_then(|target| self.slot(target)) else {
                return false;
            };
            // ORDERING: [S1] Acquire: the record behind it.
            let state = State::of(self.state(slot).load(Ordering::Acquire));
            if let State::Ready { serial } = state
                && hash_of(slot) == hash
                && self.is_family(slot)
                && self.rank(Bound { slot, serial }) > self.rank(family)
            {
                return true;
            }
            // ORDERING: [L1] Acquire, as in `walk`.
            link = Link::of(self.next(slot).load(Ordering::Acquire));
        }
        false
    }
}
