//! One board that is wanted, and its mapping while it is there.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tallyboard::{Board, BoardOptions, Location, OpenError, Reader, Stats};

use super::BoardFile;
use super::spec::Wanted;
use super::watch::Watch;
use crate::encode::Source;

/// How long a file that was found broken is left alone. Where its filesystem is full, it can be
/// mapped and breaks again: a scrape that is made again without it would never end.
const BROKEN_PAUSE: Duration = Duration::from_secs(10);

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
    broken_file: Option<BrokenFile>,
    /// How often a board was found broken here.
    broken: u64,
    /// How often a board here lost its name and nobody had given it up.
    unlinked: u64,
}

struct Mapped {
    id: u64,
    file: FileIdentity,
    board: Board,
    reader: Reader,
    /// As of the last look.
    stats: Stats,
    watch: Watch,
}

struct BrokenFile {
    file: FileIdentity,
    /// When it was found so last.
    at: Instant,
}

/// A board that lost its name, by its uuid. Its writers do not know it yet.
pub type Unlinked = [u8; 16];

/// Device and inode.
type FileIdentity = (u64, u64);

fn identity(path: &Path) -> Option<FileIdentity> {
    BoardFile::at(path).map(|file| file.identity())
}

impl Target {
    /// A board that has not been looked for yet. `unlinked` is how often one was unlinked here.
    pub(super) fn new(wanted: Wanted, unlinked: u64) -> Self {
        Self {
            location: wanted.location,
            path: wanted.path,
            label: wanted.label,
            creatable: wanted.is_single,
            mapped: None,
            problem: None,
            broken_file: None,
            broken: 0,
            unlinked,
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

    /// Why the board is not there, if it is not.
    pub fn problem(&self) -> Option<&str> {
        let problem = self.problem.as_deref();
        problem.filter(|_| self.mapped.is_none())
    }

    /// How full the board was at the last look, if it is there.
    pub fn stats(&self) -> Option<&Stats> {
        self.mapped.as_ref().map(|mapped| &mapped.stats)
    }

    /// How often a board here was unlinked or replaced by other means than `tallyboard rm`.
    pub fn unlinked(&self) -> u64 {
        self.unlinked
    }

    /// How often a board here lost its memory while it was read.
    pub fn broken(&self) -> u64 {
        self.broken
    }

    /// The board's file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file that is mapped, with who may write to it now; `None` if it has lost its name.
    pub(super) fn file(&self) -> Option<BoardFile> {
        let mapped = self.mapped.as_ref()?;
        BoardFile::at(&self.path).filter(|file| file.identity() == mapped.file)
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
        if let Some(mapped) = &mut self.mapped {
            mapped.reader.refresh();
        }
    }

    /// Looks at how full the board is, and logs what is new and wrong with it.
    pub(super) fn look(&mut self) {
        let Some(mapped) = &mut self.mapped else {
            return;
        };
        mapped.stats = mapped.board.stats();
        let lines = mapped
            .watch
            .look(&mapped.reader, &mapped.stats, Instant::now());
        // Of a board that has lost its memory nothing is to be believed.
        if !mapped.board.is_broken() {
            for line in lines {
                tracing::warn!(board = %self.location, "{line}");
            }
        }
    }

    /// Lets go of the board if it has lost its memory; whether it had. What was read of it
    /// since the last call is worthless then.
    pub(super) fn drop_broken(&mut self) -> bool {
        let Some(mapped) = self.mapped.take_if(|mapped| mapped.board.is_broken()) else {
            return false;
        };
        self.broken += 1;
        let problem = format!(
            "the board was truncated while it was read, or its filesystem is full; \
             remove it with `tallyboard rm --force {}`: the next program that counts makes it again",
            self.path.display()
        );
        let broken = BrokenFile {
            file: mapped.file,
            at: Instant::now(),
        };
        let before = self.broken_file.replace(broken);
        if before.is_some_and(|before| before.file == mapped.file) {
            self.problem = Some(problem);
        } else {
            self.report(problem);
        }
        true
    }

    /// Lets go of the board because its name is gone or another's; which it was, if nobody had
    /// given it up before.
    pub(super) fn let_go(&mut self) -> Option<Unlinked> {
        let mapped = self.mapped.take()?;
        let location = &self.location;
        // Linked still: another board was copied over it, or the path cannot be looked at.
        if mapped.board.is_retired() || mapped.board.is_linked() {
            tracing::info!(board = %location, "the board was removed");
            return None;
        }
        self.unlinked += 1;
        tracing::warn!(
            board = %location,
            "the board was unlinked or replaced, and not by `tallyboard rm`: what programs count \
             on it is lost until they move to the one at {} now",
            self.path.display()
        );
        mapped.board.uuid()
    }

    /// Maps the board that is at the path now, if it is not the one that is mapped. A board
    /// that is mapped gets the next id. The one before, if it was unlinked.
    pub(super) fn follow(
        &mut self,
        create: Option<&BoardOptions>,
        next_id: &mut u64,
    ) -> Option<Unlinked> {
        self.drop_broken();
        let file = identity(&self.path);
        let mut unlinked = None;
        if let Some(mapped) = &self.mapped {
            if Some(mapped.file) == file && !mapped.board.is_overwritten() {
                return None;
            }
            unlinked = self.let_go();
        }
        self.broken_file.take_if(|broken| Some(broken.file) != file);
        if let Some(broken) = &self.broken_file
            && broken.at.elapsed() < BROKEN_PAUSE
        {
            return unlinked;
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
                    stats: Stats::default(),
                    watch: Watch::default(),
                });
                *next_id += 1;
            }
            Ok(None) => self.report("it is not there yet; waiting for it".to_owned()),
            Err(_) if self.broken_file.is_some() => {}
            Err(error) => self.report(error.to_string()),
        }
        unlinked
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
