//! Workers killed with SIGKILL at any instruction: nothing they counted is lost, nothing is wedged, no row stays taken.

use std::collections::HashSet;
use std::path::Path;
use std::thread;

use tallyboard::{Board, Location, Number, Reader};
use tallyboard_tests::{Ledger, Worker};

const PROGRAM: &str = env!("CARGO_BIN_EXE_worker");
const FAMILY: &str = "churned_total";
/// More than the workers manage between two kills, so that new series are registered to the end.
const SERIES: usize = 6_000;
const KILLS: u64 = 200;
const AT_ONCE: usize = 6;

struct Running {
    worker: Worker,
    ledger: Ledger,
    doomed_at: u64,
}

fn start(folder: &Path, board: &Path, number: u64) -> Running {
    let ledger = Ledger::create(folder.join(format!("ledger-{number}")), SERIES);
    let seed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let arguments = [
        "churn".into(),
        FAMILY.into(),
        SERIES.to_string(),
        ledger.path().display().to_string(),
        seed.to_string(),
        u64::MAX.to_string(),
    ];
    let mut worker = Worker::start(PROGRAM, board, !number.is_multiple_of(3), arguments);
    worker.go();
    Running {
        worker,
        ledger,
        doomed_at: seed >> 51,
    }
}

#[test]
fn counts_of_killed_workers_are_kept_and_the_board_stays_sound() {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in shared memory");
    let path = folder.path().join("killed.board");
    let location = Location::Path(path.clone());
    // Fewer rows than workers that will have lived: each row has to be taken over many times.
    let board = Board::options()
        .processes(16)
        .create(&location)
        .expect("a new board");
    let mut ledgers = Vec::new();
    let mut running: Vec<Running> = (0..AT_ONCE as u64)
        .map(|number| start(folder.path(), &path, number))
        .collect();

    let mut killed = 0;
    while killed < KILLS {
        for victim in &mut running {
            assert!(!victim.worker.has_ended(), "a worker ended by itself");
            if victim.ledger.done(SERIES) >= victim.doomed_at {
                let successor = start(folder.path(), &path, AT_ONCE as u64 + killed);
                let gone = std::mem::replace(victim, successor);
                gone.worker.kill();
                ledgers.push(gone.ledger);
                killed += 1;
            }
        }
        thread::yield_now();
    }
    for last in running {
        last.worker.kill();
        ledgers.push(last.ledger);
    }

    let mut bounds = vec![(0, 0); SERIES];
    for ledger in &ledgers {
        for (total, entry) in bounds.iter_mut().zip(ledger.entries(SERIES)) {
            *total = (total.0 + entry.0, total.1 + entry.1);
        }
    }
    // One more process comes by, takes a row over, and finishes what the dead have left half done.
    board
        .counter("survivor_total", "Registered after the last kill.")
        .register()
        .expect("a row and a slot are free");
    board.reap();
    let mut reader = Reader::new(&board);
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    let family = reader
        .families()
        .iter()
        .find(|family| family.name == FAMILY)
        .expect("it was counted on");
    let mut seen = HashSet::new();
    for series in &family.series {
        let kind: usize = reader.label_values(series).expect("it lives")[0]
            .parse()
            .expect("a number");
        assert!(seen.insert(kind), "two series have the labels {kind}");
        let (begun, done) = bounds[kind];
        let Some(Number::Int(value)) = reader.counter(series) else {
            panic!("series {kind} has no whole number");
        };
        assert!(
            done <= value && value <= begun,
            "series {kind}: done {done}, counted {value}, begun {begun}"
        );
    }
    for (kind, (_, done)) in bounds.iter().enumerate() {
        assert!(*done == 0 || seen.contains(&kind), "series {kind} is gone");
    }
    let stats = board.stats();
    assert!(
        stats.refused.iter().all(|(_, times)| *times == 0),
        "{stats:?}"
    );
    let faults: Vec<String> = board.check().iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
