//! `register` and `remove`: the steps of the protocol, in their order.
//!
//! One rule: prepare where nobody looks, publish with one CAS from an exact word that bears
//! a serial. A death before that CAS has changed nothing that anyone sees; a death after it
//! leaves a state that whoever comes by can finish. `DESIGN.md` §3 has the table of what a
//! death at each step leaves behind.

use crate::clock;
use crate::error::RefusedReason;
use crate::index::{Link, Lost, Place, Walk};
use crate::layout::{Control, HeadRecord, MAX_CHAIN};
use crate::mutation::{self, Mutation};
use crate::record::{Draft, FAMILY, Key, SERIES, Shape};
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::step::{self, Died, Step};
use crate::sync::{Ordering, fence};
use core::mem::offset_of;

/// A living chain: its head and the serial of its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub slot: Slot,
    pub serial: u64,
}

impl Bound {
    /// The tag of the chain's cells: the head's state word while it lives.
    pub(crate) fn tag(self) -> u64 {
        State::Ready {
            serial: self.serial,
        }
        .word()
    }
}

/// Whether something may have belonged to what has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parent {
    Perhaps,
    /// Annexes only, of one kind at so many places: they are found by their keys.
    OfAnnexes(u8, u32),
    Never,
}

/// Family, series, part or annex.
const GENERATIONS: u32 = 3;

impl From<RefusedReason> for Lost {
    fn from(reason: RefusedReason) -> Lost {
        Lost::Refused(reason)
    }
}

impl Segment {
    /// Finds the draft's key or makes it. Lock-free. A new key costs a pass over the state
    /// words at worst; the first new key of a process also claims its row (some syscalls).
    pub(crate) fn register(&self, draft: &Draft<'_>) -> Result<Bound, Lost> {
        // Even `find` finishes what it comes by.
        if !self.region.is_writable() {
            return Err(RefusedReason::ReadOnly.into());
        }
        // 1. It may be there.
        if let Walk::Live { slot, serial } = self.find(&draft.key)? {
            return self.unless_orphaned(draft, Bound { slot, serial });
        }
        if !self.makes_room(draft) {
            return Err(Lost::Capped);
        }
        let slots = Shape::slots_for(usize::from(draft.cells), draft.text.len())
            .ok_or(RefusedReason::TooLong)?;
        if self.is_retired() {
            return Err(RefusedReason::Retired.into());
        }
        if self.is_known_full(slots) {
            return Err(RefusedReason::BoardFull.into());
        }
        let reclaimed = self.reclaimed();
        let built = self.claim_and_build(slots, draft);
        if built == Err(Lost::Refused(RefusedReason::BoardFull)) {
            self.note_full(reclaimed, slots);
        }
        let built = self.unless_orphaned(draft, built?)?;
        if self.is_retired() {
            // Given up meanwhile: whoever did so may have passed this slot already.
            self.remove(built)?;
            return Err(RefusedReason::Retired.into());
        }
        Ok(built)
    }

    /// Steps 2 to 6 for a key that was not there.
    fn claim_and_build(&self, slots: u16, draft: &Draft<'_>) -> Result<Bound, Lost> {
        let row = self.own()?.row;
        // 2. A slot, under our row and a new serial.
        let serial = self.next_serial()?;
        let building = State::Building { row, serial };
        let head = self.claim_or_sweep(building)?;
        step::at(Step::Claimed)?;
        // Before the link, so that never fewer are counted than there are.
        self.count_series(draft);
        // 3 to 6, or give back what was taken.
        let built = self.build(head, serial, row, slots, draft);
        match built {
            Ok(bound) if bound.slot == head => {}
            Err(Lost::Died) => {}
            _ => {
                self.uncount_series(draft);
                self.release(head, building);
            }
        }
        built
    }

    /// The series or part, if what it belongs to still lives; else it is removed again.
    ///
    /// A parent's remover ends the parent and then looks for children. By changing the parent's
    /// word, if only to itself, this stands either before that end, and the remover sees the
    /// child; or after it, and sees the end. A load could miss it while the remover misses us.
    fn unless_orphaned(&self, draft: &Draft<'_>, child: Bound) -> Result<Bound, Lost> {
        let tag = draft.key.parent;
        if tag == 0 {
            return Ok(child);
        }
        let Some(parent) = self.slot(draft.parent_slot) else {
            return Err(Lost::Orphaned);
        };
        let state = self.state(parent);
        // ORDERING: [S6] AcqRel; pairs with the CAS of `end`.
        let lives = if mutation::is(Mutation::ParentLoaded) {
            state.load(Ordering::Acquire) == tag
        } else {
            state
                .compare_exchange(tag, tag, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
        };
        if lives {
            return Ok(child);
        }
        self.remove(child)?;
        Err(Lost::Orphaned)
    }

    /// Steps 3 to 6 for a claimed `head`. When another registration has won, its chain.
    pub(crate) fn build(
        &self,
        head: Slot,
        serial: u64,
        row: u32,
        slots: u16,
        draft: &Draft<'_>,
    ) -> Result<Bound, Lost> {
        // 3. Its continuations.
        let mut chain = [head; MAX_CHAIN];
        let chain = &mut chain[..usize::from(slots) - 1];
        for place in chain.iter_mut() {
            let head = head.index();
            *place = self.claim_or_sweep(State::Continuation { head, serial })?;
        }
        step::at(Step::Chained)?;
        // 4. The record.
        // ORDERING: [S2] Release fence; pairs with the Acquire fence of readers. A reader
        // that meets a word written below also meets the claims above, and drops what it
        // has read of the life before.
        if !mutation::is(Mutation::NoBuilderFence) {
            fence(Ordering::Release);
        }
        self.write_record(head, chain, draft, clock::unix_nanos());
        if draft.accumulates() {
            self.begin_accumulator(Bound { slot: head, serial });
        }
        step::at(Step::Written)?;
        // 5. The link.
        loop {
            match self.find(&draft.key)? {
                Walk::Live { slot, serial } => {
                    step::at(Step::Outdone)?;
                    return Ok(Bound { slot, serial });
                }
                // A damaged list leads to the slot that is not linked yet. Its own link would
                // change under each CAS from it, without end.
                Walk::Absent {
                    place: Place::After(at),
                    ..
                } if at == head => return Err(RefusedReason::Damaged.into()),
                Walk::Absent { place, link } => {
                    if self.publish(head, place, link) {
                        break;
                    }
                }
            }
        }
        step::at(Step::Linked)?;
        // 6. READY.
        self.complete(head, row, serial);
        step::at(Step::Completed)?;
        Ok(Bound { slot: head, serial })
    }

    /// A slot; where there is none, one more look after reaping the dead.
    fn claim_or_sweep(&self, claimed: State) -> Result<Slot, Lost> {
        if let Some(slot) = self.claim(claimed) {
            return Ok(slot);
        }
        self.reap_dead()?;
        self.claim(claimed)
            .ok_or(Lost::Refused(RefusedReason::BoardFull))
    }

    /// Ends a family, series or part, if it still is the life that `bound` says, and what
    /// belongs to it. Lock-free; the slot can be used again when the walk has unlinked it. A
    /// pass over the state words for what may have children.
    pub(crate) fn remove(&self, bound: Bound) -> Result<bool, Died> {
        let ended = self.end(bound)?;
        match ended {
            Some(Parent::Perhaps) => self.remove_orphans()?,
            Some(Parent::OfAnnexes(kind, places)) => self.remove_annexes(bound, kind, places)?,
            Some(Parent::Never) | None => {}
        }
        Ok(ended.is_some())
    }

    /// Ends one life; `None` if another did, or it never was. What belonged to it is left.
    pub(crate) fn end(&self, bound: Bound) -> Result<Option<Parent>, Died> {
        let Bound { slot, serial } = bound;
        // Relaxed: they are this life's if the CAS below succeeds.
        let word = |field| self.head_word(slot, field);
        let shape = Shape::of(word(offset_of!(HeadRecord, shape)));
        let parent = word(offset_of!(HeadRecord, parent));
        let parent_slot = word(offset_of!(HeadRecord, parent_slot)) as u32;
        // ORDERING: [S5] Release and Acquire; pairs with the Acquire of updates and readers
        // that check the state. [S4] for the continuations. [S6] Acquire: whoever belonged to
        // it before is seen by `remove_orphans`; Release: whoever comes later sees the end.
        let ended = self.state(slot).compare_exchange(
            State::Ready { serial }.word(),
            State::Removed { serial }.word(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        if ended.is_err() {
            return Ok(None);
        }
        step::at(Step::Removed)?;
        self.uncount_ended(shape, parent, parent_slot);
        self.unlink(slot, serial)?;
        Ok(Some(match shape.annexes() {
            _ if shape.has_children() => Parent::Perhaps,
            Some((kind, places)) => Parent::OfAnnexes(kind, places),
            None => Parent::Never,
        }))
    }

    /// Ends all series of a living family; says how many. Two passes over the state words.
    pub(crate) fn remove_series_of(&self, family: u64) -> Result<u64, Died> {
        let mut removed = 0;
        for index in 0..self.geometry.slots {
            let Some(slot) = self.slot(index) else { break };
            // ORDERING: [S1] Acquire: the record behind it.
            let state = State::of(self.state(slot).load(Ordering::Acquire));
            let word = |field| self.head_word(slot, field);
            if let State::Ready { serial } = state
                && word(offset_of!(HeadRecord, parent)) == family
                && Shape::of(word(offset_of!(HeadRecord, shape))).kind == SERIES
                && self.end(Bound { slot, serial })?.is_some()
            {
                removed += 1;
            }
        }
        self.remove_orphans()?;
        Ok(removed)
    }

    /// Ends whatever belongs to something that has ended: what a remover leaves to this, and
    /// what was forgotten because its builder or the parent's remover died. A pass over the
    /// state words for each generation.
    pub(crate) fn remove_orphans(&self) -> Result<(), Died> {
        for _ in 0..GENERATIONS {
            let mut has_children = false;
            for index in 0..self.geometry.slots {
                let Some(slot) = self.slot(index) else { break };
                // ORDERING: [S1] Acquire: the record behind it.
                let state = State::of(self.state(slot).load(Ordering::Acquire));
                if let State::Ready { serial } = state {
                    let bound = Bound { slot, serial };
                    has_children |= self.is_orphan(bound)
                        && !matches!(self.end(bound)?, None | Some(Parent::Never));
                }
            }
            if !has_children {
                break;
            }
        }
        Ok(())
    }

    /// Whether what this belongs to has ended.
    fn is_orphan(&self, child: Bound) -> bool {
        let word = |field| self.head_word(child.slot, field);
        let parent = word(offset_of!(HeadRecord, parent));
        let parent_slot = u32::try_from(word(offset_of!(HeadRecord, parent_slot)));
        let kind = Shape::of(word(offset_of!(HeadRecord, shape))).kind;
        // What names no parent was never anybody's child.
        if kind == FAMILY || parent == 0 || !self.still_lives(child) {
            return false;
        }
        let parent_slot = parent_slot.ok().and_then(|at| self.slot(at));
        // ORDERING: [S6] Acquire: a parent that has ended has ended for good.
        parent_slot.is_none_or(|slot| self.state(slot).load(Ordering::Acquire) != parent)
    }

    /// Marks and unlinks a REMOVED slot; whoever comes by may do the same.
    pub(crate) fn unlink(&self, slot: Slot, serial: u64) -> Result<(), Died> {
        // Relaxed: the slot is REMOVED(serial), or the CAS of `mark` and the checks of the
        // walk fail.
        let hash = self
            .record(slot, offset_of!(HeadRecord, hash))
            .load(Ordering::Relaxed);
        loop {
            // ORDERING: [L1] Acquire: what is marked is what a linked slot leads to.
            let next = Link::of(self.next(slot).load(Ordering::Acquire));
            // ORDERING: [S1] Acquire: a slot that is not REMOVED(serial) any more has been
            // unlinked by another.
            if self.state(slot).load(Ordering::Acquire) != (State::Removed { serial }).word() {
                return Ok(());
            }
            if next.marked || self.mark(slot, next) {
                break;
            }
        }
        step::at(Step::Marked)?;
        // A walk that came through has unlinked the slot, or another has and may have died
        // before it freed it. A slot is never linked again in the same life.
        let is_unlinked = self.sweep_list(hash)? && !mutation::is(Mutation::SweepOnlyLinked);
        if is_unlinked && self.release(slot, State::Removed { serial }) {
            self.count(offset_of!(Control, reclaimed));
        }
        Ok(())
    }

    /// Walks the list of `hash` to its end of equal hashes, which unlinks what is marked;
    /// false if the walk did not come through.
    fn sweep_list(&self, hash: u64) -> Result<bool, Died> {
        let nobody = Key {
            hash,
            kind: 0,
            parent: 0,
            text: &[],
        };
        // An overrun leaves the rest to the next walk that comes by.
        match self.find(&nobody) {
            #[cfg(all(test, arena_loom))]
            Err(Lost::Died) => Err(step::Died),
            outcome => Ok(outcome.is_ok()),
        }
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use crate::record::{Cap, Key, SERIES};
    use crate::{Board, Location};

    /// A stranger has written over the state of the slot that is being built, and over a list
    /// head, which leads to it before it was linked.
    #[test]
    fn a_list_that_leads_to_the_slot_to_be_linked_does_not_hold_its_builder_for_ever() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let at = Location::Path(directory.path().join("loop.board"));
        let board = Board::options().slots(64).create(&at).unwrap();
        let segment = &board.attached().unwrap().segment;
        let text = [1, 0, b'x'];
        let draft = Draft {
            key: Key {
                hash: 7,
                kind: SERIES,
                parent: 0,
                text: &text,
            },
            text: &text,
            metric: 1,
            aggregation: 0,
            cells: 2,
            parent_slot: 0,
            note: 0,
            cap: Cap::None,
        };
        let (row, serial) = (0, segment.next_serial().unwrap());
        let head = segment.claim(State::Building { row, serial }).unwrap();
        segment.state(head).store(u64::MAX, Ordering::Relaxed);
        let list = segment.head(segment.list_of(7));
        let link = Link::of(0).to_slot(head);
        list.store(link.word(), Ordering::Relaxed);
        let built = segment.build(head, serial, row, 1, &draft);
        assert_eq!(built, Err(Lost::Refused(RefusedReason::Damaged)));
    }
}
