//! Which slots this process found lately: a shortcut past the keyed hash and the lists.
//!
//! A place says where a series with a key of that hash was last found. It may be wrong in
//! any way (overwritten, stale, a collision made on purpose): whoever takes a slot from here
//! compares the whole key and the state before and after, and asks the index otherwise.

use crate::slot::Slot;
use crate::sync::Ordering;
use crate::sync::plain::AtomicU32;
use crate::zeroed::Zeroed;
use std::io;

const PLACES: usize = 4096;

/// Slots by a quick hash of their keys. Shared by the threads of a process; no lock.
pub(crate) struct Recent {
    /// `slot + 1`, or 0. Relaxed: a guess is no more than that, whenever it was made.
    places: Zeroed<AtomicU32>,
}

impl Recent {
    pub(crate) fn new() -> io::Result<Recent> {
        Ok(Recent {
            places: Zeroed::new(PLACES)?,
        })
    }

    /// Where the series of a family with a key of these words is looked up. One multiplication a word; not keyed: see
    /// above.
    #[inline]
    pub(crate) fn place(&self, family: u64, key: &[u64]) -> &AtomicU32 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |hash: u64, word: &u64| (hash.rotate_left(5) ^ word).wrapping_mul(ODD);
        let hash = key.iter().fold(mix(0, &family), mix);
        &self.places[(hash >> 52) as usize % PLACES]
    }

    /// The index that was remembered at `place`, not yet checked.
    #[inline]
    pub(crate) fn index(place: &AtomicU32) -> Option<u32> {
        place.load(Ordering::Relaxed).checked_sub(1)
    }

    pub(crate) fn remember(place: &AtomicU32, slot: Slot) {
        place.store(slot.index() + 1, Ordering::Relaxed);
    }
}
