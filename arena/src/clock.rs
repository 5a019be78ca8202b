//! The wall clock: for creation times, for what expires, and for which process was last. Nothing
//! that keeps a board sound reads it.

/// Nanoseconds since 1970; 0 if the clock stands before that. A vDSO call, by the C library:
/// one that looks the vDSO up itself does not run under valgrind.
#[cfg(not(all(test, arena_loom)))]
pub(crate) fn unix_nanos() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .and_then(|since| u64::try_from(since.as_nanos()).ok())
        .unwrap_or(0)
}

/// A model has no time.
#[cfg(all(test, arena_loom))]
pub(crate) fn unix_nanos() -> u64 {
    0
}
