//! The series of a family: which they are, and no more.

use crate::family::Aggregation;
use crate::register::Bound;
use crate::slot::{ARGUMENT_MASK, Slot, State};
use crate::window::Window;
use core::ops::RangeInclusive;
use core::slice;
use std::sync::Arc;

/// Series of a batch, at most: enough that what is kept once a batch costs nothing, few enough
/// that a batch with a new series is made anew in microseconds.
pub(super) const MOST: usize = 512;

/// Some series of one family, neighbours in the order of their slots. It does not change: views of
/// one reader share it for as long as no series comes or goes in it.
#[derive(Clone, Debug, Default)]
pub struct SeriesBatch {
    /// Each a tag with the slot in the bits that a tag leaves empty. Ascending by slot.
    ids: Vec<u64>,
    /// Slots of the chains after the heads, for each series as many.
    chains: Vec<Slot>,
    /// Bytes of the label values of each series, as it was found.
    label_bytes: Vec<u16>,
}

/// How long the label values of a batch are: from this an encoder knows the length of what it will
/// make of them before it reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LabelBytes {
    /// Bytes of all label values of all series.
    pub sum: usize,
    /// Bytes of all label values of the series that has most.
    pub most: usize,
}

pub(super) fn slot_of(id: u64) -> u32 {
    (id & ARGUMENT_MASK) as u32
}

impl SeriesBatch {
    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// From the lowest slot to the highest.
    pub fn slots(&self) -> Option<RangeInclusive<u32>> {
        Some(slot_of(*self.ids.first()?)..=slot_of(*self.ids.last()?))
    }

    /// The place of a series that may be of another batch; `None`: it is not in this one.
    pub fn find(&self, series: SeriesView<'_>) -> Option<usize> {
        let place = self.place(series.slot).ok()?;
        (self.ids[place] == series.id()).then_some(place)
    }

    /// How long its label values were when its series were found. O(series).
    pub fn label_bytes(&self) -> LabelBytes {
        let each = self.label_bytes.iter().copied().map(usize::from);
        each.fold(LabelBytes::default(), |all, bytes| LabelBytes {
            sum: all.sum + bytes,
            most: all.most.max(bytes),
        })
    }

    pub(super) fn ids(&self) -> &[u64] {
        &self.ids
    }

    pub(super) fn first_slot(&self) -> Option<u32> {
        self.ids.first().copied().map(slot_of)
    }

    /// The place of this slot, or where it belongs.
    pub(super) fn place(&self, slot: u32) -> Result<usize, usize> {
        self.ids.binary_search_by_key(&slot, |id| slot_of(*id))
    }

    pub(super) fn insert(&mut self, place: usize, id: u64, chain: &[Slot], label_bytes: u16) {
        self.ids.insert(place, id);
        self.label_bytes.insert(place, label_bytes);
        let at = place * chain.len();
        self.chains.splice(at..at, chain.iter().copied());
    }

    pub(super) fn remove(&mut self, place: usize, stride: usize) {
        self.ids.remove(place);
        self.label_bytes.remove(place);
        self.chains.drain(place * stride..(place + 1) * stride);
    }

    pub(super) fn split_off(&mut self, place: usize, stride: usize) -> SeriesBatch {
        SeriesBatch {
            ids: self.ids.split_off(place),
            chains: self.chains.split_off(place * stride),
            label_bytes: self.label_bytes.split_off(place),
        }
    }

    pub(super) fn append(&mut self, next: &SeriesBatch) {
        self.ids.extend_from_slice(&next.ids);
        self.chains.extend_from_slice(&next.chains);
        self.label_bytes.extend_from_slice(&next.label_bytes);
    }
}

/// All series of a family, ascending by slot. On a board where nothing was removed that is the
/// order in which they were registered; and it is the order in which their values lie in memory.
#[derive(Clone, Debug)]
pub struct SeriesList {
    pub(super) batches: Arc<Vec<Arc<SeriesBatch>>>,
    pub(super) len: usize,
    /// Slots of each chain after its head.
    pub(super) stride: usize,
    /// Label values that each has.
    pub(super) labels: usize,
    /// Of a gauge.
    pub(super) how: Aggregation,
    /// Of a native histogram.
    pub(super) native: Option<Window>,
}

impl SeriesList {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The one in the lowest slot.
    pub fn first(&self) -> Option<SeriesView<'_>> {
        self.iter().next()
    }

    /// All of them.
    pub fn iter(&self) -> SeriesIter<'_> {
        SeriesIter {
            list: self,
            batches: self.batches.iter(),
            batch: None,
            left: self.len,
        }
    }

    /// The same, in batches: what is made of one is good as long as the batch is.
    pub fn batches(&self) -> &[Arc<SeriesBatch>] {
        &self.batches
    }

    /// The series at `place` of a batch of this list.
    ///
    /// # Panics
    /// When the batch has no such place.
    #[inline]
    pub fn at<'l>(&'l self, batch: &'l SeriesBatch, place: usize) -> SeriesView<'l> {
        let id = batch.ids[place];
        SeriesView {
            slot: slot_of(id),
            tag: id & !ARGUMENT_MASK,
            batch,
            place,
            list: self,
        }
    }
}

impl<'l> IntoIterator for &'l SeriesList {
    type Item = SeriesView<'l>;
    type IntoIter = SeriesIter<'l>;

    fn into_iter(self) -> SeriesIter<'l> {
        self.iter()
    }
}

/// Goes through a [`SeriesList`].
#[derive(Clone, Debug)]
pub struct SeriesIter<'l> {
    list: &'l SeriesList,
    batches: slice::Iter<'l, Arc<SeriesBatch>>,
    /// With the place of the next.
    batch: Option<(&'l SeriesBatch, usize)>,
    left: usize,
}

impl<'l> Iterator for SeriesIter<'l> {
    type Item = SeriesView<'l>;

    fn next(&mut self) -> Option<SeriesView<'l>> {
        loop {
            match self.batch {
                Some((batch, place)) if place < batch.len() => {
                    self.batch = Some((batch, place + 1));
                    self.left = self.left.saturating_sub(1);
                    return Some(self.list.at(batch, place));
                }
                _ => self.batch = Some((self.batches.next()?, 0)),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for SeriesIter<'_> {}

/// One series. What it says and counts is asked of the [`BoardView`](super::BoardView) that it is
/// from.
#[derive(Clone, Copy, Debug)]
pub struct SeriesView<'l> {
    /// Its slot: below [`Reader::capacity`](super::Reader::capacity).
    pub slot: u32,
    /// Tells this life of the slot from all others; never used twice on a board.
    pub tag: u64,
    batch: &'l SeriesBatch,
    place: usize,
    pub(super) list: &'l SeriesList,
}

impl<'l> SeriesView<'l> {
    pub(super) fn id(&self) -> u64 {
        self.tag | u64::from(self.slot)
    }

    /// The slots of the chain after the head, as far as they hold cells.
    pub(super) fn chain(&self) -> &'l [Slot] {
        let stride = self.list.stride;
        let all = &self.batch.chains;
        all.get(self.place * stride..(self.place + 1) * stride)
            .unwrap_or(&[])
    }
}

/// A life of a slot, where `tag` can be one.
#[inline]
pub(super) fn bound_of(slot: Slot, tag: u64) -> Option<Bound> {
    match State::of(tag) {
        State::Ready { serial } => Some(Bound { slot, serial }),
        _ => None,
    }
}
