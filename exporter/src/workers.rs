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
mod tests {
    use super::*;

    const HERE: u64 = 4_026_531_836;
    const OWN_START: u64 = 1_000;
    const STRANGER: i32 = 666;

    /// Books of the kernel that the test writes.
    #[derive(Default)]
    struct Books(HashMap<ProcessKey, Usage>);

    impl Books {
        fn set(&mut self, pid: i32, start_ticks: u64, cpu_ticks: u64) {
            let process = ProcessKey { pid, start_ticks };
            let usage = Usage {
                cpu_ticks,
                resident_bytes: 4_096,
                virtual_bytes: 8_192,
            };
            self.0.insert(process, usage);
        }

        fn kill(&mut self, pid: i32) {
            self.0.retain(|process, _| process.pid != pid);
        }
    }

    fn sample(workers: &mut Workers, kernel: &Books, rows: &[(u64, u64, &str)]) {
        let identities = rows.iter().map(|(pid, start, name)| {
            // Made by the library alone; what it reads of this process is as good as any.
            let mut identity = template();
            (identity.pid, identity.start_ticks) = (*pid, *start);
            (identity.pid_namespace, identity.name) = (HERE, (*name).to_owned());
            (identity, BoardFile::nowhere())
        });
        workers.sample_with(
            identities.collect(),
            Some(HERE),
            Some(OWN_START),
            &Kernel {
                usage_of: &|process| kernel.0.get(&process).copied(),
                // Nobody has a number like this one.
                is_on: &|process, _| process.pid != STRANGER,
            },
        );
    }

    /// This process, as a board has it.
    fn template() -> ProcessIdentity {
        static TEMPLATE: std::sync::OnceLock<ProcessIdentity> = std::sync::OnceLock::new();
        let made = TEMPLATE.get_or_init(|| {
            let board = tallyboard::Board::open(&tallyboard::Location::Private).unwrap();
            board.enlist();
            board.process_identities().remove(0)
        });
        made.clone()
    }

    fn program(workers: &Workers, name: &str) -> Program {
        workers.programs[name]
    }

    #[test]
    fn the_dead_stay_in_the_sum() {
        let (mut workers, mut kernel) = (Workers::default(), Books::default());
        kernel.set(7, 2_000, 50);
        kernel.set(8, 2_001, 5);
        let rows = [(7, 2_000, "python3"), (8, 2_001, "python3")];
        sample(&mut workers, &kernel, &rows);
        assert_eq!(program(&workers, "python3").cpu_ticks, 55);
        assert_eq!(program(&workers, "python3").processes, 2);
        kernel.kill(7);
        kernel.set(8, 2_001, 10);
        sample(&mut workers, &kernel, &rows);
        assert_eq!(
            program(&workers, "python3"),
            Program {
                cpu_ticks: 60,
                resident_bytes: 4_096,
                processes: 1
            }
        );
        // The number of a dead process, given to another one that is on no board.
        kernel.set(7, 3_000, 900);
        sample(&mut workers, &kernel, &rows);
        assert_eq!(program(&workers, "python3").cpu_ticks, 60);
    }

    #[test]
    fn who_was_there_before_us_counts_from_now_on() {
        let (mut workers, mut kernel) = (Workers::default(), Books::default());
        kernel.set(7, OWN_START - 1, 5_000);
        let rows = [(7, OWN_START - 1, "python3")];
        sample(&mut workers, &kernel, &rows);
        assert_eq!(program(&workers, "python3").cpu_ticks, 0);
        kernel.set(7, OWN_START - 1, 5_007);
        sample(&mut workers, &kernel, &rows);
        assert_eq!(program(&workers, "python3").cpu_ticks, 7);
    }

    #[test]
    fn who_leaves_a_board_and_comes_back_is_counted_once() {
        let (mut workers, mut kernel) = (Workers::default(), Books::default());
        let rows = [(7, 2_000, "php")];
        kernel.set(7, 2_000, 100);
        sample(&mut workers, &kernel, &rows);
        kernel.set(7, 2_000, 110);
        sample(&mut workers, &kernel, &[]);
        assert_eq!(program(&workers, "php").processes, 0);
        kernel.set(7, 2_000, 120);
        // On two boards.
        sample(&mut workers, &kernel, &[rows[0], rows[0]]);
        assert_eq!(
            program(&workers, "php"),
            Program {
                cpu_ticks: 120,
                resident_bytes: 4_096,
                processes: 1
            }
        );
        kernel.kill(7);
        sample(&mut workers, &kernel, &[]);
        assert!(workers.known.is_empty());
    }

    #[test]
    fn numbers_of_other_namespaces_mean_nothing() {
        let kernel = Kernel {
            usage_of: &|_| panic!("nobody is looked at"),
            is_on: &|_, _| panic!("nobody is looked at"),
        };
        let mut workers = Workers::default();
        let mut without_namespace = template();
        without_namespace.pid_namespace = 0;
        let mut without_start = template();
        (without_start.pid_namespace, without_start.start_ticks) = (HERE, 0);
        let mut elsewhere = template();
        elsewhere.pid_namespace = HERE + 1;
        let rows = [elsewhere, without_namespace, without_start];
        let rows = Vec::from(rows.map(|row| (row, BoardFile::nowhere())));
        workers.sample_with(rows.clone(), Some(HERE), Some(OWN_START), &kernel);
        workers.sample_with(rows, None, Some(OWN_START), &kernel);
        assert_eq!(workers.programs().count(), 0);
    }

    /// It made an exporter's first scrape one without workers.
    #[test]
    fn a_sample_of_nobody_is_not_kept_for_the_next_scrape() {
        let mut workers = Workers::default();
        workers.sample(Vec::new());
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let path = directory.path().join("mine.board");
        let location = tallyboard::Location::Path(path.clone());
        let options = tallyboard::Board::options().slots(64);
        let _board = options.create(&location).unwrap();
        let file = BoardFile::at(&path).unwrap();
        workers.sample_if_old(|| vec![(template(), file)]);
        assert_eq!(workers.programs().count(), 1);
        workers.sample_if_old(|| panic!("it is a moment ago"));
    }

    /// Whoever may write to a board may write any number into a row.
    #[test]
    fn who_is_not_on_the_board_is_not_counted_whatever_a_row_says() {
        let (mut workers, mut kernel) = (Workers::default(), Books::default());
        kernel.set(STRANGER, 2_000, 5_000);
        kernel.set(7, 2_000, 5);
        let rows = [(STRANGER as u64, 2_000, "python3"), (7, 2_000, "python3")];
        for _ in 0..2 {
            sample(&mut workers, &kernel, &rows);
            assert_eq!(program(&workers, "python3").cpu_ticks, 5);
            assert_eq!(program(&workers, "python3").processes, 1);
        }
    }

    #[test]
    fn names_are_bounded() {
        let (mut workers, mut kernel) = (Workers::default(), Books::default());
        for pid in 0..300 {
            kernel.set(pid + 1, 2_000, 1);
        }
        let names: Vec<String> = (0..300).map(|pid| format!("p{pid}")).collect();
        let rows = (1..).zip(&names).map(|(pid, name)| (pid, 2_000, &**name));
        sample(&mut workers, &kernel, &rows.collect::<Vec<_>>());
        assert_eq!(workers.programs().count(), MAX_PROGRAMS + 1);
        assert_eq!(program(&workers, OTHER).processes, 200);
        sample(&mut workers, &kernel, &[(5, 2_000, "")]);
        let sum: u64 = workers
            .programs()
            .map(|(_, program)| program.cpu_ticks)
            .sum();
        assert_eq!(sum, 300);
    }
}
