//! A process that counts on the board that `TALLYBOARD` names, as the live tests need it.
//!
//! It says `ready` and its update path once its metrics are registered, and starts when a line comes in on its
//! standard input, so that a test can let many of them loose at once.

mod churn;
mod count;
mod storm;
mod update;

use std::error::Error;
use std::io::{Write, stdin, stdout};
use std::path::PathBuf;

use clap::Parser;
use tallyboard::Board;

/// Counts on the board that TALLYBOARD names.
#[derive(Parser)]
enum Work {
    /// Adds one to each of several series of a counter, again and again.
    Count {
        /// The counter's name.
        family: String,
        /// The number of series; their label `kind` has the values 0, 1, 2 …
        series: usize,
        /// How often each series is incremented.
        increments: u64,
    },
    /// Updates a metric of each type.
    Update {
        /// How many updates are made in all.
        updates: u64,
    },
    /// Registers and updates metrics of every type whatever becomes of the board, until a second line comes in.
    Storm {
        /// The number of series of each metric to choose from.
        series: u64,
        /// The first state of the random numbers.
        seed: u64,
    },
    /// Registers random series of a counter and increments each, until it is killed or has done `rounds`.
    Churn {
        /// The counter's name.
        family: String,
        /// The number of series to choose from.
        series: usize,
        /// Where the numbers of increments begun and done are kept for each series; made if it is not there.
        ledger: PathBuf,
        /// The first state of the random numbers.
        seed: u64,
        /// How many increments it makes at most.
        rounds: u64,
    },
}

/// Tells the test that everything is in place, and waits for its word.
fn wait_for_start(board: &Board) -> Result<(), Box<dyn Error>> {
    println!("ready {}", board.update_path());
    stdout().flush()?;
    stdin().read_line(&mut String::new())?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let board = Board::open_default()?;
    match Work::parse() {
        Work::Count {
            family,
            series,
            increments,
        } => count::run(&board, &family, series, increments),
        Work::Update { updates } => update::run(&board, updates),
        Work::Storm { series, seed } => storm::run(&board, series, seed),
        Work::Churn {
            family,
            series,
            ledger,
            seed,
            rounds,
        } => churn::run(&board, &family, series, &ledger, seed, rounds),
    }
}
