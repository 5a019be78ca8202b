//! Processes that die and stop at random steps, again and again.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::books;
use crate::{PROGRAM, last_acts, was_killed};
use rustix::process::Signal;
use tallyboard::{Board, Location, OpenError};
use tallyboard_tests::{Event, Ledger, Metric, Worker, small_board};

const AT_ONCE: u64 = 6;
const DEATHS: u64 = 400;
/// More than the workers manage between the deaths, so that new series are registered to the end.
const KEYS: usize = 1_000;
const SLOTS: u32 = 65_536;
/// Fewer than workers that will have lived: each row has to be taken over many times.
const ROWS: u32 = 10;

struct Running {
    worker: Worker,
    ledger: Ledger,
}

fn start(folder: &Path, path: &Path, number: u64) -> Running {
    let words = Metric::ALL.len() * KEYS;
    let ledger = Ledger::create(books::path(folder, number as usize), words);
    let seed = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let arguments = [
        "storm".to_owned(),
        KEYS.to_string(),
        folder.display().to_string(),
        ledger.path().display().to_string(),
        seed.to_string(),
    ];
    let plan = format!("kill:random:{seed}:60,stop:random:{}:40", seed ^ 1);
    let rseq = !number.is_multiple_of(3);
    let mut worker = Worker::start_to_crash(PROGRAM, path, rseq, &plan, arguments);
    worker.go();
    Running { worker, ledger }
}

#[test]
fn processes_may_die_and_stop_at_random_steps() {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in shared memory");
    let folder = folder.path();
    let path = folder.join("main.board");
    let board = Board::options()
        .slots(SLOTS)
        .processes(ROWS)
        .create(&Location::Path(path.clone()))
        .expect("a new board");
    let mut ledgers = Vec::new();
    let mut acts: BTreeMap<String, u64> = BTreeMap::new();
    let mut running: Vec<Running> = (0..AT_ONCE)
        .map(|number| start(folder, &path, number))
        .collect();
    let mut deaths = 0;
    while !running.is_empty() {
        let mut still = Vec::new();
        for mut process in running {
            match process.worker.poll() {
                Some(Event::Ended(status)) => {
                    let told = last_acts(process.worker);
                    assert!(was_killed(status), "it ended with {status}");
                    for act in told {
                        *acts.entry(act).or_default() += 1;
                    }
                    ledgers.push(process.ledger);
                    deaths += 1;
                    if deaths + AT_ONCE <= DEATHS {
                        still.push(start(folder, &path, AT_ONCE + deaths));
                    }
                    continue;
                }
                Some(Event::Stopped) => process.worker.signal(Signal::CONT),
                None => {}
            }
            still.push(process);
        }
        running = still;
        // How long a stopped one stands still; nothing depends on it.
        thread::sleep(Duration::from_millis(1));
    }
    println!("{deaths} deaths: {acts:?}");

    let case = "after the storm";
    let longest = books::longest_chain(&board);
    let leaked = books::leaked(&board);
    // Who died while it built has its row until somebody gives back what it left.
    assert!(
        leaked <= ROWS * longest,
        "{leaked} slots leaked, the longest chain is {longest}"
    );
    board.reap();
    books::assert_sound(&board, &case);
    let mut unfinished = 0;
    let entries = Metric::ALL.len() * KEYS;
    let mut bounds = vec![(0, 0); entries];
    for ledger in &ledgers {
        for (total, (begun, done)) in bounds.iter_mut().zip(ledger.entries(entries)) {
            *total = (total.0 + begun, total.1 + done);
            unfinished += begun - done;
        }
    }
    assert!(unfinished <= deaths, "{unfinished} pieces are not done");
    for (metric, bounds) in Metric::ALL.into_iter().zip(bounds.chunks(KEYS)) {
        let keys = bounds.iter().enumerate();
        let bounds = keys
            .map(|(key, bounds)| (key.to_string(), *bounds))
            .collect();
        books::assert_counted(&board, metric, &bounds, &case);
    }
    books::fill(&board, &case);
    for passing in 0..4 {
        let board = small_board(folder, &format!("passing-{passing}"))
            .expect("it can be opened or made anew");
        board.reap();
        match tallyboard::remove(board.location()) {
            Ok(()) | Err(OpenError::NotFound { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        books::assert_sound(&board, &case);
        assert_eq!(board.stats().slots_used, 0);
    }
}
