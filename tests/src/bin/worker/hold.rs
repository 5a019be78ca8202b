//! A process whose value of a gauge counts as long as it lives, or for ever.

use std::error::Error;
use std::thread;

use tallyboard::{Aggregation, Board};

/// Sets the gauge and stays.
pub(crate) fn run(
    board: &Board,
    family: &str,
    aggregation: Aggregation,
    value: Option<f64>,
) -> Result<(), Box<dyn Error>> {
    let gauge = board
        .gauge(family, "A gauge of processes that die.")
        .aggregation(aggregation)
        .register()?;
    if let Some(value) = value {
        // By both ways to change it.
        gauge.set(value - 1.0);
        gauge.inc();
    }
    super::wait_for_start(board)?;
    loop {
        thread::park();
    }
}
