//! Deliberate faults, which prove that the models would see one.
//!
//! Each is a weakened ordering, a dropped check or a dropped CAS of one protocol. [`is`] and
//! [`ordering`] stand where the real one stands. In a shipping build they are constants and
//! leave no code behind; a model switches one fault on and must then fail.

use crate::sync::Ordering;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// [L1] A slot is linked with Relaxed: its record may not be there yet.
    LinkRelaxed,
    /// A slot is linked whatever its place leads to by now.
    LinkFromAnything,
    /// A walk does not look at the previous link again.
    NoRecheck,
    /// [S2] A walk's second look at the link may come before what it is to guard.
    NoWalkFence,
    /// A link's change count stands still.
    CountStands,
    /// A REMOVED slot is unlinked without a mark in its own link.
    UnlinkUnmarked,
    /// A reaper follows a marked link instead of taking it out first.
    ReaperFollowsMark,
    /// [S1] READY is written with Relaxed.
    ReadyRelaxed,
    /// [S4] A continuation's claim does not bring its head's claim along.
    ContinuationRelaxed,
    /// [S2] The builder's fence is left out.
    NoBuilderFence,
    /// [S2] The reader's fence is left out.
    NoReaderFence,
    /// An update checks the state before it loads the pair.
    StateFirst,
    /// An update puts its sum over whatever the pair has become.
    AddWithoutCas,
    /// [P1] A pair is changed and its tag loaded with Relaxed.
    #[cfg(all(test, arena_loom))]
    PairRelaxed,
    /// An update that begins a unit does not look whether the slot still is in its chain.
    NoChainCheck,
    /// A reaper frees what a dead process was building without a look at the list.
    ReapLinked,
    /// The life lock is not looked at again under the change lock.
    NoSecondLook,
    /// A row is changed without its change lock.
    NoChangeLock,
    /// What was unlinked by one who then died is not freed by the next sweep.
    SweepOnlyLinked,
    /// [S6] A child's registration looks at its parent with a load.
    ParentLoaded,
    /// [F1] A part is folded whether or not it still is FOLDING.
    FoldTwice,
    /// A part is folded while the accumulator's last one is not freed.
    FoldOverNamed,
    /// A series' builder leaves in the accumulator what the life before left.
    AccumulatorKept,
    /// A split gauge's parts are added up without a second look at the accumulator.
    ReadOnce,
    /// What was annexed is removed before what is to replace it is registered.
    AnnexRemovedFirst,
    /// Of two annexes that a death has left at one place the lesser is not removed first.
    AnnexOlderKept,
    /// A sweep leaves what was replaced by one who then died.
    AnnexKeptBySweep,
    /// Of two annexes at one place that under turn 0 is taken for the newer one.
    AnnexesUnsorted,
    /// What was annexed is removed whether or not what is under the other turn is newer.
    AnnexOverLesser,
}

#[cfg(not(all(test, arena_loom)))]
mod shipping {
    use super::{Mutation, Ordering};

    /// Never, in a shipping build.
    #[inline(always)]
    pub(crate) const fn is(_mutation: Mutation) -> bool {
        false
    }

    /// The right ordering, in a shipping build.
    #[inline(always)]
    pub(crate) const fn ordering(_: Mutation, right: Ordering, _weak: Ordering) -> Ordering {
        right
    }
}
#[cfg(not(all(test, arena_loom)))]
pub(crate) use shipping::{is, ordering};

#[cfg(all(test, arena_loom))]
mod modelled {
    use super::{Mutation, Ordering};
    use std::cell::Cell;

    // loom runs all threads of a model on the thread that checks it, so that this switch is
    // the model's own and models can run side by side.
    std::thread_local! {
        static MUTATION: Cell<Option<Mutation>> = const { Cell::new(None) };
    }

    /// Switches one fault on for the models that this thread checks, or all off.
    pub(crate) fn set(mutation: Option<Mutation>) {
        MUTATION.set(mutation);
    }

    /// Whether this fault is switched on.
    pub(crate) fn is(mutation: Mutation) -> bool {
        MUTATION.get() == Some(mutation)
    }

    /// `weak` where the fault is switched on, else `right`.
    pub(crate) fn ordering(mutation: Mutation, right: Ordering, weak: Ordering) -> Ordering {
        if is(mutation) { weak } else { right }
    }
}
#[cfg(all(test, arena_loom))]
pub(crate) use modelled::{is, ordering, set};
