//! Process rows: claimed before a process's first new registration, reaped after its death.
//!
//! A row's word is `incarnation << 1 | in use`. It changes only under the row's change lock
//! `R(i)`; that its process lives is its life lock `L(i)` (see `liveness`). A claimer that
//! dies between taking `L(i)` and publishing the word leaves the row as it was, with both
//! locks free. A reaper that dies halfway is followed by another: each of its steps can be
//! done twice.

#[cfg(not(all(test, arena_loom)))]
mod identity;

use crate::clock;
use crate::error::RefusedReason;
use crate::fullness::Fullness;
use crate::index::Lost;
use crate::layout::{Control, HeadRecord, Row};
use crate::liveness::{LockFile, OwnRow, Reopen};
use crate::mutation::{self, Mutation};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::State;
use crate::step::{self, Step};
use crate::sync::Ordering;
use core::mem::offset_of;

/// What one process knows of its own place on a board.
pub(crate) struct Process {
    own: OwnRow,
    reopen: Reopen,
    pub(crate) fullness: Fullness,
}

/// A process on a board: its row and which of the row's processes it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Own {
    pub row: u32,
    pub incarnation: u64,
}

impl Own {
    const ROW_BITS: u32 = 17;

    /// As one word that is never 0.
    pub(crate) fn word(self) -> u64 {
        self.incarnation << Self::ROW_BITS | u64::from(self.row + 1)
    }

    /// The inverse; `None` for 0.
    pub(crate) fn of(word: u64) -> Option<Own> {
        let row = (word & ((1 << Self::ROW_BITS) - 1)) as u32;
        let incarnation = word >> Self::ROW_BITS;
        row.checked_sub(1).map(|row| Own { row, incarnation })
    }

    /// As the two words that are the key of the process's parts.
    pub(crate) fn key(self) -> [u8; crate::fold::PART_KEY] {
        let mut key = [0; crate::fold::PART_KEY];
        key[..8].copy_from_slice(&u64::from(self.row + 1).to_le_bytes());
        key[8..].copy_from_slice(&self.incarnation.to_le_bytes());
        key
    }

    /// The inverse, of whatever a board says.
    pub(crate) fn of_key(row: u64, incarnation: u64) -> Own {
        let row = u32::try_from(row).unwrap_or(0).wrapping_sub(1);
        Own { row, incarnation }
    }
}

/// A row's word, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowWord {
    pub in_use: bool,
    pub incarnation: u64,
}

impl RowWord {
    pub(crate) fn of(word: u64) -> RowWord {
        RowWord {
            in_use: word & 1 != 0,
            incarnation: word >> 1,
        }
    }

    fn word(self) -> u64 {
        self.incarnation << 1 | u64::from(self.in_use)
    }
}

impl Process {
    pub(crate) fn new(reopen: Reopen) -> std::io::Result<Process> {
        Ok(Process {
            own: OwnRow::new()?,
            reopen,
            fullness: Fullness::default(),
        })
    }

    /// A description of the board to take locks with.
    pub(crate) fn locks(&self) -> std::io::Result<LockFile> {
        self.reopen.open()
    }

    /// A description of the board to ask about locks with: needs no write permission.
    pub(crate) fn probe(&self) -> std::io::Result<LockFile> {
        self.reopen.probe()
    }
}

impl Segment {
    /// The place of this process, claimed now if it has none (also after a fork). One relaxed
    /// load when it has one; else about ten syscalls, and one for each row in use when no
    /// free one is left.
    pub(crate) fn own(&self) -> Result<Own, Lost> {
        match Own::of(self.own_word()) {
            Some(own) => Ok(own),
            None if self.is_known_crowded() => Err(RefusedReason::ProcessTableFull.into()),
            None => self.claim_row(),
        }
    }

    /// [`Own::word`] of this process, or 0 if it has no row yet.
    #[inline]
    pub(crate) fn own_word(&self) -> u64 {
        // ORDERING: [R2] Acquire; pairs with the CAS of `claim_locked`: another thread may have
        // claimed the row, and its description is read for the process's parts.
        self.process.own.word().load(Ordering::Acquire)
    }

    #[cold]
    fn claim_row(&self) -> Result<Own, Lost> {
        let reaped = self.rows_reaped();
        let change = self
            .process
            .locks()
            .map_err(|_| RefusedReason::Unlockable)?;
        // A free row costs no probe; only when there is none are the rows in use asked
        // whether their processes are still there.
        for reap in [false, true] {
            for row in 0..self.geometry.processes {
                if let Some(own) = self.claim_this_row(row, reap, &change)? {
                    return Ok(own);
                }
            }
        }
        self.note_crowded(reaped);
        Err(RefusedReason::ProcessTableFull.into())
    }

    /// Tries one row; `None` if it is not to be had.
    fn claim_this_row(&self, row: u32, reap: bool, change: &LockFile) -> Result<Option<Own>, Lost> {
        let word = self.row(row, offset_of!(Row, word));
        let (life_byte, change_byte) =
            (self.geometry.life_byte(row), self.geometry.change_byte(row));
        // Relaxed: a guess, looked at again under the lock.
        if RowWord::of(word.load(Ordering::Relaxed)).in_use != reap
            || (reap && change.is_held(life_byte))
            || (!change.try_lock(change_byte) && !mutation::is(Mutation::NoChangeLock))
        {
            return Ok(None);
        }
        let claimed = self.claim_locked(row, change);
        change.unlock(change_byte);
        claimed
    }

    /// Under `R(row)`.
    fn claim_locked(&self, row: u32, change: &LockFile) -> Result<Option<Own>, Lost> {
        step::at(Step::RowChanging)?;
        let word = self.row(row, offset_of!(Row, word));
        let life_byte = self.geometry.life_byte(row);
        if change.is_held(life_byte) && !mutation::is(Mutation::NoSecondLook) {
            return Ok(None);
        }
        // ORDERING: [R1] Acquire; pairs with the Release below. Under R(row), but the lock is
        // the kernel's and says nothing to the language.
        let before = RowWord::of(word.load(Ordering::Acquire));
        if before.in_use {
            self.bury(row, before)?;
        }
        let unlockable = |_| Lost::Refused(RefusedReason::Unlockable);
        let life = self.process.locks().map_err(unlockable)?;
        if !life.try_lock(life_byte) {
            return Ok(None);
        }
        step::at(Step::RowLocked)?;
        let life = life
            .keep(change, life_byte, &self.process.reopen)
            .map_err(unlockable)?;
        self.describe_self(row);
        let now = RowWord {
            in_use: true,
            // As many as its word has room for: a damaged row begins again.
            incarnation: (before.incarnation + 1) & (u64::MAX >> Own::ROW_BITS),
        };
        // In use before another thread of this process can build under it: a reaper looks at
        // rows in use only.
        // ORDERING: [R1] Release; pairs with the Acquire of whoever lists the rows: the
        // description is that of this incarnation.
        word.store(now.word(), Ordering::Release);
        step::at(Step::RowPublished)?;
        // Another thread of this process may have claimed a row meanwhile: then this one is
        // given back.
        let word_of_ours = self.process.own.word();
        let own = Own {
            row,
            incarnation: now.incarnation,
        };
        // ORDERING: [R2] Release; pairs with the Acquire of `own_word`. A failure acquires.
        if let Err(theirs) =
            word_of_ours.compare_exchange(0, own.word(), Ordering::AcqRel, Ordering::Acquire)
        {
            let free = RowWord {
                in_use: false,
                ..now
            };
            // ORDERING: [R1] Release, as above.
            word.store(free.word(), Ordering::Release);
            return Ok(Own::of(theirs));
        }
        self.process.own.adopt(life);
        Ok(Some(own))
    }

    /// Under `R(row)` with `L(row)` free: does for a dead process what it cannot do any more.
    /// Two passes over the state words.
    fn bury(&self, row: u32, word: RowWord) -> Result<(), Lost> {
        self.resolve(row)?;
        let incarnation = word.incarnation;
        self.settle(Own { row, incarnation })?;
        self.count(offset_of!(Control, reaped));
        Ok(())
    }

    /// Under `R(row)` with `L(row)` free: completes or gives back what the dead process was
    /// building. One pass over the state words.
    fn resolve(&self, row: u32) -> Result<(), Lost> {
        for index in 0..self.geometry.slots {
            let Some(slot) = self.slot(index) else { break };
            // ORDERING: [S1] Acquire: the record behind a BUILDING that was linked.
            let state = State::of(self.state(slot).load(Ordering::Acquire));
            let State::Building {
                row: builder,
                serial,
            } = state
            else {
                continue;
            };
            if builder != row {
                continue;
            }
            // Relaxed: a linked slot's hash is behind the link; for one that is not linked
            // any hash leads to a list that it is not in.
            let hash = self
                .record(slot, offset_of!(HeadRecord, hash))
                .load(Ordering::Relaxed);
            let is_linked = if mutation::is(Mutation::ReapLinked) {
                Some(false)
            } else {
                self.is_linked(slot, hash)?
            };
            match is_linked {
                Some(true) => self.complete(slot, row, serial),
                Some(false) if self.release(slot, state) => {
                    self.count(offset_of!(Control, reclaimed));
                }
                // Somebody else was first.
                Some(false) => {}
                // A damaged list: the next would cost as much. `check` tells.
                None => break,
            }
        }
        step::at(Step::Resolved)?;
        Ok(())
    }

    /// Reaps one row if its process is gone; whether it did.
    pub(crate) fn reap(&self, row: u32, locks: &LockFile) -> Result<bool, Lost> {
        let word = self.row(row, offset_of!(Row, word));
        let change_byte = self.geometry.change_byte(row);
        // Relaxed: a guess, as in `claim_this_row`.
        if !RowWord::of(word.load(Ordering::Relaxed)).in_use
            || locks.is_held(self.geometry.life_byte(row))
            || (!locks.try_lock(change_byte) && !mutation::is(Mutation::NoChangeLock))
        {
            return Ok(false);
        }
        let reaped = self.reap_locked(row, locks);
        locks.unlock(change_byte);
        reaped
    }

    fn reap_locked(&self, row: u32, locks: &LockFile) -> Result<bool, Lost> {
        step::at(Step::RowChanging)?;
        let word = self.row(row, offset_of!(Row, word));
        // ORDERING: [R1] Acquire, as in `claim_locked`.
        let now = RowWord::of(word.load(Ordering::Acquire));
        let is_held = locks.is_held(self.geometry.life_byte(row));
        if !now.in_use || (is_held && !mutation::is(Mutation::NoSecondLook)) {
            return Ok(false);
        }
        self.bury(row, now)?;
        let free = RowWord {
            in_use: false,
            incarnation: now.incarnation,
        };
        // ORDERING: [R1] Release: who claims the row next sees what was resolved.
        word.store(free.word(), Ordering::Release);
        Ok(true)
    }

    /// Gives this process's row back, as its reaper would: for one that is about to end. No
    /// other thread may register or change a gauge meanwhile.
    pub(crate) fn leave(&self) -> Result<(), Lost> {
        let word = self.own_word();
        let Some(own) = Own::of(word) else {
            return Ok(());
        };
        let Ok(change) = self.process.locks() else {
            return Ok(());
        };
        if self.is_building(own.row) || !change.try_lock(self.geometry.change_byte(own.row)) {
            // Its reaper will do it.
            return Ok(());
        }
        // First of all, so that what is let go of in the end is this row's: from the CAS on, an
        // update elsewhere, or in a signal handler, may claim another row and adopt its life.
        let life = self.process.own.take_life();
        // Relaxed: nothing is passed on; whoever comes now claims another row.
        let own_word = self.process.own.word();
        let left = own_word.compare_exchange(word, 0, Ordering::Relaxed, Ordering::Relaxed);
        let outcome = match (left, life) {
            (Ok(_), life) => {
                let outcome = self.give_back(own);
                drop(life);
                outcome
            }
            (Err(_), Some(life)) => {
                self.process.own.adopt(life);
                Ok(())
            }
            (Err(_), None) => Ok(()),
        };
        change.unlock(self.geometry.change_byte(own.row));
        outcome
    }

    /// Under `R(row)`, by the row's own process: settles what it has there, and frees it.
    fn give_back(&self, own: Own) -> Result<(), Lost> {
        let now = RowWord {
            in_use: true,
            incarnation: own.incarnation,
        };
        self.bury(own.row, now)?;
        let free = RowWord {
            in_use: false,
            ..now
        };
        // ORDERING: [R1] Release, as in `reap_locked`.
        self.row(own.row, offset_of!(Row, word))
            .store(free.word(), Ordering::Release);
        Ok(())
    }

    /// Whether a slot is BUILDING under this row.
    fn is_building(&self, row: u32) -> bool {
        let mut slots = (0..self.geometry.slots).filter_map(|index| self.slot(index));
        slots.any(|slot| {
            // Relaxed: a thread that is only now beginning was told not to.
            let state = State::of(self.state(slot).load(Ordering::Relaxed));
            matches!(state, State::Building { row: builder, .. } if builder == row)
        })
    }

    /// Whether a process that was on the board still is. One lock probe.
    pub(crate) fn is_alive(&self, own: Own, locks: &LockFile) -> bool {
        if own.row >= self.geometry.processes {
            return false;
        }
        // ORDERING: [R1] Acquire; pairs with the Release of `claim_locked`.
        let word = RowWord::of(
            self.row(own.row, offset_of!(Row, word))
                .load(Ordering::Acquire),
        );
        word.in_use
            && word.incarnation == own.incarnation
            && locks.is_held(self.geometry.life_byte(own.row))
    }

    /// Finishes what the dead left: reaps every row whose process is gone, unlinks REMOVED
    /// slots, removes orphans, definitions that are out of use and annexes that were replaced. A
    /// few passes over the state words, two lookups an annex, one lock probe for each row in use.
    pub(crate) fn reap_dead(&self) -> Result<(), Lost> {
        let Ok(locks) = self.process.locks() else {
            return Ok(());
        };
        for row in 0..self.geometry.processes {
            self.reap(row, &locks)?;
        }
        for index in 0..self.geometry.slots {
            let Some(slot) = self.slot(index) else { break };
            // ORDERING: [S1] Acquire: the record behind it.
            match State::of(self.state(slot).load(Ordering::Acquire)) {
                State::Removed { serial } => self.unlink(slot, serial)?,
                State::Ready { serial } => {
                    let bound = Bound { slot, serial };
                    if self.is_forgotten(bound)
                        || self.is_out_of_use(bound)
                        || self.is_outdated(bound)
                    {
                        self.end(bound)?;
                    }
                    self.settle_stray(bound)?;
                }
                State::Folding { serial } => self.settle_stray(Bound { slot, serial })?,
                _ => {}
            }
        }
        self.remove_orphans()?;
        Ok(())
    }

    /// Whether a row is another process's by now, or nobody's.
    pub(crate) fn is_gone(&self, own: Own) -> bool {
        if own.row >= self.geometry.processes {
            return true;
        }
        // ORDERING: [R1] Acquire, as in `is_alive`.
        let word = RowWord::of(
            self.row(own.row, offset_of!(Row, word))
                .load(Ordering::Acquire),
        );
        !word.in_use || word.incarnation != own.incarnation
    }

    /// Writes who we are into our row, for `ps` to show.
    #[cfg(not(all(test, arena_loom)))]
    fn describe_self(&self, row: u32) {
        let identity = identity::of_self();
        // Relaxed: published by the row's word.
        let put = |field, value| self.row(row, field).store(value, Ordering::Relaxed);
        put(offset_of!(Row, pid), u64::from(std::process::id()));
        put(offset_of!(Row, pid_namespace), identity.pid_namespace);
        put(offset_of!(Row, start_ticks), identity.start_ticks);
        put(offset_of!(Row, name), identity.name[0]);
        put(offset_of!(Row, name) + 8, identity.name[1]);
        put(offset_of!(Row, version), identity::LIBRARY_VERSION);
        put(offset_of!(Row, claimed_unix_nanos), clock::unix_nanos());
    }

    /// A model's process is nobody.
    #[cfg(all(test, arena_loom))]
    fn describe_self(&self, _row: u32) {
        let _ = clock::unix_nanos();
    }
}
