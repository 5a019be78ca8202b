//! Increments that anyone can check: the same number for every series.

use std::error::Error;

use tallyboard::{Board, Counter};

/// Adds one `increments` times to each of `series` series, in turn.
pub(crate) fn run(
    board: &Board,
    family: &str,
    series: usize,
    increments: u64,
) -> Result<(), Box<dyn Error>> {
    let counters = (0..series)
        .map(|kind| {
            board
                .counter(family, "Increments by all workers.")
                .label("kind", &kind.to_string())
                .register()
        })
        .collect::<Result<Vec<Counter>, _>>()?;
    super::wait_for_start(board)?;
    for _ in 0..increments {
        for counter in &counters {
            counter.inc();
        }
    }
    Ok(())
}
