//! Whether a process is on a board, as far as the kernel tells us.
//!
//! Whoever may write to a board may write any pid into a row of it, and the start that belongs to
//! it, which is no secret: another program's CPU time and memory would be shown as a worker's. That
//! somebody holds the row's lock can be seen, but not who: such a lock has no owner (`-1` in
//! `/proc/locks`). So this is asked once for each process:
//!
//! - Has it mapped the board's file? Root sees that, and everybody of the own processes.
//! - Where that cannot be seen, as by a service of its own user, or any more, of a process that has
//!   died and was not waited for: is it somebody who may write to the board by its owner, its group
//!   or its mode? Root, who may always, counts only where the board is root's or its group's. So
//!   whoever writes to a board can name none but those who share it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use procfs::process::Process;
use rustix::fs::{major, minor};

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// A board's file and who may write to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BoardFile {
    device: u64,
    inode: u64,
    uid: u32,
    gid: u32,
    mode: u32,
}

impl BoardFile {
    /// The file that is at `path` now.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let metadata = std::fs::symlink_metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            uid: metadata.uid(),
            gid: metadata.gid(),
            mode: metadata.mode(),
        })
    }

    /// Device and inode.
    pub(super) fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }

    /// Whether the process is on the board. Reads all its mappings, which in a large one takes
    /// a millisecond.
    pub(crate) fn is_used_by(&self, pid: i32) -> bool {
        let Ok(process) = Process::new(pid) else {
            return false;
        };
        let mappings = process.maps().map(|maps| maps.0).unwrap_or_default();
        if mappings.is_empty() {
            let status = process.status();
            return status.is_ok_and(|who| self.admits(who.euid, who.egid, &who.groups));
        }
        let device = (
            major(self.device).cast_signed(),
            minor(self.device).cast_signed(),
        );
        let mut mappings = mappings.iter();
        mappings.any(|mapping| (mapping.dev, mapping.inode) == (device, self.inode))
    }

    fn admits(&self, uid: u32, gid: u32, groups: &[u32]) -> bool {
        let is_in_group = gid == self.gid || groups.contains(&self.gid);
        uid == self.uid
            || (self.mode & GROUP_WRITES != 0 && is_in_group)
            || (self.mode & OTHERS_WRITE != 0 && uid != 0)
    }

    /// A file that is nowhere, for tests.
    #[cfg(test)]
    pub(crate) fn nowhere() -> Self {
        Self {
            device: 0,
            inode: 0,
            uid: 1000,
            gid: 2000,
            mode: 0o100_660,
        }
    }
}

#[cfg(test)]
mod tests {
    use tallyboard::{Board, Location};

    use super::*;

    #[test]
    fn who_has_mapped_the_board_is_on_it() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let path = directory.path().join("used.board");
        let location = Location::Path(path.clone());
        let board = Board::options().slots(64).create(&location).unwrap();
        let myself = std::process::id().cast_signed();
        assert!(BoardFile::at(&path).unwrap().is_used_by(myself));
        let other = directory.path().join("other.board");
        std::fs::write(&other, "").unwrap();
        assert!(!BoardFile::at(&other).unwrap().is_used_by(myself));
        drop(board);
    }

    #[test]
    fn of_others_those_who_may_write_to_the_board_can_be_on_it() {
        let shared = BoardFile::nowhere();
        assert!(shared.admits(1000, 1, &[]), "its owner");
        assert!(shared.admits(1001, 2000, &[]), "the group");
        assert!(shared.admits(1001, 1, &[5, 2000]), "the group, too");
        assert!(!shared.admits(1001, 1, &[5]), "nobody");
        assert!(!shared.admits(0, 0, &[]), "root");
        let private = BoardFile {
            mode: 0o100_600,
            ..shared
        };
        assert!(private.admits(1000, 1, &[]));
        assert!(!private.admits(1001, 2000, &[2000]));
        let open = BoardFile {
            mode: 0o100_666,
            ..shared
        };
        assert!(open.admits(1001, 1, &[]));
        assert!(!open.admits(0, 0, &[]));
    }
}
