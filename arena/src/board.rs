//! Boards: opened, created, removed.

use crate::builder::Builder;
use crate::check::{self, Fault};
use crate::counter::Counter;
use crate::environment;
use crate::error::OpenError;
use crate::file::{self, BoardFile, Plan};
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use crate::layout::{
    DEFAULT_PROCESSES, DEFAULT_SLOTS, Geometry, HeadRecord, Header, PROCESSES, SLOTS,
};
use crate::liveness::Reopen;
use crate::location::Location;
use crate::lock;
use crate::planes::Planes;
use crate::process::Process;
use crate::recent::Recent;
use crate::record::{SERIES, Shape};
use crate::region::Region;
use crate::register::Bound;
use crate::rseq;
use crate::segment::Segment;
use crate::series::FamilyBinding;
use crate::slot::State;
use crate::stats::Stats;
use crate::step::{self, Step};
use crate::summary::Summary;
use crate::sync::Ordering;
use core::fmt;
use core::mem::offset_of;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, Weak};

/// A board that this process has open. Cheap to clone. Once something is registered on it,
/// its mapping stays until the process ends.
#[derive(Clone)]
pub struct Board {
    attached: Option<Arc<Attached>>,
    location: Location,
}

/// One mapping of one board; all `Board`s of a process that mean the same file share it,
/// so that a process has one row on a board.
pub(crate) struct Attached {
    pub(crate) segment: Segment,
    pub(crate) recent: Recent,
    /// What this process has registered on it: the first of a list.
    pub(crate) families: OnceLock<&'static FamilyBinding>,
    path: Option<PathBuf>,
    file: (u64, u64),
    uuid: [u64; 2],
    created_unix_nanos: u64,
}

impl Attached {
    /// Keeps the mapping until the process ends.
    pub(crate) fn keep(attached: &Arc<Attached>) -> &'static Attached {
        /// Where a leak detector, and whoever asks again, finds them.
        static KEPT: Mutex<Vec<&'static Arc<Attached>>> = Mutex::new(Vec::new());
        let mut kept = lock::unless_orphaned(&KEPT);
        let same = |kept: &&&Arc<Attached>| Arc::ptr_eq(kept, attached);
        if let Some(known) = kept
            .as_ref()
            .and_then(|kept| kept.iter().find(same).copied())
        {
            return known;
        }
        let leaked: &'static Arc<Attached> = Box::leak(Box::new(attached.clone()));
        if let Some(kept) = &mut kept {
            kept.push(leaked);
        }
        leaked
    }
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

    /// A histogram with classic buckets. Nothing is registered yet.
    pub fn histogram(&self, name: &str, help: &str) -> Builder<Histogram> {
        Builder::new(self, name, help)
    }

    /// A summary: count and sum. Nothing is registered yet.
    pub fn summary(&self, name: &str, help: &str) -> Builder<Summary> {
        Builder::new(self, name, help)
    }

    /// Where this board was opened.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The board's file; `None` for `off` and `private`.
    pub fn path(&self) -> Option<PathBuf> {
        self.attached.as_ref()?.path.clone()
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

    /// Whether the board was removed by [`remove`]: open it anew.
    pub fn is_retired(&self) -> bool {
        let attached = self.attached.as_ref();
        attached.is_some_and(|attached| attached.segment.is_retired())
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

    /// Reads every record and says what no rule allows. On a live board a fault must be
    /// seen at each of four looks, 2 ms apart, so that work in progress is not taken for one.
    /// Each look reads every record once.
    pub fn check(&self) -> Vec<Fault> {
        match &self.attached {
            Some(attached) => check::check(&attached.segment),
            None => Vec::new(),
        }
    }

    /// Finishes what processes that have died left half done: series that were being built are
    /// completed or given back, removed ones freed. Registrations do the same when they find no
    /// room, so this is for tests and for who wants a clean [`check`](Self::check). One pass over
    /// the state words, and a few syscalls for each slot that is being built; never waits. Does
    /// nothing on a board that was attached for reading.
    pub fn reap(&self) {
        if let Some(attached) = &self.attached
            && attached.segment.region.is_writable()
        {
            // What stops it is a damaged board, which `check` tells.
            let _ = attached.segment.reap_dead();
        }
    }

    pub(crate) fn attached(&self) -> Option<&Arc<Attached>> {
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

/// How a board is made or opened.
#[derive(Clone, Debug)]
pub struct BoardOptions {
    slots: u32,
    processes: u32,
    mode: u32,
    group: Option<u32>,
    any_filesystem: bool,
}

/// Each turn loses a race against another process that made or removed the board.
const RETRIES: u32 = 100;

impl Default for BoardOptions {
    fn default() -> Self {
        BoardOptions::new()
    }
}

impl BoardOptions {
    /// 16,384 slots, 1,024 processes, mode 0600, on a memory filesystem.
    pub fn new() -> BoardOptions {
        BoardOptions {
            slots: DEFAULT_SLOTS,
            processes: DEFAULT_PROCESSES,
            mode: 0o600,
            group: None,
            any_filesystem: false,
        }
    }

    /// How many slots a new board has: 64 to 4,194,304, else [`OpenError::Capacity`] when it is
    /// made. A counter or gauge takes one, a
    /// histogram one for three buckets, a family one; long texts take more.
    pub fn slots(mut self, slots: u32) -> Self {
        self.slots = slots;
        self
    }

    /// How many processes may be registering at once on a new board: 1 to 65,535, else
    /// [`OpenError::Capacity`] when it is made.
    pub fn processes(mut self, processes: u32) -> Self {
        self.processes = processes;
        self
    }

    /// The permission bits of a new board: 0600 and what is added for others, else
    /// [`OpenError::Capacity`] when it is made.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// The group (gid) of a new board.
    pub fn group(mut self, gid: u32) -> Self {
        self.group = Some(gid);
        self
    }

    /// Allows a board on any filesystem: on a disk updates may block for writeback, and on
    /// overlayfs a dead process may look alive for longer.
    pub fn allow_any_filesystem(mut self, yes: bool) -> Self {
        self.any_filesystem = yes;
        self
    }

    /// Opens the board at `at`; makes it with these options if it is not there.
    ///
    /// # Errors
    /// As [`Board::open_default`].
    pub fn open(&self, at: &Location) -> Result<Board, OpenError> {
        for _ in 0..RETRIES {
            match self.attach(at) {
                Err(OpenError::NotFound { .. }) => {}
                Err(OpenError::Replaced { .. }) => continue,
                outcome => return outcome,
            }
            match self.create(at) {
                Err(OpenError::Exists { .. }) => {}
                // Made here, and removed or replaced before it could be attached to.
                Err(OpenError::NotFound { .. } | OpenError::Replaced { .. }) => {}
                outcome => return outcome,
            }
        }
        self.attach(at)
    }

    /// Makes a board at `at` and opens it.
    ///
    /// # Errors
    /// [`OpenError::Exists`] if there is one, else as [`Board::open_default`].
    pub fn create(&self, at: &Location) -> Result<Board, OpenError> {
        match at {
            Location::Off | Location::Private => self.attach(at),
            Location::Path(_) | Location::Shm(_) => {
                let path = at.checked_path()?;
                file::create(&path, &self.plan()?)?;
                self.attach(at)
            }
        }
    }

    /// Opens the board at `at`, which must be there.
    ///
    /// # Errors
    /// [`OpenError::NotFound`] if it is not, else as [`Board::open_default`].
    pub fn attach(&self, at: &Location) -> Result<Board, OpenError> {
        self.attach_as(at, true)
    }

    /// Opens the board at `at` for a reader: nothing of it will be changed.
    ///
    /// # Errors
    /// As [`attach`](Self::attach).
    pub fn attach_read_only(&self, at: &Location) -> Result<Board, OpenError> {
        self.attach_as(at, false)
    }

    fn plan(&self) -> Result<Plan, OpenError> {
        let out_of_range = |what| Err(OpenError::Capacity { what });
        if !SLOTS.contains(&self.slots) {
            return out_of_range("slots must be 64 to 4,194,304");
        }
        if !PROCESSES.contains(&self.processes) {
            return out_of_range("processes must be 1 to 65,535");
        }
        if self.mode & !0o777 != 0 || self.mode & 0o600 != 0o600 {
            return out_of_range("the mode must be 0600 with further permission bits at most");
        }
        let planes = environment::possible_cpus();
        let Some(geometry) = Geometry::new(self.slots, self.processes, planes) else {
            return out_of_range("slots, processes or CPUs");
        };
        Ok(Plan {
            geometry,
            mode: self.mode,
            group: self.group,
            any_filesystem: self.any_filesystem,
        })
    }

    fn attach_as(&self, at: &Location, writable: bool) -> Result<Board, OpenError> {
        let attached = match at {
            Location::Off => return Ok(Board::off()),
            Location::Private => private_board(|| self.plan())?,
            Location::Path(path) => {
                let opened = file::open(path, writable, self.any_filesystem)?;
                attach_once(path, opened, writable, false)?
            }
            Location::Shm(_) => {
                let path = at.checked_path()?;
                let opened = file::open(&path, writable, self.any_filesystem)?;
                attach_once(&path, opened, writable, writable)?
            }
        };
        Ok(Board {
            attached: Some(attached),
            location: at.clone(),
        })
    }
}

/// The boards that this process has mapped. A child that finds the lock orphaned maps its
/// boards without the list, which costs it a second row at most.
static ATTACHED: Mutex<Vec<Weak<Attached>>> = Mutex::new(Vec::new());

/// This process's private board: one, so that every `open_default` means the same. All that
/// takes time is done before the cell is touched.
fn private_board(
    plan: impl FnOnce() -> Result<Plan, OpenError>,
) -> Result<Arc<Attached>, OpenError> {
    static PRIVATE: OnceLock<Arc<Attached>> = OnceLock::new();
    if let Some(board) = PRIVATE.get() {
        return Ok(board.clone());
    }
    let opened = file::create_private(&plan()?)?;
    let path = Path::new("private board");
    let nameless = opened.file.try_clone().and_then(Reopen::nameless);
    let reopen = nameless.map_err(|source| io_error(path, source))?;
    let how = How {
        path: None,
        shm_name: None,
        writable: true,
    };
    let attached = map(path, how, opened, reopen)?;
    // Of two threads that come here at once, one has made its board in vain.
    Ok(PRIVATE.get_or_init(|| attached).clone())
}

fn io_error(path: &Path, source: std::io::Error) -> OpenError {
    OpenError::Io {
        path: path.to_owned(),
        doing: "mapping",
        source,
    }
}

/// The mapping of this file that the process has, or a new one.
fn attach_once(
    path: &Path,
    opened: BoardFile,
    writable: bool,
    as_shm: bool,
) -> Result<Arc<Attached>, OpenError> {
    let meta = opened.file.metadata().map_err(|e| io_error(path, e))?;
    let file = (meta.dev(), meta.ino());
    let same = |attached: &Arc<Attached>| {
        attached.file == file && attached.segment.region.is_writable() == writable
    };
    let known = |boards: &[Weak<Attached>]| boards.iter().filter_map(Weak::upgrade).find(same);
    if let Some(attached) = lock::unless_orphaned(&ATTACHED).and_then(|boards| known(&boards)) {
        return Ok(attached);
    }
    let absolute = std::path::absolute(path).map_err(|e| io_error(path, e))?;
    let shm_name = if as_shm { file::shm_name(path) } else { None };
    let reopen = Reopen::by_path(absolute.clone(), &opened.file).map_err(|e| io_error(path, e))?;
    let how = How {
        path: Some(absolute),
        shm_name,
        writable,
    };
    let mut attached = map(path, how, opened, reopen)?;
    if let Some(mut boards) = lock::unless_orphaned(&ATTACHED) {
        // Another thread may have mapped it meanwhile: one of the two mappings is enough.
        match known(&boards) {
            Some(theirs) => attached = theirs,
            None => {
                boards.retain(|attached| attached.strong_count() > 0);
                boards.push(Arc::downgrade(&attached));
            }
        }
    }
    Ok(attached)
}

/// How a board is mapped.
struct How {
    /// Absolute, if it has one.
    path: Option<PathBuf>,
    /// Through `shared_memory`, under this OS name.
    shm_name: Option<String>,
    writable: bool,
}

fn map(
    path: &Path,
    how: How,
    opened: BoardFile,
    reopen: Reopen,
) -> Result<Arc<Attached>, OpenError> {
    let BoardFile {
        file,
        geometry,
        identity,
    } = opened;
    let meta = file.metadata().map_err(|e| io_error(path, e))?;
    let writable = how.writable;
    let region = match how.shm_name {
        Some(name) => shared_memory::ShmemConf::new()
            .os_id(name)
            .open()
            .map_err(std::io::Error::other)
            .and_then(|shm| Region::from_shm(shm, geometry.total_len)),
        None => Region::map(&file, geometry.total_len, writable),
    }
    .map_err(|e| io_error(path, e))?;
    // The name may lead to another object than the one that was checked.
    let uuid = [0, 8].map(|at| {
        let word = region.word(offset_of!(Header, uuid) as u64 + at);
        // Relaxed: never changes after creation.
        word.load(Ordering::Relaxed)
    });
    if uuid != identity.uuid {
        return Err(OpenError::Replaced {
            path: path.to_owned(),
        });
    }
    let is_wanted = environment::variable("TALLYBOARD_RSEQ").is_none_or(|word| word != "off");
    let same_boot = environment::boot_id().is_some_and(|ours| ours == identity.boot_id);
    let area = if is_wanted && same_boot && writable {
        rseq::discover()
    } else {
        None
    };
    let process = Process::new(reopen).map_err(|e| io_error(path, e))?;
    Ok(Arc::new(Attached {
        segment: Segment {
            planes: Planes::new(area, &geometry, &region),
            process,
            geometry,
            hash_key: (identity.hash_key[0], identity.hash_key[1]),
            region,
        },
        recent: Recent::new(),
        families: OnceLock::new(),
        path: how.path,
        file: (meta.dev(), meta.ino()),
        uuid: identity.uuid,
        created_unix_nanos: identity.created_unix_nanos,
    }))
}

/// Gives a board up: marks it retired, ends all its series, then takes its name away.
/// Whoever still has it open sees that at once ([`Board::is_retired`]); its updates go
/// nowhere. A damaged board, or one of another layout version, is just unlinked.
///
/// # Errors
/// [`OpenError::NotFound`] if there is none, [`OpenError::NotABoard`] for any other file,
/// and what opening and unlinking can say.
pub fn remove(at: &Location) -> Result<(), OpenError> {
    let Some(path) = at.path() else {
        let location = if *at == Location::Off {
            "off"
        } else {
            "private"
        };
        return Err(OpenError::Unsuitable { location });
    };
    for _ in 0..RETRIES {
        match BoardOptions::new().allow_any_filesystem(true).attach(at) {
            Ok(board) => {
                let Some(attached) = &board.attached else {
                    break;
                };
                retire(&attached.segment);
                // Another may have removed it too, and a new one have been made meanwhile:
                // that one is not to lose its name.
                if file::is_at(&path, attached.file) {
                    break;
                }
            }
            Err(OpenError::Replaced { .. }) => {}
            Err(
                OpenError::Version { .. } | OpenError::Features { .. } | OpenError::Damaged { .. },
            ) => break,
            Err(error) => return Err(error),
        }
    }
    file::unlink(&path)
}

fn retire(segment: &Segment) {
    // ORDERING: [X1] Release; pairs with the Acquire of `is_retired`.
    segment
        .region
        .word(offset_of!(Header, retired) as u64)
        .store(1, Ordering::Release);
    step::here(Step::Retired);
    // The families last: a series without its family is damage.
    for families_too in [false, true] {
        if families_too {
            step::here(Step::HalfEmptied);
        }
        for index in 0..segment.geometry.slots {
            let Some(slot) = segment.slot(index) else {
                break;
            };
            // ORDERING: [S1] Acquire: `remove` unlinks by the record behind the state.
            let state = State::of(segment.state(slot).load(Ordering::Acquire));
            let State::Ready { serial } = state else {
                continue;
            };
            // Relaxed: behind the state; a word of another life is of a slot that has ended.
            let shape = segment.record(slot, offset_of!(HeadRecord, shape));
            let is_series = Shape::of(shape.load(Ordering::Relaxed)).kind == SERIES;
            if is_series || families_too {
                // Died cannot happen here, and that it was not READY any more is as good.
                let _ = segment.remove(Bound { slot, serial });
            }
        }
    }
    step::here(Step::Emptied);
}
