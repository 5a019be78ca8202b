//! `register` and `remove`: the steps of the protocol, in their order.
//!
//! One rule: prepare where nobody looks, publish with one CAS from an exact word that bears
//! a serial. A death before that CAS has changed nothing that anyone sees; a death after it
//! leaves a state that whoever comes by can finish. `DESIGN.md` §3 has the table of what a
//! death at each step leaves behind.

use crate::clock;
use crate::error::RefusedReason;
use crate::index::{Link, Lost, Walk};
use crate::layout::{Control, HeadRecord, MAX_CHAIN};
use crate::mutation::{self, Mutation};
use crate::record::{Draft, Shape};
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
            return Ok(Bound { slot, serial });
        }
        let slots = Shape::slots_for(usize::from(draft.cells), draft.text.len())
            .ok_or(RefusedReason::TooLong)?;
        if self.is_retired() {
            return Err(RefusedReason::Unlockable.into());
        }
        let row = self.own_row()?;
        // 2. A slot, under our row and a new serial.
        let serial = self.next_serial()?;
        let building = State::Building { row, serial };
        let head = self.claim_or_sweep(building)?;
        step::at(Step::Claimed)?;
        // 3 to 6, or give back what was taken.
        let built = self.build(head, serial, row, slots, draft);
        match built {
            Ok(bound) if bound.slot == head => {}
            Err(Lost::Died) => {}
            _ => {
                self.release(head, building);
            }
        }
        built
    }

    /// Steps 3 to 6 for a claimed `head`. When another registration has won, its chain.
    fn build(
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
        step::at(Step::Written)?;
        // 5. The link.
        loop {
            match self.find(&draft.key)? {
                Walk::Live { slot, serial } => {
                    step::at(Step::Outdone)?;
                    return Ok(Bound { slot, serial });
                }
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

    /// Ends a series or family, if it still is the life that `bound` says. Lock-free; the
    /// slot can be used again when the walk has unlinked it.
    pub(crate) fn remove(&self, bound: Bound) -> Result<bool, Died> {
        let Bound { slot, serial } = bound;
        // ORDERING: [S5] Release and Acquire; pairs with the Acquire of updates and readers
        // that check the state. [S4] for the continuations.
        let ended = self
            .state(slot)
            .compare_exchange(
                State::Ready { serial }.word(),
                State::Removed { serial }.word(),
                Ordering::AcqRel,
                Ordering::Relaxed,
            )
            .is_ok();
        if !ended {
            return Ok(false);
        }
        step::at(Step::Removed)?;
        self.unlink(slot, serial)?;
        Ok(true)
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
        let nobody = crate::record::Key {
            hash,
            kind: 0,
            family: 0,
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
