//! Gauges. One pair of the shared plane that all processes write (`last`), or a part for each
//! process, put together by the reader (all other aggregations).

use crate::aggregation::Aggregation;
use crate::builder::Metric;
use crate::clock;
use crate::family::{Definition, Kind};
use crate::fold::{MOMENT, VALUE};
use crate::index::Lost;
use crate::planes::{Cell, Ended};
use crate::register::Bound;
use crate::segment::Segment;
use crate::series::{Places, Series, UNBOUND};
use crate::slot::{Slot, State};
use crate::sync::plain::{AtomicU32, AtomicU64};
use crate::sync::{Ordering, fence};
use core::fmt;

/// Where this process's part of a gauge is.
pub struct Share {
    /// `None`: the gauge is not split.
    how: Option<Aggregation>,
    // Relaxed, between two looks at the tag.
    slot: AtomicU32,
    /// `Own::word` of the process that the part belongs to: a forked child has another.
    owner: AtomicU64,
    tag: AtomicU64,
}

impl Share {
    fn new(how: Option<Aggregation>) -> Share {
        Share {
            how,
            slot: AtomicU32::new(0),
            owner: AtomicU64::new(0),
            tag: AtomicU64::new(UNBOUND),
        }
    }

    /// A cell of the part, if it is this process's.
    #[inline]
    fn cell(&self, segment: &Segment, index: u32) -> Option<Cell> {
        // ORDERING: [H1] Acquire, as in `Series::tag`.
        let tag = self.tag.load(Ordering::Acquire);
        // ORDERING: [H1] Acquire: before the second look.
        let slot = self.slot.load(Ordering::Acquire);
        let owner = self.owner.load(Ordering::Acquire);
        let is_one = self.tag.load(Ordering::Relaxed) == tag && tag != UNBOUND;
        (is_one && owner == segment.own_word()).then(|| Cell::of_head(Slot(slot), index, tag))
    }
}

#[expect(private_interfaces, reason = "nobody outside can name it, or call it")]
impl Places for Share {
    fn none() -> Self {
        Share::new(None)
    }

    fn of(definition: &'static Definition) -> Self {
        let how = definition.aggregation;
        Share::new(how.is_split().then_some(how))
    }

    fn kept(definition: &'static Definition) -> Option<Self> {
        Some(Share::of(definition))
    }

    fn bind(&self, segment: &Segment, _: &Definition, series: Bound) -> Result<(), Lost> {
        let Some(how) = self.how else {
            return Ok(());
        };
        let (part, owner) = segment.register_part(series, how)?;
        self.tag.store(UNBOUND, Ordering::Relaxed);
        // ORDERING: [H1] Release fence, as in `Series::bind`.
        fence(Ordering::Release);
        self.slot.store(part.slot.index(), Ordering::Relaxed);
        self.owner.store(owner.word(), Ordering::Relaxed);
        // ORDERING: [H1] Release; pairs with the Acquire of `cell`.
        self.tag.store(part.tag(), Ordering::Release);
        Ok(())
    }

    fn copy(&self, definition: &'static Definition) -> Self {
        // Bound when it is first used: nothing torn is copied.
        Share::of(definition)
    }
}

/// A gauge on a board. What processes write becomes one value as its
/// [`Aggregation`] says; by default the last write by any process wins, and `inc` and `dec` by
/// several processes add up.
#[derive(Clone)]
pub struct Gauge {
    series: Series<Share>,
}

impl Metric for Gauge {
    const KIND: Kind = Kind::Gauge;
    type Places = Share;

    #[inline]
    fn of(series: Series<Share>) -> Self {
        Gauge { series }
    }

    #[inline]
    fn series(&self) -> &Series<Share> {
        &self.series
    }
}

impl Gauge {
    /// A gauge whose updates go nowhere.
    pub fn sink() -> Gauge {
        Metric::sink()
    }

    /// Sets the value. No syscall, no lock: one 16-byte compare-and-swap, repeated only
    /// when another process changed the value in between. Safe in a signal handler and
    /// after `fork`. When the series was removed, or in a child that was forked since, and
    /// the aggregation keeps processes apart, it is registered again first.
    #[inline]
    pub fn set(&self, value: f64) {
        self.change(|_| value.to_bits());
    }

    /// Adds `amount`, which may be negative, to what was there; in a gauge that keeps
    /// processes apart, to this process's own. Cost as [`set`](Self::set).
    #[inline]
    pub fn add(&self, amount: f64) {
        self.change(|bits| (f64::from_bits(bits) + amount).to_bits());
    }

    /// Subtracts `amount`. Cost as [`set`](Self::set).
    #[inline]
    pub fn sub(&self, amount: f64) {
        self.add(-amount);
    }

    /// Adds one. Cost as [`set`](Self::set).
    #[inline]
    pub fn inc(&self) {
        self.add(1.0);
    }

    /// Subtracts one. Cost as [`set`](Self::set).
    #[inline]
    pub fn dec(&self) {
        self.add(-1.0);
    }

    /// Sets the value to the time now, in seconds since 1970. Also reads the clock (vDSO).
    pub fn set_to_current_time(&self) {
        self.set(clock::unix_nanos() as f64 / 1e9);
    }

    #[inline]
    fn change(&self, change: impl Fn(u64) -> u64) {
        let Some(segment) = self.series.segment() else {
            return;
        };
        if self.series.places.how.is_some() {
            return self.change_part(segment, change);
        }
        if segment.try_add_shared(self.series.cell(VALUE), &change) {
            return;
        }
        self.series
            .update(|series, segment| segment.add_shared(series.cell(VALUE), &change));
    }

    fn change_part(&self, segment: &'static Segment, change: impl Fn(u64) -> u64) {
        let share = &self.series.places;
        if let Some(cell) = share.cell(segment, VALUE)
            && segment.try_add_shared(cell, &change)
        {
            return share.note(segment, cell);
        }
        self.series.update(|series, segment| {
            let share = &series.places;
            let cell = match share.cell(segment, VALUE) {
                Some(cell) => cell,
                None => {
                    let (_, life) = series.life().ok_or(Ended)?;
                    let definition = series.definition().ok_or(Ended)?;
                    // What stands in the way is met again, and told, when the series is bound.
                    share.bind(segment, definition, life).map_err(|_| Ended)?;
                    share.cell(segment, VALUE).ok_or(Ended)?
                }
            };
            segment.add_shared(cell, &change)?;
            share.note(segment, cell);
            Ok(())
        });
    }

    /// The value; of a gauge that keeps processes apart, this process's own. 0 if it was never
    /// set, for a sink, and for a series that has ended. A few loads.
    pub fn get(&self) -> f64 {
        let Some((segment, bound)) = self.series.life() else {
            return 0.0;
        };
        let share = &self.series.latest().places;
        let value = match (share.how, share.cell(segment, VALUE)) {
            (None, _) => segment.read_gauge(bound),
            (Some(_), Some(cell)) => match State::of(cell.tag) {
                State::Ready { serial } => {
                    let slot = cell.head;
                    segment.read_gauge(Bound { slot, serial })
                }
                _ => None,
            },
            (Some(_), None) => None,
        };
        value.unwrap_or(0.0)
    }

    /// Whether updates go nowhere, because the board is off or refused the registration.
    pub fn is_sink(&self) -> bool {
        self.series.is_sink()
    }
}

impl Share {
    /// Notes when the part was set, where that decides.
    fn note(&self, segment: &Segment, cell: Cell) {
        if self.how == Some(Aggregation::LiveLast) {
            let moment = Cell {
                index: MOMENT,
                ..cell
            };
            let now = clock::unix_nanos();
            // A part that has ended meanwhile needs no time.
            let _ = segment.add_shared(moment, |before| before.max(now));
        }
    }
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gauge").field(&self.get()).finish()
    }
}
