//! What the fuzz targets are made of: boards made from bytes alone, a model of a board and what
//! is done with both, and a child process for whatever a process keeps until it ends.

pub mod agreement;
pub mod child;
pub mod handle;
pub mod image;
pub mod model;
pub mod operation;
pub mod patch;

use std::io::Write;
use std::path::{Path, PathBuf};

/// A file of this process on a memory filesystem, written anew for each input.
pub struct File {
    path: PathBuf,
}

impl File {
    /// A path with nothing there yet, in `$TALLYBOARD_FUZZ_DIR` or /dev/shm. A crash leaves
    /// the file behind.
    pub fn new() -> File {
        let directory = std::env::var_os("TALLYBOARD_FUZZ_DIR").unwrap_or("/dev/shm".into());
        let name = format!("tallyboard-fuzz.{}.board", std::process::id());
        let path = Path::new(&directory).join(name);
        let file = File { path };
        file.remove();
        file
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a file of these bytes; there must be none, so that no mapping of the one before
    /// is found again.
    pub fn write(&self, bytes: &[u8]) {
        let mut file = std::fs::File::create_new(&self.path).expect("the path is free");
        file.write_all(bytes)
            .expect("room on the memory filesystem");
    }

    /// Takes the file away, if there is one.
    pub fn remove(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Default for File {
    fn default() -> File {
        File::new()
    }
}
