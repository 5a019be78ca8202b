//! The kinds of work that crash tests do: together they reach every step that has a name.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tallyboard::{Board, Counter, Histogram, Location, OpenError, RegisterError};

/// How many pieces of its work a process does, each with a key of its own.
pub const KEYS: usize = 8;

/// The key of the piece with this `number`: every second one is everybody's, so that processes get into each
/// other's way, and the others are this process's alone, so that nobody takes all its work away.
pub fn key(actor: usize, number: usize) -> String {
    if number.is_multiple_of(2) {
        format!("shared-{}", number / 2)
    } else {
        format!("own-{actor}-{}", number / 2)
    }
}

/// What a process does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// Registers a counter and counts.
    Counters,
    /// Registers a histogram with a long chain and observes.
    Histograms,
    /// Registers a counter with a long label value and counts.
    LongTexts,
    /// Makes a board, if it is not there, and counts on it.
    Boards,
    /// The same, then gives the board up.
    Removals,
    /// Finishes what the dead have left half done; then registers a counter and counts.
    Reaping,
}

impl Work {
    /// Does the piece with this key. Boards are made in `folder`.
    ///
    /// # Errors
    ///
    /// Whatever a library call says that has no reason to fail, whoever else has died.
    pub fn run(self, board: &Board, folder: &Path, key: &str) -> Result<(), Box<dyn Error>> {
        match self {
            Work::Counters | Work::Histograms | Work::LongTexts => {}
            Work::Boards => {
                let board = small_board(folder, key)?;
                self.metric().register(&board, key)?.count();
                return Ok(());
            }
            Work::Removals => {
                let board = small_board(folder, key)?;
                // Another may be giving it up at this moment.
                if let Ok(handle) = self.metric().register(&board, key) {
                    handle.count();
                }
                return match tallyboard::remove(board.location()) {
                    Ok(()) | Err(OpenError::NotFound { .. }) => Ok(()),
                    Err(error) => Err(error.into()),
                };
            }
            Work::Reaping => board.reap(),
        }
        self.metric().register(board, key)?.count();
        Ok(())
    }

    /// What it counts with.
    pub fn metric(self) -> Metric {
        match self {
            Work::Histograms => Metric::Histogram,
            Work::LongTexts => Metric::LongText,
            Work::Counters | Work::Boards | Work::Removals | Work::Reaping => Metric::Counter,
        }
    }

    /// Whether each key has a board of its own.
    pub fn makes_boards(self) -> bool {
        matches!(self, Work::Boards | Work::Removals)
    }
}

/// Where the board of this key is.
pub fn small_board_path(folder: &Path, key: &str) -> PathBuf {
    folder.join(format!("{key}.board"))
}

/// The board of this key, made if it is not there.
///
/// # Errors
///
/// As opening any board.
pub fn small_board(folder: &Path, key: &str) -> Result<Board, OpenError> {
    let at = Location::Path(small_board_path(folder, key));
    Board::options().slots(64).processes(8).open(&at)
}

/// A metric that has a series for each key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// One slot a series.
    Counter,
    /// A long chain because of its cells.
    Histogram,
    /// A long chain because of its text.
    LongText,
}

/// A series that can be counted with.
#[derive(Clone, Debug)]
pub enum Handle {
    /// Of a counter.
    Counter(Counter),
    /// Of a histogram.
    Histogram(Histogram),
}

impl Handle {
    /// Counts one.
    pub fn count(&self) {
        match self {
            Handle::Counter(counter) => counter.inc(),
            Handle::Histogram(histogram) => histogram.observe(1.0),
        }
    }
}

impl Metric {
    /// Every one.
    pub const ALL: [Metric; 3] = [Metric::Counter, Metric::Histogram, Metric::LongText];

    /// Its name on the board.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Counter => "counted_total",
            Metric::Histogram => "counted_seconds",
            Metric::LongText => "counted_at_length_total",
        }
    }

    /// The label value that a key has.
    pub fn label_value(self, key: &str) -> String {
        match self {
            Metric::Counter | Metric::Histogram => key.to_owned(),
            Metric::LongText => format!("{key} {}", "long ".repeat(600)),
        }
    }

    /// The series of this key, found or made.
    ///
    /// # Errors
    ///
    /// As registering any series.
    pub fn register(self, board: &Board, key: &str) -> Result<Handle, RegisterError> {
        const HELP: &str = "Pieces of work, by key.";
        let value = self.label_value(key);
        Ok(match self {
            Metric::Counter | Metric::LongText => {
                let family = board.counter(self.name(), HELP).labels(&["key"]).family()?;
                Handle::Counter(family.try_with(&[&value])?)
            }
            Metric::Histogram => {
                let bounds: Vec<f64> = (1..=40).map(f64::from).collect();
                let builder = board.histogram(self.name(), HELP).labels(&["key"]);
                Handle::Histogram(builder.buckets(&bounds).family()?.try_with(&[&value])?)
            }
        })
    }
}
