//! Process-local locks that a fork may have orphaned.

use std::sync::{Mutex, MutexGuard, TryLockError};

/// Locks what is only ever held for a few instructions. `None` if it stays locked: then this
/// is a child forked while another thread held it, and nobody is left to give it back.
/// Callers use such locks to share work, and do without.
pub(crate) fn unless_orphaned<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    for _ in 0..1_000 {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
    None
}
