//! `tallyboard ps`

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::{Value, json};
use tallyboard::ProcessView;

use super::board_option::BoardArgument;
use super::failure::Failure;
use super::table::{self, Align};

/// List the processes that are on a board
///
/// Those that have registered something on it: processes that only read it are not there. A
/// process is told by a lock that it holds, so the answer is right whatever has become of its
/// number, and in whichever container it runs. One that is gone stays on the list until
/// somebody gives its row back: `serve`, a process that needs a row, or `check --repair`.
#[derive(Args, Debug)]
pub(super) struct Ps {
    #[command(flatten)]
    board: BoardArgument,

    /// Print an array with an object for each process
    #[arg(long)]
    json: bool,
}

impl Ps {
    pub(super) fn run(self) -> Result<(), Failure> {
        let board = self.board.read_only()?;
        let processes = board.processes();
        self.board.complete(&board)?;
        let mut out = io::stdout().lock();
        if self.json {
            let processes: Vec<Value> = processes.iter().map(object).collect();
            serde_json::to_writer_pretty(&mut out, &processes).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            let here = own_namespace();
            let rows: Vec<_> = processes.iter().map(|view| row(view, here)).collect();
            table::write(&COLUMNS, &rows, &mut out)?;
        }
        out.flush()?;
        Ok(())
    }
}

fn object(view: &ProcessView) -> Value {
    json!({
        "row": view.row,
        "pid": view.pid,
        "pid_namespace": view.pid_namespace,
        "start_ticks": view.start_ticks,
        "name": view.name,
        "version": version(view),
        "since_unix_nanos": view.claimed_unix_nanos,
        "alive": view.is_alive,
        "gauges": view.gauges,
    })
}

/// Of the library that it uses.
pub(super) fn version(view: &ProcessView) -> String {
    let (major, minor, patch) = view.version;
    format!("{major}.{minor}.{patch}")
}

const COLUMNS: [(&str, Align); 7] = [
    ("ROW", Align::Right),
    ("PID", Align::Right),
    ("NAME", Align::Left),
    ("STATE", Align::Left),
    ("SINCE", Align::Left),
    ("GAUGES", Align::Right),
    ("VERSION", Align::Left),
];

fn row(view: &ProcessView, here: u64) -> [String; 7] {
    [
        view.row.to_string(),
        pid(view, here),
        name(view),
        state(view).to_owned(),
        since(view),
        view.gauges.to_string(),
        version(view),
    ]
}

/// Our PID namespace, or 0.
pub(super) fn own_namespace() -> u64 {
    fs::metadata("/proc/self/ns/pid").map_or(0, |namespace| namespace.ino())
}

/// Its number, and whose number that is if it is not ours.
pub(super) fn pid(view: &ProcessView, here: u64) -> String {
    match view.pid_namespace {
        0 => view.pid.to_string(),
        namespace if namespace == here => view.pid.to_string(),
        elsewhere => format!("{}@{elsewhere}", view.pid),
    }
}

/// Whatever a process calls itself, it does not write to the terminal.
pub(super) fn name(view: &ProcessView) -> String {
    view.name.escape_debug().to_string()
}

pub(super) fn state(view: &ProcessView) -> &'static str {
    if view.is_alive { "alive" } else { "gone" }
}

/// How long it has been on the board.
pub(super) fn since(view: &ProcessView) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let age = now.unwrap_or_default();
    let age = age.saturating_sub(Duration::from_nanos(view.claimed_unix_nanos));
    format!("{} ago", rough(age.as_secs()))
}

/// A duration in its two largest units.
pub(super) fn rough(seconds: u64) -> String {
    const UNITS: [(u64, char); 4] = [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')];
    let first = UNITS.iter().position(|(unit, _)| seconds >= *unit);
    let Some(first) = first else {
        return "0s".to_owned();
    };
    let mut rest = seconds;
    let two = UNITS[first..].iter().take(2).map(|(unit, letter)| {
        let number = rest / unit;
        rest %= unit;
        (number, letter)
    });
    let shown = two.filter(|(number, _)| *number > 0);
    let shown: Vec<String> = shown.map(|(n, letter)| format!("{n}{letter}")).collect();
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_two_units() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m 1s"),
            (3_605, "1h"),
            (90_061, "1d 1h"),
        ] {
            assert_eq!(rough(seconds), text);
        }
    }

    #[test]
    fn a_name_cannot_break_a_table() {
        let board = tallyboard::Board::open(&tallyboard::Location::Private).unwrap();
        board.enlist();
        let mut view = board.processes().remove(0);
        view.name = "a\nb\x1b".to_owned();
        assert_eq!(row(&view, 0)[2], "a\\nb\\u{1b}");
    }
}
