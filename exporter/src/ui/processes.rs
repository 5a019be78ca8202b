//! Who writes to a board.

use std::cmp::Reverse;
use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};
use tallyboard::ProcessView;

/// Processes that one answer holds.
const MOST: usize = 100;

/// The living first, and of those whoever came first.
pub(super) fn list(mut processes: Vec<ProcessView>) -> Value {
    let here = fs::metadata("/proc/self/ns/pid").map_or(0, |namespace| namespace.ino());
    let alive = processes.iter().filter(|view| view.is_alive).count();
    processes.sort_by_key(|view| (Reverse(view.is_alive), view.claimed_unix_nanos, view.row));
    let shown = processes.iter().take(MOST).map(|view| one(view, here));
    json!({
        "total": processes.len(),
        "alive": alive,
        "shown": shown.collect::<Vec<_>>(),
    })
}

fn one(view: &ProcessView, here: u64) -> Value {
    let pid = match view.pid_namespace {
        0 => view.pid.to_string(),
        namespace if namespace == here => view.pid.to_string(),
        elsewhere => format!("{}@{elsewhere}", view.pid),
    };
    let (major, minor, patch) = view.version;
    json!({
        "row": view.row,
        "pid": pid,
        "name": view.name,
        "alive": view.is_alive,
        "since_unix_millis": view.claimed_unix_nanos / 1_000_000,
        "gauges": view.gauges,
        "version": format!("{major}.{minor}.{patch}"),
    })
}
