//! `tallyboard create`

use clap::Args;
use tallyboard::BoardOptions;

use super::board_option::BoardArgument;
use super::failure::Failure;
use crate::config::{parse_group, parse_mode};

/// Make a board
///
/// Programs make the board they open by themselves, so this is for boards that are not
/// like the default: larger ones, and ones that several users share, as with
/// `--mode 0660 --group metrics`. It is an error if the board is there already.
#[derive(Args, Debug)]
pub(super) struct Create {
    #[command(flatten)]
    board: BoardArgument,

    /// Slots: a series takes one, or more if its labels or buckets are many [default: 16384]
    #[arg(long, value_name = "N")]
    slots: Option<u32>,

    /// Processes that may register new series at the same time [default: 1024]
    #[arg(long, value_name = "N")]
    processes: Option<u32>,

    /// Permission bits, in octal [default: 0600]
    #[arg(long, value_name = "OCTAL", value_parser = parse_mode)]
    mode: Option<u32>,

    /// The group that owns the board: a name or a number
    #[arg(long, value_name = "GROUP", value_parser = parse_group)]
    group: Option<u32>,

    /// Allow filesystems that are not memory; there, writeback can stop writers
    #[arg(long)]
    allow_any_filesystem: bool,
}

impl Create {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut options = BoardOptions::new().allow_any_filesystem(self.allow_any_filesystem);
        if let Some(slots) = self.slots {
            options = options.slots(slots);
        }
        if let Some(processes) = self.processes {
            options = options.processes(processes);
        }
        if let Some(mode) = self.mode {
            options = options.mode(mode);
        }
        if let Some(group) = self.group {
            options = options.group(group);
        }
        options.create(&self.board.location()?)?;
        Ok(())
    }
}
