//! Gauges over processes that live, die and leave.

use std::io::BufRead;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tallyboard::{Aggregation, Board, Reader};

use super::{Scratch, assert_sound, gauge, small};

fn by_process(board: &Board, name: &str) -> Vec<(String, f64)> {
    let mut reader = Reader::new(board);
    reader.refresh();
    let family = reader.families().iter().find(|family| family.name == name);
    family.map_or(Vec::new(), |family| {
        reader.by_process(family.series.first().unwrap())
    })
}

/// A gauge's life in other processes: `child` runs in one, which is then killed.
fn in_child(scratch: &Scratch, name: &str, how: Aggregation, value: f64) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program)
        .args(["--exact", "gauges::child", "--ignored", "--nocapture"])
        .env("TALLYBOARD", scratch.directory.path().join("t.board"))
        .env("GAUGE", format!("{name} {how} {value}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = std::io::BufReader::new(child.stdout.take().unwrap());
    let said = output
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("set"));
    assert!(said.is_some(), "the child died");
    child
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Not a test: what [`in_child`] runs.
#[test]
#[ignore = "run by the others"]
fn child() {
    let asked = std::env::var("GAUGE").unwrap();
    let [name, how, value] = asked.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{asked}");
    };
    let board = Board::open_default().unwrap();
    let gauge = board
        .gauge(name, "")
        .aggregation(how.parse().unwrap())
        .register()
        .unwrap();
    if value != "NaN" {
        gauge.set(value.parse::<f64>().unwrap() - 1.0);
        gauge.inc();
    }
    println!("set");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

const UNSET: f64 = f64::NAN;

#[test]
fn each_way_of_aggregation_is_what_the_table_says() {
    // Values of processes that die, and of one that lives; what is shown before and after.
    let table = [
        (Aggregation::Sum, Some(10.0), Some(10.0)),
        (Aggregation::Min, Some(2.0), Some(2.0)),
        (Aggregation::Max, Some(5.0), Some(5.0)),
        (Aggregation::LiveSum, Some(10.0), Some(3.0)),
        (Aggregation::LiveMin, Some(2.0), Some(3.0)),
        (Aggregation::LiveMax, Some(5.0), Some(3.0)),
        (Aggregation::LiveLast, Some(5.0), Some(3.0)),
        (Aggregation::Last, Some(5.0), Some(5.0)),
    ];
    for (how, before, after) in table {
        let scratch = Scratch::new();
        let board = scratch.board(small());
        let staying = in_child(&scratch, "g", how, 3.0);
        let dying = [2.0, UNSET, 5.0].map(|value| in_child(&scratch, "g", how, value));
        assert_eq!(gauge(&board, "g"), before, "{how}");
        dying.into_iter().for_each(kill);
        assert_eq!(
            gauge(&board, "g"),
            after,
            "{how}, in the first look after the deaths"
        );
        board.reap();
        assert_eq!(gauge(&board, "g"), after, "{how}, after the reaper");
        assert_sound(&board);
        let parts = board.stats().parts;
        assert_eq!(parts, u32::from(how != Aggregation::Last), "{how}");
        kill(staying);
        board.reap();
        let nobody = match how {
            Aggregation::LiveSum => Some(0.0),
            _ if how.is_live() => None,
            _ => after,
        };
        assert_eq!(gauge(&board, "g"), nobody, "{how}, when all are dead");
        assert_eq!(board.stats().parts, 0);
        assert_eq!(board.stats().processes_used, 0);
        assert_sound(&board);
    }
}

#[test]
fn a_gauge_of_all_processes_has_a_series_for_each() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    for how in [Aggregation::All, Aggregation::LiveAll] {
        let name = how.to_string();
        let child = in_child(&scratch, &name, how, 2.0);
        let unset = in_child(&scratch, &name, how, UNSET);
        let pid = child.id().to_string();
        assert_eq!(by_process(&board, &name), [(pid.clone(), 2.0)]);
        assert_eq!(gauge(&board, &name), None);
        kill(child);
        kill(unset);
        let left = match how {
            Aggregation::All => vec![(pid, 2.0)],
            _ => vec![],
        };
        assert_eq!(by_process(&board, &name), left);
        board.reap();
        assert_eq!(by_process(&board, &name), left);
    }
    let labelled = board
        .gauge("x", "")
        .aggregation(Aggregation::All)
        .labels(&["pid"]);
    assert!(labelled.family().unwrap_err().to_string().contains("pid"));
}

#[test]
fn dead_processes_are_shown_as_long_as_the_board_says() {
    let scratch = Scratch::new();
    let board = scratch.board(small().keep_dead(Duration::from_secs(1)));
    let child = in_child(&scratch, "g", Aggregation::All, 2.0);
    kill(child);
    board.reap();
    assert_eq!(by_process(&board, "g").len(), 1);
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while !by_process(&board, "g").is_empty() {
        assert!(std::time::Instant::now() < until);
        std::thread::sleep(Duration::from_millis(20));
    }
    board.reap();
    assert_eq!(board.stats().parts, 0);
}

#[test]
fn a_removed_gauge_takes_its_parts_along() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let builder = board
        .gauge("g", "")
        .aggregation(Aggregation::Sum)
        .labels(&["k"]);
    let family = builder.family().unwrap();
    let gauge = family.with(&["a"]);
    gauge.set(4.0);
    assert_eq!(gauge.get(), 4.0);
    assert_eq!(board.stats().parts, 1);
    assert_eq!(family.remove(&["a"]), Ok(true));
    assert_eq!((board.stats().parts, board.stats().series), (0, 0));
    assert_eq!(gauge.get(), 0.0);
    gauge.add(2.5);
    assert_eq!(gauge.get(), 2.5);
    assert_eq!((board.stats().parts, board.stats().series), (1, 1));
    assert_sound(&board);
}

#[test]
fn dead_sums_are_folded_in_constant_space() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    for _ in 0..40 {
        kill(in_child(&scratch, "g", Aggregation::Sum, 1.0));
    }
    assert_eq!(gauge(&board, "g"), Some(40.0));
    board.reap();
    assert_eq!(gauge(&board, "g"), Some(40.0));
    let stats = board.stats();
    assert_eq!((stats.folded, stats.parts, stats.slots_used), (40, 0, 2));
}

#[test]
fn who_leaves_is_off_the_list_and_its_gauges_are_settled() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    assert_eq!(board.processes(), []);
    let sum = board.gauge("g", "").aggregation(Aggregation::Sum);
    let sum = sum.register().unwrap();
    sum.set(3.0);
    let processes = board.processes();
    assert_eq!(processes.len(), 1);
    assert!(processes[0].is_alive);
    assert_eq!(
        (processes[0].pid, processes[0].gauges),
        (std::process::id().into(), 1)
    );
    board.leave();
    assert_eq!(board.processes(), []);
    assert_eq!((board.stats().parts, gauge(&board, "g")), (0, Some(3.0)));
    // It may come back.
    sum.add(2.0);
    assert_eq!(gauge(&board, "g"), Some(5.0));
    assert_eq!(board.processes()[0].gauges, 1);
    assert_sound(&board);
}

#[test]
fn who_moved_to_another_board_leaves_that_one() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let sum = board.gauge("g", "").aggregation(Aggregation::Sum);
    let sum = sum.register().unwrap();
    sum.set(3.0);
    tallyboard::remove(&scratch.at()).unwrap();
    sum.set(4.0);
    let next = Board::options().attach(&scratch.at()).unwrap();
    assert_eq!(next.processes().len(), 1);
    board.leave();
    assert_eq!(next.processes(), []);
    assert_eq!(gauge(&next, "g"), Some(4.0));
    board.enlist();
    assert_eq!(next.processes().len(), 1);
}
