//! Work in a forked child: a board on which something was registered stays mapped, and its
//! row locked, until its process ends.
//!
//! What the child's code covers is carried back, so that the fuzzer learns from it. A child
//! that panics, crashes or meets a sanitizer writes the input down through the handlers that
//! it has inherited; then its parent fails, too. One that hangs keeps its parent waiting, whose
//! timer the fuzzer set.

use std::mem::MaybeUninit;

/// More memory than this, in kilobytes, is an unbounded allocation. Most of it is the fuzzer's
/// and the sanitizer's own, which a child begins with.
const MEMORY_LIMIT_KB: i64 = 1 << 20;

/// Runs `work` in a child and waits for it.
///
/// # Panics
/// When the child did not come to its end, or used too much memory.
pub fn run(work: impl FnOnce()) {
    let coverage = coverage::Carried::new();
    if let Some(child) = fork() {
        wait(child);
        coverage.take_over();
    } else {
        work();
        coverage.hand_over();
        exit();
    }
}

/// Goes on in a child; this process does nothing but wait for it, and ends as it ended. To be
/// called inside the `work` of [`run`].
pub fn go_on_in_child() {
    if let Some(child) = fork() {
        wait(child);
        exit();
    }
}

/// The child's pid; `None` in the child.
fn fork() -> Option<libc::pid_t> {
    // SAFETY: the fuzzer's only other thread looks at this process's memory use, and holds no
    // lock that the child needs.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "{}", std::io::Error::last_os_error());
    if child > 0 {
        return Some(child);
    }
    // The fuzzer ends this process's parent at a timeout: nobody else would end the child.
    // SAFETY: the option takes a signal's number and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    None
}

fn wait(child: libc::pid_t) {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both are alive and of the types that wait4 fills.
    while unsafe { libc::wait4(child, &mut status, 0, usage.as_mut_ptr()) } != child {
        let error = std::io::Error::last_os_error();
        assert_eq!(error.raw_os_error(), Some(libc::EINTR), "{error}");
    }
    // SAFETY: zeros are a `rusage`, and so is what the kernel wrote over them.
    let usage = unsafe { usage.assume_init() };
    assert_eq!(status, 0, "the child did not come to its end");
    assert!(
        usage.ru_maxrss < MEMORY_LIMIT_KB,
        "the child used {} KB",
        usage.ru_maxrss
    );
}

/// Ends this process without its exit handlers, which are the fuzzer's.
fn exit() -> ! {
    // SAFETY: no requirements.
    unsafe { libc::_exit(0) }
}

/// The counters of the fuzzer's instrumentation, one byte for each edge of the code.
#[cfg(fuzzing)]
mod coverage {
    use std::ptr;

    unsafe extern "C" {
        // The linker sets these to both ends of the section that the instrumentation counts in.
        static mut __start___sancov_cntrs: u8;
        static mut __stop___sancov_cntrs: u8;
    }

    /// Memory that a child shares, as large as the counters.
    pub(super) struct Carried {
        shared: *mut u8,
    }

    fn counters() -> (*mut u8, usize) {
        let start = &raw mut __start___sancov_cntrs;
        let stop = &raw mut __stop___sancov_cntrs;
        (start, stop as usize - start as usize)
    }

    impl Carried {
        pub(super) fn new() -> Carried {
            let (_, len) = counters();
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
            // SAFETY: a new mapping, of no file, wherever there is room.
            let shared = unsafe { libc::mmap(ptr::null_mut(), len, protection, flags, -1, 0) };
            assert_ne!(shared, libc::MAP_FAILED);
            Carried {
                shared: shared.cast(),
            }
        }

        /// In the child, at its end.
        pub(super) fn hand_over(self) {
            let (start, len) = counters();
            // SAFETY: both are `len` bytes; no other thread of the child counts.
            unsafe { ptr::copy_nonoverlapping(start, self.shared, len) };
        }

        /// In the parent, after the child's end: the child began with the parent's counts.
        pub(super) fn take_over(self) {
            let (start, len) = counters();
            // SAFETY: both are `len` bytes; the fuzzer's other thread is not instrumented.
            unsafe { ptr::copy_nonoverlapping(self.shared, start, len) };
            // SAFETY: `new` mapped it with this length, and it is not used again.
            unsafe { libc::munmap(self.shared.cast(), len) };
        }
    }
}

/// Without instrumentation there is nothing to carry.
#[cfg(not(fuzzing))]
mod coverage {
    pub(super) struct Carried;

    impl Carried {
        pub(super) fn new() -> Carried {
            Carried
        }

        pub(super) fn hand_over(self) {}

        pub(super) fn take_over(self) {}
    }
}
