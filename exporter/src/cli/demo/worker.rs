//! One worker process: it counts records until it is killed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tallyboard::{Board, Location};

use super::ledger::Ledger;
use super::phase::{Meters, PHASES};
use crate::cli::failure::Failure;
use crate::cli::parent::Parent;

/// Records that go through the phases together.
const BATCH: u32 = 50;
/// What a batch waits in each phase, as for a disk. The demo is to be looked at, not to
/// take the machine.
const WAIT: [Duration; PHASES] = [
    Duration::from_millis(9),
    Duration::from_millis(3),
    Duration::from_millis(14),
    Duration::from_millis(6),
];

/// The worker's command line.
#[derive(Args, Debug)]
pub(in crate::cli) struct Worker {
    #[arg(long)]
    board: OsString,
    #[arg(long)]
    ledger: PathBuf,
    #[command(flatten)]
    parent: Parent,
}

impl Worker {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        self.parent.die_with_it()?;
        let board = Board::options().attach(&Location::parse(&self.board)?)?;
        let meters = Meters::register(&board)?;
        let cannot = |error| Failure::Failed(format!("cannot open the ledger: {error}"));
        let ledger = Ledger::open(&self.ledger).map_err(cannot)?;
        loop {
            for (phase, wait) in WAIT.iter().enumerate() {
                meters.seconds[phase].time(|| {
                    for record in 0..BATCH {
                        ledger.begin(phase);
                        if record == 0 {
                            // Here most workers are when they are killed: in the middle of
                            // a record that is begun and not counted.
                            std::thread::sleep(*wait);
                        }
                        meters.records[phase].inc();
                        ledger.finish(phase);
                    }
                });
            }
        }
    }
}
