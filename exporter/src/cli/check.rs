//! `tallyboard check`

use std::io::{self, Write};

use clap::Args;

use super::board_option::BoardArgument;
use super::failure::Failure;

/// Look for damage on a board
///
/// Prints one line for each fault and exits with 1, or exits with 0 if the board is sound.
/// It may run while programs count.
#[derive(Args, Debug)]
pub(super) struct Check {
    #[command(flatten)]
    board: BoardArgument,
}

impl Check {
    pub(super) fn run(self) -> Result<(), Failure> {
        let faults = self.board.read_only()?.check();
        let mut out = io::stdout().lock();
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
