//! Does everything on a board hold together?

use crate::annex;
use crate::error::RefusedReason;
use crate::family::{Cursor, Definition};
use crate::fold::PART_KEY;
use crate::index::Link;
use crate::layout::{HeadRecord, MAX_TEXT_LEN, PLANE_NONE, PLANE_READY, PLANE_REFUSED, Row};
use crate::liveness::LockFile;
use crate::process::RowWord;
use crate::record::{EXEMPLAR, FAMILY, HELP, INFO, PART, SERIES, Shape, lengths};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::stats::Stats;
use crate::sync::Ordering;
use core::fmt;
use core::mem::offset_of;
use std::collections::{HashMap, HashSet};

/// Something that no rule allows, in one line with its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// Section and index: `slot 17`, `list 5`.
    pub place: String,
    /// What is wrong there.
    pub what: String,
    /// The state word that it was seen at: the same words at the same place are another fault
    /// when that has changed.
    seen: u64,
}

impl Fault {
    /// One that no state word goes with.
    pub(crate) fn new(place: String, what: String) -> Fault {
        let seen = 0;
        Fault { place, what, seen }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// How often the board is looked at, 2, 4, 8 … ms apart. Work in progress looks like a fault
/// for microseconds, or for as long as its process waits for a CPU; what is still there at
/// every look, at the same state word, is one.
const LOOKS: u32 = 5;

/// Faults that were there, unchanged, at every one of several looks.
pub(crate) fn check(segment: &Segment) -> Vec<Fault> {
    let mut faults = look(segment);
    for turn in 1..LOOKS {
        if faults.is_empty() {
            break;
        }
        // Nobody works on the boards that are fuzzed.
        if !cfg!(fuzzing) {
            std::thread::sleep(std::time::Duration::from_millis(1 << turn));
        }
        let again: HashSet<Fault> = look(segment).into_iter().collect();
        faults.retain(|fault| again.contains(fault));
    }
    faults
}

fn look(segment: &Segment) -> Vec<Fault> {
    let mut look = Look {
        segment,
        locks: segment.process.probe().ok(),
        dead_rows: 0,
        seen: 0,
        faults: Vec::new(),
        linked: vec![false; segment.geometry.slots as usize],
    };
    for list in 0..segment.geometry.heads {
        look.list(list);
    }
    for index in 0..segment.geometry.slots {
        if let Some(slot) = segment.slot(index) {
            look.slot(slot);
        }
    }
    for row in 0..segment.geometry.processes {
        look.row(row);
    }
    for cpu in 0..segment.geometry.planes {
        look.plane(cpu);
    }
    look.room();
    look.faults
}

struct Look<'s> {
    segment: &'s Segment,
    /// To ask who lives; `None`: nobody is called dead on a guess.
    locks: Option<LockFile>,
    /// The state word that is being looked at, or 0.
    seen: u64,
    /// Rows that the next who wants one takes over.
    dead_rows: u32,
    faults: Vec<Fault>,
    linked: Vec<bool>,
}

impl Look<'_> {
    fn fault(&mut self, place: impl fmt::Display, what: impl fmt::Display) {
        self.faults.push(Fault {
            place: place.to_string(),
            what: what.to_string(),
            seen: self.seen,
        });
    }

    fn list(&mut self, list: u32) {
        let segment = self.segment;
        // ORDERING: [L1] Acquire, as in a walk.
        let mut link = Link::of(segment.head(list).load(Ordering::Acquire));
        let mut last_hash = 0;
        let mut keys = HashMap::new();
        while let Some(target) = link.target() {
            let Some(slot) = segment.slot(target) else {
                return self.fault(format_args!("list {list}"), "leads to a slot out of bounds");
            };
            // Also what ends the walk of a list that leads back into itself, or another.
            if core::mem::replace(&mut self.linked[target as usize], true) {
                return self.fault(format_args!("slot {target}"), "is linked twice");
            }
            // Relaxed: behind the link.
            let hash = segment
                .record(slot, offset_of!(HeadRecord, hash))
                .load(Ordering::Relaxed);
            if segment.list_of(hash) != list {
                self.fault(
                    format_args!("slot {target}"),
                    format_args!(
                        "is in list {list}, its hash belongs to {}",
                        segment.list_of(hash)
                    ),
                );
            }
            if hash < last_hash {
                self.fault(format_args!("slot {target}"), "is out of order in its list");
            }
            if hash != last_hash {
                keys.clear();
            }
            last_hash = hash;
            if let Some(key) = self.key(slot)
                && let Some(twin) = keys.insert(key, target)
            {
                let what = format!("is READY with the same key as slot {twin}");
                self.fault(format_args!("slot {target}"), what);
            }
            // ORDERING: [L1] Acquire, as in a walk.
            link = Link::of(segment.next(slot).load(Ordering::Acquire));
        }
    }

    /// Kind, parent and text of a READY slot's key.
    fn key(&self, slot: Slot) -> Option<(u8, u64, Vec<u8>)> {
        let segment = self.segment;
        // ORDERING: [S1] Acquire: the record behind it.
        let state = State::of(segment.state(slot).load(Ordering::Acquire));
        // Relaxed: behind the state word.
        let word = |field| segment.record(slot, field).load(Ordering::Relaxed);
        let kind = Shape::of(word(offset_of!(HeadRecord, shape))).kind;
        let (key_len, _) = lengths(word(offset_of!(HeadRecord, lengths)));
        let State::Ready { serial } = state else {
            return None;
        };
        // A record with a fault has no key. Could many share one chain, their texts together
        // would be larger than the board many times over.
        if self.record(Bound { slot, serial }).is_some() {
            return None;
        }
        let mut text = [0; MAX_TEXT_LEN];
        let text = segment.read_text(slot, key_len, &mut text)?.to_vec();
        let parent = word(offset_of!(HeadRecord, parent));
        Some((kind, parent, text))
    }

    fn slot(&mut self, slot: Slot) {
        let segment = self.segment;
        let place = format!("slot {}", slot.index());
        // ORDERING: [S1] Acquire: the record behind it.
        let word = segment.state(slot).load(Ordering::Acquire);
        self.seen = word;
        let is_linked = self.linked[slot.index() as usize];
        match State::of(word) {
            State::Ready { serial } => {
                if !is_linked {
                    self.fault(&place, "is READY and not linked");
                }
                if let Some(what) = self.record(Bound { slot, serial }) {
                    self.fault(&place, what);
                }
            }
            State::Building { row, .. } => {
                if row >= segment.geometry.processes {
                    self.fault(&place, "is BUILDING under a row that does not exist");
                } else if self.is_dead(row) {
                    self.fault(
                        &place,
                        format_args!("is BUILDING under row {row}, whose process is gone"),
                    );
                }
            }
            State::Removed { .. } => self.fault(&place, "is REMOVED and not yet free"),
            State::Free if is_linked => self.fault(&place, "is FREE and linked"),
            State::Continuation { .. } if is_linked => self.fault(&place, "is CONT and linked"),
            State::Continuation { head, .. } if segment.slot(head).is_none() => {
                self.fault(&place, "continues a slot out of bounds");
            }
            State::Free | State::Continuation { .. } => {}
            State::Folding { .. } => {
                self.fault(&place, "is FOLDING: the reaper of its process died");
            }
            State::Invalid => self.fault(&place, format_args!("has no valid state ({word:#018x})")),
        }
    }

    /// What is wrong with a living record.
    fn record(&self, bound: Bound) -> Option<&'static str> {
        let segment = self.segment;
        // Relaxed: behind the state word.
        let word = |field| segment.record(bound.slot, field).load(Ordering::Relaxed);
        let shape = Shape::of(word(offset_of!(HeadRecord, shape)));
        let (key_len, text_len) = lengths(word(offset_of!(HeadRecord, lengths)));
        if key_len > text_len || text_len > MAX_TEXT_LEN {
            return Some("has text out of bounds");
        }
        if Shape::slots_for(usize::from(shape.cells), text_len) != Some(shape.slots) {
            return Some("has a chain of another length than its text and cells need");
        }
        if segment.chain(bound.slot, bound.serial, |_| {}).is_none() {
            return Some("has a chain that is not its own");
        }
        let mut buffer = [0; MAX_TEXT_LEN];
        let Some(text) = segment.read_text(bound.slot, text_len, &mut buffer) else {
            return Some("has a chain that ends before its text");
        };
        let hash = word(offset_of!(HeadRecord, hash));
        let parent = word(offset_of!(HeadRecord, parent));
        if shape.kind != FAMILY {
            let at = u32::try_from(word(offset_of!(HeadRecord, parent_slot)));
            let is_there = at.ok().and_then(|at| segment.slot(at)).is_some_and(|slot| {
                // ORDERING: [S1] Acquire, as for every state.
                segment.state(slot).load(Ordering::Acquire) == parent
            });
            if segment.hash_of(shape.kind, parent, &text[..key_len]) != hash {
                return Some("has a hash that is not its key's");
            }
            if !is_there {
                return Some("belongs to something that has ended");
            }
        }
        match shape.kind {
            FAMILY => match Definition::decode(text) {
                None => Some("is a family whose definition cannot be read"),
                Some(definition) if segment.family_hash(&definition.name) != hash => {
                    Some("has a hash that is not its key's")
                }
                Some(_) => None,
            },
            SERIES => {
                let mut rest = Cursor(text);
                while !rest.0.is_empty() {
                    if rest.text().is_none() {
                        return Some("is a series whose label values cannot be read");
                    }
                }
                None
            }
            PART if key_len != PART_KEY || text_len != 2 * PART_KEY => {
                Some("is a part whose owner cannot be read")
            }
            HELP => {
                let mut rest = Cursor(text);
                let readable = rest.text().is_some() && rest.text().is_some() && rest.0.is_empty();
                (!readable).then_some("is a help that cannot be read")
            }
            PART => None,
            EXEMPLAR if annex::decode(EXEMPLAR, text, key_len, 0).is_none() => {
                Some("is an exemplar that cannot be read")
            }
            INFO if annex::decode(INFO, text, key_len, 0).is_none() => {
                Some("is what an info says and cannot be read")
            }
            EXEMPLAR | INFO => None,
            _ => Some("is none of the things that a board holds"),
        }
    }

    fn is_dead(&self, row: u32) -> bool {
        let life = self.segment.geometry.life_byte(row);
        self.locks
            .as_ref()
            .is_some_and(|locks| !locks.is_held(life))
    }

    fn row(&mut self, row: u32) {
        self.seen = 0;
        let segment = self.segment;
        let word = |field| segment.row(row, field);
        // ORDERING: [R1] Acquire: the description is that of this incarnation.
        let now = RowWord::of(word(offset_of!(Row, word)).load(Ordering::Acquire));
        if now.in_use && self.is_dead(row) {
            self.dead_rows += 1;
            // Relaxed: behind the row's word.
            let pid = word(offset_of!(Row, pid)).load(Ordering::Relaxed);
            self.fault(
                format_args!("row {row}"),
                format_args!("belongs to process {pid}, which is gone"),
            );
        }
    }

    /// What the board has no more of.
    fn room(&mut self) {
        let stats = Stats::of(self.segment);
        let refused = |wanted| {
            let of = stats.refused.iter().find(|(reason, _)| *reason == wanted);
            of.map_or(0, |(_, times)| *times)
        };
        let times = refused(RefusedReason::BoardFull);
        if stats.slots_used == stats.slots && times > 0 {
            let what = format_args!("has no free slot: {times} registrations were refused");
            self.fault("board", what);
        }
        let times = refused(RefusedReason::ProcessTableFull);
        if stats.processes_used == stats.processes && times > 0 && self.dead_rows == 0 {
            let what = format_args!("has no free process row: {times} registrations were refused");
            self.fault("board", what);
        }
    }

    fn plane(&mut self, cpu: u32) {
        // Relaxed: only looked at.
        match self.segment.plane_entry(cpu).load(Ordering::Relaxed) {
            PLANE_NONE | PLANE_READY => {}
            PLANE_REFUSED => self.fault(
                format_args!("plane {cpu}"),
                "was refused: the filesystem had no room; that CPU uses the shared plane",
            ),
            word => self.fault(
                format_args!("plane {cpu}"),
                format_args!("has no valid word ({word:#x})"),
            ),
        }
    }
}
