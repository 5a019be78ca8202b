//! Reading a whole board again and again: an exporter's view.
//!
//! A [`Reader`] keeps the decoded text of every series by slot and tag, so that a scrape
//! reads values only. It needs no write permission, takes no lock, and believes nothing: an
//! index out of bounds, a text that is not UTF-8, a family that is not there make one
//! series fall out, counted, and nothing else.

use crate::board::{Attached, Board};
use crate::counter::Number;
use crate::family::{Aggregation, Cursor, Definition, Kind};
use crate::layout::{HeadRecord, MAX_TEXT_LEN};
use crate::record::{FAMILY, SERIES, Shape, lengths};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::sync::Ordering;
use core::fmt;
use core::mem::offset_of;
use std::collections::HashMap;
use std::sync::Arc;

/// Reads a board. One per thread that scrapes; memory is proportional to the series.
pub struct Reader {
    attached: Option<Arc<Attached>>,
    /// For each slot the state word that `records` was decoded from.
    seen: Vec<u64>,
    records: Vec<Record>,
    families: Vec<FamilyView>,
    planes: Vec<u32>,
    damaged: u64,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("families", &self.families)
            .finish_non_exhaustive()
    }
}

/// What a slot's record says.
#[derive(Clone, Debug, Default)]
enum Record {
    /// Free, part of a chain, or being made or unmade.
    #[default]
    Nothing,
    /// Alive, and its bytes make no sense.
    Damaged,
    Family(Arc<Definition>),
    Series {
        family: u64,
        view: SeriesView,
    },
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
    /// A histogram's upper bounds, ascending, without +Inf.
    pub bounds: Vec<f64>,
    /// Tells this life of the family from all others; higher is newer.
    pub tag: u64,
    /// Sorted by label values.
    pub series: Vec<SeriesView>,
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
}

impl Reader {
    /// A reader that has seen nothing yet. An `off` board reads as empty.
    pub fn new(board: &Board) -> Reader {
        let attached = board.attached().cloned();
        let slots = attached.as_ref().map_or(0, |a| a.segment.geometry.slots) as usize;
        Reader {
            attached,
            seen: vec![0; slots],
            records: vec![Record::Nothing; slots],
            families: Vec::new(),
            planes: Vec::new(),
            damaged: 0,
        }
    }

    /// Finds series that came or went. One pass over the state words; what is new is
    /// decoded, and if anything changed, [`families`](Self::families) is put together anew.
    pub fn refresh(&mut self) {
        let Some(attached) = self.attached.clone() else {
            return;
        };
        let segment = &attached.segment;
        self.planes.clear();
        self.planes.extend(segment.ready_planes());
        let mut changed = self.scan(segment);
        // A family made after its slot was passed, and a series of it in a slot after that:
        // whoever sees the series ready sees the family too.
        if changed && self.has_orphans() {
            changed |= self.scan(segment);
        }
        if changed {
            self.assemble();
        }
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
            let record = match State::of(word) {
                State::Ready { serial } => match decode(segment, Bound { slot, serial }) {
                    Decoded::Record(record) => record,
                    // It ended meanwhile: the next refresh sees what it is then.
                    Decoded::Gone => continue,
                },
                _ => Record::Nothing,
            };
            changed |= !matches!(
                (&self.records[at], &record),
                (Record::Nothing, Record::Nothing)
            );
            self.records[at] = record;
            self.seen[at] = word;
        }
        changed
    }

    /// The tags of the families that were decoded, with the number of their labels.
    fn label_counts(&self) -> HashMap<u64, usize> {
        let decoded = self.seen.iter().zip(&self.records);
        decoded
            .filter_map(|(tag, record)| match record {
                Record::Family(definition) => Some((*tag, definition.label_names.len())),
                _ => None,
            })
            .collect()
    }

    /// Whether a series was decoded whose family was not.
    fn has_orphans(&self) -> bool {
        let known = self.label_counts();
        self.records.iter().any(|record| match record {
            Record::Series { family, .. } => !known.contains_key(family),
            _ => false,
        })
    }

    /// Families by name, one for each name: the newest definition.
    pub fn families(&self) -> &[FamilyView] {
        &self.families
    }

    /// Records left out at the last refresh because their bytes make no sense.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Slots of the board.
    pub fn capacity(&self) -> u32 {
        self.seen.len() as u32
    }

    /// A counter's value now; `None`: the series has ended, leave it out. Like the other three,
    /// a few loads for each cell and CPU, without an allocation; never waits.
    #[inline]
    pub fn counter(&self, series: &SeriesView) -> Option<Number> {
        let (segment, bound) = self.locate(series)?;
        segment.counter_on(&self.planes, bound)
    }

    /// A gauge's value now; `None`: the series has ended, leave it out.
    #[inline]
    pub fn gauge(&self, series: &SeriesView) -> Option<f64> {
        let (segment, bound) = self.locate(series)?;
        segment.read_gauge(bound)
    }

    /// A histogram's sum now; fills `buckets`, one for each bound and one up to +Inf, with
    /// the number of observations in each (not cumulative). `None`: leave the series out.
    #[inline]
    pub fn histogram(&self, series: &SeriesView, buckets: &mut [u64]) -> Option<f64> {
        let (segment, bound) = self.locate(series)?;
        segment.histogram_on(&self.planes, bound, &series.chain, buckets)
    }

    /// A summary's count and sum now; `None`: the series has ended, leave it out.
    #[inline]
    pub fn summary(&self, series: &SeriesView) -> Option<(u64, f64)> {
        let (segment, bound) = self.locate(series)?;
        segment.summary_on(&self.planes, bound)
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

    /// Puts the families together from the records.
    fn assemble(&mut self) {
        let mut newest: HashMap<&str, (u64, &Definition)> = HashMap::new();
        for (tag, record) in self.seen.iter().zip(&self.records) {
            if let Record::Family(definition) = record {
                let entry = newest.entry(&definition.name).or_insert((*tag, definition));
                if entry.0 < *tag {
                    *entry = (*tag, definition);
                }
            }
        }
        let mut families: Vec<FamilyView> = newest
            .into_values()
            .map(|(tag, definition)| FamilyView {
                name: definition.name.clone(),
                help: definition.help.clone(),
                unit: definition.unit.clone(),
                kind: definition.kind,
                aggregation: definition.aggregation,
                label_names: definition.label_names.clone(),
                bounds: definition.bounds.clone(),
                tag,
                series: Vec::new(),
            })
            .collect();
        families.sort_by(|a, b| a.name.cmp(&b.name));
        let places: HashMap<u64, usize> = families
            .iter()
            .enumerate()
            .map(|(place, family)| (family.tag, place))
            .collect();
        let known = self.label_counts();
        let mut damaged = 0;
        for record in &self.records {
            match record {
                Record::Damaged => damaged += 1,
                Record::Series { family, view } => {
                    // A series of an older definition is known, and not shown. Where two families
                    // bear one tag, on a damaged board, the labels of the one shown count.
                    let shown = places.get(family).map(|place| &mut families[*place]);
                    let labels = shown.as_ref().map(|family| family.label_names.len());
                    if labels.or(known.get(family).copied()) != Some(view.label_values.len()) {
                        damaged += 1;
                    } else if let Some(shown) = shown {
                        shown.series.push(view.clone());
                    }
                }
                Record::Nothing | Record::Family(_) => {}
            }
        }
        for family in &mut families {
            family
                .series
                .sort_by(|a, b| a.label_values.cmp(&b.label_values));
        }
        self.families = families;
        self.damaged = damaged;
    }
}

enum Decoded {
    Record(Record),
    Gone,
}

/// Copies and decodes the record of a READY slot.
fn decode(segment: &Segment, bound: Bound) -> Decoded {
    let record = read(segment, bound);
    // Nothing is believed, damage neither, before this says that it was one life.
    if segment.still_lives(bound) {
        Decoded::Record(record.unwrap_or(Record::Damaged))
    } else {
        Decoded::Gone
    }
}

fn read(segment: &Segment, bound: Bound) -> Option<Record> {
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
    match shape.kind {
        FAMILY => Definition::decode(text).map(|definition| Record::Family(Arc::new(definition))),
        SERIES => {
            let mut rest = Cursor(text);
            let mut label_values = Vec::new();
            while !rest.0.is_empty() {
                label_values.push(rest.text()?.to_owned());
            }
            Some(Record::Series {
                family: word(offset_of!(HeadRecord, family)),
                view: SeriesView {
                    slot: bound.slot.index(),
                    tag: bound.tag(),
                    created_unix_nanos: word(offset_of!(HeadRecord, created_unix_nanos)),
                    label_values,
                    chain,
                },
            })
        }
        _ => None,
    }
}
