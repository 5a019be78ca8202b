//! `tallyboard top`
//!
//! ```text
//! board      what is read: the board, followed as `serve` follows it, and never written to
//! history    values of the look before: rates, trends, what moves
//! detail     one family: its series, its distribution, what it says
//! view       which page, sorted and filtered how; what a key does
//! draw       the screen; about, what stands above a family's series;   plain   the table of --once
//! ```

mod about;
mod board;
mod detail;
mod distribution;
mod draw;
mod held;
mod history;
mod number;
mod plain;
mod roster;
mod view;
mod words;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};

use self::board::Watched;
use self::view::{Arrangement, Request, Sort, View};
use super::board_option::BoardArgument;
use super::failure::Failure;
use super::signals::SignalledRuntime;
use crate::config::parse_interval;

/// How long a signal may wait to be noticed.
const ATTENTION: Duration = Duration::from_millis(100);

/// Watch a board live: values, rates, who writes, how full it is
///
/// Reads the board only, and follows it when it is made again. Families are listed with their
/// value and its change a second: of a counter the sum of its series, of a histogram or summary
/// the number of observations, of a gauge the value, or the least and the greatest; of a state set
/// the state that holds, of an info what it says. Enter shows the series of one, how a histogram's
/// observations are spread, and for how long each state held. The last line tells the keys.
#[derive(Args, Debug)]
pub(super) struct Top {
    #[command(flatten)]
    board: BoardArgument,

    /// Time between two looks, such as 500ms
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_interval)]
    interval: Duration,

    /// Print a table after two looks, an interval apart, and end
    #[arg(long)]
    once: bool,

    /// What to sort by
    #[arg(long, value_enum, default_value_t = Sort::Name)]
    sort: Sort,

    /// Show only families with this in their names
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    filter: String,

    /// Leave out what does not change
    #[arg(long)]
    moving: bool,
}

impl Top {
    pub(super) fn run(self) -> Result<(), Failure> {
        // Whether it is there and may be read is said before the screen is taken.
        drop(self.board.read_only()?);
        let mut watched = Watched::new(self.board.location()?)?;
        let arrangement = Arrangement {
            sort: self.sort,
            is_reversed: false,
            filter: self.filter,
            moving_only: self.moving,
        };
        if self.once {
            watched.look(Instant::now())?;
            std::thread::sleep(self.interval);
            watched.look(Instant::now())?;
            return plain::write(&watched, &arrangement);
        }
        if !io::stdout().is_terminal() {
            return Err(Failure::Failed(
                "the output is no terminal; `tallyboard top --once` prints a table".to_owned(),
            ));
        }
        let stopped = Arc::new(AtomicBool::new(false));
        let tell = stopped.clone();
        SignalledRuntime::new()?.on_stop(move || {
            // Relaxed: the flag is all there is to know.
            tell.store(true, Ordering::Relaxed);
            // A terminal that is gone keeps crossterm reading its end for ever. There is nothing
            // to give back then; any other has long been given back.
            std::thread::sleep(10 * ATTENTION);
            std::process::exit(0);
        });
        let mut screen = Screen::take()?;
        watch(
            &mut screen.terminal,
            &mut watched,
            View::new(arrangement),
            self.interval,
            &stopped,
        )
    }
}

/// The terminal, which is given back as it was, whatever happens.
struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    fn take() -> Result<Self, Failure> {
        match ratatui::try_init() {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                // It may have been taken halfway.
                ratatui::restore();
                Err(Failure::Failed(format!("cannot use the terminal: {error}")))
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Looks, draws and does what keys say, until one says quit or a signal comes.
fn watch(
    terminal: &mut DefaultTerminal,
    watched: &mut Watched,
    mut view: View,
    interval: Duration,
    stopped: &AtomicBool,
) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Failed(format!("the terminal failed: {error}"));
    let mut next_look = Instant::now();
    // Relaxed, as above.
    while !stopped.load(Ordering::Relaxed) {
        let now = Instant::now();
        if now >= next_look {
            // A board that is not there is told on the screen.
            let _ = watched.look(now);
            watched.arrange(&mut view, now);
            next_look = now + interval;
        }
        terminal
            .draw(|frame| draw::screen(frame, watched, &mut view))
            .map_err(failed)?;
        let patience = next_look.saturating_duration_since(Instant::now());
        if !event::poll(patience.min(ATTENTION)).map_err(failed)? {
            continue;
        }
        // All that is waiting: a pasted filter is one change of the screen.
        while event::poll(Duration::ZERO).map_err(failed)? {
            let Event::Key(key) = event::read().map_err(failed)? else {
                continue;
            };
            if !key.is_press() {
                continue;
            }
            let chosen = watched.chosen(&view);
            match view.press(key, chosen.as_deref()) {
                Request::Quit => return Ok(()),
                Request::Arrange => watched.arrange(&mut view, Instant::now()),
                Request::Nothing => {}
            }
        }
    }
    Ok(())
}

/// A board of its own, which no other test of this process sees.
#[cfg(test)]
fn test_board() -> (tempfile::TempDir, tallyboard::Board) {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = directory.path().join("test.v1.board");
    let board = tallyboard::Board::open(&tallyboard::Location::Path(path)).unwrap();
    (directory, board)
}
