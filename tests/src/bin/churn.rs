//! Label sets that never repeat, on a board of the default size, by processes that are killed.
//!
//! Four processes register, update and remove series (`worker pass`), on both update paths; three of them are killed
//! again and again. Nothing is refused, memory stays flat, and no value holds an update that was meant for another
//! series.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use tallyboard::{Board, Counter, Family, Location, Number, Reader};
use tallyboard_tests::{PASSING, Worker, is_made_of};

/// Processes that do the same. The first is never killed: its memory is measured.
const ACTORS: usize = 4;
/// No process has a handle to a series that is so many of its owner's steps behind, unless it was stopped: what is
/// still there, a process that was killed has left.
const STALE: u64 = 1 << 12;

/// Registers, updates and removes label sets that never repeat, and looks whether anything is lost, leaked or mixed up.
#[derive(Parser)]
struct Options {
    /// How many label sets
    #[arg(long, default_value_t = 10_000_000)]
    sets: u64,
    /// How many processes are killed meanwhile
    #[arg(long, default_value_t = 200)]
    kills: u64,
    /// The program `worker` [default: beside this one]
    #[arg(long)]
    worker: Option<PathBuf>,
}

fn main() {
    let options = Options::parse();
    let beside = || {
        std::env::current_exe()
            .expect("a path")
            .with_file_name("worker")
    };
    let program = options.worker.unwrap_or_else(beside);
    let program = program.to_str().expect("a path in UTF-8");
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in shared memory");
    let path = folder.path().join("churn.board");
    let board = Board::options()
        .create(&Location::Path(path.clone()))
        .expect("a new board");
    let family = passing(&board);
    let books = folder.path().join("progress");
    let progress = tallyboard::Ledger::create(&books, ACTORS).expect("a new ledger");
    let steps = || -> Vec<u64> { (0..ACTORS).map(|actor| progress.get(actor)).collect() };

    let begun = Instant::now();
    let mut workers: Vec<Worker> = (0..ACTORS)
        .map(|actor| start(program, &path, actor, actor, &books))
        .collect();
    let mut starts = ACTORS;
    let mut killed = 0;
    let mut swept = 0;
    let mut early = None;
    loop {
        let now = steps();
        let done: u64 = now.iter().sum();
        if early.is_none() && done >= options.sets / 10 {
            early = Some(resident_kib(&workers[0]));
        }
        if done >= options.sets {
            break;
        }
        if killed < options.kills && done >= (killed + 1) * options.sets / (options.kills + 1) {
            let victim = 1 + killed as usize % (ACTORS - 1);
            workers[victim] = start(program, &path, victim, starts, &books);
            starts += 1;
            killed += 1;
            swept += sweep(&board, &family, &steps());
        }
        for worker in &mut workers {
            assert!(!worker.has_ended(), "a worker ended by itself");
        }
        thread::sleep(Duration::from_millis(1));
    }
    let late = resident_kib(&workers[0]);
    let took = begun.elapsed();
    drop(workers);

    let done: u64 = steps().iter().sum();
    // What the dead had linked and not completed is a series from here on.
    board.reap();
    sweep(&board, &family, &[u64::MAX; ACTORS]);
    let stats = board.stats();
    println!(
        "{done} label sets in {took:.1?}, {killed} processes killed; {swept} series were left by them; {} slots given back",
        stats.reclaimed
    );
    let early = early.expect("it was measured on the way");
    println!("resident: {early} KiB after a tenth, {late} KiB at the end");
    assert!(
        stats.refused.iter().all(|(_, times)| *times == 0),
        "{stats:?}"
    );
    let faults: Vec<String> = board.check().iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    // The family.
    assert_eq!((stats.series, stats.slots_used), (0, 1), "{stats:?}");
    // A tenth more is a page here and there; a leak of one byte a label set would be far beyond it.
    assert!(late * 10 <= early * 11, "memory grew");
}

fn passing(board: &Board) -> Family<Counter> {
    let builder = board.counter(PASSING, "Series that come and go.");
    builder.labels(&["number"]).family().expect("there is room")
}

fn start(program: &str, board: &Path, actor: usize, number: usize, books: &Path) -> Worker {
    let arguments = [
        "pass".to_owned(),
        actor.to_string(),
        ACTORS.to_string(),
        books.display().to_string(),
    ];
    let mut worker = Worker::start(program, board, !number.is_multiple_of(2), arguments);
    worker.go();
    worker
}

/// Looks at every value, and removes the series that the dead have left; says how many.
fn sweep(board: &Board, family: &Family<Counter>, steps: &[u64]) -> u64 {
    let mut reader = Reader::new(board);
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    let mut removed = 0;
    let families = reader.families().iter();
    for series in families.flat_map(|family| &family.series) {
        // A series that has ended since has no labels, and no value.
        let Some(labels) = reader.label_values(series) else {
            continue;
        };
        let number: u64 = labels[0].parse().expect("a number");
        if let Some(value) = reader.counter(series) {
            assert!(
                matches!(value, Number::Int(value) if is_made_of(value, number)),
                "series {number} has the value {value:?}"
            );
        }
        let (actor, step) = (number as usize % ACTORS, number / ACTORS as u64);
        if step.saturating_add(STALE) < steps[actor] {
            removed += u64::from(family.remove(&[&labels[0]]) == Ok(true));
        }
    }
    removed
}

/// Its memory, the pages of the board that it has touched included.
fn resident_kib(worker: &Worker) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", worker.id())).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let word = line.and_then(|line| line.split_whitespace().next());
    word.and_then(|word| word.parse().ok()).expect("a number")
}
