//! Cells and where updates of them go: this CPU's plane, or the shared plane.
//!
//! A cell's value is the sum over all planes. A CPU's plane is written only by restartable
//! sequences on that CPU, the shared plane only by a 16-byte CAS; which of the two an
//! update takes is decided here and nowhere else. Planes are used only under the kernel
//! that the board was made under (its boot id), since a CPU's number means nothing beyond.

use crate::layout::{PLANE_READY, UNIT_CELLS, UNIT_CELLS_OFFSET, UNIT_STRIDE};
use crate::mutation::{self, Mutation};
use crate::rseq;
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::sync::Ordering;
use crate::zeroed::Zeroed;

#[cfg(not(all(test, arena_loom)))]
mod local;
#[cfg(all(test, arena_loom))]
mod modelled;

/// The cell of a head's own unit that observations add up in. The sequence has it in its text.
pub(crate) const SUM: u32 = 0;
const _: () = assert!(SUM == 0 && UNIT_CELLS_OFFSET == 8);

/// One cell of a living chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    /// The chain's head, whose state word is the tag.
    pub head: Slot,
    /// The slot of the chain that the cell's unit belongs to.
    pub slot: Slot,
    /// Invariant: below [`UNIT_CELLS`].
    pub index: u32,
    pub tag: u64,
}

impl Cell {
    /// The `index`-th cell of a head's own unit.
    #[inline]
    pub(crate) fn of_head(head: Slot, index: u32, tag: u64) -> Cell {
        Cell {
            head,
            slot: head,
            index,
            tag,
        }
    }

    /// The unit's place in a plane, in words.
    #[inline(always)]
    fn unit(self) -> u64 {
        u64::from(self.slot.index()) * (UNIT_STRIDE / 8)
    }

    /// The cell's place in a plane, in words.
    #[inline(always)]
    fn word(self) -> u64 {
        self.unit() + UNIT_CELLS_OFFSET / 8 + u64::from(self.index)
    }
}

/// The series has ended: the update went nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended;

/// The address of a plane, or null.
type PlaneAddress = crate::sync::plain::AtomicPtr<u8>;

/// The CPU planes as this process knows them.
pub(crate) struct Planes {
    /// Where restartable sequences find them; `None`: the shared plane only.
    addresses: Option<rseq::Addresses>,
    /// One address a CPU, null until the plane was seen ready. Process memory: bytes that
    /// change in the board cannot lead an update astray.
    table: Zeroed<PlaneAddress>,
    /// The board's state words. Kept here for the update path's sake.
    #[cfg(not(all(test, arena_loom)))]
    states: core::ptr::NonNull<crate::sync::AtomicU64>,
    /// The shared plane, for the same reason.
    #[cfg(not(all(test, arena_loom)))]
    shared: core::ptr::NonNull<u8>,
}

// SAFETY: the address is that of a mapping which is not bound to a thread, and what lies
// behind it is read by restartable sequences and atomics only.
#[cfg(not(all(test, arena_loom)))]
unsafe impl Send for Planes {}
// SAFETY: as above.
#[cfg(not(all(test, arena_loom)))]
unsafe impl Sync for Planes {}

impl Planes {
    /// For a board in `region`; `area` is `None` where its CPU planes must not be used.
    #[cfg(not(all(test, arena_loom)))]
    pub(crate) fn new(
        area: Option<isize>,
        geometry: &crate::layout::Geometry,
        region: &crate::region::Region,
    ) -> std::io::Result<Planes> {
        let count = if area.is_some() { geometry.planes } else { 0 };
        let table = Zeroed::new(count as usize)?;
        let states = region
            .address::<{ crate::layout::PAGE }>(geometry.states)
            .cast();
        Ok(Planes {
            addresses: area.map(|area| rseq::Addresses {
                area,
                planes: core::ptr::NonNull::from(&*table).cast(),
                plane_count: count,
                states: states.cast(),
            }),
            table,
            states,
            shared: region.address::<{ crate::layout::PAGE }>(geometry.shared),
        })
    }

    /// A model has no CPU planes.
    #[cfg(all(test, arena_loom))]
    pub(crate) fn new(
        _: Option<isize>,
        _: &crate::layout::Geometry,
        _: &crate::region::Region,
    ) -> std::io::Result<Planes> {
        Ok(Planes::none())
    }

    /// A model has no CPU planes.
    #[cfg(all(test, arena_loom))]
    pub(crate) fn none() -> Planes {
        Planes {
            addresses: None,
            table: Zeroed::empty(),
        }
    }

    pub(crate) fn is_rseq(&self) -> bool {
        self.addresses.is_some()
    }
}

fn add_to_bits(amount: f64) -> impl Fn(u64) -> u64 {
    move |bits| (f64::from_bits(bits) + amount).to_bits()
}

impl Segment {
    /// The offset of a CPU's plane.
    pub(crate) fn plane_offset(&self, cpu: u32) -> u64 {
        self.geometry.planes_at + u64::from(cpu) * self.geometry.plane_stride
    }

    /// A word of the plane table.
    pub(crate) fn plane_entry(&self, cpu: u32) -> &crate::sync::AtomicU64 {
        self.region
            .word(self.geometry.plane_table + u64::from(cpu) * 8)
    }

    /// The planes that are ready, in the order of their CPUs.
    pub(crate) fn ready_planes(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.geometry.planes).filter(|cpu| {
            // ORDERING: [T1] Acquire; a plane that is not ready must not even be read: a
            // hole that is read may need memory that is not there.
            self.plane_entry(*cpu).load(Ordering::Acquire) == PLANE_READY
        })
    }

    /// The word that the state of the cell's own slot must be.
    fn unit_owner(&self, cell: Cell) -> u64 {
        if cell.slot == cell.head {
            return cell.tag;
        }
        match State::of(cell.tag) {
            State::Ready { serial } => State::Continuation {
                head: cell.head.index(),
                serial,
            }
            .word(),
            // Never equal to a state word.
            _ => u64::MAX,
        }
    }

    /// Adds one to an integer cell, and then `amount` to its head's [`SUM`].
    #[cold]
    pub(crate) fn observe(&self, count: Cell, amount: f64) -> Result<(), Ended> {
        self.add_int(count, 1)?;
        self.add_to_sum(count.head, count.tag, amount);
        Ok(())
    }

    /// One try at changing a cell of the shared plane that already carries the tag. Kept
    /// free of calls and of stores: a locked instruction waits for all stores before it.
    #[inline(always)]
    pub(crate) fn try_add_shared(&self, cell: Cell, change: impl Fn(u64) -> u64) -> bool {
        let pair = self.pair_at_hand(cell);
        let tag = pair.tag();
        let value = pair.value();
        // ORDERING: [S5] Acquire, as in `add_shared`.
        self.state_at_hand(cell.head).load(Ordering::Acquire) == cell.tag
            && tag == cell.tag
            && pair.compare_exchange((value, tag), (change(value), tag))
    }

    /// Changes a cell of the shared plane: lock-free, one 16-byte CAS when nobody races.
    ///
    /// The pair is loaded first and the state checked second. The other order could take a
    /// state that is still ours and then a pair of the slot's next life, and destroy that.
    pub(crate) fn add_shared(&self, cell: Cell, change: impl Fn(u64) -> u64) -> Result<(), Ended> {
        debug_assert!((cell.index as usize) < UNIT_CELLS);
        let pair = self.pair(cell.slot, cell.index);
        // ORDERING: [S5] Acquire; pairs with the Release that ended the life. [P1] makes the
        // pair's load come first: a pair of the next life brings its state along.
        let state = || self.state(cell.head).load(Ordering::Acquire);
        loop {
            let early = mutation::is(Mutation::StateFirst).then(state);
            let tag = pair.tag();
            let value = pair.value();
            if early.unwrap_or_else(state) != cell.tag {
                return Err(Ended);
            }
            let before = if tag == cell.tag {
                value
            } else if mutation::is(Mutation::NoChainCheck) || self.owns_unit(cell) {
                0
            } else {
                return Err(Ended);
            };
            let from = if mutation::is(Mutation::AddWithoutCas) {
                (pair.value(), pair.tag())
            } else {
                (value, tag)
            };
            if pair.compare_exchange(from, (change(before), cell.tag)) {
                return Ok(());
            }
            core::hint::spin_loop();
        }
    }

    /// Whether the cell's slot still is part of its head's chain.
    #[cold]
    fn owns_unit(&self, cell: Cell) -> bool {
        // ORDERING: [S5] Acquire, as in `add_shared`.
        cell.slot == cell.head
            || self.state(cell.slot).load(Ordering::Acquire) == self.unit_owner(cell)
    }

    /// The value of a cell in the shared plane, or `None` if this life has none there.
    #[inline]
    pub(crate) fn read_shared(&self, slot: Slot, index: u32, tag: u64) -> Option<u64> {
        let pair = self.pair(slot, index);
        // ORDERING: [P1] Acquire, in `tag`.
        if pair.tag() != tag {
            return None;
        }
        // ORDERING: [U2] Acquire, in `value`: the second look comes after it. Tags never
        // come back, so a value between two looks at one tag belongs to it.
        let value = pair.value();
        (pair.tag() == tag).then_some(value)
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use crate::{Board, Location};

    /// The bucket's unit has begun and the sum's has not, so that an observation is stopped
    /// between its two adds.
    #[test]
    fn an_observation_that_is_stopped_halfway_is_made_whole() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let at = Location::Path(directory.path().join("half.board"));
        let board = Board::options().slots(64).create(&at).unwrap();
        let histogram = board.histogram("h", "").buckets(&[1.0, 2.0, 3.0]);
        let histogram = histogram.register().unwrap();
        let segment = &board.attached().unwrap().segment;
        // The head and the continuation of the one chain that has one.
        let chained = (0..64).find_map(|index| {
            let head = segment.slot(index)?;
            let tag = segment.state(head).load(Ordering::Acquire);
            let State::Ready { serial } = State::of(tag) else {
                return None;
            };
            let mut continuation = None;
            segment.chain(head, serial, |slot| continuation = Some(slot))?;
            Some((head, continuation?, tag))
        });
        let (head, slot, tag) = chained.unwrap();
        let sum = Cell::of_head(head, SUM, tag);
        let count = Cell { slot, ..sum };
        segment.add_int(count, 1).unwrap();
        histogram.observe(2.5);
        let planes: Vec<u32> = segment.ready_planes().collect();
        assert_eq!(segment.sum_int(&planes, slot, 0, tag), 2);
        assert_eq!(segment.sum_float(&planes, head, SUM, tag), 2.5);
    }
}
