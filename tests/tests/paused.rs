//! Workers stopped with SIGSTOP in the middle of what they do, for as long as it takes: the others are not held up.

use std::thread;

use rustix::process::Signal;
use tallyboard::{Board, Location, Number, Reader};
use tallyboard_tests::{Ledger, Worker};

const PROGRAM: &str = env!("CARGO_BIN_EXE_worker");
const FAMILY: &str = "paused_total";
const SERIES: usize = 3_000;
const WORKERS: u64 = 6;
const ROUNDS: u64 = 2_000_000;
const PAUSES: u64 = 300;

#[test]
fn a_stopped_worker_holds_up_nobody_and_every_increment_counts() {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in shared memory");
    let path = folder.path().join("paused.board");
    let board = Board::options()
        .create(&Location::Path(path.clone()))
        .expect("a new board");
    let mut workers: Vec<(Worker, Ledger)> = (0..WORKERS)
        .map(|number| {
            let ledger = Ledger::create(folder.path().join(format!("ledger-{number}")), SERIES);
            let arguments = [
                "churn".into(),
                FAMILY.into(),
                SERIES.to_string(),
                ledger.path().display().to_string(),
                (number + 7).to_string(),
                ROUNDS.to_string(),
            ];
            let worker = Worker::start(PROGRAM, &path, number % 2 == 0, arguments);
            (worker, ledger)
        })
        .collect();
    for (worker, _) in &mut workers {
        worker.go();
    }

    for pause in 0..PAUSES {
        let stopped = (pause % WORKERS) as usize;
        let witness = (stopped + 1) % workers.len();
        workers[stopped].0.signal(Signal::STOP);
        let before = workers[witness].1.done(SERIES);
        // The witness gets on while the other one stands still, or has nothing left to do.
        while workers[witness].1.done(SERIES) < (before + 20).min(ROUNDS) {
            assert!(
                !workers[witness].0.has_ended() || workers[witness].1.done(SERIES) == ROUNDS,
                "the witness died"
            );
            thread::yield_now();
        }
        workers[stopped].0.signal(Signal::CONT);
    }

    let mut expected = vec![0; SERIES];
    for (worker, ledger) in workers {
        assert!(worker.wait().success());
        for (total, (begun, done)) in expected.iter_mut().zip(ledger.entries(SERIES)) {
            assert_eq!(begun, done);
            *total += done;
        }
    }
    let mut reader = Reader::new(&board);
    reader.refresh();
    let family = reader
        .families()
        .iter()
        .find(|family| family.name == FAMILY)
        .expect("it was counted on");
    let mut counted = vec![0; SERIES];
    for series in &family.series {
        let kind: usize = reader.label_values(series).expect("it lives")[0]
            .parse()
            .expect("a number");
        let Some(Number::Int(value)) = reader.counter(series) else {
            panic!("series {kind} has no whole number");
        };
        counted[kind] += value;
    }
    assert_eq!(counted, expected);
    board.reap();
    assert_eq!(board.check(), []);
}
