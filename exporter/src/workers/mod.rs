//! What the processes on the boards use: CPU time and memory, summed for each program name.
//!
//! A process says on its row of a board who it is (pid, PID namespace, start time, name). Its
//! usage is read from `/proc` where that number means the same process to us; all others are
//! left out, and so are those that are not on the board ([`BoardFile`]): a row says what
//! anybody has written there. A process on several boards counts once.
//!
//! CPU time is a counter, so it must not fall when a process dies, and must not be counted
//! twice: each sample adds to the program's sum what the process has used since the sample
//! before. What it had used at its last sample stays; what it used after that nobody knows.
//! The first sample of a process that is younger than we are adds all it has used. One that is
//! older adds nothing: an exporter before us may have counted it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use tallyboard::ProcessIdentity;

use crate::boards::BoardFile;
use crate::usage::{self, ProcessKey, Usage};

/// Program names that are told apart. A row's name is whatever a process calls itself.
const MAX_PROGRAMS: usize = 100;

/// The name of all beyond.
const OTHER: &str = "other";

/// The name of a process that has none.
const UNNAMED: &str = "unknown";

/// Scrapes that come closer after each other share a sample.
const FRESH: Duration = Duration::from_millis(100);

/// For so long, a process that was not on a board is not looked for on it again: as many as a board
/// has rows may be named, and to look costs a while. It may come later, by an `exec`, with the
/// number and the start that a row of before has.
const STRANGE: Duration = Duration::from_secs(60);

/// The books of all programs.
#[derive(Default)]
pub(crate) struct Workers {
    programs: BTreeMap<String, Program>,
    /// The processes that were on a board and live, on one or not at the moment.
    known: HashMap<ProcessKey, Known>,
    /// The processes that a board's row names and that were not on that board then.
    strangers: HashMap<(ProcessKey, BoardFile), Instant>,
    sampled_at: Option<Instant>,
}

/// What the processes of one name use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Program {
    /// Of the living and the dead.
    pub(crate) cpu_ticks: u64,
    /// Of those that are on a board now.
    pub(crate) resident_bytes: u64,
    /// How many are on a board now.
    pub(crate) processes: u64,
}

/// The kernel, as far as it is asked.
struct Kernel<'k> {
    usage_of: &'k dyn Fn(ProcessKey) -> Option<Usage>,
    is_on: &'k dyn Fn(ProcessKey, BoardFile) -> bool,
}

struct Known {
    program: String,
    /// As of the last sample.
    cpu_ticks: u64,
}

impl Workers {
    /// The programs by name, with what they used at the last sample.
    pub(crate) fn programs(&self) -> impl Iterator<Item = (&str, &Program)> {
        self.programs
            .iter()
            .map(|(name, program)| (&**name, program))
    }

    /// Takes a sample if the last one is old. `identities` are those on the boards.
    pub(crate) fn sample_if_old(
        &mut self,
        identities: impl FnOnce() -> Vec<(ProcessIdentity, BoardFile)>,
    ) {
        if (self.sampled_at).is_none_or(|at| at.elapsed() >= FRESH) {
            self.sample(identities());
        }
    }

    /// Takes a sample of the processes on the boards. A few syscalls for each, and for one that is
    /// new a look at all that it has mapped.
    pub(crate) fn sample(&mut self, identities: Vec<(ProcessIdentity, BoardFile)>) {
        // One of nobody costs nothing, and may be of boards that are not mapped yet.
        self.sampled_at = (!identities.is_empty()).then(Instant::now);
        let own_start = usage::myself().map(|myself| myself.start_ticks);
        self.sample_with(
            identities,
            usage::visible_namespace(),
            own_start,
            &Kernel {
                usage_of: &Usage::of,
                is_on: &|process, file| file.is_used_by(process.pid),
            },
        );
    }

    fn sample_with(
        &mut self,
        identities: Vec<(ProcessIdentity, BoardFile)>,
        namespace: Option<u64>,
        own_start: Option<u64>,
        kernel: &Kernel<'_>,
    ) {
        let usage_of = kernel.usage_of;
        for program in self.programs.values_mut() {
            program.resident_bytes = 0;
            program.processes = 0;
        }
        self.strangers.retain(|_, since| since.elapsed() < STRANGE);
        let mut seen = HashSet::new();
        for (identity, file) in identities {
            let process = ProcessKey::of_row(
                identity.pid,
                identity.start_ticks,
                identity.pid_namespace,
                namespace,
            );
            let Some(process) = process else {
                continue;
            };
            if seen.contains(&process) || self.strangers.contains_key(&(process, file)) {
                continue;
            }
            let Some(usage) = usage_of(process) else {
                self.known.remove(&process);
                continue;
            };
            if !self.known.contains_key(&process) && !(kernel.is_on)(process, file) {
                self.strangers.insert((process, file), Instant::now());
                continue;
            }
            seen.insert(process);
            let known = self.known.entry(process).or_insert_with(|| Known {
                program: admit(&mut self.programs, identity.name),
                cpu_ticks: match own_start {
                    Some(start) if process.start_ticks >= start => 0,
                    _ => usage.cpu_ticks,
                },
            });
            let program = self.programs.entry(known.program.clone()).or_default();
            program.cpu_ticks += known.grown_to(usage.cpu_ticks);
            // Dead, and only its parent has not asked yet: it has no memory any more.
            if usage.virtual_bytes > 0 {
                program.resident_bytes += usage.resident_bytes;
                program.processes += 1;
            }
        }
        let programs = &mut self.programs;
        self.known.retain(|process, known| {
            if seen.contains(process) {
                return true;
            }
            // On no board now. It may come back, and is not to be counted anew then; or it has
            // just died, and its parent has not asked yet.
            let Some(usage) = usage_of(*process) else {
                return false;
            };
            if let Some(program) = programs.get_mut(&known.program) {
                program.cpu_ticks += known.grown_to(usage.cpu_ticks);
            }
            true
        });
    }
}

impl Known {
    /// What was used since the last sample.
    fn grown_to(&mut self, cpu_ticks: u64) -> u64 {
        let grown = cpu_ticks.saturating_sub(self.cpu_ticks);
        self.cpu_ticks += grown;
        grown
    }
}

/// The name under which a program is counted.
fn admit(programs: &mut BTreeMap<String, Program>, name: String) -> String {
    let name = if name.is_empty() {
        UNNAMED.to_owned()
    } else {
        name
    };
    if programs.contains_key(&name) || programs.len() < MAX_PROGRAMS {
        name
    } else {
        OTHER.to_owned()
    }
}

#[cfg(test)]
mod tests;
