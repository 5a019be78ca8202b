//! `--board`, which every command has.

use std::ffi::OsString;

use clap::Args;
use tallyboard::{Board, BoardOptions, Location};

use super::failure::Failure;

/// Which board.
#[derive(Args, Debug)]
pub(super) struct BoardOption {
    /// The board: a path, a name, or shm:NAME [default: $TALLYBOARD, or the name "default"]
    #[arg(long, value_name = "LOCATION")]
    board: Option<OsString>,

    /// Allow a board on a filesystem that is not memory, where writeback can stop writers
    /// (who only reads a board may do so anywhere)
    #[arg(long)]
    allow_any_filesystem: bool,
}

/// The same, for commands that are about a board itself.
#[derive(Args, Debug)]
pub(super) struct BoardArgument {
    #[command(flatten)]
    option: BoardOption,

    /// The same as --board
    #[arg(value_name = "LOCATION", conflicts_with = "board")]
    location: Option<OsString>,
}

impl BoardOption {
    /// Where the board is.
    pub(super) fn location(&self) -> Result<Location, Failure> {
        location(self.board.as_ref())
    }

    /// Where the board is; it can be read by others.
    pub(super) fn shared_location(&self) -> Result<Location, Failure> {
        shared(self.location()?)
    }

    /// The board for counting: made if it is not there.
    pub(super) fn open(&self) -> Result<Board, Failure> {
        self.open_at(&self.location()?)
    }

    /// As [`open`](Self::open), for who has asked for the location.
    pub(super) fn open_at(&self, location: &Location) -> Result<Board, Failure> {
        Ok(self.options().open(location)?)
    }

    fn options(&self) -> BoardOptions {
        BoardOptions::new().allow_any_filesystem(self.allow_any_filesystem)
    }
}

impl BoardArgument {
    /// Where the board is; it can be read by others.
    pub(super) fn location(&self) -> Result<Location, Failure> {
        shared(location(
            self.location.as_ref().or(self.option.board.as_ref()),
        )?)
    }

    /// What a board that is made here is to be like, as far as all commands can say it.
    pub(super) fn options(&self) -> BoardOptions {
        self.option.options()
    }

    /// Whether what was read of the board is worth anything.
    pub(super) fn complete(&self, board: &Board) -> Result<(), Failure> {
        if !board.is_broken() {
            return Ok(());
        }
        Err(Failure::Failed(format!(
            "{} was truncated while it was read, or its filesystem is full",
            board.location()
        )))
    }

    /// The board for changing what is on it: it must be there. It may lose its memory, as in
    /// [`read_only`](Self::read_only).
    pub(super) fn writable(&self) -> Result<Board, Failure> {
        guard()?;
        let options = BoardOptions::new().allow_any_filesystem(true);
        Ok(options.attach(&self.location()?)?)
    }

    /// The board for reading: it must be there. It may lose its memory while it is read; ask
    /// [`Board::is_broken`] at the end.
    pub(super) fn read_only(&self) -> Result<Board, Failure> {
        guard()?;
        let options = BoardOptions::new().allow_any_filesystem(true);
        Ok(options.attach_read_only(&self.location()?)?)
    }
}

/// The options with what those of the flags say that were given. A macro, because each flag is
/// called as the option that it sets.
macro_rules! given {
    ($options:expr, $flags:expr, [$($flag:ident),+]) => {{
        let options = $options;
        $(let options = match $flags.$flag {
            Some(value) => options.$flag(value),
            None => options,
        };)+
        options
    }};
}
pub(super) use given;

/// Lets boards that are mapped from now on lose their memory while they are read, which then
/// ends nothing.
pub(super) fn guard() -> Result<(), Failure> {
    tallyboard::guard_readers()
        .map_err(|error| Failure::Failed(format!("cannot handle SIGBUS: {error}")))
}

fn shared(location: Location) -> Result<Location, Failure> {
    if location.path().is_none() {
        return Err(Failure::Usage(format!(
            "`{location}` is no board that another process can see; name one with --board"
        )));
    }
    Ok(location)
}

fn location(text: Option<&OsString>) -> Result<Location, Failure> {
    match text {
        Some(text) => Location::parse(text).map_err(|error| Failure::Usage(error.to_string())),
        None => Ok(Location::from_env()?),
    }
}
