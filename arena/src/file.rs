//! The file of a board: made whole before it has a name, trusted only after a look at its
//! owner, its mode and its directory.

use crate::c_path;
use crate::environment::{self, is_member};
use crate::header::{self, Flaw, HEADER_WORDS, Identity};
use crate::layout::Geometry;
use crate::location::{SHM_DIRECTORY, is_own_directory};
use crate::step::{self, Step};
use crate::trouble::{Place, Trouble, parent};
use core::fmt::Write;
use rustix::fs::{AtFlags, CWD, FallocateFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

/// What a new board is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub geometry: Geometry,
    pub mode: u32,
    pub group: Option<u32>,
    pub any_filesystem: bool,
    pub keep_dead_seconds: u64,
    pub series_cap: u64,
}

/// A board's file, opened and checked.
pub(crate) struct BoardFile {
    pub file: File,
    pub geometry: Geometry,
    pub identity: Identity,
    pub facts: Facts,
}

/// What the filesystem says about a board's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Device and inode: which file it is, as long as it is open or mapped.
    pub id: (u64, u64),
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
    pub len: u64,
}

impl Facts {
    fn of(stat: &Stat) -> Facts {
        Facts {
            id: (stat.st_dev, stat.st_ino),
            uid: stat.st_uid,
            gid: stat.st_gid,
            mode: stat.st_mode,
            len: u64::try_from(stat.st_size).unwrap_or(0),
        }
    }
}

/// A short text on the stack.
struct Text {
    bytes: [u8; 64],
    len: usize,
}

impl Text {
    fn new(text: core::fmt::Arguments<'_>) -> Text {
        let mut written = Text {
            bytes: [0; 64],
            len: 0,
        };
        // Cut where it does not fit: no text here is near that length.
        let _ = written.write_fmt(text);
        written
    }

    fn path(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(core::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Makes a board at `path`. It gets its name when it is complete; until then a death or an
/// error leaves nothing behind. No allocation.
pub(crate) fn create(path: &Path, plan: &Plan) -> Result<(), Trouble> {
    let directory = parent(path);
    if is_own_directory(directory) {
        match c_path::with(directory, |directory| {
            rustix::fs::mkdir(directory, Mode::RWXU)
        }) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => {
                return Err(Trouble::System {
                    place: Place::Directory,
                    doing: "making",
                    source: error.into(),
                });
            }
        }
    }
    check_directory(directory, None, false)?;
    // A name that is taken is found before anything is reserved; the link finds it again.
    if c_path::with(path, |path| rustix::fs::lstat(path)).is_ok() {
        return Err(Trouble::Exists);
    }
    let unnamed = c_path::with(directory, |directory| {
        rustix::fs::open(
            directory,
            OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC,
            Mode::RUSR | Mode::WUSR,
        )
    });
    match unnamed {
        Ok(file) => {
            step::here(Step::FileMade);
            fill(&file, plan)?;
            step::here(Step::FileFilled);
            let link = Text::new(format_args!("/proc/self/fd/{}", file.as_raw_fd()));
            let linked = c_path::with(path, |path| {
                rustix::fs::linkat(CWD, link.path(), CWD, path, AtFlags::SYMLINK_FOLLOW)
            });
            match linked {
                // Without /proc there is no way to name the file.
                Err(Errno::NOENT) => {
                    // Its memory is needed again.
                    drop(file);
                    create_under_other_name(path, directory, plan)
                }
                linked => name_given(linked),
            }
        }
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
            create_under_other_name(path, directory, plan)
        }
        Err(error) => Err(Trouble::system("making")(error)),
    }
}

fn name_given(linked: rustix::io::Result<()>) -> Result<(), Trouble> {
    linked.map_err(|error| match error {
        Errno::EXIST => Trouble::Exists,
        error => Trouble::system("naming")(error),
    })?;
    step::here(Step::FileNamed);
    Ok(())
}

/// Where a file without a name cannot be had: a temporary name, then a link to the real one.
fn create_under_other_name(path: &Path, directory: &Path, plan: &Plan) -> Result<(), Trouble> {
    struct Unlink<'t>(&'t OwnedFd, &'t Text);
    impl Drop for Unlink<'_> {
        fn drop(&mut self) {
            let _ = rustix::fs::unlinkat(self.0, self.1.path(), AtFlags::empty());
        }
    }
    let making = Trouble::system("making");
    let directory = c_path::with(directory, |directory| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(directory, flags, Mode::empty())
    })
    .map_err(&making)?;
    let temporary = Text::new(format_args!(".tallyboard-{:016x}.tmp", random_words()[0]));
    let file = rustix::fs::openat(
        &directory,
        temporary.path(),
        OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW,
        Mode::RUSR | Mode::WUSR,
    )
    .map_err(&making)?;
    let _unlink = Unlink(&directory, &temporary);
    step::here(Step::FileMade);
    fill(&file, plan)?;
    step::here(Step::FileFilled);
    name_given(c_path::with(path, |path| {
        rustix::fs::linkat(&directory, temporary.path(), CWD, path, AtFlags::empty())
    }))
}

/// Reserves the file's memory and writes its header.
fn fill(fd: &OwnedFd, plan: &Plan) -> Result<(), Trouble> {
    check_filesystem(fd, plan.any_filesystem)?;
    let geometry = &plan.geometry;
    size(fd, geometry).map_err(|error| match error {
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG | Errno::NOMEM => Trouble::NoSpace {
            needed: geometry.reserved_len(),
        },
        error => Trouble::system("reserving memory for")(error),
    })?;
    write_header(fd, plan).map_err(Trouble::system("writing"))?;
    if let Some(group) = plan.group {
        let group = Some(rustix::fs::Gid::from_raw(group));
        rustix::fs::fchown(fd, None, group).map_err(Trouble::system("giving a group to"))?;
    }
    // After the owner: chown takes mode bits away.
    rustix::fs::fchmod(fd, Mode::from_raw_mode(plan.mode))
        .map_err(Trouble::system("setting the mode of"))
}

/// The length of the whole board, with memory behind everything but the CPU planes.
fn size(fd: &OwnedFd, geometry: &Geometry) -> rustix::io::Result<()> {
    rustix::fs::ftruncate(fd, geometry.total_len)?;
    loop {
        let reserved =
            rustix::fs::fallocate(fd, FallocateFlags::empty(), 0, geometry.reserved_len());
        // A tmpfs gives up what it has reserved when a signal comes.
        if reserved != Err(Errno::INTR) {
            return reserved;
        }
    }
}

fn write_header(fd: &OwnedFd, plan: &Plan) -> rustix::io::Result<()> {
    let [key0, key1, uuid0, uuid1] = random_words();
    let identity = Identity {
        hash_key: [key0, key1],
        boot_id: environment::boot_id().unwrap_or_default(),
        uuid: [uuid0, uuid1],
        created_unix_nanos: crate::clock::unix_nanos(),
        series_cap: plan.series_cap,
        keep_dead_seconds: plan.keep_dead_seconds,
    };
    let words = header::encode(&plan.geometry, &identity);
    let mut bytes = [0; HEADER_WORDS * 8];
    for (into, word) in bytes.as_chunks_mut().0.iter_mut().zip(&words) {
        *into = word.to_le_bytes();
    }
    // The version word last, so that a file that was given a name too early (by a recovery
    // tool, say) is not taken for a board.
    write_all_at(fd, &bytes[16..], 16)?;
    write_all_at(fd, &bytes[..8], 0)?;
    write_all_at(fd, &bytes[8..16], 8)
}

fn write_all_at(fd: &OwnedFd, mut bytes: &[u8], mut offset: u64) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::pwrite(fd, bytes, offset) {
            Ok(0) => return Err(Errno::IO),
            Ok(len) => {
                bytes = &bytes[len..];
                offset += len as u64;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes a board without a name, for this process and its forks.
pub(crate) fn create_private(plan: &Plan) -> Result<BoardFile, Trouble> {
    let fd = rustix::fs::memfd_create(c"tallyboard", rustix::fs::MemfdFlags::CLOEXEC)
        .map_err(Trouble::system("making a"))?;
    fill(&fd, plan)?;
    let stat = rustix::fs::fstat(&fd).map_err(Trouble::system("looking at"))?;
    read_header(fd, Facts::of(&stat))
}

fn random_words() -> [u64; 4] {
    let mut bytes = [0_u8; 32];
    let mut filled = 0;
    while filled < bytes.len() {
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(len) => filled += len,
            Err(Errno::INTR) => {}
            Err(error) => unreachable!("getrandom fails only by signals: {error}"),
        }
    }
    let word = |at: usize| {
        bytes[at..]
            .first_chunk()
            .map_or(0, |b| u64::from_le_bytes(*b))
    };
    [word(0), word(8), word(16), word(24)]
}

/// Opens the board at `path` and checks everything that can be checked before mapping it. No
/// allocation.
pub(crate) fn open(
    path: &Path,
    writable: bool,
    any_filesystem: bool,
) -> Result<BoardFile, Trouble> {
    let (fd, facts) = open_file(path, writable, any_filesystem)?;
    read_header(fd, facts)
}

/// The first half of [`open`]: all but what is in the file.
pub(crate) fn open_file(
    path: &Path,
    writable: bool,
    any_filesystem: bool,
) -> Result<(OwnedFd, Facts), Trouble> {
    let access = if writable {
        OFlags::RDWR
    } else {
        OFlags::RDONLY
    };
    // NONBLOCK: opening a FIFO that someone put there must not wait.
    let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = c_path::with(path, |path| rustix::fs::open(path, flags, Mode::empty()));
    let fd = opened.map_err(|error| match error {
        Errno::NOENT => Trouble::NotFound,
        Errno::LOOP => Trouble::SymbolicLink(Place::Board),
        Errno::ISDIR | Errno::NXIO => Trouble::NotABoard("it is not a regular file"),
        error => Trouble::system("opening")(error),
    })?;
    let stat = rustix::fs::fstat(&fd).map_err(Trouble::system("looking at"))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Trouble::NotABoard("it is not a regular file"));
    }
    let facts = Facts::of(&stat);
    check_owner(&facts, writable)?;
    check_directory(parent(path), Some(facts.uid), !writable)?;
    if writable {
        check_filesystem(&fd, any_filesystem)?;
    }
    Ok((fd, facts))
}

/// The second half of [`open`].
pub(crate) fn read_header(fd: OwnedFd, facts: Facts) -> Result<BoardFile, Trouble> {
    let mut bytes = [0; HEADER_WORDS * 8];
    let mut len = 0;
    while len < bytes.len() {
        match rustix::io::pread(&fd, &mut bytes[len..], len as u64) {
            Ok(0) => return Err(Flaw::NotABoard("it is shorter than a header").into()),
            Ok(read) => len += read,
            Err(Errno::INTR) => {}
            Err(error) => return Err(Trouble::system("reading")(error)),
        }
    }
    let mut words = [0; HEADER_WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    let (geometry, identity) = header::decode(&words, facts.len)?;
    Ok(BoardFile {
        file: File::from(fd),
        geometry,
        identity,
        facts,
    })
}

/// A board is trusted if it is ours, root's, or shared with us on purpose by its mode. Root
/// may read anybody's: a reader survives any bytes, and one exporter serves all users.
fn check_owner(facts: &Facts, writable: bool) -> Result<(), Trouble> {
    let ours = rustix::process::geteuid().as_raw();
    let owner = facts.uid;
    let (group, others) = if writable {
        (0o020, 0o002)
    } else {
        (0o040, 0o004)
    };
    if owner == ours || owner == 0 || facts.mode & others != 0 || (!writable && ours == 0) {
        return Ok(());
    }
    if facts.mode & group != 0 && is_member(facts.gid) {
        return Ok(());
    }
    Err(Trouble::OtherOwner {
        place: Place::Board,
        owner,
        ours,
    })
}

/// The directory must not let a stranger put a board of his own there. Our default one in
/// /dev/shm, where anyone can make a directory of that name first, must be ours alone.
fn check_directory(
    directory: &Path,
    board_owner: Option<u32>,
    reading: bool,
) -> Result<(), Trouble> {
    let is_own = is_own_directory(directory);
    let stat = c_path::with(directory, |directory| match is_own {
        true => rustix::fs::lstat(directory),
        false => rustix::fs::stat(directory),
    })
    .map_err(|error| match error {
        Errno::NOENT => Trouble::NoDirectory,
        error => Trouble::system("looking at the directory of")(error),
    })?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
        return Err(Trouble::SymbolicLink(Place::Directory));
    }
    let ours = rustix::process::geteuid().as_raw();
    let owner = stat.st_uid;
    let trusted = owner == ours
        || (!is_own && owner == 0)
        || (!is_own && Some(owner) == board_owner)
        || (!is_own && reading && ours == 0);
    // The group may be let in on purpose (the shared directory of a package is).
    let shared = !trusted && !is_own && stat.st_mode & 0o020 != 0 && is_member(stat.st_gid);
    if !trusted && !shared {
        return Err(Trouble::OtherOwner {
            place: Place::Directory,
            owner,
            ours,
        });
    }
    const STICKY: u32 = 0o1000;
    if stat.st_mode & 0o002 != 0 && stat.st_mode & STICKY == 0 {
        return Err(Trouble::OpenDirectory);
    }
    Ok(())
}

/// Memory filesystems never block a store for writeback, and keep a mapping's lock.
fn check_filesystem(fd: impl AsFd, any: bool) -> Result<(), Trouble> {
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    let stat = rustix::fs::fstatfs(fd).map_err(Trouble::system("looking at"))?;
    if any || [TMPFS, RAMFS].contains(&(stat.f_type as u64 & 0xffff_ffff)) {
        return Ok(());
    }
    Err(Trouble::Filesystem)
}

/// Whether `path` still names the file with this device and inode. An error says neither.
pub(crate) fn is_at(path: &Path, id: (u64, u64)) -> rustix::io::Result<bool> {
    match c_path::with(path, |path| rustix::fs::lstat(path)) {
        Ok(stat) => Ok(Facts::of(&stat).id == id),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes the name of a file away. Only under the lock of `removal`.
pub(crate) fn unlink(path: &Path) -> Result<(), Trouble> {
    let unlinked = c_path::with(path, |path| rustix::fs::unlink(path));
    unlinked.map_err(|error| match error {
        Errno::NOENT => Trouble::NotFound,
        error => Trouble::system("removing")(error),
    })
}

/// The OS name of a board in /dev/shm, for `shared_memory`.
pub(crate) fn shm_name(path: &Path) -> Option<String> {
    path.strip_prefix(SHM_DIRECTORY)
        .ok()?
        .to_str()
        .map(|name| format!("/{name}"))
}

#[cfg(all(test, not(arena_loom)))]
#[test]
fn a_board_made_under_another_name_keeps_only_its_own() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = directory.path().join("other.board");
    let plan = Plan {
        geometry: Geometry::new(64, 1, 1).unwrap(),
        mode: 0o640,
        group: None,
        any_filesystem: false,
        series_cap: 0,
        keep_dead_seconds: 0,
    };
    create_under_other_name(&path, directory.path(), &plan).unwrap();
    let opened = open(&path, true, false).unwrap();
    assert_eq!(opened.geometry, plan.geometry);
    assert_eq!(opened.facts.mode & 0o777, 0o640);
    let again = create_under_other_name(&path, directory.path(), &plan);
    assert!(matches!(again, Err(Trouble::Exists)));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
