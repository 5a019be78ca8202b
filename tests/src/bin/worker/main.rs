//! A process that counts on the board that `TALLYBOARD` names, as the live tests need it.
//!
//! It says `ready` and its update path once its metrics are registered, and starts when a line comes in on its
//! standard input, so that a test can let many of them loose at once.

mod change;
mod churn;
mod count;
mod deaths;
mod hold;
mod pass;
mod pieces;
mod share;
mod storm;
mod stubborn;
mod torture;
mod update;

use std::error::Error;
use std::io::{Write, stdin, stdout};
use std::path::PathBuf;

use clap::Parser;
use tallyboard::Aggregation;
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
    /// Sets a gauge once, then does nothing until it is killed.
    Hold {
        /// The gauge's name.
        family: String,
        /// How the processes' values become one.
        aggregation: Aggregation,
        /// Its value; without one it is registered and never set.
        value: Option<f64>,
    },
    /// Forks children that each add one to a gauge and die, every second one by SIGKILL.
    Deaths {
        /// The gauge's name; its aggregation is `sum`.
        family: String,
        /// How many children.
        children: u64,
        /// How many series of a counter and of a histogram each child updates, too.
        series: usize,
    },
    /// Registers series with labels that never come again, updates them and removes them, until it is killed.
    Pass {
        /// This process's number among those that do the same: its series are its own.
        actor: usize,
        /// How many processes do the same.
        actors: usize,
        /// Where each notes how far it has come.
        ledger: PathBuf,
    },
    /// Does everything that a writer can, until it is killed; never waits for a line.
    Torture {
        /// Where its books are.
        books: PathBuf,
        /// Its number among those that run at the same time.
        lane: u64,
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
        Work::Hold {
            family,
            aggregation,
            value,
        } => hold::run(&board, &family, aggregation, value),
        Work::Deaths {
            family,
            children,
            series,
        } => deaths::run(&board, &family, children, series),
        Work::Pass {
            actor,
            actors,
            ledger,
        } => pass::run(&board, actor, actors, &ledger),
        Work::Torture { books, lane, seed } => torture::run(&board, &books, lane, seed),
    }
}
