//! How many series a family has, and how many it may have.
//!
//! ```text
//! shared unit of the family's slot:  0 series   1 reaped + 1 at the last recount   2 overflows
//! ```
//!
//! A registration counts its series before it links it, and whoever ends a series takes it
//! off after that. So the count is never too low; a death in between leaves it too high,
//! and when the count reaches the cap and a process was reaped since the last recount, the
//! series are counted one by one. Registrations that race may exceed the cap by as many.

use crate::family::Kind;
use crate::layout::{Control, HeadRecord};
use crate::planes::Cell;
use crate::record::{Draft, Key, SERIES, Shape};
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
    /// Adds to the number of series of the family that a series' key names.
    pub(crate) fn count_series(&self, key: &Key<'_>, family: u32, amount: u64) {
        if key.kind == SERIES
            && key.parent != 0
            && let Some(family) = self.slot(family)
        {
            self.change_family(family, COUNT, key.parent, |count| {
                count.wrapping_add(amount)
            });
        }
    }

    /// Takes one off.
    pub(crate) fn uncount(&self, key: &Key<'_>, family: u32) {
        self.count_series(key, family, u64::MAX);
    }

    fn change_family(&self, family: Slot, cell: u32, tag: u64, change: impl Fn(u64) -> u64) {
        // A family that has ended counts nothing any more.
        let _ = self.add_shared(Cell::of_head(family, cell, tag), change);
    }

    /// Whether the draft's family may have one more series.
    pub(crate) fn has_room(&self, draft: &Draft<'_>) -> bool {
        let tag = draft.key.parent;
        let Some(family) = self.slot(draft.parent_slot) else {
            return true;
        };
        let overflows = self.overflows_of(family, tag) > 0;
        // The series that counts them is none of those that the cap is meant for.
        let is_gauge = Kind::of(draft.metric) == Some(Kind::Gauge);
        let cap = draft.cap.saturating_add(u64::from(overflows && !is_gauge));
        let count = self.read_shared(family, COUNT, tag).unwrap_or(0);
        if count < cap {
            return true;
        }
        // Relaxed: a statistic. Wrapping: a damaged board may have any number there.
        let reaped = self.control(offset_of!(Control, reaped));
        let next = reaped.load(Ordering::Relaxed).wrapping_add(1);
        if self.read_shared(family, RECOUNTED, tag) == Some(next) {
            return false;
        }
        let there = self.series_of(tag);
        self.change_family(family, RECOUNTED, tag, |_| next);
        self.change_family(family, COUNT, tag, |now| {
            now.wrapping_sub(count.saturating_sub(there))
        });
        there < cap
    }

    /// Living series of a family, one by one. A pass over the state words.
    pub(crate) fn series_of(&self, family: u64) -> u64 {
        let slots = (0..self.geometry.slots).filter_map(|index| self.slot(index));
        let is_of = |slot: &Slot| {
            // ORDERING: [S1] Acquire: the record behind it.
            let state = State::of(self.state(*slot).load(Ordering::Acquire));
            matches!(state, State::Ready { .. })
                && self.head_word(*slot, offset_of!(HeadRecord, parent)) == family
                && Shape::of(self.head_word(*slot, offset_of!(HeadRecord, shape))).kind == SERIES
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
