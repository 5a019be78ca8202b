//! What the benchmarks share: boards that clean up after themselves, a second process that
//! counts, and the same work for each peer.

pub mod peers;
pub mod second;

use std::path::PathBuf;
use tallyboard::{Board, Location};

/// A board of its own in memory, gone with the value.
pub struct Bench {
    /// The board.
    pub board: Board,
    directory: tempfile::TempDir,
}

impl Bench {
    /// A board of `slots` slots.
    ///
    /// # Panics
    /// When no board can be made: there is nothing to measure then.
    pub fn new(slots: u32) -> Bench {
        let directory = tempfile::tempdir_in("/dev/shm").expect("/dev/shm is a tmpfs");
        let at = Location::Path(directory.path().join("bench.board"));
        let board = Board::options().slots(slots).create(&at).expect("a board");
        Bench { board, directory }
    }

    /// The board's file.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("bench.board")
    }
}
