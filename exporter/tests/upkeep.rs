//! What `serve`, `ps`, `expire` and `check --repair` do about the dead, the old and the gone.

mod rig;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use rig::{Rig, Running, wait_for};
use rustix::process::Signal;
use serde_json::{Value, json};
use tallyboard::{Aggregation, Board, BoardOptions, Location};

/// A process that has a part of the gauge `load`, and lives until it is killed.
fn owner(rig: &Rig) -> Running {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child
        .args(["own_a_gauge", "--exact", "--ignored", "--nocapture"])
        .env("TALLYBOARD", rig.board("default"))
        .stdout(Stdio::piped())
        .stdin(Stdio::piped());
    let mut child = Running(child.spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    while !lines.next().unwrap().unwrap().contains("set") {}
    child
}

#[test]
#[ignore = "the process that `owner` starts"]
fn own_a_gauge() {
    let board = Board::open_default().unwrap();
    let gauge = board.gauge("load", "").aggregation(Aggregation::Sum);
    gauge.register().unwrap().set(3.0);
    println!("set");
    let _ = std::io::stdin().read_line(&mut String::new());
}

fn kill(mut process: Running) {
    process.signal(Signal::KILL);
    process.wait();
}

/// Scrapes until a line is there.
fn until(serving: &rig::Serving, line: &str) -> String {
    let deadline = std::time::Instant::now() + rig::PATIENCE;
    loop {
        let metrics = serving.metrics();
        if metrics.contains(&format!("\n{line}\n")) {
            return metrics;
        }
        assert!(std::time::Instant::now() < deadline, "{line}: {metrics}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn open(rig: &Rig, options: BoardOptions) -> Board {
    options.open(&Location::Path(rig.board("default"))).unwrap()
}

#[test]
fn the_dead_are_reaped_and_no_row_is_claimed() {
    let rig = Rig::new();
    let serving = rig.serve(&["--board.create"]);
    let owner = owner(&rig);
    let metrics = until(
        &serving,
        "tallyboard_board_processes_used{board=\"default\"} 1",
    );
    assert!(metrics.contains("\ntallyboard_board_parts{board=\"default\"} 1\n"));
    kill(owner);
    let reaped = "tallyboard_board_reaped_total{board=\"default\"} 1";
    let metrics = until(&serving, reaped);
    assert!(metrics.contains("\nload 3.0\n"), "{metrics}");
    for line in [
        "processes_used{board=\"default\"} 0",
        "parts{board=\"default\"} 0",
        "folded_total{board=\"default\"} 1",
    ] {
        assert!(
            metrics.contains(&format!("\ntallyboard_board_{line}\n")),
            "{line}: {metrics}"
        );
    }
    assert_eq!(rig.run(&["check"]), "");
}

#[test]
fn writers_of_an_unlinked_board_move_to_the_one_that_is_there() {
    let rig = Rig::new();
    let board = open(&rig, BoardOptions::new());
    let counter = board.counter("jobs_total", "").register().unwrap();
    counter.add(5);
    let mut serving = rig.serve(&[]);
    // It has the board when it keeps it in order: that is when the dead are gone.
    kill(owner(&rig));
    until(
        &serving,
        "tallyboard_board_reaped_total{board=\"default\"} 1",
    );
    std::fs::remove_file(rig.board("default")).unwrap();
    let metrics = serving.metrics();
    assert!(!metrics.contains("jobs_total"), "{metrics}");
    let unlinked = "\ntallyboard_board_unlinked_total{board=\"default\"} 1\n";
    assert!(metrics.contains(unlinked), "{metrics}");
    let deadline = std::time::Instant::now() + rig::PATIENCE;
    while !board.is_retired() {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    }
    counter.add(7);
    let metrics = serving.metrics();
    assert!(
        metrics.contains("\njobs_total 7\n") && metrics.contains(unlinked),
        "{metrics}"
    );
    // `rm` is nothing to be told of.
    rig.run(&["rm"]);
    let metrics = serving.metrics();
    assert!(metrics.contains(unlinked), "{metrics}");
    serving.process.signal(Signal::TERM);
    assert_eq!(serving.process.wait().code(), Some(0));
    let log: Vec<String> = serving.log.iter().collect();
    let said = log.iter().filter(|line| line.contains("unlinked"));
    assert_eq!(said.count(), 1, "{log:?}");
}

#[test]
fn a_board_of_a_glob_that_was_unlinked_is_still_told_of() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total", "--board", "job-1"]);
    let serving = rig.serve(&["--board", "job-*"]);
    let path = rig.board("job-1");
    let label = format!("{{board=\"{}\"}}", path.display());
    until(&serving, &format!("jobs_total{label} 1"));
    std::fs::remove_file(&path).unwrap();
    until(
        &serving,
        &format!("tallyboard_board_unlinked_total{label} 1"),
    );
    rig.run(&["inc", "jobs_total", "--board", "job-1"]);
    let metrics = until(&serving, &format!("jobs_total{label} 1"));
    assert!(
        metrics.contains(&format!("tallyboard_board_unlinked_total{label} 1\n")),
        "{metrics}"
    );
}

#[test]
fn series_expire_when_asked_to() {
    let rig = Rig::new();
    rig.run(&["inc", "old_total"]);
    let serving = rig.serve(&["--series.ttl", "1s"]);
    let metrics = until(
        &serving,
        "tallyboard_board_expired_total{board=\"default\"} 1",
    );
    assert!(!metrics.contains("old_total"), "{metrics}");
    rig.fail(&["serve", "--series.ttl", "0.5s"], 2);
}

#[test]
fn each_occurrence_is_logged_once_with_advice() {
    let rig = Rig::new();
    rig.run(&["create", "--slots", "64", "--series-cap", "3"]);
    let board = open(&rig, BoardOptions::new());
    let family = |name: &str| board.counter(name, "").labels(&["k"]).family().unwrap();
    let capped = family("capped_total");
    let mut serving = rig.serve(&[]);
    for round in 0..3 {
        for series in 0..5 {
            capped.with(&[&format!("{round}-{series}")]).inc();
        }
        let metrics = serving.metrics();
        let overflows =
            "tallyboard_family_overflows_total{board=\"default\",family=\"capped_total\"} ";
        assert!(metrics.contains(overflows), "{metrics}");
    }
    let of = |bounds: &[f64]| {
        let histogram = board.histogram("wait_seconds", "").buckets(bounds);
        histogram.register().unwrap().observe(1.0);
    };
    of(&[1.0]);
    of(&[2.0]);
    for _ in 0..3 {
        let metrics = serving.metrics();
        let hidden =
            "tallyboard_family_hidden_series{board=\"default\",family=\"wait_seconds\"} 1\n";
        assert!(metrics.contains(hidden), "{metrics}");
    }
    for round in 0..3 {
        for series in 0..80 {
            let many = board.counter(&format!("many_{round}_{series}_total"), "");
            many.register_or_sink();
        }
        serving.metrics();
    }
    serving.process.signal(Signal::TERM);
    assert_eq!(serving.process.wait().code(), Some(0));
    let log: Vec<String> = serving.log.iter().collect();
    for part in [
        "capped_total has as many series as it may have",
        "more than one definition of wait_seconds",
        "the board is full",
    ] {
        let said = log.iter().filter(|line| line.contains(part));
        assert_eq!(said.count(), 1, "{part}: {log:?}");
    }
}

#[test]
fn ps_shows_who_is_there_and_what_it_owns() {
    let rig = Rig::new();
    let owner = owner(&rig);
    let json: Value = serde_json::from_str(&rig.run(&["ps", "--json"])).unwrap();
    let pid = u64::from(owner.0.id());
    assert_eq!(json.as_array().unwrap().len(), 1);
    assert_eq!(json[0]["pid"], pid);
    assert_eq!(json[0]["alive"], true);
    assert_eq!(json[0]["gauges"], 1);
    assert!(json[0]["since_unix_nanos"].as_u64() > Some(0));
    let table = rig.run(&["ps"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(lines[0].starts_with("ROW"), "{table}");
    assert!(lines[1].contains(&format!(" {pid}  ")) && lines[1].contains("alive"));
    kill(owner);
    let json: Value = serde_json::from_str(&rig.run(&["ps", "--json"])).unwrap();
    assert_eq!(json[0]["alive"], false);
    assert!(rig.run(&["ps"]).contains("  gone  "));
}

/// It stayed there where the metric was a summary, or was refused.
#[test]
fn a_command_that_has_counted_is_not_on_the_list() {
    let rig = Rig::new();
    let board = open(&rig, BoardOptions::new());
    let waits = board.summary("wait_seconds", "").labels(&["job"]);
    waits.family().unwrap().with(&["a"]).observe(1.0);
    rig.run(&["observe", "wait_seconds", "2", "-l", "job=b"]);
    let long = "x".repeat(1 << 16);
    rig.fail(&["inc", "jobs_total", "-l", &format!("job={long}")], 1);
    let json: Value = serde_json::from_str(&rig.run(&["ps", "--json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 1, "{json}");
    assert_eq!(json[0]["pid"], std::process::id());
}

#[test]
fn a_repair_says_what_it_repaired_and_what_is_left() {
    let rig = Rig::new();
    let owner = owner(&rig);
    let pid = owner.0.id();
    kill(owner);
    let output = rig.output(&["check"]);
    assert_eq!(output.status.code(), Some(1));
    let repaired = rig.run(&["check", "--repair"]);
    assert_eq!(
        repaired,
        format!("repaired: row 0: belongs to process {pid}, which is gone\n")
    );
    assert_eq!(rig.run(&["check", "--repair"]), "");
    assert_eq!(rig.run(&["ps"]).lines().count(), 1);
    assert!(rig.run(&["dump"]).contains("load 3.0\n"));
}

#[test]
fn a_command_from_cron_expires_series() {
    let rig = Rig::new();
    rig.run(&["inc", "old_total"]);
    assert_eq!(rig.run(&["expire", "--ttl", "1s"]), "0 series expired\n");
    // A ttl has whole seconds, and no signal says that one has passed.
    std::thread::sleep(Duration::from_millis(1100));
    rig.run(&["inc", "new_total"]);
    assert_eq!(rig.run(&["expire", "--ttl", "1s"]), "1 series expired\n");
    assert!(rig.run(&["dump"]).starts_with("# TYPE new_total"));
    rig.fail(&["expire"], 2);
    rig.run(&["rm"]);
    rig.fail(&["expire", "--ttl", "1s"], 1);
    assert!(rig.files().is_empty(), "it made a board");
}

#[test]
fn a_gauge_keeps_its_aggregation() {
    let rig = Rig::new();
    rig.run(&["set", "load", "3", "--aggregation", "sum"]);
    rig.run(&["set", "load", "4"]);
    let dump: Value = serde_json::from_str(&rig.run(&["dump", "--json"])).unwrap();
    assert_eq!(dump["families"][0]["aggregation"], "sum");
    assert_eq!(dump["families"][0]["series"][0]["value"], 7.0);
    let wrong = rig.fail(&["set", "load", "4", "--aggregation", "mean"], 2);
    assert!(wrong.contains("livesum"), "{wrong}");
}

#[test]
fn a_dump_shows_what_each_process_contributes() {
    let rig = Rig::new();
    let owner = owner(&rig);
    let pid = owner.0.id();
    let text = rig.run(&["dump"]);
    let line = format!("# process {pid}: load 3.0\n");
    assert!(
        text.contains("load 3.0\n") && text.ends_with(&line),
        "{text}"
    );
    let processes = || {
        let dump: Value = serde_json::from_str(&rig.run(&["dump", "--json"])).unwrap();
        let series = &dump["families"][0]["series"][0];
        (series["value"].clone(), series["processes"].clone())
    };
    let own = json!([{"pid": pid.to_string(), "value": 3.0}]);
    assert_eq!(processes(), (json!(3.0), own));
    kill(owner);
    rig.run(&["check", "--repair"]);
    // It is in the sum, and no process's any more.
    assert_eq!(processes(), (json!(3.0), json!([])));
    assert!(!rig.run(&["dump"]).contains("# process"));
}

#[test]
fn a_full_process_table_is_logged() {
    let rig = Rig::new();
    rig.run(&["create", "--processes", "1"]);
    let serving = rig.serve(&[]);
    let _owner = owner(&rig);
    rig.fail(&["inc", "jobs_total"], 1);
    serving.metrics();
    wait_for(&serving.log, "process table is full");
}

#[test]
fn dead_processes_are_shown_as_long_as_the_board_was_made_to() {
    let rig = Rig::new();
    rig.run(&["create", "--keep-dead", "1s"]);
    rig.run(&["set", "load", "3", "--aggregation", "all"]);
    let deadline = std::time::Instant::now() + rig::PATIENCE;
    while rig.run(&["dump"]).contains("load{pid=") {
        assert!(std::time::Instant::now() < deadline);
    }
}
