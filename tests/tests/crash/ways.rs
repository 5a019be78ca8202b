//! What work leads to which step.

use tallyboard::Step;
use tallyboard_tests::Work;

/// A way to a step: what the process does, and the how manieth time at the step is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) work: Work,
    pub(crate) time: u64,
    /// A step before it at which the process stops until the others are done, and its time there.
    pub(crate) after: Option<(Step, u64)>,
    /// Processes that have died on the board before, in the middle of a registration.
    pub(crate) dead: usize,
    /// Process rows of the board.
    pub(crate) rows: u32,
}

const fn way(work: Work, time: u64) -> Way {
    Way {
        work,
        time,
        after: None,
        dead: 0,
        rows: 16,
    }
}

impl Way {
    const fn past_dead(self, dead: usize) -> Way {
        Way { dead, ..self }
    }

    /// With no row that is not a dead process's: one has to be taken over.
    const fn past_a_row_each(self, dead: usize) -> Way {
        Way {
            dead,
            rows: dead as u32,
            ..self
        }
    }

    const fn after(self, step: Step, time: u64) -> Way {
        Way {
            after: Some((step, time)),
            ..self
        }
    }
}

/// Every kind of registration: the family, which is everybody's, and later a series.
const REGISTRATION: &[Way] = &[
    way(Work::Counters, 1),
    way(Work::Counters, 4),
    way(Work::Histograms, 1),
    way(Work::Histograms, 3),
    way(Work::LongTexts, 4),
    way(Work::Boards, 3),
    way(Work::Reaping, 2).past_dead(3),
    // A series that was removed and comes back.
    way(Work::Passing, 3),
    // A process's part of a gauge.
    way(Work::Gauges, 3),
    way(Work::Gauges, 7),
    way(Work::Natives, 3),
    // Something said of a series, and something else in its place.
    way(Work::Exemplars, 3),
    way(Work::Exemplars, 4),
    way(Work::Infos, 4),
    way(Work::States, 2),
];

/// What the dead have left in gauges of every aggregation is settled.
const SETTLING: &[Way] = &[
    way(Work::ReapingGauges, 1).past_dead(4),
    way(Work::ReapingGauges, 3).past_dead(4),
];

/// The first registration on a board, the third board, and a row that a dead process had.
const ROW: &[Way] = &[
    way(Work::Counters, 1),
    way(Work::Boards, 3),
    way(Work::Counters, 1).past_a_row_each(4),
];

/// The ways to a step: at least one for each.
pub(crate) fn to(step: Step) -> Vec<Way> {
    match step {
        Step::Claimed | Step::Chained | Step::Written | Step::Linked | Step::Completed => {
            REGISTRATION.to_vec()
        }
        // While it stands before its link, the others link the same key: the family's, then a series'.
        Step::Outdone => vec![
            way(Work::Counters, 1).after(Step::Written, 1),
            way(Work::Counters, 1).after(Step::Written, 2),
            way(Work::Histograms, 1).after(Step::Written, 2),
            way(Work::LongTexts, 1).after(Step::Written, 2),
        ],
        // A board that was given up; one series, then all of a family; what was said of a series before; parts of the
        // dead.
        Step::Removed | Step::Marked | Step::Unlinked => vec![
            way(Work::Removals, 1),
            way(Work::Removals, 5),
            way(Work::Passing, 1),
            way(Work::Passing, 2),
            way(Work::Passing, 7),
            way(Work::Exemplars, 1),
            way(Work::Infos, 1),
            way(Work::Infos, 3),
            SETTLING[0],
            SETTLING[1],
        ],
        Step::Frozen | Step::Folded | Step::Settled => SETTLING.to_vec(),
        Step::RowLocked | Step::RowPublished => ROW.to_vec(),
        Step::RowChanging => vec![
            ROW[0],
            ROW[1],
            ROW[2],
            way(Work::Reaping, 1).past_dead(3),
            way(Work::Reaping, 3).past_dead(3),
        ],
        Step::Resolved => vec![
            ROW[2],
            way(Work::Reaping, 1).past_dead(3),
            way(Work::Reaping, 3).past_dead(3),
            SETTLING[1],
        ],
        // A new board, and the one that comes after another: of everybody's key, and of a key of its own.
        Step::FileMade | Step::FileFilled | Step::FileNamed => vec![
            way(Work::Boards, 1),
            way(Work::Boards, 3),
            way(Work::Moving, 2),
            way(Work::Moving, 4),
        ],
        Step::PlaneReserved => vec![way(Work::Counters, 1), way(Work::Boards, 3)],
        Step::HalfObserved => vec![
            way(Work::Histograms, 1),
            way(Work::Histograms, 5),
            way(Work::Natives, 3),
        ],
        Step::Retired | Step::HalfEmptied | Step::Emptied => {
            vec![way(Work::Removals, 1), way(Work::Removals, 3)]
        }
    }
}
