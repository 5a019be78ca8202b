//! Registrations and increments in an order that nobody planned, by a process that may be killed at any instruction.
//!
//! The ledger has two words for each series, `begun` and `done`, in a mapping of its own: what a killed process has
//! stored stays. Only this process writes to it.

use std::error::Error;
use std::io::ErrorKind;
use std::path::Path;

use tallyboard::{Board, Ledger};
use tallyboard_tests::next_random;

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
    let ledger = match Ledger::open(ledger) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ledger::create(ledger, 2 * series)?,
        opened => opened?,
    };
    let mut random = seed | 1;
    super::wait_for_start(board)?;
    for _ in 0..rounds {
        random = next_random(random);
        let kind = (random >> 32) as usize % series;
        ledger.add_one(2 * kind);
        counters.try_with(&[&kind.to_string()])?.inc();
        ledger.add_one(2 * kind + 1);
    }
    Ok(())
}
