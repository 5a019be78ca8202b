//! A few pieces of work of one kind, in which a process may kill or stop itself at any step.

use std::error::Error;
use std::path::Path;

use tallyboard::{Board, Ledger};
use tallyboard_tests::{KEYS, Work, key};

/// Does `work` with each of this actor's keys, in turn.
pub(crate) fn run(
    board: &Board,
    work: Work,
    actor: usize,
    folder: &Path,
    ledger: &Path,
) -> Result<(), Box<dyn Error>> {
    let ledger = Ledger::open(ledger)?;
    super::wait_for_start(board)?;
    for number in 0..KEYS {
        ledger.add_one(2 * number);
        work.run(board, folder, &key(actor, number))?;
        ledger.add_one(2 * number + 1);
    }
    Ok(())
}
