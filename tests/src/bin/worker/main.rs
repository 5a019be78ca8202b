//! A process that counts on the board that `TALLYBOARD` names, as the live tests need it.
//!
//! It says `ready` and its update path once its metrics are registered, and starts when a line comes in on its
//! standard input, so that a test can let many of them loose at once.

mod change;
mod churn;
mod count;
mod pieces;
mod share;
mod storm;
mod stubborn;
mod update;

use std::error::Error;
use std::io::{Write, stdin, stdout};
use std::path::PathBuf;

use clap::Parser;
use tallyboard::Board;
use tallyboard_tests::Work as Pieces;

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
    Stubborn {
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
    /// Sets gauges of every aggregation and stays until a second line comes in.
    Share {
        /// What it sets the series `plain` to.
        #[arg(allow_hyphen_values = true)]
        plain: f64,
        /// What it sets the series `odd` to.
        #[arg(allow_hyphen_values = true)]
        odd: f64,
    },
    /// Leaves series that were removed, words and definitions that changed, and a full family.
    Change,
    /// Does eight pieces of work, half of them with keys that other processes have too.
    Pieces {
        /// What each piece is.
        work: Pieces,
        /// This process's number among those that do the same.
        actor: usize,
        /// Where boards are made.
        folder: PathBuf,
        /// Where the pieces begun and done are noted, two words each.
        ledger: PathBuf,
    },
    /// Does pieces of work of every kind, with random keys, until it is killed.
    Storm {
        /// The number of keys to choose from.
        keys: usize,
        /// Where boards are made.
        folder: PathBuf,
        /// Where the pieces begun and done are noted, two words for each metric and key.
        ledger: PathBuf,
        /// The first state of the random numbers.
        seed: u64,
    },
}

/// Tells the test that everything is in place, and waits for its word.
fn wait_for_start(board: &Board) -> Result<(), Box<dyn Error>> {
    println!("ready {}", board.update_path());
    stdout().flush()?;
    stdin().read_line(&mut String::new())?;
    Ok(())
}

/// Marsaglia's xorshift, 2003; the state is never 0.
fn next_random(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
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
        Work::Stubborn { series, seed } => stubborn::run(&board, series, seed),
        Work::Churn {
            family,
            series,
            ledger,
            seed,
            rounds,
        } => churn::run(&board, &family, series, &ledger, seed, rounds),
        Work::Share { plain, odd } => share::run(&board, plain, odd),
        Work::Change => change::run(&board),
        Work::Pieces {
            work,
            actor,
            folder,
            ledger,
        } => pieces::run(&board, work, actor, &folder, &ledger),
        Work::Storm {
            keys,
            folder,
            ledger,
            seed,
        } => storm::run(&board, keys, &folder, &ledger, seed),
    }
}
