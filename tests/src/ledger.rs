//! What one worker has begun and done, read from outside.

use std::fs;
use std::path::{Path, PathBuf};

/// The file in which a `worker churn` notes, for each series, the increments it has begun and those it has done.
#[derive(Debug)]
pub struct Ledger(PathBuf);

impl Ledger {
    /// The ledger in this file; the worker makes it.
    pub fn new(file: PathBuf) -> Self {
        Ledger(file)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Increments begun and done of each series, in this order. A series that the file does not reach has none.
    ///
    /// # Panics
    ///
    /// If the file cannot be read.
    pub fn entries(&self, series: usize) -> Vec<(u64, u64)> {
        let mut bytes = fs::read(&self.0).expect("the worker has made its ledger");
        bytes.resize(16 * series, 0);
        let word = |at: usize| {
            u64::from_le_bytes(bytes[at..at + 8].try_into().expect("a slice of 8 bytes"))
        };
        (0..series)
            .map(|kind| (word(16 * kind), word(16 * kind + 8)))
            .collect()
    }

    /// Increments done, of all series.
    pub fn done(&self, series: usize) -> u64 {
        self.entries(series).iter().map(|entry| entry.1).sum()
    }
}
