//! The wall clock, for creation times. No protocol reads it.

/// Nanoseconds since 1970; 0 if the clock stands before that. A vDSO call.
#[cfg(not(all(test, arena_loom)))]
pub(crate) fn unix_nanos() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000) + now.tv_nsec as u64
}

/// A model has no time.
#[cfg(all(test, arena_loom))]
pub(crate) fn unix_nanos() -> u64 {
    0
}
