//! Restartable sequences: plain instructions on words that belong to one CPU.
//!
//! The kernel aborts a sequence, by jumping to its abort handler, when the thread was
//! preempted, moved to another CPU or given a signal inside it. So a sequence that reads
//! its CPU's number, checks the tags and ends in one store is atomic against everything
//! else that runs on that CPU, and no other CPU writes those words.
//!
//! The contract that the sequences below keep: glibc registers each thread's area (2.35 and
//! later; found by `dlsym`, size 0 means not registered); only `rseq_cs` of it is written;
//! the store to `rseq_cs` directly precedes the start; the commit is the last instruction;
//! the abort target lies outside, behind the signature; descriptors lie in writable
//! sections that go where their function goes. After dlclose the kernel would look at a
//! descriptor that is gone and kill the process, so code that may be unloaded is pinned.
//!
//! Not supported: threads made by a raw `clone`, children of `vfork`, CRIU.

use crate::sync::plain::AtomicPtr;
use core::ptr::NonNull;

#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
mod x86_64;
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
#[cfg_attr(all(test, arena_loom), expect(unused_imports))]
pub(crate) use x86_64::{add_float, add_int, begin, cpu, observe};

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
mod absent;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
pub(crate) use absent::{add_float, add_int, begin, cpu, observe};

/// How a sequence ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")),
    expect(
        dead_code,
        reason = "where there are no sequences, one outcome is left"
    )
)]
pub(crate) enum Outcome {
    /// Committed.
    Done,
    /// The kernel aborted it, or nothing was to be done: look again.
    Aborted,
    /// This CPU has no plane that this process knows of, or the thread is not registered.
    NoPlane,
    /// The unit carries another life's tag.
    OtherTag,
    /// The slot's state is not the tag any more: the series has ended.
    Ended,
    /// The first of two adds was committed, the second was not.
    Half,
}

/// Where the sequences of one board find what they work on: made once, and read by each of them.
#[cfg_attr(
    not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")),
    expect(dead_code, reason = "nothing reads it where there are no sequences")
)]
pub(crate) struct Addresses {
    /// Offset of the thread's rseq area from the thread pointer.
    pub area: isize,
    /// This process's table of plane addresses, null where there is none.
    pub planes: NonNull<AtomicPtr<u8>>,
    /// Entries of the table.
    pub plane_count: u32,
    /// The state words, in the board's mapping.
    pub states: NonNull<u64>,
}

// SAFETY: they lead to mappings that are bound to no thread; sequences read what lies behind
// them, and write words of their own CPU's plane alone.
unsafe impl Send for Addresses {}
// SAFETY: as above.
unsafe impl Sync for Addresses {}

/// Whose cells a sequence changes.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")),
    expect(dead_code, reason = "nothing reads it where there are no sequences")
)]
pub(crate) struct Target<'t> {
    /// Of the board.
    pub addresses: &'t Addresses,
    /// The head slot's index among the state words.
    pub head: u64,
    /// What the head's state must say, and the unit too.
    pub tag: u64,
}

/// The offset of the rseq area from the thread pointer, if this process's threads have one
/// and our code can never be unloaded. Takes the dynamic linker's lock: not for handlers.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
pub(crate) fn discover() -> Option<isize> {
    // SAFETY: a valid C string; the result is checked for null.
    let size = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_size".as_ptr()) };
    // SAFETY: as above.
    let offset = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()) };
    if size.is_null() || offset.is_null() {
        return None;
    }
    // SAFETY: glibc's `const unsigned int __rseq_size`, initialised before main.
    let size = unsafe { size.cast::<u32>().read() };
    // SAFETY: glibc's `const ptrdiff_t __rseq_offset`, initialised before main.
    let offset = unsafe { offset.cast::<isize>().read() };
    // `cpu_id` ends at byte 8, `rseq_cs` at 16.
    (size >= 16 && pin()).then_some(offset)
}

/// Elsewhere there are none, or we have not learned them.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
pub(crate) fn discover() -> Option<isize> {
    None
}

/// Makes sure that the object this code lies in stays mapped until the process ends.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
fn pin() -> bool {
    let here = pin as fn() -> bool as *const libc::c_void;
    let mut info = core::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: any address may be asked about; `info` is written when the answer is not 0.
    let found = unsafe { libc::dladdr(here, info.as_mut_ptr()) };
    if found == 0 {
        // Not in any object the linker knows: a static program, which is never unloaded.
        return true;
    }
    // SAFETY: all-zero was already a valid `Dl_info`.
    let info = unsafe { info.assume_init() };
    // SAFETY: any auxiliary value may be asked for; 0 when it is absent.
    let program_headers = unsafe { libc::getauxval(libc::AT_PHDR) };
    // The program's own headers lie in its first page: this is the main program.
    if info.dli_fbase as u64 == program_headers & !0xfff {
        return true;
    }
    let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    // SAFETY: `dli_fname` is the linker's own C string; NOLOAD runs no code of the object.
    let handle = unsafe { libc::dlopen(info.dli_fname, flags) };
    !handle.is_null()
}

#[cfg(all(test, not(arena_loom), target_arch = "x86_64", target_env = "gnu"))]
mod tests;
