//! Boards: opened, created.

mod options;

pub use options::BoardOptions;

use crate::attached::Hold;
use crate::builder::Builder;
use crate::check::{self, Fault};
use crate::counter::Counter;
use crate::error::OpenError;
use crate::file;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use crate::info::Info;
use crate::location::Location;
use crate::process_view::{self, ProcessIdentity, ProcessView};
use crate::removal;
use crate::segment::Segment;
use crate::state_set::StateSet;
use crate::stats::Stats;
use crate::summary::Summary;
use core::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Boards that a process is followed to: a program of one that is removed more often has left
/// rows on boards that are gone.
const MAX_MOVES: usize = 100;

/// A board that this process has open. Cheap to clone. Once something is registered on it,
/// its mapping stays until the process ends.
#[derive(Clone)]
pub struct Board {
    attached: Option<Hold>,
    location: Location,
}

/// Where updates by this process go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpdatePath {
    /// Restartable sequences on this CPU's plane: about a nanosecond.
    Rseq,
    /// A 16-byte compare-and-swap on the shared plane: about an atomic add.
    Shared,
}

/// `rseq` or `shared`.
impl fmt::Display for UpdatePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UpdatePath::Rseq => "rseq",
            UpdatePath::Shared => "shared",
        })
    }
}

impl Board {
    /// Opens the board that `$TALLYBOARD` names, or the one named `default`; makes it if it
    /// is not there. Some syscalls, and at creation the reservation of about 6 MB.
    ///
    /// # Examples
    /// ```
    /// # let board = tallyboard::Board::open(&tallyboard::Location::Private)?;
    /// # /*
    /// let board = tallyboard::Board::open_default()?;
    /// # */
    /// let served = board.counter("http_requests_total", "Requests served.").label("method", "GET").register()?;
    /// served.inc();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Says what is wrong with the board, its directory or its filesystem, and what to do.
    pub fn open_default() -> Result<Board, OpenError> {
        Board::open(&Location::from_env()?)
    }

    /// Opens the board at `at`; makes it if it is not there.
    ///
    /// # Errors
    /// As [`open_default`](Self::open_default).
    pub fn open(at: &Location) -> Result<Board, OpenError> {
        BoardOptions::new().open(at)
    }

    /// How a board is to be made or opened, where the defaults do not fit.
    pub fn options() -> BoardOptions {
        BoardOptions::new()
    }

    /// A counter: only goes up. Nothing is registered yet.
    pub fn counter(&self, name: &str, help: &str) -> Builder<Counter> {
        Builder::new(self, name, help)
    }

    /// A gauge: goes up and down. Nothing is registered yet.
    pub fn gauge(&self, name: &str, help: &str) -> Builder<Gauge> {
        Builder::new(self, name, help)
    }

    /// A histogram: with classic buckets, or with native ones by
    /// [`Builder::native`]. Nothing is registered yet.
    pub fn histogram(&self, name: &str, help: &str) -> Builder<Histogram> {
        Builder::new(self, name, help)
    }

    /// A summary: count and sum. Nothing is registered yet.
    pub fn summary(&self, name: &str, help: &str) -> Builder<Summary> {
        Builder::new(self, name, help)
    }

    /// An info: pairs of names and values that describe something, such as a version. Shown as
    /// `NAME_info`; `NAME` may end in that already. Nothing is registered yet.
    pub fn info(&self, name: &str, help: &str) -> Builder<Info> {
        Builder::new(self, name, help)
    }

    /// A state set: which of `states` holds, at first the first. Nothing is registered yet.
    pub fn state_set(&self, name: &str, help: &str, states: &[&str]) -> Builder<StateSet> {
        Builder::new(self, name, help).states(states)
    }

    /// Where this board was opened.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The board's file; `None` for `off` and `private`.
    pub fn path(&self) -> Option<PathBuf> {
        Some(self.attached.as_ref()?.path()?.to_owned())
    }

    /// What tells this board from another that had the same path; `None` when off.
    pub fn uuid(&self) -> Option<[u8; 16]> {
        let [high, low] = self.attached.as_ref()?.uuid;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high.to_le_bytes());
        bytes[8..].copy_from_slice(&low.to_le_bytes());
        Some(bytes)
    }

    /// Nanoseconds since 1970 when the board was made; 0 when off.
    pub fn created_unix_nanos(&self) -> u64 {
        self.attached.as_ref().map_or(0, |a| a.created_unix_nanos)
    }

    /// Whether every update goes nowhere, because the location is `off`.
    pub fn is_off(&self) -> bool {
        self.attached.is_none()
    }

    /// Whether the board was given up by [`remove`](crate::remove) or [`retire`](Self::retire): open it anew.
    /// Handles move by themselves.
    pub fn is_retired(&self) -> bool {
        let attached = self.attached.as_ref();
        attached.is_some_and(|attached| attached.segment.is_retired())
    }

    /// Whether the board's path still names this very board. True where there is no path, and
    /// where the system does not say: only a name that is gone or another's is a no. One
    /// syscall.
    pub fn is_linked(&self) -> bool {
        let Some(attached) = &self.attached else {
            return true;
        };
        let gone = |path| file::is_at(path, attached.facts.id) == Ok(false);
        !attached.path().is_some_and(gone)
    }

    /// Gives the board up without a look at its name: marks it retired and ends all its
    /// series, so that their handles move at their next update to the board that has the path
    /// by then. For a board that was unlinked or replaced by someone who did not do so
    /// ([`is_linked`](Self::is_linked)); [`remove`](crate::remove) does it first. A board that is
    /// linked all the same loses its name to whoever opens it next. One pass over the state
    /// words; can be done twice. Does nothing on a board that was attached for reading, and
    /// on `private`, which has no path that another could have.
    pub fn retire(&self) {
        if let Some(attached) = &self.attached
            && attached.segment.region.is_writable()
            && attached.path().is_some()
        {
            removal::retire(&attached.segment);
        }
    }

    /// Whether the board has lost its memory, as by a truncation, so that all that was read
    /// from it is worthless: drop it, with its [`Reader`](crate::Reader)s. To be asked after
    /// reading. Never true in a process that has not called
    /// [`guard_readers`](crate::guard_readers), which such a loss ends by SIGBUS.
    pub fn is_broken(&self) -> bool {
        let attached = self.attached.as_ref();
        attached.is_some_and(|attached| attached.segment.region.is_broken())
    }

    /// Whether the whole of another board was copied over this one, into the same file. What a
    /// [`Reader`](crate::Reader) has kept is then of a board that is gone: open it anew. Two
    /// loads as long as it is not so.
    pub fn is_overwritten(&self) -> bool {
        let attached = self.attached.as_ref();
        attached.is_some_and(|attached| attached.is_overwritten())
    }

    /// Where updates by this process go.
    pub fn update_path(&self) -> UpdatePath {
        match &self.attached {
            Some(attached) if attached.segment.planes.is_rseq() => UpdatePath::Rseq,
            _ => UpdatePath::Shared,
        }
    }

    /// How full the board is and what it refused. One pass over the state words.
    pub fn stats(&self) -> Stats {
        match &self.attached {
            Some(attached) => Stats::of(&attached.segment),
            None => Stats::default(),
        }
    }

    /// Reads every record and says what no rule allows. What looks wrong is a fault when it was
    /// seen at each of five looks in 30 ms, so that work in progress is not taken for one; where
    /// nothing does, there is one look.
    pub fn check(&self) -> Vec<Fault> {
        let faults = match &self.attached {
            Some(attached) => check::check(&attached.segment),
            None => Vec::new(),
        };
        if self.is_broken() {
            return vec![Fault::new(
                "board".to_owned(),
                "lost its memory while it was read: it was truncated, or its filesystem \
                       is full"
                    .to_owned(),
            )];
        }
        faults
    }

    /// Does what processes that have died cannot do any more: completes or gives back series that
    /// were being built, frees removed ones, settles their gauges, gives their rows back; and
    /// reclaims definitions that are out of use, and exemplars and what infos said that were
    /// replaced. An exporter does it all the time, processes do it
    /// when they register and find no room. A few passes over the state words and one syscall
    /// for each process row in use; never waits. Does nothing on a board that was attached for
    /// reading.
    pub fn reap(&self) {
        if let Some(attached) = &self.attached
            && attached.segment.region.is_writable()
        {
            // What stops it is a damaged board, which `check` tells.
            let _ = attached.segment.reap_dead();
        }
    }

    /// Ends the series whose value has not changed for `ttl`, in whole seconds; says how many. 0
    /// means: since the last look. That includes a gauge that is set once for ever, and one that
    /// counts work in progress while nothing begins or ends: choose a `ttl` beyond that. An info
    /// never goes.
    ///
    /// What was never looked at by this is looked at from now on: call it again and again, from
    /// any process, at least four times in each `ttl`. A handle to an expired series registers
    /// it again with its next update, from zero. One pass over all cells; never waits. Does
    /// nothing on a board that was attached for reading.
    pub fn expire(&self, ttl: Duration) -> u64 {
        match &self.attached {
            Some(attached) if attached.segment.region.is_writable() => {
                // Rounded up: a fraction of a second is not to mean none.
                let seconds = ttl
                    .as_secs()
                    .saturating_add(u64::from(ttl.subsec_nanos() > 0));
                attached.segment.expire(seconds).unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// Enters this process into the list of processes now, and not with its first
    /// registration: for a child that was forked from a process that counts. Some syscalls if
    /// it is not there yet. What stands in the way is met again when the row is needed. Where
    /// the handles of this process have moved to another board, that is the one.
    pub fn enlist(&self) {
        if let Some(segment) = self.counted_on().last()
            && !segment.is_retired()
        {
            let _ = segment.own();
        }
    }

    /// Takes this process off the list of processes and settles its gauges, as would be done
    /// after its death: for a process that is about to end. Nothing is lost without it. No other
    /// thread may register or change a gauge meanwhile. What is registered afterwards enters the
    /// process again. Where the handles of this process have moved to another board, it leaves
    /// that one, too.
    pub fn leave(&self) {
        for segment in self.counted_on() {
            // What stops it is a damaged board, which `check` tells.
            let _ = segment.leave();
        }
    }

    /// This board, where it may be changed, and those that handles moved to since.
    fn counted_on(&self) -> impl Iterator<Item = &Segment> {
        let first = self.attached.as_deref();
        core::iter::successors(first, |attached| attached.successor.get())
            .take(MAX_MOVES)
            .map(|attached| &attached.segment)
            .filter(|segment| segment.region.is_writable())
    }

    /// The processes that are on the board, by row. One syscall for each.
    pub fn processes(&self) -> Vec<ProcessView> {
        let attached = self.attached.as_ref();
        attached.map_or(Vec::new(), |attached| process_view::list(&attached.segment))
    }

    /// Who has a row on the board, by row: the dead too, until they are reaped. Some loads for
    /// each row, no syscall; to be asked often, where [`processes`](Self::processes) is too dear.
    pub fn process_identities(&self) -> Vec<ProcessIdentity> {
        let attached = self.attached.as_ref();
        attached.map_or(Vec::new(), |attached| {
            process_view::identities(&attached.segment)
        })
    }

    pub(crate) fn attached(&self) -> Option<&Hold> {
        self.attached.as_ref()
    }

    fn off() -> Board {
        Board {
            attached: None,
            location: Location::Off,
        }
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board")
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}
