//! Values, read from the board when they are asked for.

use super::family::{FamiliesId, FamilyView};
use super::labels::LabelValues;
use super::series::{SeriesBatch, SeriesView, bound_of};
use crate::annexes::Holding;
use crate::attached::Hold;
use crate::clock;
use crate::counter::Number;
use crate::exemplar::Exemplar;
use crate::family::Aggregation;
use crate::fold::{MOMENT, Part};
use crate::layout::{HeadRecord, MAX_CHAIN, UNIT_CELLS};
use crate::liveness::LockFile;
use crate::native_counts::NativeCounts;
use crate::process::Own;
use crate::register::Bound;
use crate::segment::Segment;
use core::fmt;
use core::mem::offset_of;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What a [`Reader`](super::Reader) found at one refresh: families and series. It does not change,
/// may be shared by any number of threads, and keeps the board mapped; labels and values are read
/// from the board at the moment they are asked for.
#[derive(Clone)]
pub struct BoardView {
    pub(super) attached: Option<Hold>,
    pub(super) families: Arc<Vec<FamilyView>>,
    /// What each process contributes to a gauge that is split.
    pub(super) parts: Arc<HashMap<u64, Vec<Part>>>,
    /// Owners that have to be asked whether they live.
    pub(super) probed: Arc<HashSet<Own>>,
    pub(super) holding: Arc<Holding>,
    pub(super) planes: Vec<u32>,
    pub(super) damaged: u64,
    /// Owners of parts that are shown only while they live, or a while longer: when they were
    /// first seen dead, in nanoseconds since 1970, or `None` while they live.
    pub(super) owners: HashMap<Own, Option<u64>>,
    pub(super) pid_namespace: u64,
}

impl fmt::Debug for BoardView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoardView")
            .field("families", &self.families)
            .finish_non_exhaustive()
    }
}

impl BoardView {
    /// Families by name, one for each name: the newest definition that has a series, or the
    /// newest of all.
    pub fn families(&self) -> &[FamilyView] {
        &self.families
    }

    /// Names the families as they are now: equal as long as nothing came or went on the board.
    pub fn families_id(&self) -> FamiliesId {
        FamiliesId(Arc::downgrade(&self.families))
    }

    /// Records left out at the last refresh because their bytes make no sense.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Whether the board has lost its memory and all that was read is worthless: as
    /// [`Board::is_broken`](crate::Board::is_broken).
    pub fn is_broken(&self) -> bool {
        let attached = self.attached.as_ref();
        attached.is_some_and(|attached| attached.segment.region.is_broken())
    }

    /// Reads the label values of a series. `None`: it has ended, or its bytes are not any more what
    /// they were when it was found; leave it out. A few hundred nanoseconds.
    pub fn read_labels(&self, series: SeriesView<'_>, into: &mut LabelValues) -> Option<()> {
        let (segment, bound) = self.locate(series)?;
        into.read(segment, bound, series.list.labels)
    }

    /// The same, for whoever does not read many.
    pub fn label_values(&self, series: SeriesView<'_>) -> Option<Vec<String>> {
        let mut labels = LabelValues::default();
        self.read_labels(series, &mut labels)?;
        Some(labels.iter().map(str::to_owned).collect())
    }

    /// When the series was registered, in nanoseconds since 1970. `None`: it has ended.
    pub fn created_unix_nanos(&self, series: SeriesView<'_>) -> Option<u64> {
        let (segment, bound) = self.locate(series)?;
        let nanos = segment.head_word(bound.slot, offset_of!(HeadRecord, created_unix_nanos));
        segment.still_lives(bound).then_some(nanos)
    }

    /// A counter's value now; `None`: the series has ended, leave it out. Like the other three,
    /// a few loads for each cell and CPU, without an allocation; never waits.
    #[inline]
    pub fn counter(&self, series: SeriesView<'_>) -> Option<Number> {
        let (segment, bound) = self.locate(series)?;
        segment.counter_on(&self.planes, bound)
    }

    /// A gauge's value now, put together from its processes as its aggregation says; `None`:
    /// the series has ended, or has no value because nobody who counts has set it (a sum is 0
    /// then), or [`by_process`](Self::by_process) has its values: leave it out.
    #[inline]
    pub fn gauge(&self, series: SeriesView<'_>) -> Option<f64> {
        let (segment, bound) = self.locate(series)?;
        match series.list.how {
            Aggregation::Last => segment.read_gauge(bound),
            _ => self.split_gauge(segment, bound, series),
        }
    }

    fn split_gauge(&self, segment: &Segment, bound: Bound, series: SeriesView<'_>) -> Option<f64> {
        let how = series.list.how;
        if how == Aggregation::LiveLast {
            let parts = self
                .parts_of(series)
                .iter()
                .filter(|part| self.is_alive(part.owner));
            let set = parts.filter_map(|part| {
                let value = segment.read_part(part.bound)?;
                let at = segment.read_shared(part.bound.slot, MOMENT, part.bound.tag());
                Some((at.unwrap_or(0), value))
            });
            let (_, last) = set.max()?;
            return segment.still_lives(bound).then(|| f64::from_bits(last));
        }
        let counts = |part: &Part| !how.is_live() || self.is_alive(part.owner);
        match (
            segment.read_split(bound, how, self.parts_of(series), counts)?,
            how,
        ) {
            (Some(bits), _) => Some(f64::from_bits(bits)),
            (None, Aggregation::Sum | Aggregation::LiveSum) => Some(0.0),
            (None, _) => None,
        }
    }

    fn parts_of(&self, series: SeriesView<'_>) -> &[Part] {
        self.parts.get(&series.id()).map_or(&[], Vec::as_slice)
    }

    fn is_alive(&self, owner: Own) -> bool {
        self.owners.get(&owner).is_none_or(Option::is_none)
    }

    /// The values of a gauge that has one for each process ([`Aggregation::All`] and
    /// [`Aggregation::LiveAll`]), with the value of their `pid` label, in its order. A process
    /// in another PID namespace than this one is called `PID@NAMESPACE`. Of two that have one
    /// pid, the one that is no more is left out.
    pub fn by_process(&self, series: SeriesView<'_>) -> Vec<(String, f64)> {
        let Some((segment, bound)) = self.locate(series) else {
            return Vec::new();
        };
        if !series.list.how.is_by_process() {
            return Vec::new();
        }
        let now = clock::unix_nanos();
        let mut values: Vec<(String, u64, f64)> = Vec::new();
        for part in self.parts_of(series) {
            let tag = part.bound.tag();
            let shown = match self.owners.get(&part.owner) {
                Some(Some(seen_dead)) if series.list.how == Aggregation::All => {
                    // Whoever reaped the process has noted when it was found dead.
                    let noted = segment.read_shared(part.bound.slot, MOMENT, tag);
                    let died = noted.filter(|at| *at != 0).unwrap_or(*seen_dead);
                    now.saturating_sub(died) <= segment.keep_dead_nanos()
                }
                Some(Some(_)) => false,
                _ => true,
            };
            if shown && let Some(bits) = segment.read_part(part.bound) {
                values.push((self.name_of(part), tag, f64::from_bits(bits)));
            }
        }
        if !segment.still_lives(bound) {
            return Vec::new();
        }
        // The newest of one name first.
        values.sort_by(|(a, a_tag, _), (b, b_tag, _)| a.cmp(b).then(b_tag.cmp(a_tag)));
        values.dedup_by(|(later, ..), (first, ..)| later == first);
        values
            .into_iter()
            .map(|(pid, _, value)| (pid, value))
            .collect()
    }

    /// What each process contributes now to a gauge that becomes one value of several processes
    /// ([`Aggregation::Sum`], [`Aggregation::Max`] and so on), by the name of the process as in
    /// [`by_process`](Self::by_process) and in its order; nothing of a gauge of another kind. What
    /// dead processes have left to the value is no process's any more, so these need not come to
    /// it. Each is read for itself.
    pub fn contributions(&self, series: SeriesView<'_>) -> Vec<(String, f64)> {
        let Some((segment, bound)) = self.locate(series) else {
            return Vec::new();
        };
        let how = series.list.how;
        if how.is_by_process() {
            return Vec::new();
        }
        let parts = self.parts_of(series).iter();
        let parts = parts.filter(|part| !how.is_live() || self.is_alive(part.owner));
        let read = |part: &Part| {
            let bits = segment.read_part(part.bound)?;
            Some((self.name_of(part), f64::from_bits(bits)))
        };
        let mut values: Vec<(String, f64)> = parts.filter_map(read).collect();
        if !segment.still_lives(bound) {
            return Vec::new();
        }
        values.sort_by(|(a, _), (b, _)| a.cmp(b));
        values
    }

    fn name_of(&self, part: &Part) -> String {
        match part.pid_namespace {
            here if here == self.pid_namespace || here == 0 => part.pid.to_string(),
            elsewhere => format!("{}@{elsewhere}", part.pid),
        }
    }

    /// How often a registration of this family went beyond its cap.
    pub fn overflows(&self, family: &FamilyView) -> u64 {
        let segment = self.attached.as_ref().map(|attached| &attached.segment);
        segment.map_or(0, |segment| segment.overflows_of(family.slot, family.tag))
    }

    /// A histogram's sum now; fills `buckets`, one for each bound and one up to +Inf, with
    /// the number of observations in each (not cumulative). `None`: leave the series out.
    #[inline]
    pub fn histogram(&self, series: SeriesView<'_>, buckets: &mut [u64]) -> Option<f64> {
        let (segment, bound) = self.locate(series)?;
        let Some(window) = series.list.native else {
            return segment.histogram_on(&self.planes, bound, series.chain(), buckets);
        };
        let mut counts = [0; MAX_CHAIN * UNIT_CELLS];
        let counts = &mut counts[..window.counts()];
        let sum = segment.histogram_on(&self.planes, bound, series.chain(), counts)?;
        window.classic_counts(counts, buckets);
        Some(sum)
    }

    /// A native histogram's sum now; fills `counts` with what its buckets hold. `None`: it has
    /// none, or the series has ended: leave it out. No allocation once `counts` has grown.
    pub fn native(&self, series: SeriesView<'_>, counts: &mut NativeCounts) -> Option<f64> {
        let (segment, bound) = self.locate(series)?;
        let counts = counts.begin(series.list.native?);
        segment.histogram_on(&self.planes, bound, series.chain(), counts)
    }

    /// A summary's count and sum now; `None`: the series has ended, leave it out.
    #[inline]
    pub fn summary(&self, series: SeriesView<'_>) -> Option<(u64, f64)> {
        let (segment, bound) = self.locate(series)?;
        segment.summary_on(&self.planes, bound)
    }

    /// What an info says now, ascending by name; nothing if it was never set. `None`: the series
    /// has ended, leave it out.
    pub fn info(&self, series: SeriesView<'_>) -> Option<&[(String, String)]> {
        let said = self.holding.info(series.slot, series.tag).unwrap_or(&[]);
        self.is_there(series).then_some(said)
    }

    /// The place of the state that holds now among the family's. `None`: the series has ended, or
    /// says a state that there is not: leave it out.
    pub fn state(&self, family: &FamilyView, series: SeriesView<'_>) -> Option<usize> {
        let (segment, bound) = self.locate(series)?;
        let place = usize::try_from(segment.read_state(bound)?).ok()?;
        (place < family.states.len()).then_some(place)
    }

    /// The exemplar of a counter (`place` is 0) or of a histogram's bucket (`place` is its place
    /// among the bounds), as it was at the last [`refresh`](crate::Reader::refresh). One load, where the
    /// series has none.
    #[inline]
    pub fn exemplar(&self, series: SeriesView<'_>, place: usize) -> Option<&Exemplar> {
        self.holding.exemplar(series.slot, series.tag, place)
    }

    /// Whether asking for the [`exemplar`](Self::exemplar) of one of its places may find one. One
    /// load.
    #[inline]
    pub fn may_have_exemplar(&self, series: SeriesView<'_>) -> bool {
        self.holding.has_annexes(series.slot)
    }

    #[inline]
    fn locate(&self, series: SeriesView<'_>) -> Option<(&Segment, Bound)> {
        let segment = &self.attached.as_ref()?.segment;
        let slot = segment.slot(series.slot)?;
        Some((segment, bound_of(slot, series.tag)?))
    }

    /// Whether asking for the [`exemplar`](Self::exemplar) of any series of a batch may find one. A
    /// load for 64 slots.
    pub fn may_have_exemplars(&self, batch: &SeriesBatch) -> bool {
        let slots = batch.slots();
        slots.is_some_and(|slots| self.holding.has_annexes_among(slots))
    }

    fn is_there(&self, series: SeriesView<'_>) -> bool {
        self.locate(series)
            .is_some_and(|(segment, bound)| segment.still_lives(bound))
    }

    /// Asks which owners of gauges live. One syscall for each that may count only as long.
    pub(super) fn probe(&mut self, segment: &Segment, locks: Option<&LockFile>) {
        let mut owners = core::mem::take(&mut self.owners);
        let mut now_there = HashMap::with_capacity(owners.len());
        for owner in self.probed.iter().copied() {
            let alive = match locks {
                Some(locks) => segment.is_alive(owner, locks),
                // Nobody is called dead on a guess.
                None => true,
            };
            let since = owners.remove(&owner).flatten();
            let dead = (!alive).then(|| since.unwrap_or_else(clock::unix_nanos));
            now_there.insert(owner, dead);
        }
        self.owners = now_there;
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use crate::location::Location;
    use crate::slot::State;
    use crate::sync::Ordering;
    use crate::{Board, Reader};

    #[test]
    fn a_part_that_is_frozen_and_not_yet_folded_counts() {
        let board = Board::open(&Location::Private).unwrap();
        let gauge = board.gauge("frozen", "").aggregation(Aggregation::Sum);
        gauge.register().unwrap().set(5.0);
        let shown = |reader: &mut Reader| {
            reader.refresh();
            let families = reader.families().iter();
            let family = families
                .into_iter()
                .find(|family| family.name == "frozen")
                .unwrap();
            reader.gauge(family.series.first()?)
        };
        let mut early = Reader::new(&board);
        assert_eq!(shown(&mut early), Some(5.0));
        let by_process = |reader: &Reader| {
            let mut families = reader.families().iter();
            let family = families.find(|family| family.name == "frozen").unwrap();
            reader.contributions(family.series.first().unwrap())
        };
        let own = [(std::process::id().to_string(), 5.0)];
        assert_eq!(by_process(&early), own);
        let segment = &board.attached().unwrap().segment;
        let part = early.parts.values().flatten().next().unwrap();
        let Bound { slot, serial } = part.bound;
        // As a reaper leaves it that has died.
        let frozen = State::Folding { serial }.word();
        segment.state(slot).store(frozen, Ordering::Relaxed);
        assert_eq!(shown(&mut early), Some(5.0));
        assert_eq!(by_process(&early), own);
        assert_eq!(shown(&mut Reader::new(&board)), Some(5.0));
        // Other tests of this process share the board.
        let alive = State::Ready { serial }.word();
        segment.state(slot).store(alive, Ordering::Relaxed);
    }
}
