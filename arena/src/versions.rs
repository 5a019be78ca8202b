//! Definitions of one name that differ: which is the newest, and which is out of use.
//!
//! All of them stand side by side in one list. A definition's *rank* is the tag of its first
//! life; a process whose definition was reclaimed makes it anew with its old rank.

#[cfg(all(feature = "metrics", not(all(test, arena_loom))))]
use crate::family::Definition;
use crate::index::Link;
use crate::layout::HeadRecord;
#[cfg(all(feature = "metrics", not(all(test, arena_loom))))]
use crate::layout::MAX_TEXT_LEN;
#[cfg(all(feature = "metrics", not(all(test, arena_loom))))]
use crate::record::lengths;
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
        let hash = self.head_word(family.slot, offset_of!(HeadRecord, hash));
        // Whoever was taken for replaced and is used registers again.
        self.definitions(hash)
            .any(|other| self.rank(other) > self.rank(family))
    }

    /// The newest definition of a name, if there is any. A walk through one list.
    #[cfg(all(feature = "metrics", not(all(test, arena_loom))))]
    pub(crate) fn newest_definition(&self, name: &str) -> Option<Definition> {
        let mut text = [0; MAX_TEXT_LEN];
        self.definitions(self.family_hash(name))
            .filter_map(|family| {
                let (_, len) =
                    lengths(self.head_word(family.slot, offset_of!(HeadRecord, lengths)));
                let definition =
                    Definition::decode(self.read_text(family.slot, len, &mut text)?)?;
                let rank = self.rank(family);
                (definition.name == name && self.still_lives(family)).then_some((rank, definition))
            })
            .max_by_key(|(rank, _)| *rank)
            .map(|(_, definition)| definition)
    }

    /// The families of this hash. A list that changes under this look may end it early or lead
    /// elsewhere: for what is looked at again, or may be wrong.
    fn definitions(&self, hash: u64) -> impl Iterator<Item = Bound> {
        // ORDERING: [L1] Acquire, as in `walk`.
        let mut link = Link::of(self.head(self.list_of(hash)).load(Ordering::Acquire));
        let slots = (0..self.geometry.slots).map_while(move |_| {
            let slot = link.target().and_then(|target| self.slot(target))?;
            // ORDERING: [S1] Acquire: the record behind it.
            let state = State::of(self.state(slot).load(Ordering::Acquire));
            // ORDERING: [L1] Acquire, as in `walk`.
            link = Link::of(self.next(slot).load(Ordering::Acquire));
            Some((slot, state))
        });
        slots.filter_map(move |(slot, state)| match state {
            State::Ready { serial }
                if self.head_word(slot, offset_of!(HeadRecord, hash)) == hash
                    && self.is_family(slot) =>
            {
                Some(Bound { slot, serial })
            }
            _ => None,
        })
    }
}
