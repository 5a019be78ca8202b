//! The cells of a native histogram, as a handle keeps them.

use super::{FIRST_BUCKET, Place};
use crate::kept;
use crate::layout::MAX_CHAIN;
use crate::planes::{Cell, SUM};
use crate::series::Series;
use crate::slot::Slot;
use crate::sync::Ordering;
use crate::sync::plain::AtomicU32;
use crate::window::{Finder, Window};
use core::ops::Deref;

/// Finds the cell of an observation in the chain of one binding.
pub(super) struct NativeCells {
    finder: Finder,
    /// The chain. Relaxed stores between two changes of the handle's tag.
    slots: [AtomicU32; MAX_CHAIN],
}

/// On the heap, or made where nothing may be allocated.
pub(super) enum Held {
    Heap(Box<NativeCells>),
    Kept(&'static NativeCells),
}

impl Deref for Held {
    type Target = NativeCells;

    #[inline]
    fn deref(&self) -> &NativeCells {
        match self {
            Held::Heap(cells) => cells,
            Held::Kept(cells) => cells,
        }
    }
}

impl Held {
    pub(super) fn of(window: Window) -> Held {
        Held::Heap(Box::new(NativeCells::of(window)))
    }

    pub(super) fn kept(window: Window) -> Option<Held> {
        kept::keep(NativeCells::of(window)).map(Held::Kept)
    }
}

impl NativeCells {
    fn of(window: Window) -> NativeCells {
        NativeCells {
            finder: Finder::of(window),
            slots: core::array::from_fn(|_| AtomicU32::new(0)),
        }
    }

    pub(super) fn bind(&self, chain: &[Slot]) {
        for (word, slot) in self.slots.iter().zip(chain) {
            word.store(slot.index(), Ordering::Relaxed);
        }
    }

    pub(super) fn copy_to(&self, copy: &NativeCells) {
        for (into, word) in copy.slots.iter().zip(&self.slots) {
            // ORDERING: [H1] Acquire, as in `cell`.
            into.store(word.load(Ordering::Acquire), Ordering::Relaxed);
        }
    }

    /// The cell that counts `value`.
    #[inline]
    pub(super) fn cell<P: crate::series::Places>(
        &self,
        series: &Series<P>,
        value: f64,
    ) -> Option<Cell> {
        let tag = series.tag();
        let cell = FIRST_BUCKET + self.finder.place(value) as usize;
        let (slot, index) = Place::parts(cell);
        // ORDERING: [H1] Acquire: before the second look at the tag.
        let slot = self.slots.get(slot)?.load(Ordering::Acquire);
        let head = series.cell(SUM);
        let count = Cell {
            slot: Slot(slot),
            index,
            ..head
        };
        (head.tag == tag).then_some(count)
    }
}
