//! The boards that this process has mapped: each once, so that it has one row on it.
//!
//! Boards that a program opens are counted and unmapped with the last `Board`; those that
//! something was registered on, and those that an update moved to, are kept. The first are in
//! a list under a lock, the kept ones in a list without, which a signal handler may read.

use crate::binding::FamilyBinding;
use crate::environment;
use crate::error::OpenError;
use crate::file::{self, BoardFile, Facts, Plan};
use crate::header;
use crate::kept::{self, Kept, List, Place};
use crate::layout::Header;
use crate::liveness::Reopen;
use crate::lock;
use crate::planes::Planes;
use crate::process::Process;
use crate::recent::Recent;
use crate::region::Region;
use crate::rseq;
use crate::segment::Segment;
use crate::sync::Ordering;
use crate::sync::plain::AtomicU64;
use crate::trouble::Trouble;
use core::mem::offset_of;
use core::ops::Deref;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, Weak};

/// One mapping of one board.
pub(crate) struct Attached {
    pub(crate) segment: Segment,
    pub(crate) recent: Recent,
    /// What this process has registered on it.
    pub(crate) families: List<FamilyBinding>,
    pub(crate) facts: Facts,
    pub(crate) uuid: [u64; 2],
    pub(crate) created_unix_nanos: u64,
    pub(crate) origin: Origin,
    /// The board that has this one's path now, once that was asked for and found.
    pub(crate) successor: Place<Attached>,
    /// How often it was asked for since the first time that it was not found. Relaxed: it
    /// only says when to look again.
    pub(crate) tries: AtomicU64,
}

/// How a board was come by, as far as it matters for the next one.
pub(crate) struct Origin {
    /// Absolute, if it has one.
    pub(crate) path: Option<Cow<'static, Path>>,
    pub(crate) any_filesystem: bool,
    /// The threads' rseq area, if it is there and wanted: finding it takes a lock.
    pub(crate) area: Option<isize>,
}

impl Origin {
    pub(crate) fn new(path: Option<PathBuf>, writable: bool, any_filesystem: bool) -> Origin {
        let is_wanted = || environment::variable("TALLYBOARD_RSEQ").is_none_or(|it| it != "off");
        Origin {
            path: path.map(Cow::Owned),
            any_filesystem,
            area: if writable && is_wanted() {
                rseq::discover()
            } else {
                None
            },
        }
    }
}

impl Attached {
    /// What `region`, a mapping of `opened`, is to this process. No allocation; some syscalls.
    pub(crate) fn new(
        region: Region,
        opened: BoardFile,
        reopen: Reopen,
        origin: Origin,
    ) -> Result<Attached, Trouble> {
        let BoardFile {
            file: _,
            geometry,
            identity,
            facts,
        } = opened;
        // The name may lead to another object than the one that was checked.
        let uuid = [0, 8].map(|at| {
            let word = region.word(offset_of!(Header, uuid) as u64 + at);
            // Relaxed: never changes after creation.
            word.load(Ordering::Relaxed)
        });
        if uuid != identity.uuid {
            return Err(Trouble::Replaced);
        }
        let same_boot = environment::boot_id().is_some_and(|ours| ours == identity.boot_id);
        let area = origin.area.filter(|_| same_boot && region.is_writable());
        let mapping = Trouble::with("mapping");
        Ok(Attached {
            segment: Segment {
                planes: Planes::new(area, &geometry, &region).map_err(&mapping)?,
                process: Process::new(reopen).map_err(&mapping)?,
                geometry,
                hash_key: (identity.hash_key[0], identity.hash_key[1]),
                series_cap: identity.series_cap,
                keep_dead_seconds: identity.keep_dead_seconds,
                region,
            },
            recent: Recent::new().map_err(&mapping)?,
            families: List::new(),
            facts,
            uuid,
            created_unix_nanos: identity.created_unix_nanos,
            origin,
            successor: Place::new(),
            tries: AtomicU64::new(0),
        })
    }

    /// Keeps the mapping until the process ends. No `malloc`, no lock that is waited for.
    pub(crate) fn keep(hold: &Hold) -> &'static Attached {
        match hold {
            Hold::Kept(kept) => kept,
            Hold::Counted(counted) => Self::keep_counted(counted.clone()),
        }
    }

    fn keep_counted(counted: Arc<Attached>) -> &'static Attached {
        let which = counted.which();
        if let Some(known) = KEPT.iter().find(|known| std::ptr::eq(*known, &*counted)) {
            return known;
        }
        let kept = kept::keep_shared(counted);
        // Without a place in the list, it still is in the other one.
        let _ = KEPT.add(kept, |other| other.is(which));
        kept
    }

    /// What this process has registered on the board and `is_wanted`.
    pub(crate) fn known(
        &self,
        is_wanted: impl Fn(&FamilyBinding) -> bool,
    ) -> Option<&'static FamilyBinding> {
        self.families.iter().find(|known| is_wanted(known))
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.origin.path.as_deref()
    }

    /// Whether this is the mapping of that board. One that has lost its memory, or was copied
    /// over, is nobody's any more.
    fn is(&self, which: Which) -> bool {
        self.which() == which && !self.segment.region.is_broken()
    }

    fn which(&self) -> Which {
        Which {
            file: self.facts.id,
            uuid: self.uuid,
            writable: self.segment.region.is_writable(),
        }
    }

    /// Whether the mapping has a sound header, and that of another board. Noise in the header
    /// is no reason to give up what lies behind it.
    pub(crate) fn is_overwritten(&self) -> bool {
        let region = &self.segment.region;
        // Relaxed: nothing is decided by it but to look again, from the file.
        let word = |at: usize| region.word(at as u64).load(Ordering::Relaxed);
        let uuid = offset_of!(Header, uuid);
        if [word(uuid), word(uuid + 8)] == self.uuid {
            return false;
        }
        let words = core::array::from_fn(|at| word(8 * at));
        header::decode(&words, self.segment.geometry.total_len).is_ok()
    }
}

/// Which mapping of which board.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Which {
    /// Device and inode.
    file: (u64, u64),
    uuid: [u64; 2],
    writable: bool,
}

impl Which {
    fn of(opened: &BoardFile, writable: bool) -> Which {
        Which {
            file: opened.facts.id,
            uuid: opened.identity.uuid,
            writable,
        }
    }
}

/// What keeps a mapping.
#[derive(Clone)]
pub(crate) enum Hold {
    /// Unmapped with the last of them.
    Counted(Arc<Attached>),
    /// Never unmapped.
    Kept(&'static Attached),
}

impl Deref for Hold {
    type Target = Attached;

    fn deref(&self) -> &Attached {
        match self {
            Hold::Counted(counted) => counted,
            Hold::Kept(kept) => kept,
        }
    }
}

/// The boards that are never unmapped: also where a leak detector finds them.
static KEPT: List<Attached> = List::new();

/// The boards that are counted. A child that finds the lock orphaned maps its boards without
/// the list, which costs it a second row at most.
static COUNTED: Mutex<Counted> = Mutex::new(Counted(Vec::new()));

struct Counted(Vec<Entry>);

/// What is asked stands beside the pointer: to upgrade one that is not meant could make us
/// the last to drop it.
struct Entry {
    which: Which,
    attached: Weak<Attached>,
}

impl Counted {
    fn find(&self, which: Which) -> Option<Arc<Attached>> {
        let mut found = self.0.iter().filter(|entry| entry.which == which);
        let sound = |attached: &Arc<Attached>| attached.is(which);
        found.find_map(|entry| entry.attached.upgrade().filter(sound))
    }

    fn add(&mut self, attached: &Arc<Attached>) {
        self.0.retain(|entry| entry.attached.strong_count() > 0);
        self.0.push(Entry {
            which: attached.which(),
            attached: Arc::downgrade(attached),
        });
    }
}

/// The mapping of this file that the process has.
fn known(which: Which, counted: Option<&Counted>) -> Option<Hold> {
    let kept = KEPT.iter().find(|kept| kept.is(which));
    kept.map(Hold::Kept)
        .or_else(|| counted?.find(which).map(Hold::Counted))
}

/// This process's private board: one, so that every `open_default` means the same. All that
/// takes time is done before the cell is touched.
pub(crate) fn private(plan: impl FnOnce() -> Result<Plan, OpenError>) -> Result<Hold, OpenError> {
    static PRIVATE: OnceLock<Arc<Attached>> = OnceLock::new();
    if let Some(board) = PRIVATE.get() {
        return Ok(Hold::Counted(board.clone()));
    }
    let plan = plan()?;
    let map = || {
        let opened = file::create_private(&plan)?;
        let file = opened.file.try_clone().map_err(Trouble::with("mapping"))?;
        let reopen = Reopen::nameless(file, opened.facts.id);
        let region = Region::map(&opened.file, opened.geometry.total_len, true)
            .map_err(Trouble::with("mapping"))?;
        Attached::new(region, opened, reopen, Origin::new(None, true, true))
    };
    let attached = map().map_err(|trouble| trouble.at(Path::new("private board")))?;
    // Of two threads that come here at once, one has made its board in vain.
    let attached = PRIVATE.get_or_init(|| Arc::new(attached));
    Ok(Hold::Counted(attached.clone()))
}

/// The mapping of this file that the process has, or a new one; through `shared_memory` if it
/// has an OS name to be taken by.
pub(crate) fn attach_once(
    path: &Path,
    opened: BoardFile,
    writable: bool,
    any_filesystem: bool,
    as_shm: bool,
) -> Result<Hold, OpenError> {
    let which = Which::of(&opened, writable);
    let counted = lock::unless_orphaned(&COUNTED);
    if let Some(hold) = known(which, counted.as_deref()) {
        return Ok(hold);
    }
    drop(counted);
    let map = || {
        let mapping = Trouble::with("mapping");
        let absolute = std::path::absolute(path).map_err(&mapping)?;
        let reopen = Reopen::by_path(Cow::Owned(absolute.clone()), which.file);
        let len = opened.geometry.total_len;
        let region = match file::shm_name(path).filter(|_| as_shm) {
            Some(name) => shared_memory::ShmemConf::new()
                .os_id(name)
                .open()
                .map_err(std::io::Error::other)
                .and_then(|shm| Region::from_shm(shm, len)),
            None => Region::map(&opened.file, len, writable),
        };
        let origin = Origin::new(Some(absolute), writable, any_filesystem);
        Attached::new(region.map_err(&mapping)?, opened, reopen, origin)
    };
    let attached = Arc::new(map().map_err(|trouble| trouble.at(path))?);
    // Another thread, or an update, may have mapped it meanwhile: one of the two mappings is
    // enough.
    let mut counted = lock::unless_orphaned(&COUNTED);
    if let Some(hold) = known(which, counted.as_deref()) {
        return Ok(hold);
    }
    if let Some(counted) = &mut counted {
        counted.add(&attached);
    }
    Ok(Hold::Counted(attached))
}

/// As [`attach_once`], writable, for good, and where nothing may be allocated or waited for.
/// `None` where the kernel refuses a mapping.
pub(crate) fn attach_kept(opened: BoardFile, origin: Origin) -> Option<&'static Attached> {
    let which = Which::of(&opened, true);
    let hold = known(which, lock::unless_orphaned(&COUNTED).as_deref());
    if let Some(hold) = hold {
        return Some(keep_found(hold));
    }
    let region = Region::map(&opened.file, opened.geometry.total_len, true).ok()?;
    let reopen = Reopen::by_path(origin.path.clone()?, which.file);
    let attached = Kept::new(Attached::new(region, opened, reopen, origin).ok()?)?;
    // Held until this one is in the other list, so that `attach_once` meets one of the two.
    let counted = lock::unless_orphaned(&COUNTED);
    if let Some(hold) = known(which, counted.as_deref()) {
        return Some(keep_found(hold));
    }
    KEPT.add_owned(attached, |other| other.is(which))
}

/// Keeps a mapping without ever dropping a count of it, which might be the last.
fn keep_found(hold: Hold) -> &'static Attached {
    match hold {
        Hold::Counted(counted) => Attached::keep_counted(counted),
        Hold::Kept(kept) => kept,
    }
}
