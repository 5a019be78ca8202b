//! Histograms with classic buckets: the sum in cell 0, then one integer cell a bucket.
//!
//! `_count` is the sum of the buckets, so that the two can never disagree. An observation
//! is two updates, the bucket first; a process killed between them leaves the sum one
//! observation short.

use crate::builder::{Binding, Metric};
use crate::family::Kind;
use crate::layout::UNIT_CELLS;
use crate::planes::Cell;
use crate::series::Series;
use crate::slot::Slot;
use core::fmt;
use std::time::Instant;

const SUM: u32 = 0;
const FIRST_BUCKET: usize = 1;

/// Slots of a chain that a handle keeps without an allocation: 24 cells.
const INLINE_CHAIN: usize = 8;

/// Where the cells are. Read once, when the handle is made: a chain never changes in a life.
#[derive(Clone)]
enum Chain {
    Inline([u32; INLINE_CHAIN]),
    Heap(Box<[u32]>),
}

impl Chain {
    #[inline]
    fn slots(&self) -> &[u32] {
        match self {
            Chain::Inline(slots) => slots,
            Chain::Heap(slots) => slots,
        }
    }
}

/// A histogram on a board.
#[derive(Clone)]
pub struct Histogram {
    series: Series,
    chain: Chain,
}

impl Metric for Histogram {
    const KIND: Kind = Kind::Histogram;

    fn bind(binding: Binding) -> Self {
        let Binding { series, bound } = binding;
        let mut inline = [0; INLINE_CHAIN];
        let mut heap = Vec::new();
        let mut len = 0;
        let mut put = |slot: Slot| {
            match inline.get_mut(len) {
                Some(place) => *place = slot.index(),
                None => {
                    if heap.is_empty() {
                        heap.extend_from_slice(&inline);
                    }
                    heap.push(slot.index());
                }
            }
            len += 1;
        };
        let read = match (&series.family, bound) {
            (Some(family), Some(bound)) => {
                put(bound.slot);
                family.attached.segment.chain(bound.slot, bound.serial, put)
            }
            _ => None,
        };
        let chain = if heap.is_empty() {
            Chain::Inline(inline)
        } else {
            Chain::Heap(heap.into())
        };
        match read {
            Some(()) => Histogram { series, chain },
            // Off, refused, or ended before the chain was read.
            None => Histogram {
                series: Series::sink(),
                chain,
            },
        }
    }
}

impl Histogram {
    /// A histogram whose updates go nowhere.
    pub fn sink() -> Histogram {
        Histogram::bind(Binding::sink())
    }

    /// Counts `value` in the first bucket whose bound is not below it, and adds it to the
    /// sum. No syscall, no lock; a few nanoseconds. Safe in a signal handler and after
    /// `fork`. NaN is counted in the bucket up to +Inf.
    #[inline]
    pub fn observe(&self, value: f64) {
        let Some((segment, head)) = self.series.cell(SUM) else {
            return;
        };
        let Some(family) = self.series.family.as_deref() else {
            return;
        };
        let bounds = family.definition.bounds.as_slice();
        let cell = FIRST_BUCKET + bucket_of(bounds, value);
        let Some(slot) = self.chain.slots().get(cell / UNIT_CELLS) else {
            return;
        };
        let bucket = Cell {
            slot: Slot(*slot),
            index: (cell % UNIT_CELLS) as u32,
            ..head
        };
        if segment.add_int(bucket, 1).is_ok() {
            // A series that has ended takes no more: nothing to be done about it.
            let _ = segment.add_float(head, value);
        }
    }

    /// Observes the seconds until the timer is dropped.
    pub fn start_timer(&self) -> Timer<'_> {
        Timer::new(Box::new(|seconds| self.observe(seconds)))
    }

    /// Runs `f` and observes the seconds that it took.
    pub fn time<R>(&self, f: impl FnOnce() -> R) -> R {
        let started = Instant::now();
        let result = f();
        self.observe(started.elapsed().as_secs_f64());
        result
    }

    /// Whether updates go nowhere, because the board is off or refused the registration.
    pub fn is_sink(&self) -> bool {
        self.series.family.is_none()
    }
}

/// The first bound that is not below `value`, or the number of bounds. Bounds are few and
/// most values fall low, so that a scan beats a search.
#[inline]
fn bucket_of(bounds: &[f64], value: f64) -> usize {
    bounds
        .iter()
        .position(|bound| value <= *bound)
        .unwrap_or(bounds.len())
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram").finish_non_exhaustive()
    }
}

/// A running measurement; observes its seconds when dropped.
pub struct Timer<'m> {
    observe: Box<dyn Fn(f64) + 'm>,
    started: Instant,
}

impl<'m> Timer<'m> {
    pub(crate) fn new(observe: Box<dyn Fn(f64) + 'm>) -> Timer<'m> {
        Timer {
            observe,
            started: Instant::now(),
        }
    }
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        (self.observe)(self.started.elapsed().as_secs_f64());
    }
}

impl fmt::Debug for Timer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer")
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(arena_loom)))]
#[test]
fn a_value_falls_into_the_first_bucket_that_holds_it() {
    let bounds = [0.5, 1.0, 2.0];
    for (value, bucket) in [
        (-1.0, 0),
        (0.5, 0),
        (0.6, 1),
        (2.0, 2),
        (2.1, 3),
        (f64::INFINITY, 3),
        (f64::NAN, 3),
    ] {
        assert_eq!(bucket_of(&bounds, value), bucket, "{value}");
    }
}
