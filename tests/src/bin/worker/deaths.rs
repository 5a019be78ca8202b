//! Processes that come, count and die, one after the other: what a board has behind it.

use std::error::Error;

use rustix::process::{Signal, WaitOptions, getpid, kill_process, waitpid};
use tallyboard::{Aggregation, Board};
use tallyboard_tests::child;

/// Forks `children`; each adds one to the gauge and to each series. Every second one dies by SIGKILL. Then it
/// finishes what they have left half done.
pub(crate) fn run(
    board: &Board,
    family: &str,
    children: u64,
    series: usize,
) -> Result<(), Box<dyn Error>> {
    let gauge = board
        .gauge(family, "One for each process that was.")
        .aggregation(Aggregation::Sum)
        .register()?;
    let alive = board
        .gauge("deaths_alive", "One for each process that is.")
        .aggregation(Aggregation::LiveSum)
        .register()?;
    let mut counters = Vec::new();
    let mut histograms = Vec::new();
    for number in 0..series {
        let counter = board.counter("deaths_total", "Increments.");
        counters.push(counter.label("value", &number.to_string()).register()?);
        let histogram = board.histogram("deaths_seconds", "Durations.");
        histograms.push(histogram.label("value", &number.to_string()).register()?);
    }
    super::wait_for_start(board)?;
    for number in 0..children {
        let Some(pid) = child::fork() else {
            gauge.inc();
            alive.set(1.0);
            for (counter, histogram) in counters.iter().zip(&histograms) {
                counter.inc();
                histogram.observe(0.1);
            }
            if number % 2 == 0 {
                let _ = kill_process(getpid(), Signal::KILL);
            }
            child::exit();
        };
        waitpid(Some(pid), WaitOptions::empty())?;
    }
    // As an exporter that may write would do.
    board.reap();
    board.leave();
    Ok(())
}
