//! Boards of a few slots on loom's heap, and what must hold on them when all is quiet.

use crate::family::Kind;
use crate::index::{Link, Lost};
use crate::layout::{
    Control, Geometry, HeadRecord, Header, PAIR_LEN, RECORD_STRIDE, Row, SHARED_STRIDE,
};
use crate::liveness::Reopen;
use crate::mutation::{self, Mutation};
use crate::planes::Planes;
use crate::process::Process;
use crate::record::{Cap, Draft, Key, SERIES};
use crate::region::Region;
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::step::{self, Step};
use crate::sync::Ordering;
use core::mem::{offset_of, size_of};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How often loom may switch away from a thread that could go on in one run of a model with
/// two threads, and of one with three.
pub(super) const PAIR: usize = 3;
pub(super) const TRIO: usize = 2;

/// Whether `ARENA_LOOM_WHOLE` is set: models may take many minutes.
pub(super) fn is_whole() -> bool {
    std::env::var_os("ARENA_LOOM_WHOLE").is_some()
}

/// As [`TRIO`], for models that take minutes with it: once, unless [`is_whole`].
pub(super) fn trio_of_minutes() -> usize {
    if is_whole() { TRIO } else { 1 }
}

/// The one list that all keys of the models are in.
const LIST: u32 = 0;

/// A board that model processes attach to.
#[derive(Clone)]
pub(super) struct Board {
    region: Region,
    reopen: Reopen,
    geometry: Geometry,
}

impl Board {
    /// A board of `slots` slots and `rows` process rows.
    pub(super) fn new(slots: u32, rows: u32) -> Board {
        let geometry = Geometry::unchecked(slots, rows, 0);
        let control = [
            offset_of!(Control, serial),
            offset_of!(Control, hint),
            offset_of!(Control, reclaimed),
            offset_of!(Control, reaped),
            offset_of!(Control, folded),
        ];
        let record = [
            offset_of!(HeadRecord, hash),
            offset_of!(HeadRecord, shape),
            offset_of!(HeadRecord, lengths),
            offset_of!(HeadRecord, chain),
            offset_of!(HeadRecord, created_unix_nanos),
            offset_of!(HeadRecord, parent),
            offset_of!(HeadRecord, parent_slot),
            offset_of!(HeadRecord, note),
            offset_of!(HeadRecord, text),
            offset_of!(HeadRecord, text) + 8,
            offset_of!(HeadRecord, text) + 16,
            offset_of!(HeadRecord, text) + 24,
        ];
        let mut offsets: Vec<u64> = (0..u64::from(geometry.heads))
            .map(|list| geometry.heads_at + list * 8)
            .collect();
        offsets.push(offset_of!(Header, retired) as u64);
        offsets.extend(control.map(|field| geometry.control + field as u64));
        for row in 0..u64::from(rows) {
            let fields = [
                offset_of!(Row, word),
                offset_of!(Row, pid),
                offset_of!(Row, pid_namespace),
            ];
            let row = geometry.rows + row * size_of::<Row>() as u64;
            offsets.extend(fields.map(|field| row + field as u64));
        }
        for slot in 0..u64::from(slots) {
            offsets.push(geometry.states + slot * 8);
            offsets.push(geometry.links + slot * 8);
            offsets.extend(record.map(|at| geometry.records + slot * RECORD_STRIDE + at as u64));
            // A counter's two cells.
            offsets.extend([0, PAIR_LEN].map(|at| geometry.shared + slot * SHARED_STRIDE + at));
        }
        Board {
            region: Region::of(offsets.into_iter()),
            reopen: Reopen::model(),
            geometry,
        }
    }

    /// A process that has attached the board. Dropping it is its death.
    pub(super) fn attach(&self) -> Segment {
        Segment {
            planes: Planes::none(),
            process: Process::new(self.reopen.clone()).unwrap(),
            geometry: self.geometry,
            hash_key: (0, 0),
            series_cap: 0,
            keep_dead_seconds: 0,
            region: self.region.clone(),
        }
    }

    /// As [`attach`](Self::attach), with its row claimed: for models of what comes after.
    pub(super) fn attach_with_row(&self) -> Segment {
        let segment = self.attach();
        segment.own().unwrap();
        segment
    }
}

/// A key of the models' list. Its place there is `order`, its text one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub order: u64,
    pub text: &'static str,
    pub cells: u16,
}

impl Name {
    pub(super) const fn new(order: u64, text: &'static str) -> Name {
        Name {
            order,
            text,
            cells: 1,
        }
    }

    /// The same with a continuation.
    pub(super) const fn long(order: u64, text: &'static str) -> Name {
        Name {
            order,
            text,
            cells: 4,
        }
    }

    pub(super) fn key(&self) -> Key<'static> {
        Key {
            // The low bits choose the list.
            hash: self.order << 32 | u64::from(LIST),
            kind: SERIES,
            parent: 0,
            text: self.text.as_bytes(),
        }
    }

    pub(super) fn draft(&self) -> Draft<'static> {
        Draft {
            key: self.key(),
            text: self.text.as_bytes(),
            // Nothing is annexed to a summary, so that removing it looks for nothing.
            metric: Kind::Summary.code(),
            aggregation: 0,
            cells: self.cells,
            parent_slot: 0,
            note: 0,
            cap: Cap::None,
        }
    }
}

/// Runs `work` as a process that dies when it reaches `death`; `None` if it did, and then
/// its address space is gone.
pub(super) fn live<T>(
    process: Segment,
    death: Option<Step>,
    work: impl FnOnce(&Segment) -> Result<T, Lost>,
) -> Option<(T, Segment)> {
    step::die_at(death);
    let done = work(&process);
    step::die_at(None);
    match done {
        Ok(done) => Some((done, process)),
        Err(Lost::Died) => None,
        Err(lost) => panic!("invariant 9: refused on a sound board: {lost:?}"),
    }
}

/// Explores a model. `deaths` are the steps at which its one mortal process dies, each in a
/// run of its own, besides one in which it lives.
pub(super) fn explore(
    preemptions: usize,
    deaths: &[Step],
    model: impl Fn(Option<Step>) + Clone + Send + Sync + 'static,
) {
    let lives = std::iter::once(None).chain(deaths.iter().copied().map(Some));
    for death in lives {
        let model = model.clone();
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(preemptions);
        // A run of three registrations passes some hundred atomics.
        builder.max_branches = 20_000;
        builder.check(move || model(death));
    }
}

/// Shows that the model fails with this fault, and fails by one of its own assertions.
pub(super) fn breaks(
    mutation: Mutation,
    preemptions: usize,
    deaths: &[Step],
    model: impl Fn(Option<Step>) + Clone + Send + Sync + 'static,
) {
    mutation::set(Some(mutation));
    let outcome = catch_unwind(AssertUnwindSafe(|| explore(preemptions, deaths, model)));
    mutation::set(None);
    let payload = match outcome {
        Ok(()) => panic!("the model does not see {mutation:?}"),
        Err(payload) => payload,
    };
    let text = payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| {
            payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
        })
        .unwrap_or_default();
    assert!(
        text.contains("invariant "),
        "{mutation:?} failed otherwise: {text}"
    );
}

/// Whether `bound` is the life that the slot has now.
pub(super) fn lives(segment: &Segment, bound: Bound) -> bool {
    segment.state(bound.slot).load(Ordering::Acquire) == bound.tag()
}

/// The record of `slot` is that of one of `names`, whole.
fn name_of(segment: &Segment, slot: Slot, names: &[Name]) -> Option<Name> {
    names
        .iter()
        .find(|name| name.key().is_of(segment, slot))
        .copied()
}

/// What must hold when every other process has ended or stands still: `living` and nothing
/// else is on the board, each once, linked and complete, and no slot is lost.
pub(super) fn verify(segment: &Segment, living: &[Name]) {
    segment.reap_dead().expect("invariant 9: the sweep ends");
    let mut taken = HashSet::new();
    let mut seen = HashSet::new();
    let mut last = 0;
    let mut link = Link::of(segment.head(LIST).load(Ordering::Acquire));
    while let Some(target) = link.target() {
        let slot = segment
            .slot(target)
            .expect("invariant 9: links lead to slots");
        assert!(taken.insert(target), "invariant 9: the list has a ring");
        let State::Ready { serial } = State::of(segment.state(slot).load(Ordering::Acquire)) else {
            panic!("invariant 2: a linked slot is not READY");
        };
        let name = name_of(segment, slot, living);
        let name = name.expect("invariant 2: a READY record is not complete");
        assert!(
            seen.insert(name),
            "invariant 1: two READY slots for {name:?}"
        );
        assert!(name.order >= last, "invariant 9: the list is not sorted");
        last = name.order;
        let mut len = 1;
        let whole = segment.chain(slot, serial, |part| {
            len += 1;
            assert!(
                taken.insert(part.index()),
                "invariant 3: a slot in two chains"
            );
        });
        assert!(whole.is_some(), "invariant 3: a chain is not its head's");
        assert_eq!(len, name.cells.div_ceil(3), "invariant 2: a chain is cut");
        link = Link::of(segment.next(slot).load(Ordering::Acquire));
        assert!(!link.marked, "invariant 2: a READY slot is marked");
    }
    for name in living {
        assert!(seen.contains(name), "invariant 2: {name:?} is not linked");
    }
    for index in 0..segment.geometry.slots {
        if taken.contains(&index) {
            continue;
        }
        let slot = segment.slot(index).unwrap();
        match State::of(segment.state(slot).load(Ordering::Acquire)) {
            State::Free => {}
            State::Continuation { head, serial } => {
                let head = segment.slot(head).unwrap();
                let now = State::of(segment.state(head).load(Ordering::Acquire));
                assert!(
                    now != State::Ready { serial },
                    "invariant 3: a slot outside its chain"
                );
            }
            state => panic!("invariant 5: slot {index} is lost: {state:?}"),
        }
    }
}
