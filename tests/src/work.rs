//! The kinds of work that crash tests do: together they reach every step that has a name.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tallyboard::{
    Aggregation, Board, Counter, Family, Gauge, Histogram, Info, Location, Native, OpenError,
    RegisterError, StateSet,
};

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
    /// Registers a native histogram and observes.
    Natives,
    /// Registers a counter with a long label value and counts.
    LongTexts,
    /// Registers a counter and counts, with an exemplar that replaces another.
    Exemplars,
    /// Registers an info and says something, then something else.
    Infos,
    /// Registers a state set and goes from one state to another.
    States,
    /// Makes a board, if it is not there, and counts on it.
    Boards,
    /// The same, then gives the board up.
    Removals,
    /// Finishes what the dead have left half done; then registers a counter and counts.
    Reaping,
    /// Registers a counter that is removed and comes back, then one that stays, and counts with it.
    Passing,
    /// Adds to a gauge that is summed over processes, and sets one of another aggregation.
    Gauges,
    /// Settles the gauges of the dead, then does the same.
    ReapingGauges,
    /// Makes a board and gives it up, then counts with a handle that has to find or make the next.
    Moving,
}

impl Work {
    /// Does the piece with this key. Boards are made in `folder`.
    ///
    /// # Errors
    ///
    /// Whatever a library call says that has no reason to fail, whoever else has died.
    pub fn run(self, board: &Board, folder: &Path, key: &str) -> Result<(), Box<dyn Error>> {
        match self {
            Work::Counters
            | Work::Histograms
            | Work::Natives
            | Work::LongTexts
            | Work::Exemplars
            | Work::Infos
            | Work::States => {}
            Work::Passing => come_and_go(board, key)?,
            Work::Gauges => set_other_gauge(board, key)?,
            Work::ReapingGauges => {
                board.reap();
                set_other_gauge(board, key)?;
            }
            Work::Moving => {
                let board = small_board(folder, key)?;
                // Another may have given it up already.
                let Ok(handle) = self.metric().register(&board, key) else {
                    return Ok(());
                };
                match tallyboard::remove(board.location()) {
                    Ok(()) | Err(OpenError::NotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
                handle.count()?;
                return Ok(());
            }
            Work::Boards => {
                let board = small_board(folder, key)?;
                self.metric().register(&board, key)?.count()?;
                return Ok(());
            }
            Work::Removals => {
                let board = small_board(folder, key)?;
                // Another may be giving it up at this moment.
                if let Ok(handle) = self.metric().register(&board, key) {
                    handle.count()?;
                }
                return match tallyboard::remove(board.location()) {
                    Ok(()) | Err(OpenError::NotFound { .. }) => Ok(()),
                    Err(error) => Err(error.into()),
                };
            }
            Work::Reaping => board.reap(),
        }
        self.metric().register(board, key)?.count()?;
        Ok(())
    }

    /// What it counts with.
    pub fn metric(self) -> Metric {
        match self {
            Work::Histograms => Metric::Histogram,
            Work::Natives => Metric::Native,
            Work::LongTexts => Metric::LongText,
            Work::Exemplars => Metric::Exemplar,
            Work::Infos => Metric::Info,
            Work::States => Metric::States,
            Work::Gauges | Work::ReapingGauges => Metric::Sum,
            Work::Counters
            | Work::Boards
            | Work::Removals
            | Work::Reaping
            | Work::Passing
            | Work::Moving => Metric::Counter,
        }
    }

    /// Whether each key has a board of its own.
    pub fn makes_boards(self) -> bool {
        matches!(self, Work::Boards | Work::Removals | Work::Moving)
    }

    /// Whether it begins with what is left of the dead.
    pub fn reaps(self) -> bool {
        matches!(self, Work::Reaping | Work::ReapingGauges)
    }

    /// What the dead had been doing.
    pub fn of_the_dead(self) -> Work {
        match self {
            Work::ReapingGauges => Work::Gauges,
            _ => Work::Counters,
        }
    }
}

/// The family whose series are removed again and again.
///
/// # Errors
///
/// As registering any family.
pub fn passing_family(board: &Board) -> Result<Family<Counter>, RegisterError> {
    let builder = board.counter("passing_total", "Series that come and go.");
    builder.labels(&["key"]).family()
}

/// Registers a series, removes it, counts with the handle that is left, and removes everybody's.
///
/// # Errors
///
/// As registering any series.
pub fn come_and_go(board: &Board, key: &str) -> Result<(), RegisterError> {
    let family = passing_family(board)?;
    let passing = family.try_with(&[key])?;
    passing.inc();
    family.remove(&[key])?;
    passing.inc();
    family.clear()?;
    Ok(())
}

/// The aggregations that keep processes apart and are not checked by their sum.
pub const OTHER_GAUGES: [Aggregation; 5] = [
    Aggregation::Min,
    Aggregation::Max,
    Aggregation::All,
    Aggregation::LiveSum,
    Aggregation::LiveLast,
];

/// Sets a gauge of the aggregation that is this key's turn to 1.
fn set_other_gauge(board: &Board, key: &str) -> Result<(), RegisterError> {
    let turn: usize = key.bytes().map(usize::from).sum();
    let how = OTHER_GAUGES[turn % OTHER_GAUGES.len()];
    let builder = board.gauge(&format!("level_{how}"), "").aggregation(how);
    builder.label("key", key).register()?.set(1.0);
    Ok(())
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
    /// A chain because of its cells, whose buckets are found in another way.
    Native,
    /// A long chain because of its text.
    LongText,
    /// A counter, and a slot for what is said of it.
    Exemplar,
    /// No cells, and a slot for what it says.
    Info,
    /// One cell, which no CPU's plane has.
    States,
    /// A gauge: a slot, and one for each process.
    Sum,
}

/// A series that can be counted with.
#[derive(Clone, Debug)]
pub enum Handle {
    /// Of a counter.
    Counter(Counter),
    /// Of a histogram.
    Histogram(Histogram),
    /// Of a gauge.
    Gauge(Gauge),
    /// Of a counter that has exemplars, and its key.
    Traced(Counter, String),
    /// Of an info, and its key.
    Info(Info, String),
    /// Of a state set.
    States(StateSet),
}

/// The label of an exemplar, and the name of an info's first pair: its value is the key.
pub const PIECE: &str = "piece";
/// What an info says last, in the pair of this name. It says the other before.
pub const PHASE: (&str, &str, &str) = ("phase", "begun", "done");
/// The states: the one that was never set, the one of a piece that is not done, and that of all that are.
pub const STATES: [&str; 3] = ["new", "begun", "done"];

impl Handle {
    /// Counts one. What can be said of it is said twice: first that it is begun, then that it is done.
    ///
    /// # Errors
    ///
    /// As an info's.
    pub fn count(&self) -> Result<(), RegisterError> {
        match self {
            Handle::Counter(counter) => counter.inc(),
            Handle::Histogram(histogram) => histogram.observe(1.0),
            Handle::Gauge(gauge) => gauge.inc(),
            Handle::Traced(counter, key) => {
                let labels = [(PIECE, key.as_str())];
                counter.add_with_exemplar(0, &labels);
                counter.inc_with_exemplar(&labels);
            }
            Handle::Info(info, key) => {
                let (name, begun, done) = PHASE;
                let process = std::process::id().to_string();
                for phase in [begun, done] {
                    info.set(&[(PIECE, key), (name, phase), ("process", &process)])?;
                }
            }
            Handle::States(states) => {
                states.set(STATES[1]);
                states.set(STATES[2]);
            }
        }
        Ok(())
    }
}

impl Metric {
    /// Every one.
    pub const ALL: [Metric; 8] = [
        Metric::Counter,
        Metric::Histogram,
        Metric::Native,
        Metric::LongText,
        Metric::Exemplar,
        Metric::Info,
        Metric::States,
        Metric::Sum,
    ];

    /// Its name on the board.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Counter => "counted_total",
            Metric::Histogram => "counted_seconds",
            Metric::Native => "counted_natively_seconds",
            Metric::LongText => "counted_at_length_total",
            Metric::Exemplar => "counted_with_exemplars_total",
            Metric::Info => "described",
            Metric::States => "phase",
            Metric::Sum => "counted",
        }
    }

    /// The label value that a key has.
    pub fn label_value(self, key: &str) -> String {
        match self {
            Metric::Counter
            | Metric::Histogram
            | Metric::Native
            | Metric::Exemplar
            | Metric::Info
            | Metric::States
            | Metric::Sum => key.to_owned(),
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
            Metric::Native => {
                let builder = board.histogram(self.name(), HELP).labels(&["key"]);
                let native = Native::new().schema(0).range(0.25, 16.0);
                Handle::Histogram(builder.native(native).family()?.try_with(&[&value])?)
            }
            Metric::Exemplar => {
                let family = board.counter(self.name(), HELP).labels(&["key"]).family()?;
                Handle::Traced(family.try_with(&[&value])?, value)
            }
            Metric::Info => {
                let family = board.info(self.name(), HELP).labels(&["key"]).family()?;
                Handle::Info(family.try_with(&[&value])?, value)
            }
            Metric::States => {
                let builder = board.state_set(self.name(), HELP, &STATES);
                Handle::States(builder.labels(&["key"]).family()?.try_with(&[&value])?)
            }
            Metric::Sum => {
                let builder = board.gauge(self.name(), HELP).labels(&["key"]);
                let family = builder.aggregation(Aggregation::Sum).family()?;
                Handle::Gauge(family.try_with(&[&value])?)
            }
        })
    }
}
