//! Who is alive: byte locks that the kernel drops when an address space is gone.
//!
//! The bytes lie beyond the end of the board's file: `L(i)`, the life of row `i`, and
//! `R(i)`, the right to change it. They are open-file-description locks. `L(i)` is taken
//! through a description that a mapping keeps and no descriptor refers to: it survives
//! `close_range`, is not inherited by `fork` (`MADV_DONTFORK`), and goes with `munmap`,
//! `exec` and SIGKILL. A pid that is used again, or lives in another PID namespace, cannot
//! be taken for it.
//!
//! Not covered: a `fork` in another thread between `open` and `MADV_DONTFORK` hands the
//! description to the child too, and the row then looks alive until that child is gone.
//! Nothing but one row is lost by it.

#[cfg(not(all(test, arena_loom)))]
mod kernel {
    use crate::c_path;
    use crate::sync::{AtomicU64, Ordering};
    use core::ffi::{CStr, c_void};
    use core::mem::ManuallyDrop;
    use core::ptr::NonNull;
    use rustix::fs::{Mode, OFlags};
    use rustix::mm::{Advice, MapFlags, ProtFlags};
    use std::borrow::Cow;
    use std::fs::File;
    use std::io;
    use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd};
    use std::path::{Path, PathBuf};

    const PAGE: usize = 4096;

    /// How to get a new open file description of the board.
    pub(crate) struct Reopen {
        path: Cow<'static, Path>,
        device: u64,
        inode: u64,
        /// A private board has no path: this keeps it within `/proc/self/fd`.
        _nameless: Option<File>,
    }

    impl Reopen {
        /// By `path`, which must still be the file with this device and inode.
        pub(crate) fn by_path(path: Cow<'static, Path>, id: (u64, u64)) -> Reopen {
            Reopen {
                path,
                device: id.0,
                inode: id.1,
                _nameless: None,
            }
        }

        /// For a file without a name, which is kept open.
        pub(crate) fn nameless(file: File, id: (u64, u64)) -> Reopen {
            let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
            let mut reopen = Reopen::by_path(path.into(), id);
            reopen._nameless = Some(file);
            reopen
        }

        /// A description of its own, to take locks with. No allocation.
        pub(crate) fn open(&self) -> io::Result<LockFile> {
            self.open_as(true)
        }

        /// As [`open`](Self::open), only to ask who holds a lock: needs no write permission.
        pub(crate) fn probe(&self) -> io::Result<LockFile> {
            self.open_as(false)
        }

        fn open_as(&self, writable: bool) -> io::Result<LockFile> {
            let access = if writable {
                OFlags::RDWR
            } else {
                OFlags::RDONLY
            };
            let mut flags = access | OFlags::CLOEXEC;
            if self._nameless.is_none() {
                flags |= OFlags::NOFOLLOW;
            }
            let open = |path: &CStr| rustix::fs::open(path, flags, Mode::empty());
            let file = rustix::io::retry_on_intr(|| c_path::with(&self.path, open))?;
            let stat = rustix::fs::fstat(&file)?;
            if (stat.st_dev, stat.st_ino) != (self.device, self.inode) {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(LockFile(file.into()))
        }
    }

    /// One open file description, for locks on it.
    pub(crate) struct LockFile(File);

    impl LockFile {
        fn lock_request(kind: i32, byte: u64) -> libc::flock {
            // All-zero bytes are a valid `flock`; l_pid must be 0 for these commands.
            libc::flock {
                l_type: kind as _,
                l_whence: libc::SEEK_SET as _,
                l_start: byte as _,
                l_len: 1,
                l_pid: 0,
            }
        }

        fn fcntl(&self, command: i32, request: &mut libc::flock) -> bool {
            // SAFETY: the descriptor is open as long as `self`, and the three commands used
            // take a `flock` that they read and write, which the borrow provides.
            unsafe { libc::fcntl(self.0.as_raw_fd(), command, request) == 0 }
        }

        /// Takes the write lock on `byte` if nobody else has it. One syscall; never waits.
        pub(crate) fn try_lock(&self, byte: u64) -> bool {
            let mut request = Self::lock_request(libc::F_WRLCK, byte);
            self.fcntl(libc::F_OFD_SETLK, &mut request)
        }

        /// Gives the lock on `byte` back.
        pub(crate) fn unlock(&self, byte: u64) {
            let mut request = Self::lock_request(libc::F_UNLCK, byte);
            self.fcntl(libc::F_OFD_SETLK, &mut request);
        }

        /// Whether another description holds the write lock on `byte`. Asked with a read
        /// lock, which another reader's probe cannot make fail. An error counts as held:
        /// nothing is reclaimed on a guess.
        pub(crate) fn is_held(&self, byte: u64) -> bool {
            let mut request = Self::lock_request(libc::F_RDLCK, byte);
            !self.fcntl(libc::F_OFD_GETLK, &mut request)
                || i32::from(request.l_type) != libc::F_UNLCK
        }

        /// Makes the locks of this description last as long as the address space.
        /// `probe` is another description; `life` the byte that must stay locked.
        pub(crate) fn keep(self, probe: &LockFile, life: u64, reopen: &Reopen) -> io::Result<Life> {
            // SAFETY: a new mapping at an address the kernel chooses touches nothing of ours.
            let page = unsafe {
                rustix::mm::mmap(
                    core::ptr::null_mut(),
                    PAGE,
                    ProtFlags::empty(),
                    MapFlags::SHARED,
                    &self.0,
                    0,
                )
            }?;
            let mapping = Mapping(page as usize);
            // SAFETY: exactly the page mapped above, which nobody accesses.
            unsafe { rustix::mm::madvise(page, PAGE, Advice::LinuxDontFork) }?;
            drop(self);
            if probe.is_held(life) {
                return Ok(Life::Mapped(mapping));
            }
            // Some filesystems (overlayfs) put another file behind the mapping: keep the
            // descriptor instead. A forked child inherits that one, and the row then looks
            // alive as long as the child does.
            let again = reopen.open()?;
            if again.try_lock(life) {
                Ok(Life::Open(again))
            } else {
                Err(io::ErrorKind::ResourceBusy.into())
            }
        }
    }

    /// A page that keeps a description alive; unmapped on drop.
    pub(crate) struct Mapping(usize);

    impl Drop for Mapping {
        fn drop(&mut self) {
            // SAFETY: the page was mapped by `keep`, is never accessed, and is unmapped once:
            // a fork has no copy of the mapping and, by WIPEONFORK, none of this value.
            let _ = unsafe { rustix::mm::munmap(self.0 as *mut c_void, PAGE) };
        }
    }

    /// A row's life lock. Dropping it is the row's death.
    pub(crate) enum Life {
        Mapped(Mapping),
        Open(LockFile),
    }

    /// A page that a forked child finds zeroed, so that it knows that it has no row.
    pub(crate) struct OwnRow {
        page: NonNull<OwnRowPage>,
    }

    struct OwnRowPage {
        /// The row and its incarnation as `Own::word` has them, or 0.
        own: AtomicU64,
        /// What keeps the life lock: the address of a mapping, `descriptor << 1 | 1`, or 0.
        /// A word, not a box: a row may be claimed where nothing may be allocated.
        life: AtomicU64,
    }

    // SAFETY: the page belongs to this value alone and is accessed through atomics.
    unsafe impl Send for OwnRow {}
    // SAFETY: as above.
    unsafe impl Sync for OwnRow {}

    impl OwnRow {
        pub(crate) fn new() -> io::Result<OwnRow> {
            // SAFETY: a new anonymous mapping touches nothing of ours.
            let page = unsafe {
                rustix::mm::mmap_anonymous(
                    core::ptr::null_mut(),
                    PAGE,
                    ProtFlags::READ | ProtFlags::WRITE,
                    MapFlags::PRIVATE,
                )
            }?;
            let own = OwnRow {
                page: NonNull::new(page.cast()).ok_or(io::ErrorKind::OutOfMemory)?,
            };
            // SAFETY: exactly the page mapped above; a child reads it as zeros, which is a
            // valid `OwnRowPage`.
            unsafe { rustix::mm::madvise(page, PAGE, Advice::LinuxWipeOnFork) }?;
            Ok(own)
        }

        fn page(&self) -> &OwnRowPage {
            // SAFETY: mapped until drop, aligned to a page, and zeros are a valid value.
            unsafe { self.page.as_ref() }
        }

        /// `Own::word` of this process on this board, or 0 if it has no row yet.
        #[inline]
        pub(crate) fn word(&self) -> &AtomicU64 {
            &self.page().own
        }

        /// Keeps `life` until the board is dropped by the process that took it.
        pub(crate) fn adopt(&self, life: Life) {
            let word = match life {
                Life::Mapped(mapping) => ManuallyDrop::new(mapping).0 as u64,
                Life::Open(lock) => (lock.0.into_raw_fd() as u64) << 1 | 1,
            };
            // Relaxed: taken out again by whoever lets go of it, once.
            let before = self.page().life.swap(word, Ordering::Relaxed);
            debug_assert_eq!(before, 0, "a process adopts one row a board");
        }
    }

    impl OwnRow {
        /// The life that was adopted, if there is one; whoever has it may let go of it.
        pub(crate) fn take_life(&self) -> Option<Life> {
            match self.page().life.swap(0, Ordering::Relaxed) {
                0 => None,
                descriptor if descriptor & 1 != 0 => {
                    // SAFETY: given up by `adopt` and taken out by the swap above, in the
                    // same process: a fork finds 0 here.
                    let file = unsafe { File::from_raw_fd((descriptor >> 1) as i32) };
                    Some(Life::Open(LockFile(file)))
                }
                mapping => Some(Life::Mapped(Mapping(mapping as usize))),
            }
        }
    }

    impl Drop for OwnRow {
        fn drop(&mut self) {
            drop(self.take_life());
            // SAFETY: the page was mapped by `new` and no borrow of it outlives `self`.
            let _ = unsafe { rustix::mm::munmap(self.page.as_ptr().cast(), PAGE) };
        }
    }
}
#[cfg(not(all(test, arena_loom)))]
pub(crate) use kernel::{LockFile, OwnRow, Reopen};

/// A model's kernel: a table of who holds which byte.
#[cfg(all(test, arena_loom))]
mod modelled {
    use crate::sync::AtomicU64;
    use loom::sync::Mutex;
    use std::borrow::Cow;
    use std::collections::BTreeMap;
    use std::fs::File;
    use std::io;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64 as Plain, Ordering::Relaxed};

    #[derive(Clone)]
    pub(crate) struct Reopen {
        table: Arc<Mutex<BTreeMap<u64, u64>>>,
        ids: Arc<Plain>,
    }

    impl Reopen {
        pub(crate) fn model() -> Reopen {
            Reopen {
                table: Arc::new(Mutex::new(BTreeMap::new())),
                ids: Arc::new(Plain::new(1)),
            }
        }

        /// A model has no files.
        pub(crate) fn by_path(_: Cow<'static, Path>, _: (u64, u64)) -> Reopen {
            unreachable!("a model maps nothing")
        }

        /// A model has no files.
        pub(crate) fn nameless(_: File, _: (u64, u64)) -> Reopen {
            unreachable!("a model maps nothing")
        }

        pub(crate) fn open(&self) -> io::Result<LockFile> {
            Ok(LockFile {
                id: self.ids.fetch_add(1, Relaxed),
                table: self.table.clone(),
            })
        }

        pub(crate) fn probe(&self) -> io::Result<LockFile> {
            self.open()
        }
    }

    pub(crate) struct LockFile {
        id: u64,
        table: Arc<Mutex<BTreeMap<u64, u64>>>,
    }

    impl LockFile {
        pub(crate) fn try_lock(&self, byte: u64) -> bool {
            *self.table.lock().unwrap().entry(byte).or_insert(self.id) == self.id
        }

        pub(crate) fn unlock(&self, byte: u64) {
            let mut table = self.table.lock().unwrap();
            if table.get(&byte) == Some(&self.id) {
                table.remove(&byte);
            }
        }

        pub(crate) fn is_held(&self, byte: u64) -> bool {
            let table = self.table.lock().unwrap();
            table.get(&byte).is_some_and(|holder| *holder != self.id)
        }

        pub(crate) fn keep(self, _: &LockFile, _: u64, _: &Reopen) -> io::Result<LockFile> {
            Ok(self)
        }
    }

    /// The end of a description: a death, or a drop.
    impl Drop for LockFile {
        fn drop(&mut self) {
            // A model that failed is over, and its locks with it.
            if std::thread::panicking() {
                return;
            }
            self.table
                .lock()
                .unwrap()
                .retain(|_, holder| *holder != self.id);
        }
    }

    pub(crate) struct OwnRow {
        own: AtomicU64,
        life: std::sync::Mutex<Option<LockFile>>,
    }

    impl OwnRow {
        pub(crate) fn new() -> io::Result<OwnRow> {
            Ok(OwnRow {
                own: AtomicU64::new(0),
                life: std::sync::Mutex::new(None),
            })
        }

        pub(crate) fn word(&self) -> &AtomicU64 {
            &self.own
        }

        pub(crate) fn adopt(&self, life: LockFile) {
            *self.life.lock().unwrap() = Some(life);
        }

        pub(crate) fn take_life(&self) -> Option<LockFile> {
            self.life.lock().unwrap().take()
        }
    }
}
#[cfg(all(test, arena_loom))]
pub(crate) use modelled::{LockFile, OwnRow, Reopen};
