//! A process's own books, beside the board: words in a mapped file that a SIGKILL leaves.
//!
//! The demo and the tests hold a board against them. Each number has one writer, and a
//! writer notes an update as begun, makes it, and notes it as done: so done ≤ counted ≤
//! begun whenever the three are read in that order.

use crate::region::Region;
use crate::sync::Ordering;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const WORD_BYTES: u64 = 8;

/// A file of numbers, mapped. Not part of the library's interface: it is public for the
/// exporter's demo and for tests, and may change in any version.
pub struct Ledger {
    words: Region,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

impl Ledger {
    /// A new file of `words` zeros, in native byte order.
    ///
    /// # Errors
    /// When it exists, or cannot be made, filled or mapped.
    pub fn create(path: &Path, words: usize) -> io::Result<Ledger> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options.open(path)?;
        let len = words as u64 * WORD_BYTES;
        // Reserved now: a store to a page that a full tmpfs cannot give is a SIGBUS.
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, len)?;
        let words = Region::map(&file, len, true)?;
        Ok(Ledger { words })
    }

    /// One that `create` made, perhaps in another process.
    ///
    /// # Errors
    /// When it cannot be opened or mapped.
    pub fn open(path: &Path) -> io::Result<Ledger> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let words = Region::map(&file, file.metadata()?.len(), true)?;
        Ok(Ledger { words })
    }

    /// Adds one to the number at `index`. No syscall.
    ///
    /// # Panics
    /// When `index` is beyond the file.
    #[inline]
    pub fn add_one(&self, index: usize) {
        // ORDERING: [K1] Release: what this number says was done is done. x86-64's locked add is
        // a full fence, so what it says is begun begins later.
        let word = self.words.word(index as u64 * WORD_BYTES);
        word.fetch_add(1, Ordering::AcqRel);
    }

    /// The number at `index`.
    ///
    /// # Panics
    /// When `index` is beyond the file.
    #[inline]
    pub fn get(&self, index: usize) -> u64 {
        // ORDERING: [K1] Acquire: a board read after this shows what this number counts.
        self.words
            .word(index as u64 * WORD_BYTES)
            .load(Ordering::Acquire)
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_one_mapping_counts_another_reads() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger");
        let reader = Ledger::create(&path, 3).unwrap();
        assert!(Ledger::create(&path, 3).is_err());
        let writer = Ledger::open(&path).unwrap();
        for _ in 0..300 {
            writer.add_one(2);
        }
        assert_eq!((reader.get(0), reader.get(2)), (0, 300));
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 24);
        assert_eq!(bytes[16..], 300_u64.to_le_bytes());
    }
}
