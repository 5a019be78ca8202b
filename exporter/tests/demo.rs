//! `tallyboard demo` and `tallyboard bench`: what they claim, and that they clean up.

mod rig;

use std::process::Stdio;

use rig::{Rig, Running, lines_of, request, wait_for};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};

/// Waits until a process has ended that is not this one's child.
struct Ending(rustix::fd::OwnedFd);

impl Ending {
    fn of(pid: i32) -> Option<Self> {
        let pid = Pid::from_raw(pid)?;
        pidfd_open(pid, PidfdFlags::empty()).ok().map(Self)
    }

    fn wait(&self) {
        let patience = Timespec {
            tv_sec: rig::PATIENCE.as_secs() as i64,
            tv_nsec: 0,
        };
        let mut ended = [PollFd::new(&self.0, PollFlags::IN)];
        assert_eq!(poll(&mut ended, Some(&patience)).unwrap(), 1);
    }
}

fn children(of: Pid) -> Vec<Ending> {
    let pid = of.as_raw_nonzero();
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let pids = list.split_whitespace().map(|pid| pid.parse().unwrap());
    pids.filter_map(Ending::of).collect()
}

fn start(rig: &Rig, arguments: &[&str]) -> (Running, std::sync::mpsc::Receiver<String>) {
    let mut command = rig.command(&["demo", "--web.listen-address", "127.0.0.1:0"]);
    let command = command.args(arguments).stdout(Stdio::piped());
    let mut demo = Running(command.spawn().unwrap());
    let lines = lines_of(demo.0.stdout.take().unwrap());
    (demo, lines)
}

#[test]
fn no_count_is_lost_while_workers_die() {
    let rig = Rig::new();
    let shown = rig.run(&[
        "demo",
        "--web.listen-address",
        "127.0.0.1:0",
        "--workers=6",
        "--kill-every=60ms",
        "--duration=2s",
    ]);
    let last = shown.lines().last().unwrap();
    assert!(last.ends_with("workers killed, no count lost"), "{shown}");
    assert!(!last.starts_with("0 "), "{shown}");
    assert!(!shown.contains('\r'));
    assert!(rig.files().is_empty());
}

#[test]
fn it_serves_and_a_signal_leaves_nothing_behind() {
    for signal in [Signal::TERM, Signal::INT] {
        let rig = Rig::new();
        let (mut demo, lines) = start(&rig, &["--workers", "3"]);
        let open = wait_for(&lines, "/metrics");
        let address = open.split("http://localhost:").nth(1).unwrap();
        let port = address.split('/').next().unwrap();
        let address = format!("127.0.0.1:{port}");
        let loaded = || -> u64 {
            let body = request(&address, "GET", "/metrics", &[]).text();
            let mut values = body
                .lines()
                .filter_map(|line| line.strip_prefix("records_loaded_total "));
            values.next().unwrap().parse().unwrap()
        };
        // It grows, or this never ends.
        let first = loaded();
        while loaded() == first {}
        let workers = children(demo.pid());
        demo.signal(signal);
        assert_eq!(demo.wait().code(), Some(0));
        workers.iter().for_each(Ending::wait);
        assert!(rig.files().is_empty());
    }
}

#[test]
fn workers_die_with_a_demo_that_is_killed() {
    let rig = Rig::new();
    let (mut demo, lines) = start(&rig, &["--workers", "3"]);
    wait_for(&lines, "/metrics");
    let mut workers = children(demo.pid());
    while workers.len() < 3 {
        workers = children(demo.pid());
    }
    demo.signal(Signal::KILL);
    demo.wait();
    workers.iter().for_each(Ending::wait);
}

#[test]
fn a_taken_port_is_one_line_and_leaves_nothing_behind() {
    let rig = Rig::new();
    let serving = rig.serve(&[]);
    let error = rig.fail(&["demo", "--web.listen-address", &serving.address], 1);
    assert!(error.contains("--web.listen-address"), "{error}");
    assert!(rig.files().is_empty());
}

#[test]
fn bench_counts_what_it_measures() {
    let rig = Rig::new();
    let output = rig.run(&["bench", "--json", "--seconds", "30ms"]);
    let report: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(report["sum_matches"], true);
    assert_eq!(report["updates"], report["board_sum"]);
    for key in [
        "counter_inc_ratio",
        "counter_inc_two_processes_ratio",
        "counter_inc_shared_ratio",
        "histogram_observe_ns",
        "gauge_set_ns",
    ] {
        assert!(report[key].as_f64().unwrap() > 0.0, "{key}");
    }
    let path = report["update_path"].as_str().unwrap();
    assert!(["rseq", "shared"].contains(&path));
    let limits = ["--max-ratio", "0", "--max-ratio-shared", "0"];
    let mut impossible = vec!["bench", "--seconds", "30ms"];
    impossible.extend(limits);
    assert!(rig.fail(&impossible, 1).contains(path));
    assert!(rig.files().is_empty());
}

#[test]
fn bench_without_rseq_says_so() {
    let rig = Rig::new();
    let mut command = rig.command(&["bench", "--json", "--seconds", "30ms"]);
    let output = command.env("TALLYBOARD_RSEQ", "off").output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["update_path"], "shared");
    assert_eq!(report["sum_matches"], true);
}
