//! What a worker writes down for itself, beside the board.
//!
//! A mapping of its own: how many updates it has begun in each phase, and how many it has
//! done. What a killed worker stored stays, and one worker alone writes to it, so it is
//! independent of everything that the board does.
//!
//! ```text
//! phase p, begun: word 2 p      done: word 2 p + 1
//! ```

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tallyboard::{Ledger as Words, Location};

use super::phase::PHASES;
use crate::cli::failure::Failure;

/// Updates begun and done, for each phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    pub(super) begun: [u64; PHASES],
    pub(super) done: [u64; PHASES],
}

impl Entries {
    pub(super) fn add(&mut self, other: &Entries) {
        for phase in 0..PHASES {
            self.begun[phase] += other.begun[phase];
            self.done[phase] += other.done[phase];
        }
    }
}

/// One worker's ledger: the worker writes it, the parent reads it.
pub(super) struct Ledger(Words);

impl Ledger {
    /// Opens the file that the parent made.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Words::open(path).map(Self)
    }

    /// To be called before an update.
    pub(super) fn begin(&self, phase: usize) {
        self.0.add_one(2 * phase);
    }

    /// To be called after it.
    pub(super) fn finish(&self, phase: usize) {
        self.0.add_one(2 * phase + 1);
    }

    /// The entries at some moment of this call, each number for itself.
    pub(super) fn read(&self) -> Entries {
        Entries {
            done: std::array::from_fn(|phase| self.0.get(2 * phase + 1)),
            begun: std::array::from_fn(|phase| self.0.get(2 * phase)),
        }
    }
}

/// The directory of all ledgers, beside the board, removed when this is dropped.
pub(super) struct LedgerDirectory {
    path: PathBuf,
}

impl LedgerDirectory {
    pub(super) fn create(board: &Location) -> Result<Self, Failure> {
        let path = board.path().unwrap_or_default().with_extension("ledgers");
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| Failure::Failed(format!("cannot make {}: {error}", path.display())))?;
        Ok(Self { path })
    }

    /// A new ledger, all zero, for worker `number`.
    pub(super) fn add(&self, number: u64) -> io::Result<(PathBuf, Ledger)> {
        let path = self.path.join(number.to_string());
        let words = Words::create(&path, 2 * PHASES)?;
        Ok((path, Ledger(words)))
    }
}

impl Drop for LedgerDirectory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            eprintln!("tallyboard: cannot remove {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let board = Location::Path(directory.path().join("a.board"));
        let ledgers = LedgerDirectory::create(&board).unwrap();
        let (path, reader) = ledgers.add(0).unwrap();
        assert_eq!(reader.read(), Entries::default());
        let ledger = Ledger::open(&path).unwrap();
        for _ in 0..300 {
            ledger.begin(2);
            ledger.finish(2);
        }
        ledger.begin(2);
        let entries = reader.read();
        assert_eq!((entries.begun[2], entries.done[2]), (301, 300));
        assert_eq!((entries.begun[1], entries.done[3]), (0, 0));
        drop(ledgers);
        assert!(!path.exists());
    }
}
