//! `tallyboard create`

use std::time::Duration;

use clap::Args;

use super::board_option::{BoardArgument, given};
use super::failure::Failure;
use crate::config::{parse_cap, parse_count, parse_duration, parse_group, parse_mode};

const SHARING: &str = "\
A board for several users:
  It must lie in a directory that all of them can enter; the default place,
  /dev/shm/tallyboard.<uid>, is closed to others. As root, for the group metrics:

    install -d -m 2770 -g metrics /run/tallyboard
    tallyboard create --mode 0660 --group metrics /run/tallyboard/default.v1.board

  Members of the group now find the board as `default`: names are looked up in
  /run/tallyboard by those who may write there. For another directory, which has to be
  on a memory filesystem too, set TALLYBOARD_DIR for all of them.";

/// Make a board
///
/// Programs make the board they open by themselves, so this is for boards that are not
/// like the default: larger ones, and ones that several users share. It is an error if the
/// board is there already.
#[derive(Args, Debug)]
#[command(after_help = SHARING)]
pub(super) struct Create {
    #[command(flatten)]
    board: BoardArgument,

    /// Slots: a series takes one, or more if its labels or buckets are many [default: 16384]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    slots: Option<u32>,

    /// Processes that may register new series at the same time [default: 1024]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    processes: Option<u32>,

    /// Permission bits, in octal; sharing needs a shared directory too, see below
    /// [default: 0600]
    #[arg(long, value_name = "OCTAL", value_parser = parse_mode)]
    mode: Option<u32>,

    /// The group that owns the board: a name or a number
    #[arg(long, value_name = "GROUP", value_parser = parse_group)]
    group: Option<u32>,

    /// Series that each metric may have, 0 for any number; what goes beyond is counted in one
    /// series whose label values are all `overflow`, but a gauge, an info or a state set is
    /// refused. A program may say otherwise for a metric [default: 0]
    #[arg(long, value_name = "N", value_parser = parse_cap)]
    series_cap: Option<u64>,

    /// How long the gauges of a dead process are shown for themselves, where each process has
    /// its own (aggregation `all`) [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    keep_dead: Option<Duration>,
}

impl Create {
    pub(super) fn run(self) -> Result<(), Failure> {
        let options = given!(
            self.board.options(),
            self,
            [slots, processes, mode, group, series_cap, keep_dead]
        );
        options.create(&self.board.location()?)?;
        Ok(())
    }
}
