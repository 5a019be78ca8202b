//! `tallyboard rm`

use clap::Args;

use super::board_option::BoardArgument;
use super::failure::Failure;

/// Remove a board and all counts on it
///
/// Programs that have it open go on with the board that is made next at the same place.
#[derive(Args, Debug)]
pub(super) struct Rm {
    #[command(flatten)]
    board: BoardArgument,
}

impl Rm {
    pub(super) fn run(self) -> Result<(), Failure> {
        Ok(tallyboard::remove(&self.board.location()?)?)
    }
}
