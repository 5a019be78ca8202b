//! Histograms: the sum in cell 0, then one integer cell a bucket; of a native histogram, those
//! that its window says.
//!
//! `_count` is the sum of the buckets, so that the two can never disagree. An observation
//! is two updates, the bucket first; a process killed between them leaves the sum one
//! observation short.

mod native;

use crate::builder::Metric;
use crate::error::RefusedReason;
use crate::family::{Definition, Kind};
use crate::index::Lost;
use crate::kept;
use crate::layout::{MAX_CHAIN, UNIT_CELLS};
use crate::planes::{Cell, Ended, SUM};
use crate::register::Bound;
use crate::segment::Segment;
use crate::series::{Places, Series};
use crate::slot::Slot;
use crate::summary::Summary;
use crate::sync::Ordering;
use crate::sync::plain::AtomicU32;
use core::fmt;
use native::Held;
use std::time::Instant;

const FIRST_BUCKET: usize = 1;

/// Where one cell is: `slot << 2 | index in the unit`.
#[derive(Clone, Copy, Default)]
struct Place(u32);

impl Place {
    fn of(chain: &[Slot], cell: usize) -> Option<Place> {
        let (slot, index) = Place::parts(cell);
        let slot = chain.get(slot)?;
        // A slot is below 2^22.
        Some(Place(slot.index() << 2 | index))
    }

    /// Which slot of a chain a cell is in, and its index there.
    #[inline(always)]
    fn parts(cell: usize) -> (usize, u32) {
        (cell / UNIT_CELLS, (cell % UNIT_CELLS) as u32)
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

/// A bucket's cell, of one binding.
#[inline(always)]
fn cell(series: &Series<Buckets>, bucket: usize) -> Option<Cell> {
    let tag = series.tag();
    let place = series.places.get(bucket)?;
    let head = series.cell(SUM);
    (head.tag == tag).then(|| place.cell(head))
}

/// Buckets whose places a handle keeps without an allocation: as many as Prometheus clients
/// have by default, and more.
const INLINE_BUCKETS: usize = 16;

/// Where the buckets are.
enum Words {
    Inline([AtomicU32; INLINE_BUCKETS]),
    Heap(Box<[AtomicU32]>),
    /// Made where nothing may be allocated.
    Kept(&'static [AtomicU32]),
}

/// The places of a histogram's buckets, as [`Place`]s. Relaxed stores between two changes of the
/// handle's tag.
pub struct Buckets {
    words: Words,
    /// The definition's, at hand: an observation follows two pointers less.
    bounds: &'static [f64],
    /// Of a native histogram. It has no words then, so that an observation which finds no place
    /// among them comes here, and classic ones need not ask.
    native: Option<Held>,
}

impl Buckets {
    fn inline(bounds: &'static [f64]) -> Buckets {
        let words = Words::Inline(core::array::from_fn(|_| AtomicU32::new(0)));
        Buckets {
            words,
            bounds,
            native: None,
        }
    }

    fn native(cells: Held) -> Buckets {
        Buckets {
            words: Words::Kept(&[]),
            bounds: &[],
            native: Some(cells),
        }
    }

    #[inline(always)]
    fn words(&self) -> &[AtomicU32] {
        match &self.words {
            Words::Inline(words) => words,
            Words::Heap(words) => words,
            Words::Kept(words) => words,
        }
    }

    #[inline(always)]
    fn get(&self, bucket: usize) -> Option<Place> {
        // ORDERING: [H1] Acquire: before the second look at the tag.
        let word = self.words().get(bucket)?.load(Ordering::Acquire);
        Some(Place(word))
    }
}

#[expect(private_interfaces, reason = "nobody outside can name it, or call it")]
impl Places for Buckets {
    fn none() -> Self {
        Buckets::inline(&[])
    }

    fn of(definition: &'static Definition) -> Self {
        if let Some(window) = definition.native {
            return Buckets::native(Held::of(window));
        }
        let bounds = &definition.bounds;
        let count = definition.bounds.len() + 1;
        if count <= INLINE_BUCKETS {
            return Buckets::inline(bounds);
        }
        let words = Words::Heap((0..count).map(|_| AtomicU32::new(0)).collect());
        Buckets {
            words,
            bounds,
            native: None,
        }
    }

    fn kept(definition: &'static Definition) -> Option<Self> {
        if let Some(window) = definition.native {
            return Held::kept(window).map(Buckets::native);
        }
        let bounds = &definition.bounds;
        let count = definition.bounds.len() + 1;
        if count <= INLINE_BUCKETS {
            return Some(Buckets::inline(bounds));
        }
        let words = Words::Kept(kept::keep_slice(count, |_| AtomicU32::new(0))?);
        Some(Buckets {
            words,
            bounds,
            native: None,
        })
    }

    fn bind(&self, segment: &Segment, definition: &Definition, bound: Bound) -> Result<(), Lost> {
        // A chain that is not whole, or too short for its buckets, may be that of the slot's next
        // life.
        let lost = || match segment.still_lives(bound) {
            true => Lost::Refused(RefusedReason::Damaged),
            false => Lost::Orphaned,
        };
        let mut chain = [bound.slot; MAX_CHAIN];
        let mut len = 1;
        let whole = segment.chain(bound.slot, bound.serial, |slot| {
            chain[len] = slot;
            len += 1;
        });
        whole.ok_or_else(lost)?;
        let count = definition.counts();
        if let Some(cells) = &self.native {
            Place::of(&chain[..len], count).ok_or_else(lost)?;
            cells.bind(&chain[..len]);
            return Ok(());
        }
        for (bucket, word) in self.words().iter().enumerate().take(count) {
            let place = Place::of(&chain[..len], FIRST_BUCKET + bucket).ok_or_else(lost)?;
            word.store(place.0, Ordering::Relaxed);
        }
        Ok(())
    }

    fn copy(&self, definition: &'static Definition) -> Self {
        let copy = Buckets::of(definition);
        for (into, word) in copy.words().iter().zip(self.words()) {
            // ORDERING: [H1] Acquire, as in `get`.
            into.store(word.load(Ordering::Acquire), Ordering::Relaxed);
        }
        if let (Some(into), Some(cells)) = (&copy.native, &self.native) {
            cells.copy_to(into);
        }
        copy
    }
}

/// A histogram on a board.
#[derive(Clone)]
pub struct Histogram {
    series: Series<Buckets>,
}

impl Metric for Histogram {
    const KIND: Kind = Kind::Histogram;
    type Places = Buckets;

    #[inline]
    fn of(series: Series<Buckets>) -> Self {
        Histogram { series }
    }

    #[inline]
    fn series(&self) -> &Series<Buckets> {
        &self.series
    }
}

impl Histogram {
    /// A histogram whose updates go nowhere.
    pub fn sink() -> Histogram {
        Metric::sink()
    }

    /// Counts `value` in the first bucket whose bound is not below it (a native histogram: see
    /// [`Native`](crate::Native)), and adds it to the
    /// sum. No syscall, no lock; a few nanoseconds. Safe in a signal handler and after
    /// `fork`. NaN is counted in the bucket up to +Inf. A process killed inside it may leave
    /// the sum one observation short.
    #[inline(always)]
    pub fn observe(&self, value: f64) {
        let Some(segment) = self.series.segment() else {
            return;
        };
        let bucket = bucket_of(self.series.places.bounds, value);
        let count = cell(&self.series, bucket);
        if !count.is_some_and(|count| segment.try_observe(count, value)) {
            self.observe_slowly(bucket, value);
        }
    }

    /// Counts `value`, as [`observe`](Self::observe), and makes it the exemplar of its bucket:
    /// where one of the observations came from, such as a trace. The rest is as
    /// [`Counter::add_with_exemplar`](crate::Counter::add_with_exemplar) says.
    #[inline]
    pub fn observe_with_exemplar(&self, value: f64, labels: &[(&str, &str)]) {
        self.observe(value);
        let Some(definition) = self.series.definition() else {
            return;
        };
        // Not the places' bounds: a native histogram's have none, and its exemplars go by the
        // classic buckets that it is shown with.
        let bucket = bucket_of(&definition.bounds, value);
        self.series.exemplify(bucket, value, labels);
    }

    fn observe_slowly(&self, bucket: usize, value: f64) {
        if let Some(native) = &self.series.places.native
            && let Some(segment) = self.series.segment()
            && let Some(count) = native.cell(&self.series, value)
            && segment.try_observe(count, value)
        {
            return;
        }
        self.series.update(|series, segment| {
            let count = match &series.places.native {
                Some(native) => native.cell(series, value),
                None => cell(series, bucket),
            };
            segment.observe(count.ok_or(Ended)?, value)
        });
    }

    /// Adds observations that were counted elsewhere: how many fell into each bucket, one number
    /// for each bound and one for the bucket up to +Inf, not cumulative, and what they add up to.
    /// False, and nothing is added, where there are more or fewer numbers than buckets, and for a
    /// native histogram, whose buckets are others.
    ///
    /// Otherwise as [`observe`](Self::observe), at its cost for each bucket that is not 0. A
    /// process killed inside it has added some of them.
    pub fn add_counted(&self, counts: &[u64], sum: f64) -> bool {
        let Some(definition) = self.series.definition() else {
            return true;
        };
        if definition.native.is_some() || counts.len() != definition.counts() {
            return false;
        }
        for (bucket, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            self.series.update(|series, segment| {
                segment.add_int(cell(series, bucket).ok_or(Ended)?, *count)
            });
        }
        if sum != 0.0 {
            self.series
                .update(|series, segment| segment.add_float(series.cell(SUM), sum));
        }
        true
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

/// Bounds up to which comparing all of them is quicker than a search.
const FEW: usize = 32;

/// The first bound that is not below `value`, or the number of bounds. Without a branch that
/// depends on the value: where values fall cannot be foreseen, and one wrong guess of the CPU
/// costs more than the rest of an observation.
#[inline]
fn bucket_of(bounds: &[f64], value: f64) -> usize {
    #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "NaN is below no bound")]
    let is_above = |bound: &f64| !(value <= *bound);
    if bounds.len() > FEW {
        return bounds.partition_point(is_above);
    }
    bounds
        .iter()
        .map(|bound| usize::from(is_above(bound)))
        .sum()
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
mod tests {
    use super::*;
    use crate::slot::State;
    use crate::{Board, Location};

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

    #[test]
    fn few_and_many_bounds_are_searched_alike() {
        for len in [0, 1, 2, 7, FEW, FEW + 1, 190] {
            let bounds: Vec<f64> = (0..len).map(|bound| bound as f64).collect();
            for half in 0..=2 * len + 1 {
                let value = half as f64 / 2.0 - 0.5;
                let first = bounds.iter().position(|bound| value <= *bound);
                assert_eq!(bucket_of(&bounds, value), first.unwrap_or(len), "{value}");
            }
            for (value, bucket) in [
                (-0.0, 0),
                (f64::NEG_INFINITY, 0),
                (f64::INFINITY, len),
                (f64::NAN, len),
            ] {
                assert_eq!(bucket_of(&bounds, value), bucket, "{value}");
            }
        }
    }

    #[test]
    fn what_was_counted_elsewhere_is_added_to_its_buckets() {
        let board = Board::open(&Location::Private).unwrap();
        let waits = board.histogram("counted_seconds", "").buckets(&[0.5, 1.0]);
        let waits = waits.labels(&["way"]).family().unwrap();
        let there = waits.with(&["there"]);
        there.observe(0.7);
        assert!(there.add_counted(&[2, 0, 1], 4.5));
        assert!(!there.add_counted(&[1, 1], 1.0) && !there.add_counted(&[1; 4], 1.0));
        let native = board.histogram("counted_natively", "");
        let native = native.native(crate::Native::new()).register().unwrap();
        let buckets = native.series.definition().unwrap().counts();
        assert!(!native.add_counted(&vec![1; buckets], 1.0));
        assert!(Histogram::sink().add_counted(&[1], 1.0));
        let shown = || {
            let mut reader = crate::Reader::new(&board);
            reader.refresh();
            let mut families = reader.families().iter();
            let family = families.find(|family| family.name == "counted_seconds");
            let mut counts = [0; 3];
            let series = family.unwrap().series.first().unwrap();
            (reader.histogram(series, &mut counts), counts)
        };
        assert_eq!(shown(), (Some(5.2), [2, 1, 1]));
        // A series that has ended begins again with it.
        assert!(waits.remove(&["there"]).unwrap());
        assert!(there.add_counted(&[0, 3, 0], 2.0));
        assert_eq!(shown(), (Some(2.0), [0, 3, 0]));
    }

    /// Its next life may be one slot long, which is a chain that is whole.
    #[test]
    fn a_series_whose_slot_lives_again_has_ended_and_is_not_damaged() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let at = Location::Path(directory.path().join("again.board"));
        let board = Board::options().slots(64).create(&at).unwrap();
        let waits = board.histogram("waits", "").labels(&["way"]);
        let waits = waits.family().unwrap();
        let (segment, bound) = waits.with(&["there"]).series.life().unwrap();
        let definition = waits.with(&["back"]).series.definition().unwrap();
        assert!(waits.remove(&["there"]).unwrap());
        let family = board.counter("n_total", "").labels(&["n"]).family();
        let family = family.unwrap();
        let lives_again = (0..64).any(|n| {
            family.with(&[&n.to_string()]);
            matches!(
                State::of(segment.state(bound.slot).load(Ordering::Relaxed)),
                State::Ready { .. }
            )
        });
        assert!(lives_again, "a counter takes the slot");
        let outcome = Buckets::of(definition).bind(segment, definition, bound);
        assert_eq!(outcome, Err(Lost::Orphaned));
    }
}
