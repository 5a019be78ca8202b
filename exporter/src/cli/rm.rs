//! `tallyboard rm`

use clap::Args;
use tallyboard::OpenError;

use super::board_option::BoardArgument;
use super::failure::Failure;

/// Remove a board and all counts on it
///
/// Programs that count on it move to the next board at the same place with their next update,
/// and make that board, like this one, if it was theirs and nobody else has. Also removes a
/// file called NAME.v1.board that is no board any more, because it was truncated, say.
#[derive(Args, Debug)]
pub(super) struct Rm {
    #[command(flatten)]
    board: BoardArgument,

    /// Also remove a file of any other name that is no board
    #[arg(long)]
    force: bool,
}

impl Rm {
    pub(super) fn run(self) -> Result<(), Failure> {
        let remove = match self.force {
            true => tallyboard::remove_by_force,
            false => tallyboard::remove,
        };
        match remove(&self.board.location()?) {
            Err(OpenError::NotFound { path }) => Err(Failure::Failed(format!(
                "there is no board at {}, so nothing was removed: name another with --board",
                path.display()
            ))),
            Err(error @ OpenError::NotABoard { .. }) => Err(Failure::Failed(format!(
                "{error}; if it was one, remove it with --force"
            ))),
            removed => Ok(removed?),
        }
    }
}
