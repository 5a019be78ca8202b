//! The processes on the board, with what they use where we can see it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tallyboard::ProcessView;

use super::number;
use super::view::Arrangement;
use crate::cli::ps;
use crate::usage::{self, ProcessKey, Usage};

/// CPU time is counted in hundredths of a second: over less than this it tells little.
const SPAN: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(super) struct Roster {
    pub(super) entries: Vec<Entry>,
    marks: HashMap<ProcessKey, Mark>,
}

/// What a process had used at some look, and its CPU use up to then.
#[derive(Clone, Copy)]
struct Mark {
    at: Instant,
    cpu_ticks: u64,
    cpu: Option<f64>,
}

impl Mark {
    fn follow(self, now: Instant, cpu_ticks: u64) -> Self {
        let elapsed = now.saturating_duration_since(self.at);
        if elapsed < SPAN {
            return self;
        }
        let used = usage::seconds(cpu_ticks.saturating_sub(self.cpu_ticks));
        Self {
            at: now,
            cpu_ticks,
            cpu: Some(used / elapsed.as_secs_f64() * 100.0),
        }
    }
}

/// One process, as the page shows it.
pub(super) struct Entry {
    pub(super) pid: String,
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) since: String,
    pub(super) gauges: u64,
    pub(super) version: String,
    /// Of one CPU, in percent.
    pub(super) cpu: Option<f64>,
    pub(super) memory: Option<u64>,
}

impl Roster {
    /// Takes the processes in and reads the kernel's books. Sorted by CPU use as by a rate, by
    /// memory as by a value.
    pub(super) fn look(
        &mut self,
        processes: Vec<ProcessView>,
        now: Instant,
        arrangement: &Arrangement,
    ) {
        let here = ps::own_namespace();
        let namespace = usage::visible_namespace();
        let mut after = HashMap::new();
        let entries = processes.iter().map(|view| {
            let process =
                ProcessKey::of_row(view.pid, view.start_ticks, view.pid_namespace, namespace);
            let usage = process.and_then(|process| Some((process, Usage::of(process)?)));
            let cpu = usage.and_then(|(process, usage)| {
                let first = Mark {
                    at: now,
                    cpu_ticks: usage.cpu_ticks,
                    cpu: None,
                };
                let before = self.marks.get(&process).copied().unwrap_or(first);
                let mark = before.follow(now, usage.cpu_ticks);
                after.insert(process, mark);
                mark.cpu
            });
            Entry {
                pid: ps::pid(view, here),
                name: ps::name(view),
                state: ps::state(view),
                since: ps::since(view),
                gauges: view.gauges,
                version: ps::version(view),
                cpu,
                memory: usage.map(|(_, usage)| usage.resident_bytes),
            }
        });
        let entries = entries
            .filter(|entry| arrangement.admits(&entry.name) || arrangement.admits(&entry.pid));
        self.entries = entries.collect();
        self.marks = after;
        arrangement.sort(&mut self.entries, |entry| {
            let memory = entry.memory.map_or(f64::NEG_INFINITY, |bytes| bytes as f64);
            (&entry.name, memory, entry.cpu)
        });
    }
}

impl Entry {
    pub(super) fn cpu(&self) -> String {
        self.cpu.map_or("-".to_owned(), |cpu| format!("{cpu:.1}"))
    }

    pub(super) fn memory(&self) -> String {
        self.memory.map_or("-".to_owned(), number::bytes)
    }
}
