//! What went wrong with a board's file, before the file's path is told with it.
//!
//! Boards are also opened by updates, wherever those run, and nobody is there to read a text:
//! so this owns nothing on the heap. The public functions make an [`OpenError`] of it.

use crate::error::OpenError;
use crate::header::Flaw;
use rustix::io::Errno;
use std::io;
use std::path::Path;

/// Which of the two paths that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Board,
    Directory,
}

/// An [`OpenError`] without its path.
#[derive(Debug)]
pub(crate) enum Trouble {
    NotFound,
    NoDirectory,
    Exists,
    SymbolicLink(Place),
    NotABoard(&'static str),
    Version(u32),
    Features(u64),
    Replaced,
    Damaged(&'static str),
    OtherOwner {
        place: Place,
        owner: u32,
        ours: u32,
    },
    OpenDirectory,
    NoSpace {
        needed: u64,
    },
    Filesystem,
    System {
        place: Place,
        doing: &'static str,
        /// Made of an error's number or kind, so not on the heap; but for what
        /// `shared_memory` says, which no update opens a board by.
        source: io::Error,
    },
}

impl Trouble {
    /// Whatever the system said of the board while `doing` something with it.
    pub(crate) fn system(doing: &'static str) -> impl Fn(Errno) -> Trouble {
        move |error| Trouble::with(doing)(error.into())
    }

    /// As [`system`](Self::system), for what std says.
    pub(crate) fn with(doing: &'static str) -> impl Fn(io::Error) -> Trouble {
        move |source| Trouble::System {
            place: Place::Board,
            doing,
            source,
        }
    }

    /// The error to show, for the board at `path`.
    pub(crate) fn at(self, path: &Path) -> OpenError {
        let of = |place| match place {
            Place::Board => path.to_owned(),
            Place::Directory => parent(path).to_owned(),
        };
        let path = path.to_owned();
        match self {
            Trouble::NotFound => OpenError::NotFound { path },
            Trouble::NoDirectory => OpenError::NoDirectory {
                path: of(Place::Directory),
            },
            Trouble::Exists => OpenError::Exists { path },
            Trouble::SymbolicLink(place) => OpenError::SymbolicLink { path: of(place) },
            Trouble::NotABoard(why) => OpenError::NotABoard { path, why },
            Trouble::Version(found) => OpenError::Version {
                path,
                found,
                supported: crate::LAYOUT_VERSION,
            },
            Trouble::Features(bits) => OpenError::Features { path, bits },
            Trouble::Replaced => OpenError::Replaced { path },
            Trouble::Damaged(why) => OpenError::Damaged { path, why },
            Trouble::OtherOwner { place, owner, ours } => OpenError::OtherOwner {
                path: of(place),
                owner,
                ours,
            },
            Trouble::OpenDirectory => OpenError::OpenDirectory {
                path: of(Place::Directory),
            },
            Trouble::NoSpace { needed } => OpenError::NoSpace { path, needed },
            Trouble::Filesystem => OpenError::Filesystem { path },
            Trouble::System {
                place,
                doing,
                source,
            } => match source.kind() {
                io::ErrorKind::PermissionDenied => OpenError::Permission { path: of(place) },
                _ => OpenError::Io {
                    path: of(place),
                    doing,
                    source,
                },
            },
        }
    }
}

impl From<Flaw> for Trouble {
    fn from(flaw: Flaw) -> Trouble {
        match flaw {
            Flaw::NotABoard(why) => Trouble::NotABoard(why),
            Flaw::Version(found) => Trouble::Version(found),
            Flaw::Features(bits) => Trouble::Features(bits),
            Flaw::Damaged(why) => Trouble::Damaged(why),
        }
    }
}

/// The directory that `path` lies in.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
