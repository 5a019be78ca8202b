//! What the workers do and what is counted of it.

use tallyboard::{Board, Counter, Histogram};

use crate::cli::failure::Failure;

/// How many phases a record goes through.
pub(super) const PHASES: usize = 4;

/// One phase.
pub(super) struct Phase {
    /// The value of the histogram's `phase` label.
    pub(super) name: &'static str,
    pub(super) counter: &'static str,
    help: &'static str,
}

/// All phases, in the order in which a record goes through them.
pub(super) const ALL: [Phase; PHASES] = [
    Phase {
        name: "loading",
        counter: "records_loaded_total",
        help: "Records loaded.",
    },
    Phase {
        name: "projecting",
        counter: "records_projected_total",
        help: "Records projected.",
    },
    Phase {
        name: "linking",
        counter: "records_linked_total",
        help: "Records linked.",
    },
    Phase {
        name: "grouping",
        counter: "records_grouped_total",
        help: "Records grouped.",
    },
];

/// The handles of one process, in the order of [`ALL`].
pub(super) struct Meters {
    pub(super) records: Vec<Counter>,
    pub(super) seconds: Vec<Histogram>,
}

impl Meters {
    pub(super) fn register(board: &Board) -> Result<Self, Failure> {
        let mut meters = Self {
            records: Vec::new(),
            seconds: Vec::new(),
        };
        for phase in &ALL {
            let records = board.counter(phase.counter, phase.help);
            meters.records.push(records.register()?);
            let seconds = board.histogram("phase_seconds", "Time a batch spent in a phase.");
            let seconds = seconds.unit("seconds").label("phase", phase.name);
            meters.seconds.push(seconds.register()?);
        }
        Ok(meters)
    }
}
