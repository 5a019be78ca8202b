//! A board for the time of one command.

use tallyboard::{Board, BoardOptions, Location};

use super::failure::Failure;

/// How many names are tried before it is something else.
const ATTEMPTS: u32 = 100;

/// A board in the default directory that is removed when this is dropped.
pub(super) struct TemporaryBoard {
    board: Board,
    location: Location,
}

impl TemporaryBoard {
    /// Makes one whose name begins with `prefix` and is used by nobody.
    pub(super) fn create(prefix: &str, options: &BoardOptions) -> Result<Self, Failure> {
        let pid = std::process::id();
        let mut attempt = 0;
        loop {
            // A process of the same number, in this or another PID namespace, may have left one.
            let name = match attempt {
                0 => format!("{prefix}-{pid}"),
                _ => format!("{prefix}-{pid}-{attempt}"),
            };
            let location = Location::name(&name)?;
            let taken = location.path().is_some_and(|path| path.exists());
            match options.create(&location) {
                Ok(board) => return Ok(Self { board, location }),
                Err(_) if taken && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) fn board(&self) -> &Board {
        &self.board
    }

    pub(super) fn location(&self) -> &Location {
        &self.location
    }
}

impl Drop for TemporaryBoard {
    fn drop(&mut self) {
        if let Err(error) = tallyboard::remove(&self.location) {
            eprintln!("tallyboard: cannot remove {}: {error}", self.location);
        }
    }
}
