//! Keeps an exporter alive when a board loses its memory.
//!
//! Whoever shortens a board's file takes the memory away from under every mapping of it, and
//! the next access is a SIGBUS. So is the first look at a page of a hole that a full
//! filesystem cannot fill. The handler here finds the board whose mapping was hit, marks it
//! broken and puts zeros in its place: whoever was reading reads on, to no purpose, and asks
//! [`Board::is_broken`](crate::Board::is_broken) before it believes anything.
//!
//! ```text
//!            watch                    SIGBUS inside it
//!  nobody's ───────▶ base, len, sound ─────────────────▶ base, len, broken
//!      ▲                    │ the region is dropped              │
//!      └────────────────────┴────────────────────────────────────┘
//! ```
//!
//! Entries are on a list that only grows, so that the handler can walk it at any moment; the
//! entry of a dropped region is used again. There is no board too many for it.

use crate::sync::plain::{AtomicBool, AtomicPtr, AtomicUsize};
use crate::sync::{Ordering, fence};
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use rustix::mm::{MapFlags, ProtFlags};
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

/// One mapping that is watched.
struct Entry {
    /// Whether a region has it.
    taken: AtomicBool,
    /// Where the mapping begins; null while it must not be touched.
    base: AtomicPtr<u8>,
    len: AtomicUsize,
    broken: AtomicBool,
    next: OnceLock<&'static Entry>,
}

static FIRST: OnceLock<&'static Entry> = OnceLock::new();

/// What a SIGBUS did before the guard came. Filled before the handler can run.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// Lets this process survive boards that are truncated while it reads them, and tells of them
/// by [`Board::is_broken`](crate::Board::is_broken) and
/// [`BoardView::is_broken`](crate::BoardView::is_broken). Covers the boards that are opened from
/// now on. A second call changes nothing.
///
/// For exporters, which only read: it installs a handler for SIGBUS, which belongs to the
/// whole process, and on a board that has lost its memory an update would count into nothing.
/// A SIGBUS that no board is the cause of goes to whoever handled it before, by default the
/// end of the process; the guard then ends, too.
///
/// # Errors
/// What `sigaction` says.
pub fn guard_readers() -> io::Result<()> {
    static INSTALLED: Mutex<bool> = Mutex::new(false);
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if *installed {
        return Ok(());
    }
    let before = change_action(None)?;
    let mut action = *BEFORE.get_or_init(|| before);
    action.sa_sigaction = on_sigbus as extern "C" fn(_, _, _) as usize;
    // The stack may be what a thread has run out of.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the mask is a valid signal set, for writing.
    unsafe { libc::sigemptyset(&raw mut action.sa_mask) };
    change_action(Some(&action))?;
    *installed = true;
    Ok(())
}

/// Makes `action` what SIGBUS does, or only asks; what it did before. Safe in a handler.
fn change_action(action: Option<&libc::sigaction>) -> io::Result<libc::sigaction> {
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    let action = action.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the one pointer is null or a valid action, the other is for writing one. The
    // handler that is installed keeps to what may be done in one.
    if unsafe { libc::sigaction(libc::SIGBUS, action, before.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeros are a valid action, and the call has filled it in.
    Ok(unsafe { before.assume_init() })
}

/// A mapping that is watched until this is dropped.
pub(crate) struct Watched(&'static Entry);

/// Watches a mapping, if the guard is installed.
///
/// # Safety
/// `len` bytes from `base` are a mapping of its own, which may be replaced by zeros at any
/// moment until the returned value is dropped.
pub(crate) unsafe fn watch(base: NonNull<u8>, len: usize) -> Option<Watched> {
    BEFORE.get()?;
    let entry = free_entry();
    // Relaxed: published by `base`.
    entry.len.store(len, Ordering::Relaxed);
    entry.broken.store(false, Ordering::Relaxed);
    // ORDERING: [G1] Release; pairs with the Acquire of `holds`: whoever sees the base sees
    // the length that belongs to it.
    entry.base.store(base.as_ptr(), Ordering::Release);
    Some(Watched(entry))
}

impl Watched {
    /// Whether zeros are in the mapping's place, as far as what was read before this call is
    /// concerned.
    pub(crate) fn is_broken(&self) -> bool {
        // ORDERING: [G2] Acquire fence; pairs with the Release of `cover`. Whoever has read
        // one of the zeros sees the mark, which was made before them.
        fence(Ordering::Acquire);
        // Relaxed: the fence orders it.
        self.0.broken.load(Ordering::Relaxed)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // The mapping is still there: it goes after this value (see `Region`).
        // ORDERING: [G1] Release: a handler on another thread that still saw the base has
        // read the length of this use.
        self.0.base.store(ptr::null_mut(), Ordering::Release);
        // ORDERING: [G3] Release; pairs with the Acquire of `free_entry`: the base is null
        // before another region has the entry.
        self.0.taken.store(false, Ordering::Release);
    }
}

/// All entries. No lock: also for the handler.
fn entries() -> impl Iterator<Item = &'static Entry> {
    core::iter::successors(FIRST.get().copied(), |entry| entry.next.get().copied())
}

/// An entry that nobody has, or a new one.
fn free_entry() -> &'static Entry {
    let is_free = |entry: &&Entry| {
        // ORDERING: [G3] Acquire; pairs with the Release of the drop.
        entry
            .taken
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    };
    if let Some(entry) = entries().find(is_free) {
        return entry;
    }
    let entry: &'static Entry = Box::leak(Box::new(Entry {
        taken: AtomicBool::new(true),
        base: AtomicPtr::new(ptr::null_mut()),
        len: AtomicUsize::new(0),
        broken: AtomicBool::new(false),
        next: OnceLock::new(),
    }));
    let mut place = &FIRST;
    while place.set(entry).is_err() {
        match place.get() {
            Some(taken) => place = &taken.next,
            None => break,
        }
    }
    entry
}

impl Entry {
    /// The mapping, if `address` lies in it.
    ///
    /// Another thread may give the entry to another region meanwhile. Then the base has
    /// changed, or it is the same again and so is the owner of the address: the mapping that
    /// is hit is in use, hence stays, and no other can overlap it.
    fn holds(&self, address: usize) -> Option<(NonNull<u8>, usize)> {
        // ORDERING: [G1] Acquire; pairs with the Release of `watch`.
        let base = NonNull::new(self.base.load(Ordering::Acquire))?;
        // ORDERING: [G1] Acquire: the second look at the base comes after this load.
        let len = self.len.load(Ordering::Acquire);
        let unchanged = self.base.load(Ordering::Relaxed) == base.as_ptr();
        let inside = address
            .checked_sub(base.addr().get())
            .is_some_and(|at| at < len);
        (unchanged && inside).then_some((base, len))
    }

    /// Puts zeros in place of the mapping; all of it, so that one signal is enough. False if
    /// there is no memory even for that.
    fn cover(&self, base: NonNull<u8>, len: usize) -> bool {
        // ORDERING: [G2] Release; pairs with the fence of `is_broken`.
        self.broken.store(true, Ordering::Release);
        // SAFETY: a watched mapping may be replaced (`watch`), and it is in use by the thread
        // that was stopped here, so that nobody has unmapped it. It is unmapped later as if
        // it were the old one.
        let zeros = unsafe {
            rustix::mm::mmap_anonymous(
                base.as_ptr().cast(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE,
            )
        };
        zeros.is_ok()
    }
}

/// Nothing here but loads, stores and raw syscalls: it may have stopped its thread anywhere.
extern "C" fn on_sigbus(_signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: a handler with SA_SIGINFO is given a valid `siginfo_t`.
    let info = unsafe { &*info };
    // Else somebody has sent it, and there is no address.
    let is_fault = info.si_code > 0;
    if is_fault {
        // SAFETY: the kernel fills in the address of a SIGBUS that is a fault.
        let address = unsafe { info.si_addr() }.addr();
        let hit = entries().find_map(|entry| Some((entry, entry.holds(address)?)));
        if hit.is_some_and(|(entry, (base, len))| entry.cover(base, len)) {
            return;
        }
    }
    let given_back = change_action(BEFORE.get());
    // A fault comes again by itself when this returns, to whoever was there before.
    if !is_fault && given_back.is_ok() {
        // SAFETY: sends a signal to this thread; it comes when this handler has ended.
        unsafe { libc::raise(libc::SIGBUS) };
    }
}
