//! What can go wrong, and what to do about it: an enum for each operation.

use core::fmt;
use std::io;
use std::path::PathBuf;

/// Why a board could not be opened, created or removed.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no board at this path. An exporter waits for it; `tallyboard create` makes it.
    NotFound {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The directory that the board is to be in does not exist.
    NoDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// `create` found a board already there.
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// The path is a symbolic link, which could have been put there by anyone.
    SymbolicLink {
        /// The link.
        path: PathBuf,
    },
    /// The file is something else.
    NotABoard {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The board was made by another version of the layout.
    Version {
        /// The board.
        path: PathBuf,
        /// The board's version.
        found: u32,
        /// The version that this library reads.
        supported: u32,
    },
    /// The board was made by a newer library, with features that this one does not know.
    Features {
        /// The board.
        path: PathBuf,
        /// The feature bits.
        bits: u64,
    },
    /// Another board took the path while this one was being opened.
    Replaced {
        /// The path.
        path: PathBuf,
    },
    /// The header does not hold together.
    Damaged {
        /// The board.
        path: PathBuf,
        /// What does not hold.
        why: &'static str,
    },
    /// The board belongs to another user and is not shared with this one.
    OtherOwner {
        /// The board or its directory.
        path: PathBuf,
        /// Its owner's uid.
        owner: u32,
        /// This process's effective uid.
        ours: u32,
    },
    /// The directory lets others replace the board.
    OpenDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The operating system denied access.
    Permission {
        /// The board or its directory.
        path: PathBuf,
    },
    /// The filesystem has no room for the board.
    NoSpace {
        /// Where it was to be made.
        path: PathBuf,
        /// Bytes that must be reserved.
        needed: u64,
    },
    /// The board is on a filesystem where a store may block, or a lock is not kept.
    Filesystem {
        /// The board.
        path: PathBuf,
    },
    /// A capacity is out of its range.
    Capacity {
        /// Which one, and its range.
        what: &'static str,
    },
    /// A board's name cannot be a file name.
    Name {
        /// The name.
        name: String,
    },
    /// This location has no board that could be created, attached or removed by itself.
    Unsuitable {
        /// `off` or `private`.
        location: &'static str,
    },
    /// Something else that the operating system said.
    Io {
        /// The board.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What it said.
        source: io::Error,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { path } => write!(
                f,
                "there is no board at {}: start a program that counts, or make one with `tallyboard create`",
                path.display()
            ),
            Self::NoDirectory { path } => write!(
                f,
                "the directory {} does not exist: make it, or choose another",
                path.display()
            ),
            Self::Exists { path } => write!(
                f,
                "there is already a board at {}: use it, or remove it with `tallyboard rm`",
                path.display()
            ),
            Self::SymbolicLink { path } => write!(
                f,
                "{} is a symbolic link: name the board itself",
                path.display()
            ),
            Self::NotABoard { path, why } => write!(
                f,
                "{} is not a board ({why}): choose another path, or delete the file",
                path.display()
            ),
            Self::Version {
                path,
                found,
                supported,
            } => write!(
                f,
                "{} has layout version {found} and this library reads version {supported}: upgrade the older side, or remove the board with `tallyboard rm`",
                path.display()
            ),
            Self::Features { path, bits } => write!(
                f,
                "{} needs features ({bits:#x}) that this library does not know: upgrade it",
                path.display()
            ),
            Self::Replaced { path } => write!(
                f,
                "{} was replaced while it was being opened: try again",
                path.display()
            ),
            Self::Damaged { path, why } => write!(
                f,
                "the board {} is damaged ({why}): remove it with `tallyboard rm`, and a new one is made",
                path.display()
            ),
            Self::OtherOwner { path, owner, ours } => write!(
                f,
                "{} belongs to uid {owner}, not to this process (uid {ours}), and is not shared with it: share it as `tallyboard create --help` shows, or run as its owner",
                path.display()
            ),
            Self::OpenDirectory { path } => write!(
                f,
                "anyone could replace a board in {}: choose another directory, or take the write permission of others away",
                path.display()
            ),
            Self::Permission { path } => write!(
                f,
                "permission denied for {}: run as its owner, or share the board as `tallyboard create --help` shows",
                path.display()
            ),
            Self::NoSpace { path, needed } => write!(
                f,
                "no space for a board at {}: {needed} bytes must be reserved; enlarge the filesystem, or ask for fewer slots",
                path.display()
            ),
            Self::Filesystem { path } => write!(
                f,
                "{} is not on a memory filesystem, where updates could block: use /dev/shm or another tmpfs, or allow it with `--allow-any-filesystem`",
                path.display()
            ),
            Self::Capacity { what } => write!(f, "capacity out of range: {what}"),
            Self::Name { name } => write!(
                f,
                "{name:?} cannot name a board: use letters, digits, `.`, `_` and `-`, not beginning with a dot, or give a path"
            ),
            Self::Unsuitable { location } => write!(
                f,
                "the location `{location}` has no board of its own: name a path, a name or shm:NAME"
            ),
            Self::Io {
                path,
                doing,
                source,
            } => write!(f, "{doing} {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why a metric could not be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// The metric's name is empty.
    EmptyName,
    /// A label's name is empty, or begins with `__`, which Prometheus keeps for itself.
    LabelName {
        /// The metric.
        metric: String,
        /// The label.
        label: String,
    },
    /// The label is one that this type of metric makes itself.
    ReservedLabel {
        /// The metric.
        metric: String,
        /// `le` or `quantile`, `pid`, or the name of a state set.
        label: String,
    },
    /// The same label twice.
    DuplicateLabel {
        /// The metric.
        metric: String,
        /// The label.
        label: String,
    },
    /// More or fewer values than label names.
    LabelCount {
        /// The metric.
        metric: String,
        /// Names declared.
        names: usize,
        /// Values given.
        values: usize,
    },
    /// Bucket bounds that are NaN or not ascending.
    Bounds {
        /// The metric.
        metric: String,
        /// The first offending bound's place, from 0.
        at: usize,
    },
    /// Native buckets that there cannot be.
    Native {
        /// The metric.
        metric: String,
        /// What is wrong with them, and what fits.
        why: String,
    },
    /// No states, an empty one, or one twice.
    States {
        /// The metric.
        metric: String,
    },
    /// A unit for a metric that has none.
    Unit {
        /// The metric.
        metric: String,
        /// Its type.
        kind: crate::Kind,
    },
    /// The board has a metric of that name and of another type.
    Clash {
        /// The metric.
        metric: String,
        /// The type on the board.
        on_board: crate::Kind,
        /// The type asked for.
        wanted: crate::Kind,
    },
    /// The board could not take it; it counts how often that happened.
    Refused {
        /// The metric.
        metric: String,
        /// Why.
        reason: RefusedReason,
    },
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyName => write!(f, "a metric needs a name"),
            Self::LabelName { metric, label } => write!(
                f,
                "{metric}: {label:?} cannot name a label: use a name that is not empty and does not begin with `__`"
            ),
            Self::ReservedLabel { metric, label } => write!(
                f,
                "{metric}: the label {label:?} is made by this type of metric itself: choose another name"
            ),
            Self::DuplicateLabel { metric, label } => {
                write!(
                    f,
                    "{metric}: the label {label:?} is given twice: give it once"
                )
            }
            Self::LabelCount {
                metric,
                names,
                values,
            } => write!(
                f,
                "{metric}: {names} labels are declared and {values} values given: give one value for each"
            ),
            Self::Bounds { metric, at } => write!(
                f,
                "{metric}: bucket bounds must be numbers that ascend; number {at} (from 0) is not above the one before"
            ),
            Self::Native { metric, why } => write!(f, "{metric}: {why}"),
            Self::States { metric } => write!(
                f,
                "{metric}: a state set needs states: give one at least, each once, and none that is empty"
            ),
            Self::Unit { metric, kind } => write!(
                f,
                "{metric}: Prometheus knows no unit of type {kind}: leave the unit out"
            ),
            Self::Clash {
                metric,
                on_board,
                wanted,
            } => write!(
                f,
                "{metric} is a {on_board} on this board and cannot be a {wanted} as well: rename one of them"
            ),
            Self::Refused { metric, reason } => write!(f, "{metric}: {}", reason.advice()),
        }
    }
}

impl std::error::Error for RegisterError {}

/// Why a board refused a registration. Each has a sticky counter on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusedReason {
    /// Every slot is in use.
    BoardFull,
    /// Every process row belongs to a living process.
    ProcessTableFull,
    /// Name, help or label values do not fit the longest chain of slots.
    TooLong,
    /// The bytes on the way to the series make no sense.
    Damaged,
    /// A list changed under the walk more often than the bound allows.
    Overrun,
    /// The process's life could not be locked: the board's file is gone or not accessible.
    Unlockable,
    /// 2^39 registrations have been made.
    SerialsExhausted,
    /// The board was attached for reading.
    ReadOnly,
    /// The family has as many series as it may have; only gauges, infos and state sets are
    /// refused for that, other types go on in one series whose label values are all `overflow`.
    FamilyFull,
    /// The labels of an exemplar were too long, or named wrongly. What it came with is counted.
    BadExemplar,
    /// The board was given up, and there is none yet that has its place.
    Retired,
}

impl RefusedReason {
    /// All reasons, in the order of their counters on the board.
    pub const ALL: [RefusedReason; crate::layout::REFUSED_REASONS] = [
        Self::BoardFull,
        Self::ProcessTableFull,
        Self::TooLong,
        Self::Damaged,
        Self::Overrun,
        Self::Unlockable,
        Self::SerialsExhausted,
        Self::ReadOnly,
        Self::FamilyFull,
        Self::BadExemplar,
        Self::Retired,
    ];

    /// What is wrong and what to do about it, in one line.
    pub fn advice(self) -> &'static str {
        match self {
            Self::BoardFull => {
                "the board is full: make one with more slots (`tallyboard create --slots N`), or use fewer label values"
            }
            Self::ProcessTableFull => {
                "the board's process table is full: make a board with more rows (`tallyboard create --processes N`)"
            }
            Self::TooLong => {
                "the text, bounds and cells are too long for one record: at most 15,816 bytes and 192 cells"
            }
            Self::Damaged => "the board is damaged: run `tallyboard check`, then `tallyboard rm`",
            Self::Overrun => "too many changes at the same place: try again",
            Self::Unlockable => {
                "the board's file may not be opened for writing (any more): open the board again"
            }
            Self::SerialsExhausted => {
                "the board has used up its serial numbers: remove it with `tallyboard rm`"
            }
            Self::ReadOnly => "the board was attached for reading: open it for writing to register",
            Self::FamilyFull => {
                "the metric has as many series as it may have: use fewer label values, or declare it with a higher cap"
            }
            Self::BadExemplar => {
                "an exemplar's labels are too long or named wrongly: give names that are not empty, differ and do not begin with `__`, and 128 characters together at most"
            }
            Self::Retired => {
                "the board was removed, and none has its place yet: open the board again, which makes one"
            }
        }
    }
}

/// The reason as a label value: `board_full`, `process_table_full`, …
impl fmt::Display for RefusedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BoardFull => "board_full",
            Self::ProcessTableFull => "process_table_full",
            Self::TooLong => "too_long",
            Self::Damaged => "damaged",
            Self::Overrun => "overrun",
            Self::Unlockable => "unlockable",
            Self::SerialsExhausted => "serials_exhausted",
            Self::ReadOnly => "read_only",
            Self::FamilyFull => "family_full",
            Self::BadExemplar => "bad_exemplar",
            Self::Retired => "retired",
        })
    }
}
