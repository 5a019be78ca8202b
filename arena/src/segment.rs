//! One attached board, as the protocols see it: typed access to each section.
//!
//! Everything that a board says about itself was checked by `header` before a `Segment`
//! exists, and the capacities are copied into process memory, so that bytes that change
//! later cannot move a section. A slot read from the board becomes a [`Slot`] only by
//! passing the bound.

use crate::layout::{
    ContinuationRecord, Geometry, HeadRecord, Header, PAIR_LEN, RECORD_STRIDE, Row, SHARED_STRIDE,
};
use crate::pair::Pair;
use crate::planes::Planes;
use crate::process::Process;
use crate::region::{Region, Words};
use crate::slot::Slot;
use crate::sync::{AtomicU64, Ordering};
use core::mem::{offset_of, size_of};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// One attached board.
pub(crate) struct Segment {
    // Dropped in this order: the planes' addresses point into the region.
    pub(crate) planes: Planes,
    pub(crate) process: Process,
    pub(crate) geometry: Geometry,
    pub(crate) hash_key: (u64, u64),
    /// Series that a family may have, 0 for any number.
    pub(crate) series_cap: u64,
    /// How long the gauges of a dead process are shown for themselves, in seconds; 0: 5 minutes.
    pub(crate) keep_dead_seconds: u64,
    pub(crate) region: Region,
}

impl Segment {
    /// The slot with this index, if the board has it.
    #[inline]
    pub(crate) fn slot(&self, index: u32) -> Option<Slot> {
        (index < self.geometry.slots).then_some(Slot(index))
    }

    /// The state words of all slots.
    #[cfg(not(all(test, arena_loom)))]
    pub(crate) fn states(&self) -> &[AtomicU64] {
        self.region.words(self.geometry.states, self.geometry.slots)
    }

    /// A model's words are not neighbours.
    #[cfg(all(test, arena_loom))]
    pub(crate) fn states(&self) -> Vec<&AtomicU64> {
        self.region.words(self.geometry.states, self.geometry.slots)
    }

    /// A control word by its offset in [`Control`](crate::layout::Control).
    pub(crate) fn control(&self, field: usize) -> &AtomicU64 {
        self.region.word(self.geometry.control + field as u64)
    }

    /// Whether `rm` has given the board up.
    pub(crate) fn is_retired(&self) -> bool {
        // ORDERING: [X1] Acquire; pairs with the Release of `retire`: whoever knows of the
        // retirement finds the next board, not this one, under its name.
        let word = self.region.word(offset_of!(Header, retired) as u64);
        word.load(Ordering::Acquire) == 1
    }

    /// How long the gauges of a dead process are shown for themselves.
    pub(crate) fn keep_dead_nanos(&self) -> u64 {
        const DEFAULT_SECONDS: u64 = 300;
        let seconds = match self.keep_dead_seconds {
            0 => DEFAULT_SECONDS,
            seconds => seconds,
        };
        seconds.saturating_mul(1_000_000_000)
    }

    /// Adds one to a sticky counter of the control section.
    pub(crate) fn count(&self, field: usize) {
        // Relaxed: a statistic; nothing is published by it.
        if self.region.is_writable() {
            self.control(field).fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The state word of a slot; its alphabet is [`State`](crate::slot::State).
    #[inline]
    pub(crate) fn state(&self, slot: Slot) -> &AtomicU64 {
        self.region
            .word(self.geometry.states + u64::from(slot.index()) * 8)
    }

    /// The link of a slot to the next in its list.
    #[inline]
    pub(crate) fn next(&self, slot: Slot) -> &AtomicU64 {
        self.region
            .word(self.geometry.links + u64::from(slot.index()) * 8)
    }

    /// The first link of a list.
    #[inline]
    pub(crate) fn head(&self, list: u32) -> &AtomicU64 {
        debug_assert!(list < self.geometry.heads);
        self.region
            .word(self.geometry.heads_at + u64::from(list) * 8)
    }

    /// The words of a slot's record.
    #[inline]
    pub(crate) fn words(&self, slot: Slot) -> Words<'_> {
        self.region
            .record(self.geometry.records + u64::from(slot.index()) * RECORD_STRIDE)
    }

    /// A word of a slot's record by its offset in [`HeadRecord`] or [`ContinuationRecord`].
    #[inline]
    pub(crate) fn record(&self, slot: Slot, field: usize) -> &AtomicU64 {
        debug_assert!(field < size_of::<HeadRecord>() && field < size_of::<ContinuationRecord>());
        self.words(slot).at(field)
    }

    /// A cell of the shared plane; `cell` is below [`UNIT_CELLS`](crate::layout::UNIT_CELLS).
    #[inline]
    pub(crate) fn pair(&self, slot: Slot, cell: u32) -> Pair<'_> {
        debug_assert!((cell as usize) < crate::layout::UNIT_CELLS);
        self.region.pair(
            self.geometry.shared
                + u64::from(slot.index()) * SHARED_STRIDE
                + u64::from(cell) * PAIR_LEN,
        )
    }

    /// A word of a process row by its offset in [`Row`].
    pub(crate) fn row(&self, row: u32, field: usize) -> &AtomicU64 {
        debug_assert!(row < self.geometry.processes);
        self.region
            .word(self.geometry.rows + u64::from(row) * size_of::<Row>() as u64 + field as u64)
    }

    /// The keyed hash of a key: SipHash-1-3 with the board's key over the word
    /// `parent XOR kind`, little-endian, and the text. With the key unknown to those who
    /// choose label values, nobody can make one list long on purpose.
    #[inline]
    pub(crate) fn hash(&self, prefixed: &[u8]) -> u64 {
        SipHasher13::new_with_keys(self.hash_key.0, self.hash_key.1).hash(prefixed)
    }

    /// The same of a key in pieces. No allocation.
    pub(crate) fn hash_of(&self, kind: u8, parent: u64, text: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.hash_key.0, self.hash_key.1);
        hasher.write(&hash_prefix(kind, parent));
        hasher.write(text);
        hasher.finish()
    }
}

/// The word that stands before a key's text when it is hashed.
#[inline]
pub(crate) fn hash_prefix(kind: u8, parent: u64) -> [u8; 8] {
    (parent ^ u64::from(kind)).to_le_bytes()
}
