//! What the standard library has no safe way for: forks, and handlers of signals.
//!
//! To be used by processes with one thread only.

use std::io;

use rustix::process::{Pid, Signal, set_parent_process_death_signal};

/// Forks: the child's pid, and `None` in the child, which dies with its parent.
///
/// # Panics
///
/// If the system refuses.
pub fn fork() -> Option<Pid> {
    // SAFETY: this process has one thread, so that no lock is held that the child would wait for.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork: {}", io::Error::last_os_error());
    if child == 0 {
        set_parent_process_death_signal(Some(Signal::KILL)).expect("the option is known");
    }
    Pid::from_raw(child)
}

/// Ends a forked child, without what its parent has registered for its own end.
pub fn exit() -> ! {
    // SAFETY: ends this process and nothing else.
    unsafe { libc::_exit(0) }
}

/// Calls `handler` whenever SIGUSR1 arrives. It may interrupt this process at any instruction: it may call what is
/// safe in signal handlers, and nothing else.
///
/// # Panics
///
/// If the system refuses.
pub fn on_user_signal(handler: extern "C" fn(i32)) {
    // SAFETY: `handler` has the type that `signal` calls; what it may do is its author's promise above.
    let before = unsafe { libc::signal(libc::SIGUSR1, handler as *const () as libc::sighandler_t) };
    assert_ne!(before, libc::SIG_ERR, "{}", io::Error::last_os_error());
}
