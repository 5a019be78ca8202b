//! `tallyboard rm`

use clap::Args;
use tallyboard::OpenError;

use super::board_option::BoardArgument;
use super::failure::Failure;

/// Remove a board and all counts on it
///
/// What programs that have it open count from then on goes nowhere, until they open the board
/// that is made next at the same place.
#[derive(Args, Debug)]
pub(super) struct Rm {
    #[command(flatten)]
    board: BoardArgument,
}

impl Rm {
    pub(super) fn run(self) -> Result<(), Failure> {
        match tallyboard::remove(&self.board.location()?) {
            Err(OpenError::NotFound { path }) => Err(Failure::Failed(format!(
                "there is no board at {}, so nothing was removed: name another with --board",
                path.display()
            ))),
            removed => Ok(removed?),
        }
    }
}
