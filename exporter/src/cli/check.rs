//! `tallyboard check`

use std::collections::HashSet;
use std::io::{self, Write};

use clap::Args;
use tallyboard::Fault;

use super::board_option::BoardArgument;
use super::failure::Failure;

const EXIT_STATUS: &str = "\
Exit status:
  0  the board is sound, with --repair: now
  1  faults are left, one on a line; or the board cannot be read, which stderr tells";

/// Look for damage on a board
///
/// Prints one line for each fault and exits with 1, or exits with 0 if the board is sound.
/// It may run while programs count.
#[derive(Args, Debug)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct Check {
    #[command(flatten)]
    board: BoardArgument,

    /// First do what processes that have died cannot do any more: complete or give back what
    /// they were making, settle their gauges, give back their rows. Prints each fault that is
    /// gone by it, after the word `repaired`. Programs, and `serve` where it may write, do this
    /// by themselves, in time
    #[arg(long)]
    repair: bool,
}

impl Check {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let faults = if self.repair {
            let board = self.board.writable()?;
            let before = board.check();
            board.reap();
            let faults = board.check();
            let left: HashSet<&Fault> = faults.iter().collect();
            for fault in before.iter().filter(|fault| !left.contains(fault)) {
                writeln!(out, "repaired: {fault}")?;
            }
            faults
        } else {
            self.board.read_only()?.check()
        };
        for fault in &faults {
            writeln!(out, "{fault}")?;
        }
        out.flush()?;
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Failure::Found)
        }
    }
}
