//! What the demo shows: one line that changes, or on something else than a terminal a new
//! line every few seconds.

use std::io::{self, IsTerminal, Stdout, Write};
use std::time::Duration;

use super::audit::Books;
use super::phase;
use crate::cli::digits;
use crate::cli::failure::Failure;

/// Between two changes of the line on a terminal.
const REDRAW: Duration = Duration::from_millis(200);
/// Between two lines elsewhere.
const REPRINT: Duration = Duration::from_secs(5);
/// What the rate is taken over.
const RATE_WINDOW: Duration = Duration::from_secs(1);

pub(super) struct Screen {
    out: Stdout,
    live: bool,
    /// When the line was shown last.
    shown: Duration,
    /// When the window began, and how many records there were.
    window: (Duration, u64),
    per_second: f64,
}

impl Screen {
    pub(super) fn new() -> Self {
        let out = io::stdout();
        Self {
            live: out.is_terminal(),
            out,
            shown: Duration::ZERO,
            window: (Duration::ZERO, 0),
            per_second: 0.0,
        }
    }

    /// Says what goes on and what to open.
    pub(super) fn welcome(&mut self, workers: u32, url: &str) -> Result<(), Failure> {
        writeln!(
            self.out,
            "{workers} processes count records on one board. One after the other is killed and replaced.\n\
             Open {url}/metrics, or run: curl -s {url}/metrics | grep ^records_\n\
             Ctrl-C ends it and leaves nothing behind."
        )?;
        Ok(self.out.flush()?)
    }

    /// Shows the books, if it is time to.
    pub(super) fn show(&mut self, books: &Books, killed: u64, at: Duration) -> Result<(), Failure> {
        let total: u64 = books.values.iter().sum();
        let window = at.saturating_sub(self.window.0);
        let first = self.window.0.is_zero();
        if first || window >= RATE_WINDOW {
            let records = total.saturating_sub(self.window.1);
            self.per_second = records as f64 / window.as_secs_f64();
        }
        if window >= RATE_WINDOW {
            self.window = (at, total);
        }
        let interval = if self.live { REDRAW } else { REPRINT };
        if at.saturating_sub(self.shown) < interval {
            return Ok(());
        }
        self.shown = at;
        let line = format!(
            "{} records, {}/s, {} workers killed, {}",
            grouped(total),
            grouped(self.per_second as u64),
            grouped(killed),
            verdict(books),
        );
        if self.live {
            write!(self.out, "\r\x1b[K{line}")?;
        } else {
            writeln!(self.out, "{line}")?;
        }
        Ok(self.out.flush()?)
    }

    /// The last comparison, counter by counter.
    pub(super) fn farewell(&mut self, books: &Books, killed: u64) -> Result<(), Failure> {
        if self.live {
            write!(self.out, "\r\x1b[K")?;
        }
        for (index, phase) in phase::ALL.iter().enumerate() {
            writeln!(
                self.out,
                "{:<24} {:>14} done ≤ {:>14} counted ≤ {:>14} begun",
                phase.counter,
                grouped(books.entries.done[index]),
                grouped(books.values[index]),
                grouped(books.entries.begun[index]),
            )?;
        }
        writeln!(
            self.out,
            "{} workers killed, {}",
            grouped(killed),
            verdict(books)
        )?;
        Ok(self.out.flush()?)
    }
}

fn verdict(books: &Books) -> &'static str {
    if books.violations == 0 {
        "no count lost"
    } else {
        "COUNTS ARE WRONG"
    }
}

fn grouped(number: u64) -> String {
    digits::grouped(&number.to_string())
}
