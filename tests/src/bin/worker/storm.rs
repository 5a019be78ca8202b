//! Pieces of work of every kind, in an order that nobody planned.

use std::error::Error;
use std::path::Path;

use tallyboard::{Board, Ledger};
use tallyboard_tests::{Metric, Work, come_and_go, next_random};

/// Each round counts with a random metric and key; now and then one makes a board and gives it up, or
/// lets a series come and go.
pub(crate) fn run(
    board: &Board,
    keys: usize,
    folder: &Path,
    ledger: &Path,
    seed: u64,
) -> Result<(), Box<dyn Error>> {
    let ledger = Ledger::open(ledger)?;
    let mut random = seed | 1;
    super::wait_for_start(board)?;
    loop {
        random = next_random(random);
        let key = (random >> 32) as usize % keys;
        if (random >> 16).is_multiple_of(8) {
            Work::Removals.run(board, folder, &format!("passing-{}", key % 4))?;
            continue;
        }
        if (random >> 16) % 8 == 1 {
            come_and_go(board, &format!("passing-{}", key % 4))?;
            continue;
        }
        let metric = (random >> 24) as usize % Metric::ALL.len();
        let word = 2 * (metric * keys + key);
        ledger.add_one(word);
        Metric::ALL[metric]
            .register(board, &key.to_string())?
            .count()?;
        ledger.add_one(word + 1);
    }
}
