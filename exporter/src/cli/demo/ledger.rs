//! What a worker writes down for itself, beside the board.
//!
//! A file of pairs: how many updates it has begun in each phase, and how many it has done.
//! The file outlives the worker, and one worker alone writes to it, so it is independent
//! of everything that the board does.
//!
//! ```text
//! phase p, begun: bytes 32 p      done: bytes 32 p + 16      each: value, its complement
//! ```
//!
//! The complement tells a reader that it has read a number that was being written.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tallyboard::Location;

use super::phase::PHASES;
use crate::cli::failure::Failure;

const NUMBER_BYTES: usize = 16;
const LEDGER_BYTES: usize = PHASES * 2 * NUMBER_BYTES;
/// A write takes far less time than this many reads.
const READ_ATTEMPTS: u32 = 1_000_000;

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

/// A ledger that is being written.
pub(super) struct Ledger {
    file: File,
    entries: Entries,
}

impl Ledger {
    /// Opens the file that the parent made.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        Ok(Self {
            file,
            entries: Entries::default(),
        })
    }

    /// To be called before an update.
    pub(super) fn begin(&mut self, phase: usize) -> io::Result<()> {
        self.entries.begun[phase] += 1;
        self.write(2 * phase, self.entries.begun[phase])
    }

    /// To be called after it.
    pub(super) fn finish(&mut self, phase: usize) -> io::Result<()> {
        self.entries.done[phase] += 1;
        self.write(2 * phase + 1, self.entries.done[phase])
    }

    fn write(&self, index: usize, value: u64) -> io::Result<()> {
        self.file
            .write_all_at(&encoded(value), (index * NUMBER_BYTES) as u64)
    }
}

fn encoded(value: u64) -> [u8; NUMBER_BYTES] {
    let mut bytes = [0; NUMBER_BYTES];
    bytes[..8].copy_from_slice(&value.to_le_bytes());
    bytes[8..].copy_from_slice(&(!value).to_le_bytes());
    bytes
}

/// A ledger that is being read.
pub(super) struct LedgerReader {
    file: File,
}

impl LedgerReader {
    /// The entries at some moment of this call, each number for itself.
    pub(super) fn read(&self) -> io::Result<Entries> {
        let mut entries = Entries::default();
        for phase in 0..PHASES {
            entries.done[phase] = self.number(2 * phase + 1)?;
            entries.begun[phase] = self.number(2 * phase)?;
        }
        Ok(entries)
    }

    fn number(&self, index: usize) -> io::Result<u64> {
        for _ in 0..READ_ATTEMPTS {
            let mut bytes = [0; NUMBER_BYTES];
            let at = (index * NUMBER_BYTES) as u64;
            self.file.read_exact_at(&mut bytes, at)?;
            let half = |from: usize| {
                let mut word = [0; 8];
                word.copy_from_slice(&bytes[from..from + 8]);
                u64::from_le_bytes(word)
            };
            if half(0) == !half(8) {
                return Ok(half(0));
            }
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a worker's ledger is damaged",
        ))
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
    pub(super) fn add(&self, number: u64) -> io::Result<(PathBuf, LedgerReader)> {
        let path = self.path.join(number.to_string());
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options.open(&path)?;
        let zeros: Vec<u8> = encoded(0).repeat(LEDGER_BYTES / NUMBER_BYTES);
        file.write_all_at(&zeros, 0)?;
        Ok((path, LedgerReader { file }))
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
        assert_eq!(reader.read().unwrap(), Entries::default());
        let mut ledger = Ledger::open(&path).unwrap();
        for _ in 0..300 {
            ledger.begin(2).unwrap();
            ledger.finish(2).unwrap();
        }
        ledger.begin(2).unwrap();
        let entries = reader.read().unwrap();
        assert_eq!((entries.begun[2], entries.done[2]), (301, 300));
        assert_eq!((entries.begun[1], entries.done[3]), (0, 0));
        drop(ledgers);
        assert!(!path.exists());
    }
}
