//! The named steps of the protocols, and what may happen at them.
//!
//! A process may die between any two instructions; what differs afterwards is only which
//! step it had reached. [`at`] stands at each of them, and [`here`] where no model runs. In
//! a shipping build both are nothing; under loom a model can make the calling thread die
//! there, and in a build with `--cfg arena_crash` a process kills or stops itself (`crash`).

/// The steps, each with its name. One that is added here is in [`Step::ALL`], and the driver
/// of the crash tests does not compile until it says what work leads there.
macro_rules! steps {
    ($($(#[$document:meta])* $step:ident = $name:literal,)*) => {
        /// A place in a protocol after which the board differs from before.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Step {
            $($(#[$document])* $step,)*
        }

        #[cfg(arena_crash)]
        impl Step {
            /// Every step.
            pub const ALL: &[Step] = &[$(Step::$step,)*];

            /// What `TALLYBOARD_CRASH` calls it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Step::$step => $name,)*
                }
            }
        }
    };
}

steps! {
    /// `register` 2: a slot is BUILDING under this process's row.
    Claimed = "claimed",
    /// `register` 3: its continuations are CONT.
    Chained = "chained",
    /// `register` 4: the record and the text are written.
    Written = "written",
    /// `register` 5, in vain: another has linked the key, and what was built is to be freed.
    Outdone = "outdone",
    /// `register` 5: the predecessor's link leads to the slot.
    Linked = "linked",
    /// `register` 6: the slot is READY.
    Completed = "completed",
    /// `remove` 1: the slot is REMOVED; here its life ended.
    Removed = "removed",
    /// `remove` 2: its own link is marked.
    Marked = "marked",
    /// `remove` 3: the predecessor's link leads past it.
    Unlinked = "unlinked",
    /// `claim`: the row's change lock is held.
    RowChanging = "row-changing",
    /// `claim`: the row's life lock is held.
    RowLocked = "row-locked",
    /// `claim`: the row's word says that it is in use.
    RowPublished = "row-published",
    /// `reap`: what the dead process was building is resolved.
    Resolved = "resolved",
    /// `fold`: the part of a dead process is FOLDING.
    Frozen = "frozen",
    /// `fold`: the accumulator has its value.
    Folded = "folded",
    /// `reap`: the gauges of the dead process are settled.
    Settled = "settled",
    /// `create`: the file is there, empty and without its name.
    FileMade = "file-made",
    /// `create`: the file has its length, memory and header.
    FileFilled = "file-filled",
    /// `create`: the file has its name.
    FileNamed = "file-named",
    /// `ready_plane`: memory is behind this CPU's plane, or was refused; nobody knows it yet.
    PlaneReserved = "plane-reserved",
    /// `observe`: the observation is counted, its value not yet added to the sum.
    HalfObserved = "half-observed",
    /// `retire`: the board says that it was given up.
    Retired = "retired",
    /// `retire`: all series have ended, the families have not.
    HalfEmptied = "half-emptied",
    /// `retire`: everything has ended; the board still has its name.
    Emptied = "emptied",
}

#[cfg(not(all(test, arena_loom)))]
mod process {
    use super::Step;

    /// Cannot be made: a process does not die by returning an error.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Died {}

    /// Nothing, in a shipping build.
    #[inline(always)]
    pub(crate) fn at(step: Step) -> Result<(), Died> {
        here(step);
        Ok(())
    }

    /// As [`at`], in functions that no model runs. Nothing, in a shipping build.
    #[inline(always)]
    pub(crate) fn here(_step: Step) {
        #[cfg(arena_crash)]
        crate::crash::reach(_step);
    }
}
#[cfg(not(all(test, arena_loom)))]
pub(crate) use process::{Died, at, here};

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

    /// Nothing: files, planes and whole boards are not modelled.
    pub(crate) fn here(_step: Step) {}
}
#[cfg(all(test, arena_loom))]
pub(crate) use modelled::{Died, at, die_at, here};
