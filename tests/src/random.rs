//! Random numbers that a seed brings back.

/// The state after this one: Marsaglia's xorshift, 2003. It is never 0, and must not begin so.
pub fn next_random(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}
