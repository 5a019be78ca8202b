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
use crate::summary::Summary;
use core::fmt;
use std::time::Instant;

const SUM: u32 = 0;
const FIRST_BUCKET: usize = 1;

/// Where one cell is: `slot << 2 | index in the unit`.
#[derive(Clone, Copy, Default)]
struct Place(u32);

impl Place {
    fn of(chain: &[Slot], cell: usize) -> Option<Place> {
        let slot = chain.get(cell / UNIT_CELLS)?;
        // A slot is below 2^22.
        Some(Place(slot.index() << 2 | (cell % UNIT_CELLS) as u32))
    }

    #[inline(always)]
    fn cell(self, head: Cell) -> Cell {
        Cell {
            slot: Slot(self.0 >> 2),
            index: self.0 & 3,
            ..head
        }
    }
}

/// Buckets whose places a handle keeps without an allocation: as many as Prometheus clients
/// have by default, and more.
const INLINE_BUCKETS: usize = 16;

/// Where the buckets are. Read once, when the handle is made: a chain never changes in a life.
#[derive(Clone)]
enum Places {
    Inline([Place; INLINE_BUCKETS]),
    Heap(Box<[Place]>),
}

impl Places {
    /// Those of `count` buckets in this chain; `None` if it is too short.
    fn of(chain: &[Slot], count: usize) -> Option<Places> {
        let places = (FIRST_BUCKET..FIRST_BUCKET + count).map(|cell| Place::of(chain, cell));
        if count > INLINE_BUCKETS {
            return places.collect::<Option<_>>().map(Places::Heap);
        }
        let mut inline = [Place::default(); INLINE_BUCKETS];
        for (into, place) in inline.iter_mut().zip(places) {
            *into = place?;
        }
        Some(Places::Inline(inline))
    }

    #[inline(always)]
    fn get(&self, bucket: usize) -> Option<Place> {
        match self {
            Places::Inline(places) => places.get(bucket).copied(),
            Places::Heap(places) => places.get(bucket).copied(),
        }
    }
}

/// A histogram on a board.
#[derive(Clone)]
pub struct Histogram {
    series: Series,
    places: Places,
}

impl Metric for Histogram {
    const KIND: Kind = Kind::Histogram;

    fn bind(binding: Binding) -> Option<Self> {
        let Binding { series, bound } = binding;
        let (segment, _) = series.cell(SUM)?;
        let mut chain = vec![bound.slot];
        segment.chain(bound.slot, bound.serial, |slot| chain.push(slot))?;
        let places = Places::of(&chain, series.definition()?.bounds.len() + 1)?;
        Some(Histogram { series, places })
    }

    fn sink() -> Self {
        Histogram {
            series: Series::sink(),
            places: Places::Inline(Default::default()),
        }
    }
}

impl Histogram {
    /// A histogram whose updates go nowhere.
    pub fn sink() -> Histogram {
        Metric::sink()
    }

    /// Counts `value` in the first bucket whose bound is not below it, and adds it to the
    /// sum. No syscall, no lock; a few nanoseconds. Safe in a signal handler and after
    /// `fork`. NaN is counted in the bucket up to +Inf. A process killed inside it may leave
    /// the sum one observation short.
    #[inline(always)]
    pub fn observe(&self, value: f64) {
        let (Some((segment, head)), Some(definition)) =
            (self.series.cell(SUM), self.series.definition())
        else {
            return;
        };
        let Some(place) = self.places.get(bucket_of(&definition.bounds, value)) else {
            return;
        };
        segment.observe(place.cell(head), head, value);
    }

    /// Observes the seconds until the timer is dropped.
    pub fn start_timer(&self) -> Timer<'_> {
        Timer::new(Observer::Histogram(self))
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
        self.series.is_sink()
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

/// What a timer tells its seconds to.
pub(crate) enum Observer<'m> {
    Histogram(&'m Histogram),
    Summary(&'m Summary),
}

/// A running measurement; observes its seconds when dropped. Two readings of the clock.
#[must_use = "a timer that is dropped at once measures nothing"]
pub struct Timer<'m> {
    observer: Observer<'m>,
    started: Instant,
}

impl<'m> Timer<'m> {
    pub(crate) fn new(observer: Observer<'m>) -> Timer<'m> {
        Timer {
            observer,
            started: Instant::now(),
        }
    }
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        let seconds = self.started.elapsed().as_secs_f64();
        match self.observer {
            Observer::Histogram(histogram) => histogram.observe(seconds),
            Observer::Summary(summary) => summary.observe(seconds),
        }
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
