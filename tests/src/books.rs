//! What writers of a torture agree on: metrics, and the books that each keeps of its own updates.
//!
//! Books are a ledger with two words for each item, updates begun and done. The writers in C and Python have the same
//! numbers: `tests/writers/torture.c` and `tests/writers/torture.py`.

use std::path::Path;

use rustix::process::{Pid, getpid};
use tallyboard::Ledger;

/// Series of the counter `torture_total`, the first items.
pub const COUNTERS: usize = 64;
/// Signals that were handled: the counter `torture_signals_total`.
pub const SIGNALS: usize = 64;
/// What was added to the gauge `torture_last`.
pub const LAST: usize = 65;
/// How often a process raised its part of the gauge `torture_sum` by one.
pub const SUM: usize = 66;
/// The first of the series of the histogram `torture_seconds`.
pub const OBSERVATIONS: usize = 67;
/// How many they are.
pub const HISTOGRAMS: usize = 8;
/// The first of the values that processes set the gauges `torture_min` and `torture_max` to.
pub const VALUES: usize = 75;
/// How many they are: 0, 1, 2 …
pub const LEVELS: usize = 64;
/// How many items there are.
pub const ITEMS: usize = 139;
/// The word behind them: how many writers have installed their handler of signals.
pub const READY: usize = 2 * ITEMS;

/// The books of one writer, and of those that come after it.
#[derive(Debug)]
pub struct Books(Ledger);

impl Books {
    /// New ones, in this file.
    ///
    /// # Panics
    ///
    /// If the file is there already or cannot be made.
    pub fn create(path: &Path) -> Self {
        Books(Ledger::create(path, READY + 1).expect("a new ledger"))
    }

    /// Those in this file.
    ///
    /// # Panics
    ///
    /// If they cannot be opened.
    pub fn open(path: &Path) -> Self {
        Books(Ledger::open(path).expect("a ledger"))
    }

    /// Notes an update as begun, makes it, notes it as done.
    pub fn note(&self, item: usize, update: impl FnOnce()) {
        self.0.add_one(2 * item);
        update();
        self.0.add_one(2 * item + 1);
    }

    /// Updates begun.
    pub fn begun(&self, item: usize) -> u64 {
        self.0.get(2 * item)
    }

    /// Updates done.
    pub fn done(&self, item: usize) -> u64 {
        self.0.get(2 * item + 1)
    }

    /// Tells that signals are handled from now on.
    pub fn ready(&self) {
        self.0.add_one(READY);
    }

    /// How many writers have told so.
    pub fn readied(&self) -> u64 {
        self.0.get(READY)
    }
}

/// The value that this process sets `torture_min` and `torture_max` to.
pub fn level() -> usize {
    Pid::as_raw_nonzero(getpid()).get() as usize % LEVELS
}
