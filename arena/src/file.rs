//! The file of a board: made whole before it has a name, trusted only after a look at its
//! owner, its mode and its directory.

use crate::environment;
use crate::error::OpenError;
use crate::header::{self, Flaw, HEADER_WORDS, Identity};
use crate::layout::Geometry;
use crate::location::{SHM_DIRECTORY, own_directory};
use crate::step::{self, Step};
use rustix::fs::{AtFlags, CWD, FallocateFlags, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// What a new board is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub geometry: Geometry,
    pub mode: u32,
    pub group: Option<u32>,
    pub any_filesystem: bool,
}

/// A board's file, opened and checked.
pub(crate) struct BoardFile {
    pub file: File,
    pub geometry: Geometry,
    pub identity: Identity,
}

fn failed(path: &Path, doing: &'static str, error: impl Into<io::Error>) -> OpenError {
    let source = error.into();
    match source.kind() {
        io::ErrorKind::PermissionDenied => OpenError::Permission {
            path: path.to_owned(),
        },
        _ => OpenError::Io {
            path: path.to_owned(),
            doing,
            source,
        },
    }
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes a board at `path`. It gets its name when it is complete; until then a death or an
/// error leaves nothing behind.
pub(crate) fn create(path: &Path, plan: &Plan) -> Result<(), OpenError> {
    let directory = parent(path);
    if directory == own_directory() {
        match rustix::fs::mkdir(&directory, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(failed(&directory, "making", error)),
        }
    }
    check_directory(path, &directory, None, false)?;
    // A name that is taken is found before anything is reserved; the link finds it again.
    if std::fs::symlink_metadata(path).is_ok() {
        return Err(OpenError::Exists {
            path: path.to_owned(),
        });
    }
    let unnamed = rustix::fs::open(
        &directory,
        OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC,
        Mode::RUSR | Mode::WUSR,
    );
    match unnamed {
        Ok(file) => {
            step::here(Step::FileMade);
            fill(&file, path, plan)?;
            step::here(Step::FileFilled);
            let link = format!("/proc/self/fd/{}", file.as_raw_fd());
            match rustix::fs::linkat(CWD, link, CWD, path, AtFlags::SYMLINK_FOLLOW) {
                // Without /proc there is no way to name the file.
                Err(Errno::NOENT) => {
                    // Its memory is needed again.
                    drop(file);
                    create_under_other_name(path, &directory, plan)
                }
                linked => name_given(path, linked),
            }
        }
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
            create_under_other_name(path, &directory, plan)
        }
        Err(error) => Err(failed(path, "making", error)),
    }
}

fn name_given(path: &Path, linked: rustix::io::Result<()>) -> Result<(), OpenError> {
    linked.map_err(|error| match error {
        Errno::EXIST => OpenError::Exists {
            path: path.to_owned(),
        },
        error => failed(path, "naming", error),
    })?;
    step::here(Step::FileNamed);
    Ok(())
}

/// Where a file without a name cannot be had: a temporary name, then a link to the real one.
fn create_under_other_name(path: &Path, directory: &Path, plan: &Plan) -> Result<(), OpenError> {
    struct Unlink(PathBuf);
    impl Drop for Unlink {
        fn drop(&mut self) {
            let _ = rustix::fs::unlink(&self.0);
        }
    }
    let temporary = directory.join(format!(".tallyboard-{:016x}.tmp", random_words()[0]));
    let file = rustix::fs::open(
        &temporary,
        OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW,
        Mode::RUSR | Mode::WUSR,
    )
    .map_err(|error| failed(path, "making", error))?;
    let temporary = Unlink(temporary);
    step::here(Step::FileMade);
    fill(&file, path, plan)?;
    step::here(Step::FileFilled);
    name_given(path, rustix::fs::link(&temporary.0, path))
}

/// Reserves the file's memory and writes its header.
fn fill(fd: &OwnedFd, path: &Path, plan: &Plan) -> Result<(), OpenError> {
    check_filesystem(fd, path, plan.any_filesystem)?;
    let geometry = &plan.geometry;
    size(fd, geometry).map_err(|error| match error {
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG | Errno::NOMEM => OpenError::NoSpace {
            path: path.to_owned(),
            needed: geometry.reserved_len(),
        },
        error => failed(path, "reserving memory for", error),
    })?;
    let file = fd
        .try_clone()
        .map(File::from)
        .map_err(|error| failed(path, "making", error))?;
    let written = write_header(&file, geometry);
    written.map_err(|error| failed(path, "writing", error))?;
    if let Some(group) = plan.group {
        let group = Some(rustix::fs::Gid::from_raw(group));
        rustix::fs::fchown(fd, None, group)
            .map_err(|error| failed(path, "giving a group to", error))?;
    }
    // After the owner: chown takes mode bits away.
    rustix::fs::fchmod(fd, Mode::from_raw_mode(plan.mode))
        .map_err(|error| failed(path, "setting the mode of", error))
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

fn write_header(file: &File, geometry: &Geometry) -> io::Result<()> {
    let [key0, key1, uuid0, uuid1] = random_words();
    let identity = Identity {
        hash_key: [key0, key1],
        boot_id: environment::boot_id().unwrap_or_default(),
        uuid: [uuid0, uuid1],
        created_unix_nanos: crate::clock::unix_nanos(),
    };
    let words = header::encode(geometry, &identity);
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    // The version word last, so that a file that was given a name too early (by a recovery
    // tool, say) is not taken for a board.
    file.write_all_at(&bytes[16..], 16)?;
    file.write_all_at(&bytes[..8], 0)?;
    file.write_all_at(&bytes[8..16], 8)
}

/// Writes a board without a name, for this process and its forks.
pub(crate) fn create_private(plan: &Plan) -> Result<BoardFile, OpenError> {
    let path = Path::new("private board");
    let fd = rustix::fs::memfd_create("tallyboard", rustix::fs::MemfdFlags::CLOEXEC)
        .map_err(|error| failed(path, "making a", error))?;
    fill(&fd, path, plan)?;
    read_header(File::from(fd), path)
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

/// Opens the board at `path` and checks everything that can be checked before mapping it.
pub(crate) fn open(
    path: &Path,
    writable: bool,
    any_filesystem: bool,
) -> Result<BoardFile, OpenError> {
    let access = if writable {
        OFlags::RDWR
    } else {
        OFlags::RDONLY
    };
    // NONBLOCK: opening a FIFO that someone put there must not wait.
    let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOENT => OpenError::NotFound {
            path: path.to_owned(),
        },
        Errno::LOOP => OpenError::SymbolicLink {
            path: path.to_owned(),
        },
        Errno::ISDIR | Errno::NXIO => OpenError::NotABoard {
            path: path.to_owned(),
            why: "it is not a regular file",
        },
        error => failed(path, "opening", error),
    })?;
    let file = File::from(fd);
    let meta = file
        .metadata()
        .map_err(|error| failed(path, "looking at", error))?;
    if !meta.is_file() {
        return Err(OpenError::NotABoard {
            path: path.to_owned(),
            why: "it is not a regular file",
        });
    }
    check_owner(path, &meta, writable)?;
    check_directory(path, &parent(path), Some(meta.uid()), !writable)?;
    if writable {
        check_filesystem(&file, path, any_filesystem)?;
    }
    read_header(file, path)
}

fn read_header(file: File, path: &Path) -> Result<BoardFile, OpenError> {
    let flawed = |flaw| match flaw {
        Flaw::NotABoard(why) => OpenError::NotABoard {
            path: path.to_owned(),
            why,
        },
        Flaw::Version(found) => OpenError::Version {
            path: path.to_owned(),
            found,
            supported: crate::LAYOUT_VERSION,
        },
        Flaw::Features(bits) => OpenError::Features {
            path: path.to_owned(),
            bits,
        },
        Flaw::Damaged(why) => OpenError::Damaged {
            path: path.to_owned(),
            why,
        },
    };
    let mut bytes = [0; HEADER_WORDS * 8];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(flawed(Flaw::NotABoard("it is shorter than a header")));
        }
        Err(error) => return Err(failed(path, "reading", error)),
    }
    let mut words = [0; HEADER_WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    let len = file
        .metadata()
        .map_err(|error| failed(path, "looking at", error))?
        .len();
    let (geometry, identity) = header::decode(&words, len).map_err(flawed)?;
    Ok(BoardFile {
        file,
        geometry,
        identity,
    })
}

/// A board is trusted if it is ours, root's, or shared with us on purpose by its mode. Root
/// may read anybody's: a reader survives any bytes, and one exporter serves all users.
fn check_owner(path: &Path, meta: &std::fs::Metadata, writable: bool) -> Result<(), OpenError> {
    let ours = rustix::process::geteuid().as_raw();
    let owner = meta.uid();
    let (group, others) = if writable {
        (0o020, 0o002)
    } else {
        (0o040, 0o004)
    };
    let shared = (meta.mode() & group != 0 && is_member(meta.gid())) || meta.mode() & others != 0;
    if owner == ours || owner == 0 || shared || (!writable && ours == 0) {
        return Ok(());
    }
    Err(OpenError::OtherOwner {
        path: path.to_owned(),
        owner,
        ours,
    })
}

fn is_member(gid: u32) -> bool {
    rustix::process::getegid().as_raw() == gid
        || rustix::process::getgroups()
            .is_ok_and(|groups| groups.iter().any(|group| group.as_raw() == gid))
}

/// The directory must not let a stranger put a board of his own there. Our default one in
/// /dev/shm, where anyone can make a directory of that name first, must be ours alone.
fn check_directory(
    path: &Path,
    directory: &Path,
    board_owner: Option<u32>,
    reading: bool,
) -> Result<(), OpenError> {
    let is_own = directory == own_directory();
    let meta = if is_own {
        std::fs::symlink_metadata(directory)
    } else {
        std::fs::metadata(directory)
    }
    .map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::NoDirectory {
            path: directory.to_owned(),
        },
        _ => failed(path, "looking at the directory of", error),
    })?;
    if meta.is_symlink() {
        return Err(OpenError::SymbolicLink {
            path: directory.to_owned(),
        });
    }
    let ours = rustix::process::geteuid().as_raw();
    let owner = meta.uid();
    let trusted = owner == ours
        || (!is_own && owner == 0)
        || (!is_own && Some(owner) == board_owner)
        || (!is_own && reading && ours == 0);
    // The group may be let in on purpose (the shared directory of a package is).
    let shared = !is_own && meta.mode() & 0o020 != 0 && is_member(meta.gid());
    if !trusted && !shared {
        return Err(OpenError::OtherOwner {
            path: directory.to_owned(),
            owner,
            ours,
        });
    }
    const STICKY: u32 = 0o1000;
    if meta.mode() & 0o002 != 0 && meta.mode() & STICKY == 0 {
        return Err(OpenError::OpenDirectory {
            path: directory.to_owned(),
        });
    }
    Ok(())
}

/// Memory filesystems never block a store for writeback, and keep a mapping's lock.
fn check_filesystem(fd: impl std::os::fd::AsFd, path: &Path, any: bool) -> Result<(), OpenError> {
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    let stat = rustix::fs::fstatfs(fd).map_err(|error| failed(path, "looking at", error))?;
    if any || [TMPFS, RAMFS].contains(&(stat.f_type as u64 & 0xffff_ffff)) {
        return Ok(());
    }
    Err(OpenError::Filesystem {
        path: path.to_owned(),
    })
}

/// Whether `path` still names the file with this device and inode.
pub(crate) fn is_at(path: &Path, (device, inode): (u64, u64)) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|meta| (meta.dev(), meta.ino()) == (device, inode))
}

/// Takes a board's name away.
pub(crate) fn unlink(path: &Path) -> Result<(), OpenError> {
    rustix::fs::unlink(path).map_err(|error| match error {
        Errno::NOENT => OpenError::NotFound {
            path: path.to_owned(),
        },
        error => failed(path, "removing", error),
    })
}

/// The OS name of a board in /dev/shm, for `shared_memory`.
pub(crate) fn shm_name(path: &Path) -> Option<String> {
    path.strip_prefix(SHM_DIRECTORY)
        .ok()?
        .to_str()
        .map(|name| format!("/{name}"))
}
