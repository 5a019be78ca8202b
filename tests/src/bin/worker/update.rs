//! Updates of every type of metric, for counting the syscalls that they do not make.

use std::error::Error;

use tallyboard::Board;

/// Makes `updates` updates, spread evenly over the ways to make one.
pub(crate) fn run(board: &Board, updates: u64) -> Result<(), Box<dyn Error>> {
    let counter = board.counter("update_events_total", "Events.").register()?;
    let gauge = board.gauge("update_level", "A level.").register()?;
    let histogram = board.histogram("update_seconds", "Durations.").register()?;
    let summary = board.summary("update_bytes", "Sizes.").register()?;
    super::wait_for_start(board)?;
    for update in 0..updates {
        match update % 6 {
            0 => counter.inc(),
            1 => counter.add(3),
            2 => assert!(counter.add_f64(0.5), "a positive amount is accepted"),
            3 => gauge.set(update as f64),
            4 => histogram.observe(update as f64 / 1e5),
            _ => summary.observe(update as f64),
        }
    }
    Ok(())
}
