//! One board that is wanted, and its mapping while it is there.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tallyboard::{Board, BoardOptions, Location, OpenError, Reader};

use super::spec::Wanted;
use crate::encode::Source;

/// A board that is wanted.
pub struct Target {
    location: Location,
    path: PathBuf,
    label: String,
    /// Whether it may be made when it is not there.
    creatable: bool,
    mapped: Option<Mapped>,
    /// Why it is not mapped, as last logged.
    problem: Option<String>,
    /// The file that was found broken. What else is wrong with it needs no further line.
    broken_file: Option<FileIdentity>,
    /// How often a board was found broken here.
    broken: u64,
}

struct Mapped {
    id: u64,
    file: FileIdentity,
    board: Board,
    reader: Reader,
    /// Whether damaged records have been logged.
    damage_said: bool,
}

/// Device and inode.
type FileIdentity = (u64, u64);

fn identity(path: &Path) -> Option<FileIdentity> {
    let metadata = std::fs::symlink_metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

impl Target {
    /// A board that has not been looked for yet.
    pub(super) fn new(wanted: Wanted) -> Self {
        Self {
            location: wanted.location,
            path: wanted.path,
            label: wanted.label,
            creatable: wanted.is_single,
            mapped: None,
            problem: None,
            broken_file: None,
            broken: 0,
        }
    }

    /// What the `board` label says.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Where the board is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The board and its reader, if it is there.
    pub fn mapped(&self) -> Option<(&Board, &Reader)> {
        let mapped = self.mapped.as_ref()?;
        Some((&mapped.board, &mapped.reader))
    }

    /// How often a board here lost its memory while it was read.
    pub fn broken(&self) -> u64 {
        self.broken
    }

    /// The board's file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The board as the encoder wants it, if it is there.
    pub(super) fn source<'a>(&'a self, labelled: bool) -> Option<Source<'a>> {
        let mapped = self.mapped.as_ref()?;
        Some(Source {
            id: mapped.id,
            label: labelled.then_some(self.label.as_str()),
            reader: &mapped.reader,
        })
    }

    /// Reads again which series there are.
    pub(super) fn refresh(&mut self) {
        let Some(mapped) = &mut self.mapped else {
            return;
        };
        mapped.reader.refresh();
        let damaged = mapped.reader.damaged();
        if damaged > 0 && !mapped.damage_said && !mapped.board.is_broken() {
            mapped.damage_said = true;
            tracing::warn!(
                board = %self.location,
                "{damaged} damaged records are left out; `tallyboard check` names them"
            );
        }
    }

    /// Lets go of the board if it has lost its memory; whether it had. What was read of it
    /// since the last call is worthless then.
    pub(super) fn drop_broken(&mut self) -> bool {
        let Some(mapped) = self.mapped.take_if(|mapped| mapped.board.is_broken()) else {
            return false;
        };
        self.broken += 1;
        if self.broken_file.replace(mapped.file) != Some(mapped.file) {
            self.report(format!(
                "the board was truncated while it was read, or its filesystem is full; delete {}: \
                 the next program that counts makes it again",
                self.path.display()
            ));
        }
        true
    }

    /// Maps the board that is at the path now, if it is not the one that is mapped. A board
    /// that is mapped gets the next id.
    pub(super) fn follow(&mut self, create: Option<&BoardOptions>, next_id: &mut u64) {
        self.drop_broken();
        let file = identity(&self.path);
        if let Some(mapped) = &self.mapped {
            if Some(mapped.file) == file && !mapped.board.is_overwritten() {
                return;
            }
            self.mapped = None;
            tracing::info!(board = %self.location, "the board was removed");
        }
        if self.broken_file != file {
            self.broken_file = None;
        }
        match self.map(create, file) {
            Ok(Some((board, file))) => {
                let reader = Reader::new(&board);
                // A filesystem that is full breaks the board again and again.
                if self.broken_file.is_none() {
                    tracing::info!(board = %self.location, "mapped");
                }
                self.problem = None;
                self.mapped = Some(Mapped {
                    id: *next_id,
                    file,
                    board,
                    reader,
                    damage_said: false,
                });
                *next_id += 1;
            }
            Ok(None) => self.report("it is not there yet; waiting for it".to_owned()),
            Err(_) if self.broken_file.is_some() => {}
            Err(error) => self.report(error.to_string()),
        }
    }

    /// Attaches, read-only. `None` while there is no board, or while it is being replaced.
    fn map(
        &self,
        create: Option<&BoardOptions>,
        mut file: Option<FileIdentity>,
    ) -> Result<Option<(Board, FileIdentity)>, OpenError> {
        let options = match create {
            Some(options) if self.creatable => {
                if file.is_none() {
                    // The writable mapping is dropped again: what is served is read-only.
                    options.open(&self.location)?;
                    file = identity(&self.path);
                }
                options.clone()
            }
            _ => BoardOptions::new(),
        };
        let Some(file) = file else {
            return Ok(None);
        };
        let board = options
            .allow_any_filesystem(true)
            .attach_read_only(&self.location)?;
        // What was attached is the file that was looked at only if that is still there.
        let unchanged = identity(&self.path) == Some(file);
        Ok(unchanged.then_some((board, file)))
    }

    /// Logs why the board is not mapped, once for each reason.
    fn report(&mut self, problem: String) {
        if self.problem.as_ref() != Some(&problem) {
            tracing::warn!(board = %self.location, "{problem}");
            self.problem = Some(problem);
        }
    }
}
