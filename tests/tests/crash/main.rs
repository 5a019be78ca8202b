//! Processes that die by SIGKILL, or stop for a while, at every step of the protocols that has a name.
//!
//! Only in a build with `--cfg arena_crash`; `tests/ci/crash.sh` makes one.
#![cfg(arena_crash)]

mod books;
mod case;
mod said;
mod storm;
mod ways;

use case::{Case, Mode};
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use tallyboard::{Board, Location, Step};
use tallyboard_tests::{Event, KEYS, Ledger, Work, Worker, key, small_board_path};

const PROGRAM: &str = env!("CARGO_BIN_EXE_worker");

fn go_through_all_steps(mode: Mode) {
    let mut cases = 0;
    for step in Step::ALL.iter().copied() {
        let ways = ways::to(step);
        assert!(!ways.is_empty(), "nothing reaches {}", step.name());
        for way in ways {
            let case = Case { step, mode, way };
            println!("{case}");
            case.run();
            cases += 1;
        }
    }
    println!("{cases} cases, {} steps", Step::ALL.len());
}

#[test]
fn a_process_may_be_killed_at_any_step() {
    go_through_all_steps(Mode::Kill);
}

#[test]
fn a_process_may_stop_for_a_while_at_any_step() {
    go_through_all_steps(Mode::StopAndGoOn);
}

#[test]
fn a_process_may_be_killed_where_it_stood_while_others_went_on() {
    go_through_all_steps(Mode::StopAndDie);
}

/// `open` once told that the board it had made was not there, instead of making another.
#[test]
fn a_board_that_is_removed_as_soon_as_it_is_made_is_made_again() {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in shared memory");
    let path = folder.path().join("main.board");
    Board::open(&Location::Path(path.clone())).expect("a new board");
    let ledger = Ledger::create(books::path(folder.path(), 0), KEYS);
    let arguments = case::arguments(folder.path(), Work::Boards, 0);
    let mut worker = Worker::start_to_crash(PROGRAM, &path, true, "stop:file-named:1", arguments);
    worker.go();
    assert!(matches!(worker.next_event(), Event::Stopped));
    let made = Location::Path(small_board_path(folder.path(), &key(0, 0)));
    tallyboard::remove(&made).expect("the worker has made it");
    worker.signal(Signal::CONT);
    match worker.next_event() {
        Event::Ended(status) => assert!(status.success(), "{}", worker.last_words()),
        Event::Stopped => panic!("it stopped again"),
    }
    assert_eq!(ledger.done(KEYS), KEYS as u64);
    let again = Board::options().attach(&made).expect("it was made again");
    assert!(!again.is_retired());
}

/// The board tells them apart from slots in use.
#[test]
fn what_the_dead_were_building_is_leaked_until_it_is_reaped() {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in shared memory");
    let path = folder.path().join("main.board");
    let board = Board::open(&Location::Path(path.clone())).expect("a new board");
    let mut command = Command::new(PROGRAM);
    command.args(["count", "leaked_total", "1", "1"]);
    command.env("TALLYBOARD", &path);
    // The first record that it writes is the family's.
    let output = command.env("TALLYBOARD_CRASH", "kill:written:1").output();
    assert!(was_killed(output.expect("the worker starts").status));
    let stats = board.stats();
    assert_eq!((stats.leaked, stats.slots_used, stats.families), (1, 1, 0));
    board.reap();
    let stats = board.stats();
    assert_eq!((stats.leaked, stats.slots_used), (0, 0));
}

#[test]
fn a_plan_that_makes_no_sense_is_refused_in_words() {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in shared memory");
    let board = folder.path().join("main.board");
    let arguments = ["count", "wrong_total", "1", "1"];
    for (plan, words) in [
        ("kill:nowhere:1", "there is no step \"nowhere\""),
        ("kill:linked", "neither ACT:STEP:TIME"),
        ("kill:random:1:0", "\"0\" is not a number above 0"),
    ] {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env("TALLYBOARD", &board);
        let output = command.env("TALLYBOARD_CRASH", plan).output();
        let output = output.expect("the worker starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(101), "{errors}");
        let told = format!("TALLYBOARD_CRASH={plan}: ");
        assert!(errors.contains(&told) && errors.contains(words), "{errors}");
    }
}

/// Whether a worker that has ended was killed.
fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::KILL.as_raw())
}

/// The steps at which a worker that is gone said that it stops or dies: `stop at linked`.
fn last_acts(worker: Worker) -> Vec<String> {
    let words = worker.last_words();
    let acts = words.lines().map(|line| {
        let act = line.strip_prefix("tallyboard: ");
        act.unwrap_or_else(|| panic!("a worker said {line:?}"))
            .to_owned()
    });
    acts.collect()
}
