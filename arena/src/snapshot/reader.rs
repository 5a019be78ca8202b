//! The pass over the state words, and what is kept from one to the next.

use super::decode::{self, Parent, Said, Scratch, decode};
use super::family::continuations;
use super::groups::{Group, Groups};
use super::seen::Seen;
use super::series::bound_of;
use super::twins::Twins;
use super::view::BoardView;
use crate::annexes::Annexes;
use crate::board::Board;
use crate::environment;
use crate::family::Definition;
use crate::fold::Part;
use crate::layout::{HeadRecord, MAX_TEXT_LEN};
use crate::liveness::LockFile;
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::sync::Ordering;
use core::fmt;
use core::mem::offset_of;
use core::ops::Deref;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Passes that one refresh makes at most: each is there because of something that the one before
/// it found, and a board that changes all the time would have another for ever.
const MOST_PASSES: u32 = 3;

/// Reads a board. One per thread that refreshes. Takes about 22 bytes a series, and nothing of
/// what it says. All that reads values is a method of the [`BoardView`] it gives out, and so of
/// the reader too.
pub struct Reader {
    pub(super) seen: Seen,
    pub(super) groups: Groups,
    /// What is not a series, by slot.
    pub(super) others: BTreeMap<u32, Other>,
    twins: Twins,
    /// Twins that are not shown.
    pub(super) hidden: BTreeSet<u32>,
    scratch: Scratch,
    is_new: bool,
    annexes: Annexes,
    /// To ask whether owners of gauges live; needs no write permission.
    locks: Option<LockFile>,
    view: Arc<BoardView>,
}

/// What a slot's record says that is kept.
#[derive(Debug)]
pub(super) enum Other {
    Damaged,
    Family {
        definition: Arc<Definition>,
        rank: u64,
    },
    Help {
        parent: Parent,
        unit: String,
        help: String,
    },
    Part {
        parent: Parent,
        part: Part,
    },
}

/// A series that is not as its family says.
struct Misfit;

/// What a pass found.
#[derive(Default)]
struct Pass {
    /// Something that families are put together from.
    changed: bool,
    /// Something that another pass understands better.
    again: bool,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("view", &self.view)
            .finish_non_exhaustive()
    }
}

impl Deref for Reader {
    type Target = BoardView;

    fn deref(&self) -> &BoardView {
        &self.view
    }
}

impl Reader {
    /// A reader that has seen nothing yet. An `off` board reads as empty.
    pub fn new(board: &Board) -> Reader {
        let attached = board.attached().cloned();
        let slots = attached.as_ref().map_or(0, |a| a.segment.geometry.slots) as usize;
        let segment = attached.as_ref().map(|attached| &attached.segment);
        Reader {
            locks: segment.and_then(|segment| segment.process.probe().ok()),
            seen: Seen::new(slots),
            groups: Groups::default(),
            others: BTreeMap::new(),
            twins: Twins::new(slots),
            hidden: BTreeSet::new(),
            scratch: Scratch::default(),
            is_new: true,
            annexes: Annexes::default(),
            view: Arc::new(BoardView {
                attached,
                families: Arc::default(),
                parts: Arc::default(),
                probed: Arc::default(),
                holding: Arc::default(),
                planes: Vec::new(),
                damaged: 0,
                owners: HashMap::new(),
                pid_namespace: environment::pid_namespace(),
            }),
        }
    }

    /// What was found at the last refresh, to be kept while the reader goes on.
    pub fn view(&self) -> Arc<BoardView> {
        self.view.clone()
    }

    /// Slots of the board.
    pub fn capacity(&self) -> u32 {
        self.seen.len() as u32
    }

    /// Finds series that came or went. One pass over the state words, and work for what is new;
    /// if anything changed, [`families`](BoardView::families) is put together anew, which takes
    /// as long as there are families, however many series they have.
    pub fn refresh(&mut self) {
        let Some(attached) = self.view.attached.clone() else {
            return;
        };
        let segment = &attached.segment;
        // One of them may be without its twin by now.
        let hidden = core::mem::take(&mut self.hidden);
        for slot in &hidden {
            self.seen.forget(*slot);
        }
        // What an info says may have moved to a slot that was passed, and left the one it was
        // in before that was met; later passes remember it.
        let at_least = if core::mem::take(&mut self.is_new) {
            2
        } else {
            1
        };
        let mut changed = false;
        for turn in 1..=MOST_PASSES {
            let pass = self.pass(segment);
            changed |= pass.changed;
            if !pass.again && turn >= at_least {
                break;
            }
        }
        changed |= self.hidden != hidden;
        let assembled = changed.then(|| self.assemble(segment));
        if self.locks.is_none() {
            self.locks = segment.process.probe().ok();
        }
        // Copied if a scrape still has the one before: all but what is shared.
        let view = Arc::make_mut(&mut self.view);
        if let Some(assembled) = assembled {
            view.families = Arc::new(assembled.families);
            view.parts = Arc::new(assembled.parts);
            view.probed = Arc::new(assembled.probed);
            view.damaged = assembled.damaged;
        }
        let seen = &self.seen;
        let lives = |slot, tag| seen.is_life(slot, tag);
        if let Some(holding) = self.annexes.settle(seen.len(), lives) {
            view.holding = Arc::new(holding);
        }
        view.planes.clear();
        view.planes.extend(segment.ready_planes());
        view.probe(segment, self.locks.as_ref());
    }

    /// Takes in what changed since the last pass over the state words.
    fn pass(&mut self, segment: &Segment) -> Pass {
        let mut pass = Pass::default();
        let mut from = 0;
        while let Some((index, word)) = self.seen.next_other(from, segment) {
            if let Some(slot) = segment.slot(index) {
                self.look(segment, slot, word, &mut pass);
            }
            from = index + 1;
        }
        pass
    }

    /// Takes in what is in a slot now.
    #[cold]
    fn look(&mut self, segment: &Segment, slot: Slot, word: u64, pass: &mut Pass) {
        let index = slot.index();
        let said = match State::of(word) {
            State::Ready { serial } | State::Folding { serial } => {
                let bound = Bound { slot, serial };
                match decode(segment, bound, word, &mut self.scratch) {
                    Some(said) => Some(said),
                    // The next refresh sees what it is then.
                    None => return,
                }
            }
            State::Invalid => Some(Said::Damage),
            _ => None,
        };
        if let Some((tag, family)) = self.seen.series(index) {
            self.groups.remove_series(family, tag, index);
            pass.changed = true;
        }
        pass.changed |= self.others.remove(&index).is_some();
        self.hidden.remove(&index);
        self.annexes.remove(index);
        self.seen.set(index, word);
        let other = match said {
            None => return,
            Some(Said::Annex(annex)) => return self.annexes.insert(index, annex),
            Some(Said::Series {
                parent,
                hash,
                labels,
                label_bytes,
            }) => {
                let parts = (parent, hash, labels, label_bytes);
                match self.take_series(segment, slot, word, parts, pass) {
                    Ok(()) => return,
                    Err(Misfit) => Other::Damaged,
                }
            }
            Some(Said::Family { definition, rank }) => {
                // Its series were met before it was.
                if let Some(group) = self.groups.take(index, word) {
                    pass.again = true;
                    group.slots().for_each(|slot| self.seen.forget(slot));
                }
                Other::Family { definition, rank }
            }
            Some(Said::Help { parent, unit, help }) => Other::Help { parent, unit, help },
            Some(Said::Part { parent, part }) => Other::Part { parent, part },
            Some(Said::Damage) => Other::Damaged,
        };
        pass.changed = true;
        self.others.insert(index, other);
    }

    fn take_series(
        &mut self,
        segment: &Segment,
        slot: Slot,
        tag: u64,
        (parent, hash, labels, label_bytes): (Parent, u64, usize, u16),
        pass: &mut Pass,
    ) -> Result<(), Misfit> {
        let at = u32::try_from(parent.slot).ok();
        let Some(parent_slot) = at.and_then(|at| segment.slot(at)) else {
            // An orphan: what it belonged to never was.
            return Ok(());
        };
        let family = parent_slot.index();
        let mut stride = 0;
        match self.others.get(&family) {
            Some(Other::Family { definition, .. }) if self.seen.is(family, parent.tag) => {
                stride = continuations(definition);
                if labels != definition.label_names.len() || self.scratch.chain.len() < stride {
                    return Err(Misfit);
                }
                match self.twin_of(segment, slot.index(), (family, parent.tag), hash) {
                    // The newest stays.
                    Some((twin, older)) if older < tag => {
                        self.groups.remove_series(family, older, twin);
                        self.seen.set(twin, older);
                        self.hidden.insert(twin);
                    }
                    Some(_) => {
                        self.hidden.insert(slot.index());
                        return Ok(());
                    }
                    None => {}
                }
            }
            // A family made after its slot was passed, or in a slot that comes yet; or an orphan.
            // Relaxed: as good now as a moment later.
            _ => {
                let state = segment.state(parent_slot).load(Ordering::Relaxed);
                pass.again |= state == parent.tag;
            }
        }
        let new = || Group::new(stride);
        let group = self.groups.get_or(family, parent.tag, new);
        let chain = self.scratch.chain.get(..group.stride()).ok_or(Misfit)?;
        group.insert(tag, slot.index(), chain, label_bytes);
        self.seen.set_series(slot.index(), tag, family);
        pass.changed = true;
        Ok(())
    }

    /// Another slot with the series that is in `slot`, and its tag.
    fn twin_of(
        &mut self,
        segment: &Segment,
        slot: u32,
        (family, parent): (u32, u64),
        hash: u64,
    ) -> Option<(u32, u64)> {
        if self.twins.is_full() {
            self.twins.clear();
            for living in 0..segment.geometry.slots {
                if let (Some(at), Some(_)) = (segment.slot(living), self.seen.series(living)) {
                    let hash = segment.head_word(at, offset_of!(HeadRecord, hash));
                    self.twins.insert(hash, living, |_| false);
                }
            }
        }
        let seen = &self.seen;
        let ours = self.scratch.series();
        let is_twin = |other: u32| {
            let Some(((tag, of), at)) = seen.series(other).zip(segment.slot(other)) else {
                return false;
            };
            let Some(bound) = bound_of(at, tag).filter(|_| of == family) else {
                return false;
            };
            let mut text = [0; MAX_TEXT_LEN];
            let there = decode::series(segment, bound, &mut text);
            // One whose bytes have changed since is found no more, so that its key was registered
            // again; but its text was rendered before, and is kept.
            let may_be_shown_as = there.is_none_or(|there| {
                (there.hash, there.parent.tag, there.text) == (hash, parent, ours)
            });
            // One that has ended was seen just before the newer was registered.
            may_be_shown_as && segment.still_lives(bound)
        };
        let twin = self.twins.insert(hash, slot, is_twin)?;
        Some((twin, seen.series(twin)?.0))
    }
}
