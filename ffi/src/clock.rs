//! The clock that work is timed with.

/// Nanoseconds of `CLOCK_MONOTONIC`. `Instant` is the same clock, but does not give its number away,
/// and C has to keep one.
#[unsafe(no_mangle)]
pub extern "C" fn tb_monotonic_nanos() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a timespec of ours to write. The clock is one that Linux always has, so
    // the call cannot fail; it is on POSIX's list of what a signal handler may call.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    // Neither field is negative on this clock, and u64 holds 584 years of uptime.
    (now.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(now.tv_nsec as u64)
}

/// Seconds from `start_nanos` to now; 0 when it lies in the future.
pub(crate) fn seconds_since(start_nanos: u64) -> f64 {
    tb_monotonic_nanos().saturating_sub(start_nanos) as f64 / 1e9
}
