//! Reading a whole board again and again: an exporter's view.
//!
//! A [`Reader`] keeps the decoded text of every series by slot and tag, so that a scrape
//! reads values only. It needs no write permission, takes no lock, and believes nothing: an
//! index out of bounds, a text that is not UTF-8, a family that is not there make one
//! series fall out, counted, and nothing else.

use crate::annex;
use crate::annexes::{Annex, Annexes, Holding};
use crate::attached::Hold;
use crate::board::Board;
use crate::clock;
use crate::counter::Number;
use crate::environment;
use crate::exemplar::Exemplar;
use crate::family::{Aggregation, Cursor, Definition, Kind};
use crate::fold::{MOMENT, PART_KEY, Part};
use crate::layout::{HeadRecord, MAX_CHAIN, MAX_TEXT_LEN, UNIT_CELLS};
use crate::liveness::LockFile;
use crate::native_counts::NativeCounts;
use crate::process::Own;
use crate::record::{EXEMPLAR, FAMILY, HELP, INFO, PART, SERIES, Shape, lengths};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::sync::{Ordering, fence};
use crate::versions::rank_of;
use crate::window::Window;
use core::fmt;
use core::mem::offset_of;
use core::ops::Deref;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

/// Reads a board. One per thread that refreshes; memory is proportional to the series. All that
/// reads values is a method of the [`BoardView`] it gives out, and so of the reader too.
pub struct Reader {
    /// For each slot the state word that `records` was decoded from.
    seen: Vec<u64>,
    records: Vec<Record>,
    is_new: bool,
    annexes: Annexes,
    /// To ask whether owners of gauges live; needs no write permission.
    locks: Option<LockFile>,
    view: Arc<BoardView>,
}

/// What a [`Reader`] found at one refresh: families and series. It does not change, may be shared
/// by any number of threads, and keeps the board mapped; values are read from the board at the
/// moment they are asked for.
#[derive(Clone)]
pub struct BoardView {
    attached: Option<Hold>,
    families: Arc<Vec<FamilyView>>,
    holding: Arc<Holding>,
    planes: Vec<u32>,
    damaged: u64,
    /// Owners of parts that are shown only while they live, or a while longer: when they were
    /// first seen dead, in nanoseconds since 1970, or `None` while they live.
    owners: HashMap<Own, Option<u64>>,
    pid_namespace: u64,
}

/// Which families a view has: equal in two views of one reader if nothing came or went on the
/// board between them, and never between two readers. Keeps nothing of the board.
#[derive(Clone)]
pub struct FamiliesId(Weak<Vec<FamilyView>>);

impl PartialEq for FamiliesId {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

impl fmt::Debug for FamiliesId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FamiliesId").field(&self.0.as_ptr()).finish()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("families", &self.view.families)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BoardView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoardView")
            .field("families", &self.families)
            .finish_non_exhaustive()
    }
}

impl Deref for Reader {
    type Target = BoardView;

    fn deref(&self) -> &BoardView {
        &self.view
    }
}

/// What a slot's record says.
#[derive(Clone, Debug, Default)]
enum Record {
    /// Free, part of a chain, or being made or unmade.
    #[default]
    Nothing,
    /// Its bytes make no sense: those of its record, or its state word.
    Damaged,
    Family {
        definition: Arc<Definition>,
        /// Of two definitions of one name the greater is the newer.
        rank: u64,
    },
    Help {
        parent: Parent,
        unit: String,
        help: String,
    },
    Series {
        parent: Parent,
        view: SeriesView,
    },
    Part {
        parent: Parent,
        part: Part,
    },
    /// What it says is in [`Reader::annexes`].
    Annexed,
}

/// What a record says that it belongs to.
#[derive(Clone, Copy, Debug)]
struct Parent {
    tag: u64,
    slot: u64,
}

impl Record {
    fn parent(&self) -> Option<Parent> {
        match self {
            Record::Help { parent, .. }
            | Record::Series { parent, .. }
            | Record::Part { parent, .. } => Some(*parent),
            Record::Nothing | Record::Damaged | Record::Family { .. } | Record::Annexed => None,
        }
    }
}

/// A family, with its series.
#[derive(Clone, Debug)]
pub struct FamilyView {
    /// The metric's name, as it was registered.
    pub name: String,
    /// The help text.
    pub help: String,
    /// The unit, or nothing.
    pub unit: String,
    /// The type.
    pub kind: Kind,
    /// How processes' values become one.
    pub aggregation: Aggregation,
    /// Sorted.
    pub label_names: Vec<String>,
    /// A histogram's upper bounds, ascending, without +Inf. Of a native one, those of the classic
    /// buckets that are put together from its own.
    pub bounds: Vec<f64>,
    /// A native histogram's buckets.
    pub native: Option<Window>,
    /// A state set's states, in the order in which they were declared.
    pub states: Vec<String>,
    /// Tells this life of the family from all others.
    pub tag: u64,
    /// Another number when help or unit are others.
    pub words_tag: u64,
    /// Sorted by label values.
    pub series: Vec<SeriesView>,
    /// Series of older definitions of this name, which are not shown.
    pub hidden_series: u64,
    slot: Slot,
}

impl FamilyView {
    /// Slots after the head that a series needs for its cells.
    fn continuations(&self) -> usize {
        let cells = match (self.kind, self.native) {
            (_, Some(window)) => window.counts() + 1,
            // The sum, the buckets, and the one up to +Inf.
            (Kind::Histogram, None) => self.bounds.len() + 2,
            (Kind::Counter | Kind::Gauge | Kind::Summary, None) => 2,
            (Kind::Info | Kind::StateSet, None) => 1,
        };
        cells.div_ceil(UNIT_CELLS) - 1
    }
}

/// One series.
#[derive(Clone, Debug)]
pub struct SeriesView {
    /// Its slot: below [`Reader::capacity`].
    pub slot: u32,
    /// Tells this life of the slot from all others; never used twice on a board.
    pub tag: u64,
    /// When the series was registered, in nanoseconds since 1970.
    pub created_unix_nanos: u64,
    /// In the order of the family's label names.
    pub label_values: Vec<String>,
    /// The slots of the chain after the head.
    chain: Vec<Slot>,
    /// Of a gauge.
    how: Aggregation,
    /// Of a native histogram.
    native: Option<Window>,
    /// What each process contributes to a gauge that is split.
    parts: Vec<Part>,
}

impl Reader {
    /// A reader that has seen nothing yet. An `off` board reads as empty.
    pub fn new(board: &Board) -> Reader {
        let attached = board.attached().cloned();
        let slots = attached.as_ref().map_or(0, |a| a.segment.geometry.slots) as usize;
        let segment = attached.as_ref().map(|attached| &attached.segment);
        Reader {
            locks: segment.and_then(|segment| segment.process.probe().ok()),
            seen: vec![0; slots],
            records: vec![Record::Nothing; slots],
            is_new: true,
            annexes: Annexes::default(),
            view: Arc::new(BoardView {
                owners: HashMap::new(),
                pid_namespace: environment::pid_namespace(),
                attached,
                families: Arc::default(),
                holding: Arc::default(),
                planes: Vec::new(),
                damaged: 0,
            }),
        }
    }

    /// What was found at the last refresh, to be kept while the reader goes on.
    pub fn view(&self) -> Arc<BoardView> {
        self.view.clone()
    }

    /// Finds series that came or went. One pass over the state words; what is new is
    /// decoded, and if anything changed, [`families`](BoardView::families) is put together anew.
    pub fn refresh(&mut self) {
        let Some(attached) = self.view.attached.clone() else {
            return;
        };
        let segment = &attached.segment;
        let is_first = core::mem::take(&mut self.is_new);
        let mut changed = self.scan(segment);
        // A family made after its slot was passed, and a series of it in a slot after that:
        // whoever sees the series ready sees the family too.
        if changed && self.has_orphans() {
            changed |= self.scan(segment);
        }
        if is_first {
            // What an info says may have moved to a slot that was passed, and left the one it was
            // in before that was met; later passes remember it.
            changed |= self.scan(segment);
        }
        let assembled = changed.then(|| self.assemble(segment));
        if self.locks.is_none() {
            self.locks = segment.process.probe().ok();
        }
        // Copied if a scrape still has the one before: all but the families, which are shared.
        let view = Arc::make_mut(&mut self.view);
        if let Some((families, damaged)) = assembled {
            view.families = Arc::new(families);
            view.damaged = damaged;
        }
        if let Some(holding) = self.annexes.settle(&self.seen) {
            view.holding = Arc::new(holding);
        }
        view.planes.clear();
        view.planes.extend(segment.ready_planes());
        view.probe(segment, self.locks.as_ref());
    }

    /// Decodes what changed since the last pass over the state words; whether anything did.
    fn scan(&mut self, segment: &Segment) -> bool {
        let mut changed = false;
        for index in 0..segment.geometry.slots {
            let Some(slot) = segment.slot(index) else {
                break;
            };
            // ORDERING: [S1] Acquire; pairs with the Release of `complete`: a READY slot's
            // record is complete.
            let word = segment.state(slot).load(Ordering::Acquire);
            let at = index as usize;
            if self.seen[at] == word {
                continue;
            }
            let mut annexed = None;
            let record = match State::of(word) {
                State::Ready { serial } | State::Folding { serial } => {
                    match decode(segment, Bound { slot, serial }, word) {
                        Decoded::Record(record) => record,
                        Decoded::Annex(annex) => {
                            annexed = Some(annex);
                            Record::Annexed
                        }
                        // It ended meanwhile: the next refresh sees what it is then.
                        Decoded::Gone => continue,
                    }
                }
                State::Invalid => Record::Damaged,
                _ => Record::Nothing,
            };
            match annexed {
                Some(annex) => self.annexes.insert(index, annex),
                None => self.annexes.remove(index),
            }
            changed |= !matches!(
                (&self.records[at], &record),
                (
                    Record::Nothing | Record::Annexed,
                    Record::Nothing | Record::Annexed
                )
            );
            self.records[at] = record;
            self.seen[at] = word;
        }
        changed
    }

    /// Whether something was decoded and what it belongs to was not.
    fn has_orphans(&self) -> bool {
        let known = |parent: Parent| {
            let at = usize::try_from(parent.slot).unwrap_or(usize::MAX);
            self.seen.get(at) == Some(&parent.tag)
        };
        let parents = self.records.iter().filter_map(Record::parent);
        parents.into_iter().any(|parent| !known(parent))
    }

    /// Slots of the board.
    pub fn capacity(&self) -> u32 {
        self.seen.len() as u32
    }

    /// Puts the families together from the records, and counts those that make no sense.
    fn assemble(&self, segment: &Segment) -> (Vec<FamilyView>, u64) {
        let mut damaged = 0;
        // What belongs to something that has ended is passed over; that it belongs to something
        // that never was of that kind is damage.
        let has_ended = |parent: Parent| {
            let slot = u32::try_from(parent.slot)
                .ok()
                .and_then(|at| segment.slot(at));
            // Relaxed: as good now as a moment later.
            slot.is_none_or(|slot| segment.state(slot).load(Ordering::Relaxed) != parent.tag)
        };
        let mut parts: HashMap<u64, Vec<Part>> = HashMap::new();
        let mut helps: HashMap<u64, (u64, &str, &str)> = HashMap::new();
        // Name, label count and place among the shown, of each family by its tag.
        let mut known: HashMap<u64, (&str, usize)> = HashMap::new();
        let mut in_use = HashSet::new();
        for record in &self.records {
            if let Record::Series { parent, .. } = record {
                in_use.insert(parent.tag);
            }
        }
        // Who has series goes before who has none; then the newer.
        let mut newest: HashMap<&str, Candidate<'_>> = HashMap::new();
        for (at, (tag, record)) in self.seen.iter().zip(&self.records).enumerate() {
            match record {
                Record::Family { definition, rank } => {
                    known.insert(*tag, (&definition.name, definition.label_names.len()));
                    let order = (in_use.contains(tag), *rank, *tag);
                    let this = (order, at, &**definition);
                    let entry = newest.entry(&definition.name).or_insert(this);
                    if entry.0 < order {
                        *entry = this;
                    }
                }
                Record::Help { parent, unit, help } => {
                    helps.insert(parent.tag, (*tag, unit, help));
                }
                Record::Part { parent, part } => {
                    parts.entry(parent.tag).or_default().push(*part);
                }
                Record::Nothing | Record::Damaged | Record::Series { .. } | Record::Annexed => {}
            }
        }
        let mut families: Vec<FamilyView> = newest
            .into_values()
            .filter_map(|((_, _, tag), at, definition)| {
                let own = (tag, definition.unit.as_str(), definition.help.as_str());
                let (words_tag, unit, help) = helps.get(&tag).copied().unwrap_or(own);
                Some(FamilyView {
                    name: definition.name.clone(),
                    help: help.to_owned(),
                    unit: unit.to_owned(),
                    kind: definition.kind,
                    aggregation: definition.aggregation,
                    label_names: definition.label_names.clone(),
                    bounds: definition.bounds.clone(),
                    native: definition.native,
                    states: definition.states.clone(),
                    tag,
                    words_tag,
                    series: Vec::new(),
                    hidden_series: 0,
                    slot: segment.slot(u32::try_from(at).ok()?)?,
                })
            })
            .collect();
        families.sort_by(|a, b| a.name.cmp(&b.name));
        // A tag is one family's. On a board whose serials were set back it may be two's.
        let mut tags = HashSet::new();
        families.retain(|family| {
            let is_alone = tags.insert(family.tag);
            damaged += u64::from(!is_alone);
            is_alone
        });
        let places: HashMap<&str, usize> = families
            .iter()
            .enumerate()
            .filter_map(|(place, family)| Some((known.get(&family.tag)?.0, place)))
            .collect();
        let mut shown: Vec<Vec<SeriesView>> = vec![Vec::new(); families.len()];
        let mut hidden = vec![0; families.len()];
        for record in &self.records {
            match record {
                Record::Damaged => damaged += 1,
                Record::Series { parent, view } => match known.get(&parent.tag) {
                    Some((name, labels)) if *labels == view.label_values.len() => {
                        let Some(place) = places.get(name).copied() else {
                            continue;
                        };
                        let family = &families[place];
                        // Of two families with one tag, the other may be the one shown.
                        let fits = view.chain.len() >= family.continuations()
                            && view.label_values.len() == family.label_names.len();
                        if family.tag == parent.tag && !fits {
                            damaged += 1;
                        } else if family.tag == parent.tag {
                            let mut view = view.clone();
                            view.how = family.aggregation;
                            view.native = family.native;
                            view.parts = parts.remove(&view.tag).unwrap_or_default();
                            shown[place].push(view);
                        } else {
                            hidden[place] += 1;
                        }
                    }
                    None if has_ended(*parent) => {}
                    _ => damaged += 1,
                },
                Record::Nothing
                | Record::Family { .. }
                | Record::Help { .. }
                | Record::Part { .. }
                | Record::Annexed => {}
            }
        }
        drop(places);
        for ((family, mut series), hidden) in families.iter_mut().zip(shown).zip(hidden) {
            // Of twins the newest comes first, and stays: a series that stands twice would make
            // the whole exposition worthless.
            series.sort_by(|a, b| {
                let newest_first = b.tag.cmp(&a.tag);
                a.label_values.cmp(&b.label_values).then(newest_first)
            });
            series.dedup_by(|older, kept| {
                let is_twin = older.label_values == kept.label_values;
                // An older one that has ended was seen just before the newer was registered.
                damaged += u64::from(is_twin && self.view.is_there(older));
                is_twin
            });
            family.series = series;
            family.hidden_series = hidden;
        }
        (families, damaged)
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
    /// [`Board::is_broken`].
    pub fn is_broken(&self) -> bool {
        let attached = self.attached.as_ref();
        attached.is_some_and(|attached| attached.segment.region.is_broken())
    }

    /// A counter's value now; `None`: the series has ended, leave it out. Like the other three,
    /// a few loads for each cell and CPU, without an allocation; never waits.
    #[inline]
    pub fn counter(&self, series: &SeriesView) -> Option<Number> {
        let (segment, bound) = self.locate(series)?;
        segment.counter_on(&self.planes, bound)
    }

    /// A gauge's value now, put together from its processes as its aggregation says; `None`:
    /// the series has ended, or has no value because nobody who counts has set it (a sum is 0
    /// then), or [`by_process`](Self::by_process) has its values: leave it out.
    #[inline]
    pub fn gauge(&self, series: &SeriesView) -> Option<f64> {
        let (segment, bound) = self.locate(series)?;
        match series.how {
            Aggregation::Last => segment.read_gauge(bound),
            _ => self.split_gauge(segment, bound, series),
        }
    }

    fn split_gauge(&self, segment: &Segment, bound: Bound, series: &SeriesView) -> Option<f64> {
        let how = series.how;
        if how == Aggregation::LiveLast {
            let parts = series.parts.iter().filter(|part| self.is_alive(part.owner));
            let set = parts.filter_map(|part| {
                let value = segment.read_part(part.bound)?;
                let at = segment.read_shared(part.bound.slot, MOMENT, part.bound.tag());
                Some((at.unwrap_or(0), value))
            });
            let (_, last) = set.max()?;
            return segment.still_lives(bound).then(|| f64::from_bits(last));
        }
        let counts = |part: &Part| !how.is_live() || self.is_alive(part.owner);
        match (segment.read_split(bound, how, &series.parts, counts)?, how) {
            (Some(bits), _) => Some(f64::from_bits(bits)),
            (None, Aggregation::Sum | Aggregation::LiveSum) => Some(0.0),
            (None, _) => None,
        }
    }

    fn is_alive(&self, owner: Own) -> bool {
        self.owners.get(&owner).is_none_or(Option::is_none)
    }

    /// The values of a gauge that has one for each process ([`Aggregation::All`] and
    /// [`Aggregation::LiveAll`]), with the value of their `pid` label, in its order. A process
    /// in another PID namespace than this one is called `PID@NAMESPACE`. Of two that have one
    /// pid, the one that is no more is left out.
    pub fn by_process(&self, series: &SeriesView) -> Vec<(String, f64)> {
        let Some((segment, bound)) = self.locate(series) else {
            return Vec::new();
        };
        if !series.how.is_by_process() {
            return Vec::new();
        }
        let now = clock::unix_nanos();
        let mut values: Vec<(String, u64, f64)> = Vec::new();
        for part in &series.parts {
            let tag = part.bound.tag();
            let shown = match self.owners.get(&part.owner) {
                Some(Some(seen_dead)) if series.how == Aggregation::All => {
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
    pub fn contributions(&self, series: &SeriesView) -> Vec<(String, f64)> {
        let Some((segment, bound)) = self.locate(series) else {
            return Vec::new();
        };
        if series.how.is_by_process() {
            return Vec::new();
        }
        let parts = series.parts.iter();
        let parts = parts.filter(|part| !series.how.is_live() || self.is_alive(part.owner));
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
    pub fn histogram(&self, series: &SeriesView, buckets: &mut [u64]) -> Option<f64> {
        let (segment, bound) = self.locate(series)?;
        let Some(window) = series.native else {
            return segment.histogram_on(&self.planes, bound, &series.chain, buckets);
        };
        let mut counts = [0; MAX_CHAIN * UNIT_CELLS];
        let counts = &mut counts[..window.counts()];
        let sum = segment.histogram_on(&self.planes, bound, &series.chain, counts)?;
        window.classic_counts(counts, buckets);
        Some(sum)
    }

    /// A native histogram's sum now; fills `counts` with what its buckets hold. `None`: it has
    /// none, or the series has ended: leave it out. No allocation once `counts` has grown.
    pub fn native(&self, series: &SeriesView, counts: &mut NativeCounts) -> Option<f64> {
        let (segment, bound) = self.locate(series)?;
        let counts = counts.begin(series.native?);
        segment.histogram_on(&self.planes, bound, &series.chain, counts)
    }

    /// A summary's count and sum now; `None`: the series has ended, leave it out.
    #[inline]
    pub fn summary(&self, series: &SeriesView) -> Option<(u64, f64)> {
        let (segment, bound) = self.locate(series)?;
        segment.summary_on(&self.planes, bound)
    }

    /// What an info says now, ascending by name; nothing if it was never set. `None`: the series
    /// has ended, leave it out.
    pub fn info(&self, series: &SeriesView) -> Option<&[(String, String)]> {
        let said = self.holding.info(series.slot, series.tag).unwrap_or(&[]);
        self.is_there(series).then_some(said)
    }

    /// The place of the state that holds now among the family's. `None`: the series has ended, or
    /// says a state that there is not: leave it out.
    pub fn state(&self, family: &FamilyView, series: &SeriesView) -> Option<usize> {
        let (segment, bound) = self.locate(series)?;
        let place = usize::try_from(segment.read_state(bound)?).ok()?;
        (place < family.states.len()).then_some(place)
    }

    /// The exemplar of a counter (`place` is 0) or of a histogram's bucket (`place` is its place
    /// among the bounds), as it was at the last [`refresh`](Reader::refresh). One load, where the
    /// series has none.
    #[inline]
    pub fn exemplar(&self, series: &SeriesView, place: usize) -> Option<&Exemplar> {
        self.holding.exemplar(series.slot, series.tag, place)
    }

    /// Whether asking for the [`exemplar`](Self::exemplar) of one of its places may find one. One
    /// load.
    #[inline]
    pub fn may_have_exemplar(&self, series: &SeriesView) -> bool {
        self.holding.has_annexes(series.slot)
    }

    #[inline]
    fn locate(&self, series: &SeriesView) -> Option<(&Segment, Bound)> {
        let segment = &self.attached.as_ref()?.segment;
        let slot = segment.slot(series.slot)?;
        match State::of(series.tag) {
            State::Ready { serial } => Some((segment, Bound { slot, serial })),
            _ => None,
        }
    }

    fn is_there(&self, series: &SeriesView) -> bool {
        self.locate(series)
            .is_some_and(|(segment, bound)| segment.still_lives(bound))
    }

    /// Asks which owners of gauges live. One syscall for each that may count only as long.
    fn probe(&mut self, segment: &Segment, locks: Option<&LockFile>) {
        let mut owners = core::mem::take(&mut self.owners);
        let mut now_there = HashMap::with_capacity(owners.len());
        let by_life = |family: &&FamilyView| {
            family.aggregation.is_live() || family.aggregation.is_by_process()
        };
        let families = self.families.iter().filter(by_life);
        let series = families.flat_map(|family| &family.series);
        for part in series.flat_map(|series| &series.parts) {
            now_there.entry(part.owner).or_insert_with(|| {
                let alive = match locks {
                    Some(locks) => segment.is_alive(part.owner, locks),
                    // Nobody is called dead on a guess.
                    None => true,
                };
                let since = owners.remove(&part.owner).flatten();
                (!alive).then(|| since.unwrap_or_else(clock::unix_nanos))
            });
        }
        self.owners = now_there;
    }
}

/// A definition of a name: whether it has series, its rank, its tag; its slot; what it says.
type Candidate<'r> = ((bool, u64, u64), usize, &'r Definition);

enum Decoded {
    Record(Record),
    Annex(Annex),
    Gone,
}

/// Copies and decodes the record of a slot whose state word is `state`: READY, or FOLDING, which
/// only parts are and count in.
fn decode(segment: &Segment, bound: Bound, state: u64) -> Decoded {
    let mut annex = None;
    let record = read(segment, bound, &mut annex);
    // ORDERING: [S2] Acquire fence, as in `still_lives`.
    fence(Ordering::Acquire);
    // Nothing is believed, damage neither, before this says that it was one life.
    // Relaxed: the fence orders it.
    if segment.state(bound.slot).load(Ordering::Relaxed) != state {
        return Decoded::Gone;
    }
    if state == bound.tag()
        && let Some(annex) = annex
    {
        return Decoded::Annex(annex);
    }
    let fits = |record: &Record| state == bound.tag() || matches!(record, Record::Part { .. });
    Decoded::Record(record.filter(fits).unwrap_or(Record::Damaged))
}

fn read(segment: &Segment, bound: Bound, annex: &mut Option<Annex>) -> Option<Record> {
    // Relaxed: ordered by the state words around.
    let word = |field| segment.record(bound.slot, field).load(Ordering::Relaxed);
    let shape = Shape::of(word(offset_of!(HeadRecord, shape)));
    let (key_len, text_len) = lengths(word(offset_of!(HeadRecord, lengths)));
    // A chain longer than its text could say much with few bytes.
    if key_len > text_len
        || Shape::slots_for(usize::from(shape.cells), text_len) != Some(shape.slots)
    {
        return None;
    }
    let mut text = [0; MAX_TEXT_LEN];
    let text = segment.read_text(bound.slot, text_len, &mut text)?;
    let mut chain = Vec::new();
    segment.chain(bound.slot, bound.serial, |slot| chain.push(slot))?;
    let parent = Parent {
        tag: word(offset_of!(HeadRecord, parent)),
        slot: word(offset_of!(HeadRecord, parent_slot)),
    };
    match shape.kind {
        FAMILY => Definition::decode(text).map(|definition| Record::Family {
            definition: Arc::new(definition),
            rank: rank_of(word(offset_of!(HeadRecord, note)), bound.tag()),
        }),
        HELP => {
            let mut rest = Cursor(text);
            let (unit, help) = (rest.text()?.to_owned(), rest.text()?.to_owned());
            rest.0
                .is_empty()
                .then_some(Record::Help { parent, unit, help })
        }
        EXEMPLAR | INFO => {
            let created = word(offset_of!(HeadRecord, created_unix_nanos));
            let (place, said) = annex::decode(shape.kind, text, key_len, created)?;
            *annex = Some(Annex {
                tag: bound.tag(),
                series: parent.tag,
                series_slot: parent.slot,
                place,
                said,
            });
            Some(Record::Annexed)
        }
        PART => {
            let (&[row, incarnation, pid, pid_namespace], []) = text.as_chunks::<8>() else {
                return None;
            };
            let [row, incarnation, pid, pid_namespace] =
                [row, incarnation, pid, pid_namespace].map(u64::from_le_bytes);
            let part = Part {
                bound,
                owner: Own::of_key(row, incarnation),
                pid,
                pid_namespace,
            };
            (key_len == PART_KEY).then_some(Record::Part { parent, part })
        }
        SERIES => {
            let mut rest = Cursor(text);
            let mut label_values = Vec::new();
            while !rest.0.is_empty() {
                label_values.push(rest.text()?.to_owned());
            }
            Some(Record::Series {
                parent,
                view: SeriesView {
                    slot: bound.slot.index(),
                    tag: bound.tag(),
                    created_unix_nanos: word(offset_of!(HeadRecord, created_unix_nanos)),
                    label_values,
                    chain,
                    how: Aggregation::Last,
                    native: None,
                    parts: Vec::new(),
                },
            })
        }
        _ => None,
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use crate::location::Location;

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
            reader.gauge(&family.series[0])
        };
        let mut early = Reader::new(&board);
        assert_eq!(shown(&mut early), Some(5.0));
        let by_process = |reader: &Reader| {
            let mut families = reader.families().iter();
            let family = families.find(|family| family.name == "frozen");
            reader.contributions(&family.unwrap().series[0])
        };
        let own = [(std::process::id().to_string(), 5.0)];
        assert_eq!(by_process(&early), own);
        let segment = &board.attached().unwrap().segment;
        let part = early
            .families()
            .iter()
            .flat_map(|family| &family.series)
            .find_map(|series| series.parts.first())
            .unwrap();
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
