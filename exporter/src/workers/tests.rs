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
