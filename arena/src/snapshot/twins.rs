//! The same key in two living slots.
//!
//! No protocol makes that, but a damaged board may have it: a list is cut, a key is not found any
//! more and registered once again. A series that stands twice would make a whole exposition
//! worthless, so each that comes is looked for among those that are there.
//!
//! An open-addressed table of 32 bits an entry: the slot, and 9 bits of the key's hash. What it
//! finds is compared on the board. Nothing is taken out, since a slot that has gone does not tell
//! its hash any more; what it still has of the gone is found to be gone, and when it is full it is
//! made anew from the living.

use crate::slot::SLOT_BITS;

const SLOT: u32 = (1 << SLOT_BITS) - 1;

#[derive(Default)]
pub(super) struct Twins {
    /// 0 where nothing is: the bits of a hash are never all 0.
    table: Vec<u32>,
    entries: usize,
}

impl Twins {
    /// Room for all slots of a board at once. Takes no memory before something is put in.
    pub(super) fn new(slots: usize) -> Twins {
        Twins {
            table: vec![0; slots + slots / 4 + 1],
            entries: 0,
        }
    }

    /// Whether there is no room for another; then [`clear`](Self::clear) and put in the living.
    pub(super) fn is_full(&self) -> bool {
        // Longer walks than this one's of a dozen entries would begin here.
        self.entries * 8 >= self.table.len() * 7
    }

    pub(super) fn clear(&mut self) {
        self.table.fill(0);
        self.entries = 0;
    }

    fn start(&self, hash: u64) -> usize {
        // The high half, in the table's range.
        (((hash >> 32) * self.table.len() as u64) >> 32) as usize
    }

    fn mark(hash: u64) -> u32 {
        (hash as u32 | 1) << SLOT_BITS
    }

    /// Puts a slot in. The first of those with this hash, maybe, that `is_twin` says yes to.
    pub(super) fn insert(
        &mut self,
        hash: u64,
        slot: u32,
        mut is_twin: impl FnMut(u32) -> bool,
    ) -> Option<u32> {
        let mark = Self::mark(hash);
        let (mut twin, mut is_in) = (None, false);
        let mut at = self.start(hash);
        for _ in 0..self.table.len() {
            let entry = self.table[at];
            if entry == 0 {
                if !is_in {
                    self.table[at] = mark | slot;
                    self.entries += 1;
                }
                break;
            }
            if entry == mark | slot {
                is_in = true;
            } else if entry & !SLOT == mark && twin.is_none() && is_twin(entry & SLOT) {
                twin = Some(entry & SLOT);
            }
            at = if at + 1 == self.table.len() {
                0
            } else {
                at + 1
            };
        }
        twin
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_twin_is_found_however_full_the_table_is() {
        let mut twins = Twins::new(1000);
        let hash = |key: u32| u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut slots = 0;
        while !twins.is_full() {
            let none = twins.insert(hash(slots), slots, |other| hash(other) == hash(slots));
            assert_eq!(none, None);
            slots += 1;
        }
        assert!(slots > 1000, "{slots}");
        for slot in 0..slots {
            let twin = twins.insert(hash(slot), SLOT, |other| hash(other) == hash(slot));
            assert_eq!(twin, Some(slot));
        }
        twins.clear();
        assert_eq!(twins.insert(hash(1), 2, |_| true), None);
        assert_eq!(twins.insert(hash(1), 2, |_| true), None, "itself");
        assert_eq!(twins.insert(hash(1), 3, |_| true), Some(2));
        // Found behind itself as well.
        assert_eq!(twins.insert(hash(1), 2, |_| true), Some(3));
    }
}
