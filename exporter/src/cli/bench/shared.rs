//! The shared plane, measured in a process that is told to use it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use tallyboard::{Board, Location, UpdatePath};

use super::cost::{FEWEST_ROUNDS, median};
use super::peer::{cannot_start, gone};
use super::{IncRatio, expect_path, updates};
use crate::cli::failure::Failure;
use crate::cli::parent::{Parent, own_program};
use crate::cli::temporary_board::TemporaryBoard;

/// The process that measures.
#[derive(Args, Debug)]
pub(in crate::cli) struct Shared {
    #[arg(long)]
    board: OsString,
    #[arg(long)]
    millis: u64,
    #[command(flatten)]
    parent: Parent,
}

impl Shared {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        self.parent.die_with_it()?;
        let board = Board::open(&Location::parse(&self.board)?)?;
        expect_path(&board, UpdatePath::Shared)?;
        let mut ratio = IncRatio::new(updates(&board)?);
        let begun = Instant::now();
        let time = Duration::from_millis(self.millis);
        while begun.elapsed() < time || ratio.ratios.len() < FEWEST_ROUNDS {
            ratio.round();
        }
        let measured = json!({
            "updates": ratio.updates(),
            "ratio": median(ratio.ratios),
            "ns": median(ratio.inc_ns),
        });
        writeln!(io::stdout(), "{measured}")?;
        Ok(())
    }
}

/// What it found.
pub(super) struct Measured {
    pub(super) ratio: f64,
    pub(super) ns: f64,
    pub(super) updates: u64,
}

/// Runs it for `time`.
pub(super) fn measure(temporary: &TemporaryBoard, time: Duration) -> Result<Measured, Failure> {
    let output = own_program("bench-shared")
        .env("TALLYBOARD_RSEQ", "off")
        .arg("--board")
        .arg(temporary.location().path().unwrap_or_default())
        .args(["--millis", &time.as_millis().to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(cannot_start)?;
    let measured: Value = serde_json::from_slice(&output.stdout).map_err(|_| gone())?;
    let number = |key: &str| measured[key].as_f64().ok_or_else(gone);
    Ok(Measured {
        ratio: number("ratio")?,
        ns: number("ns")?,
        updates: measured["updates"].as_u64().ok_or_else(gone)?,
    })
}
