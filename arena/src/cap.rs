//! How many series a family has, and how many it may have.
//!
//! ```text
//! shared unit of the family's slot:  0 series   1 reaped + 1 at the last recount   2 overflows
//! ```
//!
//! A registration counts its series before it links it, and whoever ends a series takes it
//! off after that: a death in between leaves the count too high. When it reaches the cap and
//! a process was reaped since the last recount, one process counts the series one by one.
//! Registrations that run meanwhile may be missed, and the cap be exceeded by as many; so may
//! registrations that race.

use crate::layout::{Control, HeadRecord};
use crate::planes::Cell;
use crate::record::{Cap, Draft, SERIES, Shape};
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::sync::Ordering;
use core::mem::offset_of;

const COUNT: u32 = 0;
const RECOUNTED: u32 = 1;
const OVERFLOWS: u32 = 2;

/// The value of every label of the series that counts what goes beyond a family's cap.
pub(crate) const OVERFLOW: &str = "overflow";

impl Segment {
    /// Counts a series of the family that its key names, if it is one that a cap is meant for.
    pub(crate) fn count_series(&self, draft: &Draft<'_>) {
        if draft.key.kind == SERIES && draft.cap != Cap::Overflow {
            self.change_count(draft.key.parent, draft.parent_slot, 1);
        }
    }

    /// Takes it off again.
    pub(crate) fn uncount_series(&self, draft: &Draft<'_>) {
        if draft.key.kind == SERIES && draft.cap != Cap::Overflow {
            self.change_count(draft.key.parent, draft.parent_slot, u64::MAX);
        }
    }

    /// Takes a series off that has ended.
    pub(crate) fn uncount_ended(&self, shape: Shape, family: u64, family_slot: u32) {
        if shape.kind == SERIES && !shape.is_overflow {
            self.change_count(family, family_slot, u64::MAX);
        }
    }

    fn change_count(&self, family: u64, slot: u32, amount: u64) {
        if family != 0
            && let Some(slot) = self.slot(slot)
        {
            self.change_family(slot, COUNT, family, |count| count.wrapping_add(amount));
        }
    }

    fn change_family(&self, family: Slot, cell: u32, tag: u64, change: impl Fn(u64) -> u64) {
        // A family that has ended counts nothing any more.
        let _ = self.add_shared(Cell::of_head(family, cell, tag), change);
    }

    /// Whether the draft's family may have one more series. Counts them one by one where the
    /// count may be too high.
    pub(crate) fn makes_room(&self, draft: &Draft<'_>) -> bool {
        let Cap::AtMost(cap) = draft.cap else {
            return true;
        };
        let tag = draft.key.parent;
        let Some(family) = self.slot(draft.parent_slot) else {
            return true;
        };
        let count = self.read_shared(family, COUNT, tag).unwrap_or(0);
        if count < cap {
            return true;
        }
        // Relaxed: a statistic.
        let reaped = self.control(offset_of!(Control, reaped));
        let now = (reaped.load(Ordering::Relaxed).wrapping_add(1), tag);
        let mark = self.pair(family, RECOUNTED);
        let before = (mark.value(), mark.tag());
        // One process counts, or two would take the same off twice.
        if before == now || !mark.compare_exchange(before, now) {
            return false;
        }
        let there = self.series_of(tag);
        self.change_family(family, COUNT, tag, |now| {
            now.wrapping_add(there.wrapping_sub(count))
        });
        there < cap
    }

    /// Living series of a family, one by one, but for that of its overflow. A pass over the
    /// state words.
    pub(crate) fn series_of(&self, family: u64) -> u64 {
        let slots = (0..self.geometry.slots).filter_map(|index| self.slot(index));
        let is_of = |slot: &Slot| {
            // ORDERING: [S1] Acquire: the record behind it.
            let state = State::of(self.state(*slot).load(Ordering::Acquire));
            matches!(state, State::Ready { .. })
                && self.head_word(*slot, offset_of!(HeadRecord, parent)) == family
                && {
                    let shape = Shape::of(self.head_word(*slot, offset_of!(HeadRecord, shape)));
                    shape.kind == SERIES && !shape.is_overflow
                }
        };
        slots.filter(is_of).count() as u64
    }

    /// Counts an overflow of a family.
    pub(crate) fn count_overflow(&self, family: Slot, tag: u64) {
        self.change_family(family, OVERFLOWS, tag, |count| count.wrapping_add(1));
        self.count(offset_of!(Control, overflowed));
    }

    /// Registrations of a family that went beyond its cap.
    pub(crate) fn overflows_of(&self, family: Slot, tag: u64) -> u64 {
        self.read_shared(family, OVERFLOWS, tag).unwrap_or(0)
    }
}
