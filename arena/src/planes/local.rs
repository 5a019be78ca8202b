//! The path through this CPU's plane.

use super::{Cell, Ended, PlaneAddress, SUM, add_to_bits};
use crate::layout::{PAGE, PAIR_LEN, PLANE_NONE, PLANE_READY, PLANE_REFUSED, SHARED_STRIDE};
use crate::pair::Pair;
use crate::rseq::{self, Outcome, Target};
use crate::segment::Segment;
use crate::slot::Slot;
use crate::step::{self, Step};
use crate::sync::{AtomicU64, Ordering};
use rustix::mm::Advice;

/// Aborts in a row after which an update takes the shared plane. A debugger that steps
/// through a sequence aborts it every time.
const MAX_ABORTS: u32 = 8;

const _: () = assert!(size_of::<PlaneAddress>() == size_of::<*mut u8>());

impl Segment {
    /// What a sequence needs for `cell`; `None` where this process has no CPU planes.
    #[inline(always)]
    fn target(&self, cell: Cell) -> Option<Target<'_>> {
        Some(Target {
            addresses: self.planes.addresses.as_ref()?,
            head: u64::from(cell.head.index()),
            tag: cell.tag,
        })
    }

    /// A state word, by one load less than [`state`](Self::state) takes.
    #[inline(always)]
    pub(super) fn state_at_hand(&self, slot: Slot) -> &AtomicU64 {
        // SAFETY: `slot` is below the board's slots (`Slot`'s invariant) and the mapping
        // has a state word for each (`header` checked its length against the geometry).
        let at = unsafe { self.planes.states.add(slot.index() as usize) };
        // SAFETY: mapped as long as `self`, aligned; any bits are an AtomicU64.
        unsafe { at.as_ref() }
    }

    /// A cell of the shared plane, by one load less than [`pair`](Self::pair) takes.
    #[inline(always)]
    pub(super) fn pair_at_hand(&self, cell: Cell) -> Pair<'_> {
        let offset =
            u64::from(cell.slot.index()) * SHARED_STRIDE + u64::from(cell.index) * PAIR_LEN;
        // SAFETY: as above for the shared plane: `slot` is below the board's slots, and
        // `index` below the cells of a unit (`Cell`'s invariant).
        let at = unsafe { self.planes.shared.add(offset as usize) };
        // SAFETY: 16 mapped bytes, aligned because section, stride and length are.
        unsafe { Pair::new(at) }
    }

    /// Tries to add to an integer cell. One restartable sequence; no call, lock or syscall.
    /// False: nothing was added, [`add_int`](Self::add_int) knows what is lacking.
    #[inline(always)]
    pub(crate) fn try_add_int(&self, cell: Cell, amount: u64) -> bool {
        if let Some(target) = self.target(cell) {
            // SAFETY: `target` built it from this segment: the table's entries are planes
            // of this mapping, each with a unit for every `Slot`; `cell.index` is below
            // `UNIT_CELLS`.
            let outcome = unsafe { rseq::add_int(&target, cell.unit(), cell.word(), amount) };
            if outcome == Outcome::Done {
                return true;
            }
        } else if self.try_add_shared(cell, |value| value.wrapping_add(amount)) {
            return true;
        }
        false
    }

    /// Tries to add to a float cell; as [`try_add_int`](Self::try_add_int).
    #[inline(always)]
    pub(crate) fn try_add_float(&self, cell: Cell, amount: f64) -> bool {
        if let Some(target) = self.target(cell) {
            // SAFETY: as in `try_add_int`.
            let outcome = unsafe { rseq::add_float(&target, cell.unit(), cell.word(), amount) };
            if outcome == Outcome::Done {
                return true;
            }
        } else if self.try_add_shared(cell, add_to_bits(amount)) {
            return true;
        }
        false
    }

    /// Tries to add one to an integer cell, and then `amount` to its head's [`SUM`]. As
    /// [`try_add_int`](Self::try_add_int); a death in between leaves the second out.
    #[inline(always)]
    pub(crate) fn try_observe(&self, count: Cell, amount: f64) -> bool {
        let Some(target) = self.target(count) else {
            return false;
        };
        let sum = Cell::of_head(count.head, SUM, count.tag).unit();
        // SAFETY: as in `try_add_int`, for both cells.
        let outcome = unsafe { rseq::observe(&target, count.unit(), count.word(), sum, amount) };
        match outcome {
            Outcome::Done => true,
            Outcome::Half => {
                self.add_to_sum(count.head, count.tag, amount);
                true
            }
            _ => false,
        }
    }

    /// The second half of an observation whose first was made. What ended since does not
    /// miss it. The cell comes in parts, which stay in registers where nobody calls this.
    #[cold]
    #[inline(never)]
    pub(crate) fn add_to_sum(&self, head: Slot, tag: u64, amount: f64) {
        step::here(Step::HalfObserved);
        let _ = self.add_float(Cell::of_head(head, SUM, tag), amount);
    }

    /// Adds to an integer cell, on this CPU's plane or the shared one.
    #[cold]
    pub(crate) fn add_int(&self, cell: Cell, amount: u64) -> Result<(), Ended> {
        // SAFETY: as in `try_add_int`.
        let add =
            |target: &Target| unsafe { rseq::add_int(target, cell.unit(), cell.word(), amount) };
        if self.planes.is_rseq() && self.on_this_cpu(cell, add)? {
            return Ok(());
        }
        self.add_shared(cell, |value| value.wrapping_add(amount))
    }

    /// Adds to a float cell; as [`add_int`](Self::add_int).
    #[cold]
    pub(crate) fn add_float(&self, cell: Cell, amount: f64) -> Result<(), Ended> {
        // SAFETY: as in `try_add_int`.
        let add =
            |target: &Target| unsafe { rseq::add_float(target, cell.unit(), cell.word(), amount) };
        if self.planes.is_rseq() && self.on_this_cpu(cell, add)? {
            return Ok(());
        }
        self.add_shared(cell, add_to_bits(amount))
    }

    /// Tries `add` on this CPU's plane, making what it lacks; false: use the shared one.
    #[cold]
    #[inline(never)]
    fn on_this_cpu(&self, cell: Cell, add: impl Fn(&Target) -> Outcome) -> Result<bool, Ended> {
        let Some(target) = self.target(cell) else {
            return Ok(false);
        };
        let own_state = self.state_at_hand(cell.slot).as_ptr().cast_const();
        let own_word = self.unit_owner(cell);
        for _ in 0..MAX_ABORTS {
            match add(&target) {
                Outcome::Done => return Ok(true),
                // Half: not an outcome of a single add.
                Outcome::Aborted | Outcome::Half => {}
                Outcome::Ended => return Err(Ended),
                Outcome::NoPlane => {
                    if !self.ready_plane(target.addresses.area) {
                        return Ok(false);
                    }
                }
                Outcome::OtherTag => {
                    // SAFETY: `target` as in `add_int`; `own_state` is a state word.
                    if unsafe { rseq::begin(&target, cell.unit(), own_state, own_word) }
                        == Outcome::Ended
                    {
                        return Err(Ended);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Makes this CPU's plane known to this process, reserving it first if nobody has;
    /// false if it was refused, or the thread has no rseq area. One syscall at most,
    /// once a CPU and board.
    fn ready_plane(&self, area: isize) -> bool {
        let Some(cpu) = rseq::cpu(area).filter(|cpu| *cpu < self.geometry.planes) else {
            return false;
        };
        let entry = self.plane_entry(cpu);
        // ORDERING: [T1] Acquire; pairs with the Release below: its pages are reserved.
        let mut word = entry.load(Ordering::Acquire);
        if word == PLANE_NONE {
            let outcome = if self.reserve_plane(cpu) {
                PLANE_READY
            } else {
                PLANE_REFUSED
            };
            step::here(Step::PlaneReserved);
            // ORDERING: [T1] Release; pairs with the Acquire of writers and readers. A
            // failure acquires the other's answer.
            word = match entry.compare_exchange(
                PLANE_NONE,
                outcome,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => outcome,
                Err(theirs) => theirs,
            };
        }
        if word != PLANE_READY {
            return false;
        }
        let len = self.geometry.plane_stride;
        let address = self.region.address::<PAGE>(self.plane_offset(cpu));
        debug_assert!(self.plane_offset(cpu) + len <= self.geometry.total_len);
        if let Some(known) = self.planes.table.get(cpu as usize) {
            // Relaxed: read by sequences of this process; the same value every time.
            known.store(address.as_ptr(), Ordering::Relaxed);
        }
        true
    }

    /// Reserves a plane's pages: fails, where touching one would be a SIGBUS.
    fn reserve_plane(&self, cpu: u32) -> bool {
        let address = self.region.address::<PAGE>(self.plane_offset(cpu));
        let len = self.geometry.plane_stride as usize;
        // SAFETY: `plane_stride` bytes from there lie inside the mapping; populating
        // does not change their contents.
        let populated = unsafe {
            rustix::mm::madvise(address.as_ptr().cast(), len, Advice::LinuxPopulateWrite)
        };
        populated.is_ok()
    }
}
