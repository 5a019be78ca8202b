//! The boards that `serve` makes where there are none.

use std::time::Duration;

use clap::Args;
use tallyboard::BoardOptions;

use super::board_option::given;
use crate::config::{parse_cap, parse_count, parse_duration, parse_group, parse_mode};

/// Whether boards are made, and what they are like.
#[derive(Args, Debug)]
pub(super) struct MadeBoards {
    /// Make boards that are not there (not for globs)
    #[arg(long = "board.create")]
    create: bool,

    /// Permission bits of boards that are made, in octal [default: 0600]
    #[arg(
        long = "board.mode",
        value_name = "OCTAL",
        value_parser = parse_mode,
        requires = "create"
    )]
    mode: Option<u32>,

    /// Group of boards that are made: a name or a number
    #[arg(
        long = "board.group",
        value_name = "GROUP",
        value_parser = parse_group,
        requires = "create"
    )]
    group: Option<u32>,

    /// Slots of boards that are made [default: 16384]
    #[arg(
        long = "board.slots",
        value_name = "N",
        value_parser = parse_count,
        requires = "create"
    )]
    slots: Option<u32>,

    /// Processes that may register new series at the same time on boards that are made
    /// [default: 1024]
    #[arg(
        long = "board.processes",
        value_name = "N",
        value_parser = parse_count,
        requires = "create"
    )]
    processes: Option<u32>,

    /// Series that each metric may have on boards that are made [default: any number]
    #[arg(
        long = "board.series-cap",
        value_name = "N",
        value_parser = parse_cap,
        requires = "create"
    )]
    series_cap: Option<u64>,

    /// How long boards that are made show the gauges of a dead process for themselves, where
    /// each process has its own [default: 5m]
    #[arg(
        long = "board.keep-dead",
        value_name = "DURATION",
        value_parser = parse_duration,
        requires = "create"
    )]
    keep_dead: Option<Duration>,

    /// Make boards also on filesystems that are not memory; there, writeback can stop writers
    // The alias is the flag that the refusal names.
    #[arg(
        long = "board.allow-any-filesystem",
        alias = "allow-any-filesystem",
        requires = "create"
    )]
    allow_any_filesystem: bool,
}

impl MadeBoards {
    /// What boards are made with; `None` where none are made.
    pub(super) fn options(&self) -> Option<BoardOptions> {
        if !self.create {
            return None;
        }
        let options = BoardOptions::new().allow_any_filesystem(self.allow_any_filesystem);
        Some(given!(
            options,
            self,
            [slots, processes, mode, group, series_cap, keep_dead]
        ))
    }
}
