//! `--board` of the commands that show any number of boards.

use std::ffi::OsString;

use clap::Args;
use tallyboard::{BoardOptions, Location};

use super::board_option::guard;
use super::failure::Failure;
use crate::boards::{BoardSet, BoardSpec};

/// Which boards.
#[derive(Args, Debug)]
pub(super) struct ServedBoards {
    /// A board: a path, a name, shm:NAME, or a glob of one of these; may be given more than
    /// once [default: $TALLYBOARD, or the name "default"]
    #[arg(long = "board", value_name = "LOCATION")]
    boards: Vec<OsString>,
}

impl ServedBoards {
    /// The boards, none of which has been looked for yet; with `create`, those that are not there
    /// are made. They may lose their memory while they are read.
    pub(super) fn set(&self, create: Option<BoardOptions>) -> Result<BoardSet, Failure> {
        let specs = self.specs()?;
        guard()?;
        Ok(BoardSet::new(specs, create))
    }

    fn specs(&self) -> Result<Vec<BoardSpec>, Failure> {
        if self.boards.is_empty() {
            let spec = BoardSpec::one(Location::from_env()?);
            return Ok(vec![spec.map_err(Failure::Usage)?]);
        }
        let specs = self.boards.iter().map(|text| BoardSpec::parse(text));
        specs.collect::<Result<_, _>>().map_err(Failure::Usage)
    }
}
