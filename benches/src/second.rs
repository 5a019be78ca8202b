//! A second process that updates the same metrics while the first is measured.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tallyboard::{Board, Counter, Gauge, Histogram, Location, Summary};

/// Values that fall into buckets low and high, so that no branch is learnt by heart.
pub const VALUES: [f64; 8] = [0.003, 0.02, 0.4, 0.007, 0.09, 3.0, 0.04, 0.012];

const BOARD_VARIABLE: &str = "TALLYBOARD_BENCH_SECOND";
const KIND_VARIABLE: &str = "TALLYBOARD_BENCH_SECOND_KIND";

/// The running second process; killed on drop.
pub struct Second(Child);

impl Second {
    /// Runs this program again as a process that updates the metric `kind` (`counter`,
    /// `gauge`, `histogram` or `summary`) of the board at `path`; returns when it has begun.
    ///
    /// # Panics
    /// When the process cannot be started.
    pub fn start(path: &Path, kind: &str) -> Second {
        let this = std::env::current_exe().expect("the running program");
        let mut child = Command::new(this)
            .env(BOARD_VARIABLE, path)
            .env(KIND_VARIABLE, kind)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a second process");
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out)
                .read_line(&mut line)
                .expect("a word from it");
        }
        assert_eq!(line, "counting\n");
        Second(child)
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// To be called first in `main`: in the second process it counts until it is killed.
///
/// # Panics
/// When the board cannot be opened.
pub fn be_second() {
    let Some(path) = std::env::var_os(BOARD_VARIABLE) else {
        return;
    };
    let board = Board::options()
        .attach(&Location::Path(path.into()))
        .expect("the board");
    let kind = std::env::var(KIND_VARIABLE).unwrap_or_default();
    match kind.as_str() {
        "counter" => {
            let counter = counter(&board);
            for_ever(|_| counter.inc())
        }
        "gauge" => {
            let gauge = gauge(&board);
            for_ever(|value| gauge.set(value))
        }
        "histogram" => {
            let histogram = histogram(&board);
            for_ever(|value| histogram.observe(value))
        }
        "summary" => {
            let summary = summary(&board);
            for_ever(|value| summary.observe(value))
        }
        other => panic!("no such kind of metric: {other}"),
    }
}

fn for_ever(mut update: impl FnMut(f64)) -> ! {
    println!("counting");
    loop {
        VALUES.iter().for_each(|value| update(*value));
    }
}

const HELP: &str = "Updated by two processes.";

/// The counter that both processes update.
///
/// # Panics
/// When the board refuses it.
pub fn counter(board: &Board) -> Counter {
    let counter = board.counter("bench_shared_total", HELP).register();
    counter.expect("room for a counter")
}

/// The gauge that both processes set.
///
/// # Panics
/// When the board refuses it.
pub fn gauge(board: &Board) -> Gauge {
    let gauge = board.gauge("bench_shared_level", HELP).register();
    gauge.expect("room for a gauge")
}

/// The histogram that both processes observe with.
///
/// # Panics
/// When the board refuses it.
pub fn histogram(board: &Board) -> Histogram {
    let histogram = board.histogram("bench_shared_seconds", HELP).register();
    histogram.expect("room for a histogram")
}

/// The summary that both processes observe with.
///
/// # Panics
/// When the board refuses it.
pub fn summary(board: &Board) -> Summary {
    let summary = board.summary("bench_shared_bytes", HELP).register();
    summary.expect("room for a summary")
}
