//! `tallyboard expire`

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;

use super::board_option::BoardArgument;
use super::failure::Failure;
use crate::config::parse_ttl;

const CRON: &str = "\
Updates leave no time behind. So each look notes on the board what it saw and when, and a
series ends at the first look that finds it unchanged for the whole duration: call it at least
four times as often as that, or let `tallyboard serve --series.ttl` do it. For a week:

  0 */6 * * *  tallyboard expire --ttl 7d /run/tallyboard/default.v1.board

It does not matter which of the two has looked before, nor whether programs count meanwhile.";

/// End series that have not changed for long
///
/// Takes one look, ends the series whose value has not changed for the given duration, and
/// prints how many. A program that still has one of them begins it again from zero with its next
/// update. Infos stay.
#[derive(Args, Debug)]
#[command(after_help = CRON)]
pub(super) struct Expire {
    #[command(flatten)]
    board: BoardArgument,

    /// How long a series may stay unchanged: 12h, 7d; a second or more
    #[arg(long, value_name = "DURATION", value_parser = parse_ttl)]
    ttl: Duration,
}

impl Expire {
    pub(super) fn run(self) -> Result<(), Failure> {
        let board = self.board.writable()?;
        let expired = board.expire(self.ttl);
        self.board.complete(&board)?;
        writeln!(io::stdout().lock(), "{expired} series expired")?;
        Ok(())
    }
}
