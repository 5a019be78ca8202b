//! Under loom there is only the shared plane.

use super::{Cell, Ended, SUM, add_to_bits};
use crate::segment::Segment;
use crate::slot::Slot;

impl Segment {
    pub(super) fn state_at_hand(&self, slot: Slot) -> &crate::sync::AtomicU64 {
        self.state(slot)
    }

    pub(super) fn pair_at_hand(&self, cell: Cell) -> crate::pair::Pair<'_> {
        self.pair(cell.slot, cell.index)
    }

    pub(crate) fn add_int(&self, cell: Cell, amount: u64) -> Result<(), Ended> {
        self.add_shared(cell, |value| value.wrapping_add(amount))
    }

    pub(crate) fn add_float(&self, cell: Cell, amount: f64) -> Result<(), Ended> {
        self.add_shared(cell, add_to_bits(amount))
    }

    pub(crate) fn add_to_sum(&self, head: Slot, tag: u64, amount: f64) {
        let _ = self.add_float(Cell::of_head(head, SUM, tag), amount);
    }

    pub(crate) fn try_add_int(&self, _: Cell, _: u64) -> bool {
        false
    }

    pub(crate) fn try_add_float(&self, _: Cell, _: f64) -> bool {
        false
    }

    pub(crate) fn try_observe(&self, _: Cell, _: f64) -> bool {
        false
    }
}
