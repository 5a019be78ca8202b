//! Consistent reads of one series: the cells of one life, or nothing.
//!
//! A reader takes the tag of each unit before its cells and the state word after all of
//! them. If the state still is the tag, every cell that was added up belonged to this life:
//! a unit is begun for another life only after the state has changed.

use crate::counter::Number;
use crate::layout::{HeadRecord, UNIT_CELLS, UNIT_CELLS_OFFSET, UNIT_STRIDE};
use crate::mutation::{self, Mutation};
use crate::record::Shape;
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::state_set::STATE;
use crate::sync::{Ordering, fence};
use core::mem::offset_of;

impl Segment {
    /// Whether what was read since the caller looked at `bound` was all of that life.
    pub(crate) fn still_lives(&self, bound: Bound) -> bool {
        // ORDERING: [S2] Acquire fence; pairs with the Release fence of `build`. If a word
        // read above was of the next life, the look at the state below sees that life too.
        if !mutation::is(Mutation::NoReaderFence) {
            fence(Ordering::Acquire);
        }
        // Relaxed: the fence orders it.
        self.state(bound.slot).load(Ordering::Relaxed) == bound.tag()
    }

    /// Adds up one cell over `planes`, in their order after the shared plane: floats come
    /// out the same in every reader.
    #[inline]
    pub(crate) fn fold_cell<T>(
        &self,
        planes: &[u32],
        slot: Slot,
        index: u32,
        tag: u64,
        zero: T,
        add: impl Fn(T, u64) -> T,
    ) -> T {
        let mut sum = zero;
        if let Some(value) = self.read_shared(slot, index, tag) {
            sum = add(sum, value);
        }
        for cpu in planes {
            let unit = self.plane_offset(*cpu) + u64::from(slot.index()) * UNIT_STRIDE;
            // ORDERING: [U1] Acquire; pairs with the stores of `begin`, which are in order:
            // whoever sees the tag sees the cells zeroed for it.
            if self.region.word(unit).load(Ordering::Acquire) == tag {
                let cell = unit + UNIT_CELLS_OFFSET + u64::from(index) * 8;
                // Relaxed: `still_lives` orders it before the state.
                sum = add(sum, self.region.word(cell).load(Ordering::Relaxed));
            }
        }
        sum
    }

    pub(crate) fn sum_int(&self, planes: &[u32], slot: Slot, index: u32, tag: u64) -> u64 {
        self.fold_cell(planes, slot, index, tag, 0_u64, u64::wrapping_add)
    }

    pub(crate) fn sum_float(&self, planes: &[u32], slot: Slot, index: u32, tag: u64) -> f64 {
        self.fold_cell(planes, slot, index, tag, 0.0, |sum, bits| {
            sum + f64::from_bits(bits)
        })
    }

    /// A counter's value on these planes. Both cells of a unit at one look, as most of a scrape's
    /// time goes into this.
    #[inline]
    pub(crate) fn counter_on(&self, planes: &[u32], bound: Bound) -> Option<Number> {
        let tag = bound.tag();
        let mut integers = self.read_shared(bound.slot, 0, tag).unwrap_or(0);
        let floats = self.read_shared(bound.slot, 1, tag).unwrap_or(0);
        let mut floats = 0.0 + f64::from_bits(floats);
        for cpu in planes {
            let unit = self.plane_offset(*cpu) + u64::from(bound.slot.index()) * UNIT_STRIDE;
            // ORDERING: [U1] Acquire, as in `fold_cell`.
            if self.region.word(unit).load(Ordering::Acquire) == tag {
                // Relaxed: as in `fold_cell`.
                let cell = |index: u64| {
                    let cell = unit + UNIT_CELLS_OFFSET + index * 8;
                    self.region.word(cell).load(Ordering::Relaxed)
                };
                integers = integers.wrapping_add(cell(0));
                floats += f64::from_bits(cell(1));
            }
        }
        self.still_lives(bound)
            .then(|| Number::sum(integers, floats))
    }

    /// A counter's value, on all planes that are ready now.
    pub(crate) fn read_counter(&self, bound: Bound) -> Option<Number> {
        let planes: Vec<u32> = self.ready_planes().collect();
        self.counter_on(&planes, bound)
    }

    /// A gauge's value, 0 if it was never set.
    pub(crate) fn read_gauge(&self, bound: Bound) -> Option<f64> {
        let bits = self.read_shared(bound.slot, 0, bound.tag()).unwrap_or(0);
        self.still_lives(bound).then(|| f64::from_bits(bits))
    }

    /// The number of the state that holds, 0 if none was ever set; whatever the board says.
    pub(crate) fn read_state(&self, bound: Bound) -> Option<u64> {
        let place = self.read_shared(bound.slot, STATE, bound.tag());
        self.still_lives(bound).then_some(place.unwrap_or(0))
    }

    /// A summary's count and sum.
    pub(crate) fn summary_on(&self, planes: &[u32], bound: Bound) -> Option<(u64, f64)> {
        let tag = bound.tag();
        let sum = self.sum_float(planes, bound.slot, 0, tag);
        let count = self.sum_int(planes, bound.slot, 1, tag);
        self.still_lives(bound).then_some((count, sum))
    }

    /// A histogram's sum; `buckets` is filled with the count of each. `chain` holds the
    /// slots after the head.
    pub(crate) fn histogram_on(
        &self,
        planes: &[u32],
        bound: Bound,
        chain: &[Slot],
        buckets: &mut [u64],
    ) -> Option<f64> {
        let tag = bound.tag();
        let sum = self.sum_float(planes, bound.slot, 0, tag);
        for (place, bucket) in buckets.iter_mut().enumerate() {
            let cell = place + 1;
            let slot = match (cell / UNIT_CELLS).checked_sub(1) {
                None => bound.slot,
                Some(continuation) => *chain.get(continuation)?,
            };
            *bucket = self.sum_int(planes, slot, (cell % UNIT_CELLS) as u32, tag);
        }
        self.still_lives(bound).then_some(sum)
    }

    /// The metric type of a living family or series.
    pub(crate) fn kind_of(&self, bound: Bound) -> Option<crate::Kind> {
        // Relaxed: looked at the state before and after.
        let shape = Shape::of(
            self.record(bound.slot, offset_of!(HeadRecord, shape))
                .load(Ordering::Relaxed),
        );
        // ORDERING: [S2] Acquire fence, as in `still_lives`.
        fence(Ordering::Acquire);
        // Relaxed: the fence orders it.
        match State::of(self.state(bound.slot).load(Ordering::Relaxed)) {
            State::Ready { serial } | State::Building { serial, .. } if serial == bound.serial => {
                crate::Kind::of(shape.metric)
            }
            _ => None,
        }
    }
}
