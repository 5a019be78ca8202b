//! What one worker has begun and done, read from outside.

use std::path::{Path, PathBuf};

/// The words in which a `worker churn` notes, for each series, the increments it has begun and those it has done.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    words: tallyboard::Ledger,
}

impl Ledger {
    /// A new ledger in this file, for so many series.
    ///
    /// # Panics
    ///
    /// If the file is there already or cannot be made.
    pub fn create(path: PathBuf, series: usize) -> Self {
        let words = tallyboard::Ledger::create(&path, 2 * series).expect("a new ledger");
        Ledger { path, words }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Increments begun and done of each series, in this order.
    pub fn entries(&self, series: usize) -> Vec<(u64, u64)> {
        (0..series)
            .map(|kind| {
                let done = self.words.get(2 * kind + 1);
                (self.words.get(2 * kind), done)
            })
            .collect()
    }

    /// Increments done, of all series.
    pub fn done(&self, series: usize) -> u64 {
        (0..series).map(|kind| self.words.get(2 * kind + 1)).sum()
    }
}
