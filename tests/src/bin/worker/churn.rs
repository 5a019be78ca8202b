//! Registrations and increments in an order that nobody planned, by a process that may be killed at any instruction.
//!
//! The ledger is a file of two words for each series, `begun` and `done`, written with `pwrite`: what a killed
//! process has written stays. Only this process writes to it.

use std::error::Error;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

use tallyboard::Board;

/// Looks up a random series by its labels and increments it, `rounds` times.
pub(crate) fn run(
    board: &Board,
    family: &str,
    series: usize,
    ledger: &Path,
    seed: u64,
    rounds: u64,
) -> Result<(), Box<dyn Error>> {
    let counters = board
        .counter(family, "Increments by workers that are killed.")
        .labels(&["kind"])
        .family()?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(ledger)?;
    let mut tally = vec![0_u64; series];
    let mut random = seed | 1;
    super::wait_for_start(board)?;
    for _ in 0..rounds {
        random = next(random);
        let kind = (random >> 32) as usize % series;
        let at = 16 * kind as u64;
        tally[kind] += 1;
        let tally = tally[kind].to_le_bytes();
        file.write_all_at(&tally, at)?;
        counters.try_with(&[&kind.to_string()])?.inc();
        file.write_all_at(&tally, at + 8)?;
    }
    Ok(())
}

/// Marsaglia's xorshift, 2003; the state is never 0.
fn next(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}
