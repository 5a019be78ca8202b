//! Which processes have files of the directory open. prometheus_client maps them.

use std::collections::HashMap;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use procfs::process::{MMapPath, Process};
use rustix::fs::{major, minor};

/// What the processes that we may ask have mapped.
pub(super) struct Mapped {
    files: HashMap<(i32, i32, u64), i32>,
    /// For filesystems that put several devices together, whose mappings name another device.
    paths: HashMap<PathBuf, i32>,
    /// Living processes that we may not ask, and whose they are.
    unknown: HashMap<i32, u32>,
}

/// Who has a file open.
#[derive(Debug, PartialEq)]
pub(super) enum User {
    /// This process.
    Is(i32),
    /// Perhaps this process, which the file is named after and which cannot be asked.
    MayBe(i32),
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(process) => write!(
                f,
                "process {process} has it open and would go on counting in it; stop the process first"
            ),
            Self::MayBe(process) => write!(
                f,
                "process {process} may have it open, which only root can see; stop the process \
                 first, or rename the file if it is not that process's"
            ),
        }
    }
}

impl Mapped {
    /// Looks at all processes that can be seen. A millisecond for each, and more for a large one.
    pub(super) fn look() -> Self {
        let mut mapped = Self {
            files: HashMap::new(),
            paths: HashMap::new(),
            unknown: HashMap::new(),
        };
        // Without /proc nobody can be asked.
        let processes = procfs::process::all_processes();
        for process in processes.into_iter().flatten().flatten() {
            mapped.add(&process);
        }
        mapped
    }

    fn add(&mut self, process: &Process) {
        let maps = process.maps().map(|maps| maps.0).unwrap_or_default();
        if maps.is_empty() {
            // One of the kernel's own has no memory, and one that has died has none any more.
            let is_alive = process.stat().is_ok_and(|stat| stat.vsize > 0);
            if let Ok(uid) = process.uid()
                && is_alive
            {
                self.unknown.insert(process.pid, uid);
            }
            return;
        }
        for map in maps {
            if let MMapPath::Path(path) = map.pathname
                && path.extension().is_some_and(|extension| extension == "db")
            {
                let file = (map.dev.0, map.dev.1, map.inode);
                self.files.insert(file, process.pid);
                self.paths.insert(path, process.pid);
            }
        }
    }

    /// Who has mapped the file, as far as one can know.
    pub(super) fn user_of(&self, path: &Path) -> Option<User> {
        let metadata = path.metadata().ok()?;
        let device = metadata.dev();
        let file = (
            major(device).cast_signed(),
            minor(device).cast_signed(),
            metadata.ino(),
        );
        let by_path = || self.paths.get(&path.canonicalize().ok()?);
        if let Some(process) = self.files.get(&file).or_else(by_path) {
            return Some(User::Is(*process));
        }
        let process = path.file_stem()?.to_str()?.rsplit('_').next()?;
        let process = process.parse().ok()?;
        // Who makes a file owns it.
        let is_its = self.unknown.get(&process) == Some(&metadata.uid());
        is_its.then_some(User::MayBe(process))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_cannot_be_asked_may_have_its_own_file_open() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            path
        };
        let (its, others) = (file("gauge_sum_12.db"), file("counter_13.db"));
        let uid = its.metadata().unwrap().uid();
        let mapped = |uid| Mapped {
            files: HashMap::new(),
            paths: HashMap::new(),
            unknown: HashMap::from([(12, uid)]),
        };
        assert_eq!(mapped(uid).user_of(&its), Some(User::MayBe(12)));
        assert_eq!(mapped(uid).user_of(&others), None);
        assert_eq!(mapped(uid + 1).user_of(&its), None);
    }
}
