//! The directory, and which of its files have been imported.
//!
//! ```text
//!   counter_12.db ──▶ counter_12.db.importing ──▶ counter_12.db.imported
//! ```
//!
//! The names change before the first series is registered and after the last value is added. So who
//! finds a file as `.importing` knows that an import was ended between the two, and that some of
//! its values may be on the board; nobody can tell which. If nothing was added they get the names
//! back that they had. prometheus_client looks at `*.db` only, so that the programs of before do
//! not show what is on the board now.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::Failure;

const IMPORTING: &str = ".importing";
const IMPORTED: &str = ".imported";

/// A directory that no other import is in.
pub(super) struct Directory {
    path: PathBuf,
    /// Holds the lock.
    _lock: File,
}

impl Directory {
    /// # Errors
    ///
    /// It is not there or cannot be read, or is being imported.
    pub(super) fn lock(path: &Path) -> Result<Self, Failure> {
        let cannot = |error: io::Error| {
            Failure::Failed(format!(
                "cannot read {}: {error}; name the directory that was PROMETHEUS_MULTIPROC_DIR",
                path.display()
            ))
        };
        let lock = File::open(path).map_err(cannot)?;
        if !lock.metadata().map_err(cannot)?.is_dir() {
            return Err(cannot(io::ErrorKind::NotADirectory.into()));
        }
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
            rustix::io::Errno::WOULDBLOCK => Failure::Failed(format!(
                "{} is being imported by another process; wait for it",
                path.display()
            )),
            error => cannot(error.into()),
        })?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The names of the files that were not imported yet, in order.
    ///
    /// # Errors
    ///
    /// It cannot be read, or an import was ended halfway.
    pub(super) fn files(&self) -> Result<Vec<String>, Failure> {
        let cannot = |error| self.cannot("read", error);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(cannot)? {
            let name = entry.map_err(cannot)?.file_name();
            // What is no text has no name that prometheus_client gives.
            let name = name.to_string_lossy().into_owned();
            if name.ends_with(&format!(".db{IMPORTING}")) {
                return Err(self.halfway(&name));
            }
            if name.ends_with(".db") && !name.starts_with('.') {
                files.push(name);
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    /// The file of this name.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Notes that the files are being imported.
    ///
    /// # Errors
    ///
    /// That cannot be; it is noted of none of them.
    pub(super) fn begin(&self, files: &[String]) -> Result<(), Failure> {
        for (done, name) in files.iter().enumerate() {
            let importing = format!("{name}{IMPORTING}");
            if let Err(error) = fs::rename(self.path(name), self.path(&importing)) {
                self.give_up(&files[..done]);
                return Err(self.cannot("rename the files in", error));
            }
        }
        Ok(())
    }

    /// Notes that they are not being imported after all, and nothing was added. If that cannot be
    /// the next import says so.
    pub(super) fn give_up(&self, files: &[String]) {
        for name in files {
            let importing = format!("{name}{IMPORTING}");
            let _ = fs::rename(self.path(&importing), self.path(name));
        }
    }

    /// Notes that they have been imported.
    ///
    /// # Errors
    ///
    /// That cannot be.
    pub(super) fn end(&self, files: &[String]) -> Result<(), Failure> {
        for name in files {
            let importing = self.path(&format!("{name}{IMPORTING}"));
            let imported = self.path(&format!("{name}{IMPORTED}"));
            fs::rename(&importing, imported).map_err(|error| {
                Failure::Failed(format!(
                    "everything is imported, but {} cannot be renamed to {name}{IMPORTED}: \
                     {error}; do so before the next import, with all that are called so",
                    importing.display()
                ))
            })?;
        }
        Ok(())
    }

    fn cannot(&self, what: &str, error: io::Error) -> Failure {
        Failure::Failed(format!(
            "cannot {what} {}: {error}; run as its owner",
            self.path.display()
        ))
    }

    fn halfway(&self, name: &str) -> Failure {
        Failure::Failed(format!(
            "an import of {} was ended halfway: some values of {name} and of others that are \
             called so may be on the board; compare with `tallyboard dump`, then rename them to \
             *.db to add them as a whole, or to *.db{IMPORTED} to leave them",
            self.path.display()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_file_goes_from_name_to_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a_1.db", "b_1.db", "c_1.db.imported", ".hidden.db", "notes"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let directory = Directory::lock(folder.path()).unwrap();
        let files = directory.files().unwrap();
        assert_eq!(files, ["a_1.db", "b_1.db"]);
        // One that cannot be renamed, and all keep their names.
        let more = [files.clone(), vec!["gone_1.db".to_owned()]].concat();
        assert!(directory.begin(&more).is_err());
        assert_eq!(directory.files().unwrap(), files);

        directory.begin(&files).unwrap();
        directory.give_up(&files);
        assert_eq!(directory.files().unwrap(), files);
        directory.begin(&files).unwrap();
        let why = format!("{:?}", directory.files().unwrap_err());
        assert!(why.contains("ended halfway"), "{why}");
        directory.end(&files).unwrap();
        assert!(directory.files().unwrap().is_empty());
        let imported = ["a_1.db.imported", "b_1.db.imported", "c_1.db.imported"];
        assert_eq!(names(folder.path())[1..4], imported);
    }

    #[test]
    fn one_import_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Directory::lock(folder.path()).unwrap();
        let why = format!("{:?}", Directory::lock(folder.path()).err());
        assert!(why.contains("wait for it"), "{why}");
        drop(first);
        assert!(Directory::lock(folder.path()).is_ok());
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Directory::lock(&file).is_err());
        assert!(Directory::lock(&folder.path().join("nowhere")).is_err());
    }
}
