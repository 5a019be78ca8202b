//! A second process that updates the same metrics while the first is measured.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tallyboard::{Board, Location};

const VARIABLE: &str = "TALLYBOARD_BENCH_SECOND";

/// The running second process; killed on drop.
pub struct Second(Child);

impl Second {
    /// Runs this program again as a process that updates the board at `path`; returns when
    /// it has begun.
    ///
    /// # Panics
    /// When the process cannot be started.
    pub fn start(path: &Path) -> Second {
        let this = std::env::current_exe().expect("the running program");
        let mut child = Command::new(this)
            .env(VARIABLE, path)
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
    let Some(path) = std::env::var_os(VARIABLE) else {
        return;
    };
    let board = Board::options()
        .attach(&Location::Path(path.into()))
        .expect("the board");
    let counter = counter(&board);
    println!("counting");
    loop {
        counter.inc();
    }
}

/// The counter that both processes update.
///
/// # Panics
/// When the board refuses it.
pub fn counter(board: &Board) -> tallyboard::Counter {
    board
        .counter("bench_shared_total", "Counted by two processes.")
        .register()
        .expect("room for one counter")
}
