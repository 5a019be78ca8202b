//! The named steps of the protocols, and what may happen at them.
//!
//! A process may die between any two instructions; what differs afterwards is only which
//! step it had reached. [`at`] stands at each of them. In a shipping build it is nothing;
//! under loom a model can make the calling thread die there.

/// A place in a protocol after which the board differs from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// `register` 2: a slot is BUILDING under this process's row.
    Claimed,
    /// `register` 3: its continuations are CONT.
    Chained,
    /// `register` 4: the record and the text are written.
    Written,
    /// `register` 5: the predecessor's link leads to the slot.
    Linked,
    /// `remove` 1: the slot is REMOVED; here its life ended.
    Removed,
    /// `remove` 2: its own link is marked.
    Marked,
    /// `remove` 3: the predecessor's link leads past it.
    Unlinked,
    /// `claim`: the row's change lock is held.
    RowChanging,
    /// `claim`: the row's life lock is held.
    RowLocked,
    /// `claim`: the row's word says that it is in use.
    RowPublished,
    /// `reap`: what the dead process was building is resolved.
    Resolved,
    /// `fold`: the part of a dead process is FOLDING.
    Frozen,
    /// `fold`: the accumulator has its value.
    Folded,
    /// `reap`: the gauges of the dead process are settled.
    Settled,
}

#[cfg(not(all(test, arena_loom)))]
mod shipping {
    /// Cannot be made: in a shipping build nobody dies by returning an error.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Died {}

    /// Nothing, in a shipping build.
    #[inline(always)]
    pub(crate) fn at(_step: super::Step) -> Result<(), Died> {
        Ok(())
    }
}
#[cfg(not(all(test, arena_loom)))]
pub(crate) use shipping::{Died, at};

#[cfg(all(test, arena_loom))]
mod modelled {
    use super::Step;
    use std::cell::Cell;

    /// The thread died at a step; its caller must unwind without touching the board.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Died;

    loom::thread_local! {
        static DEATH: Cell<Option<Step>> = Cell::new(None);
    }

    /// Makes the calling model thread die when it next reaches `step`.
    pub(crate) fn die_at(step: Option<Step>) {
        DEATH.with(|death| death.set(step));
    }

    pub(crate) fn at(step: Step) -> Result<(), Died> {
        if DEATH.with(Cell::get) == Some(step) {
            Err(Died)
        } else {
            Ok(())
        }
    }
}
#[cfg(all(test, arena_loom))]
pub(crate) use modelled::{Died, at, die_at};
