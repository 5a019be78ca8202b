//! `tallyboard serve` over real sockets.

mod rig;

use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};

use flate2::read::GzDecoder;
use rig::{Response, Rig, Serving, wait_for};
use rustix::process::Signal;
use tallyboard::{Board, Location};

#[test]
fn formats_and_encodings() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total", "3", "--help-text", "Jobs."]);
    rig.run(&["set", "disk.free", "1"]);
    let serving = rig.serve(&[]);

    let text = serving.get("/metrics");
    assert_eq!(text.status, 200);
    assert_eq!(
        text.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8; escaping=underscores")
    );
    let body = text.text();
    let own = "# TYPE disk_free gauge\ndisk_free 1.0\n# HELP jobs_total Jobs.\n\
               # TYPE jobs_total counter\njobs_total 3\n# HELP tallyboard_build_info ";
    assert!(body.starts_with(own), "{body}");
    assert!(body.contains("tallyboard_board_mapped{board=\"default\"} 1\n"));
    assert!(body.contains("tallyboard_board_series{board=\"default\"} 2\n"));

    let openmetrics = [("Accept", "application/openmetrics-text;version=1.0.0")];
    let openmetrics = serving.request("GET", "/metrics", &openmetrics);
    assert_eq!(
        openmetrics.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores")
    );
    let body = openmetrics.text();
    assert!(body.contains("# TYPE jobs counter\n") && body.contains("\njobs_total 3\n"));
    assert!(body.ends_with("# EOF\n"));

    let utf8 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.2";
    let utf8 = serving.request("GET", "/metrics", &[("Accept", utf8)]);
    assert_eq!(
        utf8.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8")
    );
    assert!(
        utf8.text()
            .contains("# TYPE \"disk.free\" gauge\n{\"disk.free\"} 1.0\n")
    );

    let gzip = serving.request("GET", "/metrics", &[("Accept-Encoding", "gzip")]);
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let mut unpacked = String::new();
    GzDecoder::new(&gzip.body[..])
        .read_to_string(&mut unpacked)
        .unwrap();
    assert!(unpacked.contains("\njobs_total 3\n"));
}

#[test]
fn pages_and_methods() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total"]);
    let serving = rig.serve(&["--web.telemetry-path", "/m"]);
    assert_eq!(serving.get("/m").status, 200);
    assert_eq!(serving.get("/metrics").status, 404);
    assert_eq!(serving.get("/-/healthy").status, 200);
    assert_eq!(serving.get("/-/ready").status, 200);
    let landing = serving.get("/");
    assert_eq!(
        landing.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(landing.text().contains("<a href=\"./m\""));
    let head = serving.request("HEAD", "/m", &[]);
    assert_eq!(head.status, 200);
    assert!(head.body.is_empty());
    assert_ne!(head.header("content-length"), Some("0"));
    let post = serving.request("POST", "/m", &[]);
    assert_eq!(post.status, 405);
    assert_eq!(post.header("allow"), Some("GET, HEAD"));
}

/// As `nc -N` and `socat` do.
#[test]
fn a_client_that_closes_its_half_after_the_request_is_answered() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total", "3"]);
    let serving = rig.serve(&[]);
    for _ in 0..20 {
        let mut stream = serving.connect();
        let request = b"GET /metrics HTTP/1.0\r\n\r\n";
        stream.write_all(request).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let response = Response::parse(&bytes);
        assert_eq!(response.status, 200);
        assert!(response.text().contains("\njobs_total 3\n"));
    }
}

#[test]
fn values_are_read_at_every_scrape() {
    let rig = Rig::new();
    let board = Board::open(&Location::Path(rig.board("default"))).unwrap();
    let counter = board.counter("jobs_total", "Jobs.").register().unwrap();
    let serving = rig.serve(&[]);
    for value in 1..=20 {
        counter.inc();
        let expected = format!("\njobs_total {value}\n");
        assert!(serving.metrics().contains(&expected));
    }
    assert!(
        serving
            .metrics()
            .contains("\ntallyboard_scrapes_total 21\n")
    );
}

#[test]
fn a_board_is_waited_for_and_followed() {
    let rig = Rig::new();
    let serving = rig.serve(&[]);
    wait_for(&serving.log, "waiting");
    assert_eq!(serving.get("/-/healthy").status, 200);
    assert_eq!(serving.get("/-/ready").status, 503);
    assert!(
        serving
            .metrics()
            .contains("tallyboard_board_mapped{board=\"default\"} 0\n")
    );

    rig.run(&["inc", "jobs_total", "5"]);
    assert_eq!(serving.get("/-/ready").status, 200);
    assert!(serving.metrics().contains("\njobs_total 5\n"));

    rig.run(&["rm"]);
    assert!(!serving.metrics().contains("jobs_total"));
    assert_eq!(serving.get("/-/ready").status, 503);

    // The same names and the same serials on another board: nothing of the old one is kept.
    rig.run(&["inc", "tasks_total", "7"]);
    let metrics = serving.metrics();
    assert!(metrics.contains("\ntasks_total 7\n") && !metrics.contains("jobs_total"));

    std::fs::remove_file(rig.board("default")).unwrap();
    rig.run(&["inc", "jobs_total", "9"]);
    let metrics = serving.metrics();
    assert!(metrics.contains("jobs_total 9\n") && !metrics.contains("tasks_total"));
}

#[test]
fn a_truncated_board_is_left_out_and_followed_when_it_is_made_again() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total", "1", "--board", "a"]);
    rig.run(&["inc", "jobs_total", "2", "--board", "b"]);
    let mut serving = rig.serve(&["--board", "a", "--board", "b"]);
    let len = rig.board("a").metadata().unwrap().len();
    for (round, len) in [(1, 0), (2, len / 2)] {
        assert!(serving.metrics().contains("jobs_total{board=\"a\"} 1\n"));
        let before = scrapes(&serving.metrics());
        let file = std::fs::File::options().write(true).open(rig.board("a"));
        file.unwrap().set_len(len).unwrap();
        for scrape in 1..=3 {
            let metrics = serving.metrics();
            // The first begins again as it finds out, and is one.
            assert_eq!(scrapes(&metrics), before + scrape, "{metrics}");
            assert!(!metrics.contains("jobs_total{board=\"a\"}"), "{metrics}");
            assert!(metrics.contains("jobs_total{board=\"b\"} 2\n"));
            assert!(metrics.contains("tallyboard_board_mapped{board=\"a\"} 0\n"));
            let broken = format!("tallyboard_board_broken_total{{board=\"a\"}} {round}\n");
            assert!(metrics.contains(&broken), "{metrics}");
            assert_eq!(serving.get("/").status, 200);
        }
        std::fs::remove_file(rig.board("a")).unwrap();
        rig.run(&["inc", "jobs_total", "--board", "a"]);
    }
    serving.process.signal(Signal::TERM);
    assert_eq!(serving.process.wait().code(), Some(0));
    let log: Vec<String> = serving.log.iter().collect();
    let said = log.iter().filter(|line| line.contains("truncated")).count();
    assert_eq!(said, 2, "once for each: {log:?}");
}

fn scrapes(metrics: &str) -> u64 {
    let mut lines = metrics.lines();
    let number = lines.find_map(|line| line.strip_prefix("tallyboard_scrapes_total "));
    number.unwrap().parse().unwrap()
}

/// The same file, the same names, the same serials: only the header tells the two apart.
#[test]
fn a_board_copied_over_another_is_not_read_by_what_was_known_of_that() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total", "5", "-l", "l=x"]);
    rig.run(&["inc", "tasks_total", "7", "-l", "l=y", "--board", "other"]);
    let serving = rig.serve(&[]);
    assert!(serving.metrics().contains("\njobs_total{l=\"x\"} 5\n"));
    let bytes = std::fs::read(rig.board("other")).unwrap();
    let file = std::fs::File::options()
        .write(true)
        .open(rig.board("default"));
    file.unwrap().write_all(&bytes).unwrap();
    let metrics = serving.metrics();
    assert!(metrics.contains("\ntasks_total{l=\"y\"} 7\n"), "{metrics}");
    assert!(!metrics.contains("jobs_total"), "{metrics}");
}

#[test]
fn damaged_records_are_counted_and_logged_once() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total", "5"]);
    rig.run(&["inc", "tasks_total", "7"]);
    let mut serving = rig.serve(&[]);
    let metrics = serving.metrics();
    assert!(metrics.contains("tallyboard_board_damaged{board=\"default\"} 0\n"));
    // The state of slot 0, which is the family `jobs_total`: LAYOUT.md §3 and §7.
    let mut both = std::fs::File::options();
    let file = both.read(true).write(true);
    let file = file.open(rig.board("default")).unwrap();
    let mut states = [0; 8];
    file.read_exact_at(&mut states, 104).unwrap();
    file.write_all_at(&[0xff; 8], u64::from_le_bytes(states))
        .unwrap();
    for _ in 0..3 {
        let metrics = serving.metrics();
        assert!(metrics.contains("\ntasks_total 7\n") && !metrics.contains("jobs_total"));
        // The family. The series that it leaves behind looks like one whose family has ended.
        let damaged = "tallyboard_board_damaged{board=\"default\"} 1\n";
        assert!(metrics.contains(damaged), "{metrics}");
    }
    serving.process.signal(Signal::TERM);
    assert_eq!(serving.process.wait().code(), Some(0));
    let log: Vec<String> = serving.log.iter().collect();
    let said = log.iter().filter(|line| line.contains("damaged")).count();
    assert_eq!(said, 1, "{log:?}");
}

#[test]
fn an_empty_board_that_goes_takes_nothing_along() {
    let rig = Rig::new();
    rig.run(&["create", "--board", "a"]);
    rig.run(&["inc", "jobs_total", "2", "--board", "b"]);
    let serving = rig.serve(&["--board", "a", "--board", "b"]);
    for is_there in [1, 0] {
        let metrics = serving.metrics();
        assert!(metrics.contains("jobs_total{board=\"b\"} 2\n"));
        let mapped = format!("tallyboard_board_mapped{{board=\"a\"}} {is_there}\n");
        assert!(metrics.contains(&mapped), "{metrics}");
        if is_there == 1 {
            rig.run(&["rm", "a"]);
        }
    }
}

#[test]
fn several_boards_get_a_label_and_clashes_are_counted() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total", "1", "--board", "a"]);
    rig.run(&["inc", "jobs_total", "2", "--board", "b", "-l", "board=mine"]);
    rig.run(&["set", "size", "1", "--board", "a"]);
    rig.run(&["observe", "size", "1", "--board", "b"]);
    let serving = rig.serve(&["--board", "a", "--board", "b"]);
    let metrics = serving.metrics();
    let jobs = "# TYPE jobs_total counter\njobs_total{board=\"a\"} 1\n\
                jobs_total{board=\"b\",exported_board=\"mine\"} 2\n";
    assert!(metrics.starts_with(jobs), "{metrics}");
    assert!(metrics.contains("# TYPE size gauge\nsize{board=\"a\"} 1.0\n"));
    assert!(!metrics.contains("size_bucket"));
    assert!(metrics.contains("\ntallyboard_type_clashes 1\n"));
}

#[test]
fn a_glob_finds_boards_that_come_later() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total", "--board", "job-1"]);
    let serving = rig.serve(&["--board", "job-*"]);
    let sample = |name: &str, value| {
        let board = rig.board(name);
        format!("jobs_total{{board=\"{}\"}} {value}\n", board.display())
    };
    assert!(serving.metrics().contains(&sample("job-1", 1)));
    rig.run(&["inc", "jobs_total", "2", "--board", "job-2"]);
    rig.run(&["inc", "jobs_total", "3", "--board", "other"]);
    wait_for(&serving.log, "job-2.v1.board");
    let metrics = serving.metrics();
    assert!(metrics.contains(&sample("job-2", 2)));
    assert!(!metrics.contains("other.v1.board"));
}

#[test]
fn a_board_found_by_a_glob_has_the_same_label_after_a_restart() {
    let rig = Rig::new();
    let board = |user: &str| rig.path().join(user).join("default.v1.board");
    let count = |user: &str, amount: &str| {
        let directory = rig.path().join(user);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::set_permissions(&directory, PermissionsExt::from_mode(0o700)).unwrap();
        let path = board(user);
        rig.run(&[
            "inc",
            "jobs_total",
            amount,
            "--board",
            path.to_str().unwrap(),
        ]);
    };
    let jobs = |serving: &Serving| -> Vec<String> {
        let metrics = serving.metrics();
        let lines = metrics
            .lines()
            .filter(|line| line.starts_with("jobs_total{"));
        lines.map(str::to_owned).collect()
    };
    let glob = board("tallyboard.*");
    let arguments = ["--board", glob.to_str().unwrap()];

    count("tallyboard.2", "2");
    let serving = rig.serve(&arguments);
    assert_eq!(jobs(&serving).len(), 1);
    // The second to be found is the first that a new exporter finds.
    count("tallyboard.1", "1");
    wait_for(&serving.log, "tallyboard.1/");
    let before = jobs(&serving);
    assert_eq!(serving.stop(Signal::TERM).code(), Some(0));
    let after = jobs(&rig.serve(&arguments));
    let expected = ["tallyboard.1", "tallyboard.2"].map(|user| {
        let value = user.rsplit('.').next().unwrap();
        format!("jobs_total{{board=\"{}\"}} {value}", board(user).display())
    });
    assert_eq!((&before[..], &after[..]), (&expected[..], &expected[..]));
}

#[test]
fn it_makes_the_board_when_asked_to() {
    use std::os::unix::fs::MetadataExt;
    let rig = Rig::new();
    let serving = rig.serve(&["--board", "web", "--board.create", "--board.mode", "0640"]);
    assert_eq!(serving.get("/-/ready").status, 200);
    let mode = rig.board("web").metadata().unwrap().mode();
    assert_eq!(mode & 0o777, 0o640);
    rig.run(&["rm", "web"]);
    assert_eq!(serving.get("/-/ready").status, 200, "and makes it again");
}

#[test]
fn it_makes_the_board_on_a_disk_when_allowed_to() {
    let rig = Rig::new();
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = disk.path().join("web.v1.board");
    // The flag as the refusal of `inc`, `create` and the log names it.
    let flags = ["--board.create", "--allow-any-filesystem"];
    let serving = rig.serve(&["--board", path.to_str().unwrap(), flags[0], flags[1]]);
    assert_eq!(serving.get("/-/ready").status, 200);
}

#[test]
fn names_that_the_exporter_does_not_use_are_free() {
    let rig = Rig::new();
    rig.run(&["inc", "process_cpu_seconds_total", "7"]);
    let with = rig.serve(&[]).metrics();
    assert!(!with.contains("process_cpu_seconds_total 7\n"));
    assert!(with.contains("\ntallyboard_type_clashes 1\n"));
    let without = rig.serve(&["--web.disable-exporter-metrics"]).metrics();
    assert!(without.contains("process_cpu_seconds_total 7\n"));
    assert!(without.contains("\ntallyboard_type_clashes 0\n"));
}

/// As unit files that came from another exporter spell it out.
#[test]
fn an_empty_name_of_a_web_configuration_is_none() {
    let rig = Rig::new();
    let serving = rig.serve(&["--web.config.file="]);
    assert_eq!(serving.get("/-/healthy").status, 200);
}

#[test]
fn a_taken_port_is_one_line_that_helps() {
    let rig = Rig::new();
    let serving = rig.serve(&[]);
    let error = rig.fail(&["serve", "--web.listen-address", &serving.address], 1);
    assert!(error.contains("--web.listen-address"), "{error}");
}

#[test]
fn a_web_configuration_that_is_not_there_is_one_line_that_helps() {
    let rig = Rig::new();
    let nowhere = ["--web.config.file", "/dev/shm/nowhere.yml"];
    let serve = ["serve", "--web.listen-address", "127.0.0.1:0"];
    let error = rig.fail(&[&serve[..], &nowhere].concat(), 1);
    assert!(error.contains(&nowhere.join(" ")), "{error}");
}

#[test]
fn signals_stop_it_cleanly() {
    for signal in [Signal::TERM, Signal::INT] {
        let rig = Rig::new();
        let serving = rig.serve(&[]);
        // A connection that is kept alive and idle does not hold it up.
        let _idle = serving.connect();
        assert_eq!(serving.get("/-/healthy").status, 200);
        assert_eq!(serving.stop(signal).code(), Some(0));
    }
}

#[test]
fn half_a_request_does_not_hold_up_the_stop() {
    let rig = Rig::new();
    let mut serving = rig.serve(&[]);
    let mut first = serving.connect();
    first.write_all(b"GET /metrics HTTP/1.1\r\nHos").unwrap();
    // And half of a second request on a connection that is kept.
    let mut second = serving.connect();
    let request = b"GET /-/healthy HTTP/1.1\r\nHost: test\r\n\r\n";
    second.write_all(request).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"healthy.\n") {
        let mut byte = [0];
        second.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    second.write_all(&request[..20]).unwrap();
    // Accepted later, so the halves have been seen.
    assert_eq!(serving.get("/-/healthy").status, 200);
    serving.process.signal(Signal::TERM);
    assert_eq!(serving.process.wait().code(), Some(0));
    let log: Vec<String> = serving.log.iter().collect();
    let late = log.iter().any(|line| line.contains("in flight"));
    assert!(!late, "it waited for the rest: {log:?}");
}

#[test]
fn a_scrape_in_flight_ends_before_it_stops() {
    let rig = Rig::new();
    let board = Board::open(&Location::Path(rig.board("default"))).unwrap();
    let family = board.counter("jobs_total", "Jobs.").labels(&["job"]);
    let family = family.family().unwrap();
    let padding = "x".repeat(1000);
    for job in 0..2000 {
        family.try_with(&[&format!("{job}{padding}")]).unwrap();
    }
    let mut serving = rig.serve(&[]);
    let mut stream = serving.connect();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n")
        .unwrap();
    let mut bytes = vec![0; 100];
    stream.read_exact(&mut bytes).unwrap();
    serving.process.signal(Signal::TERM);
    wait_for(&serving.log, "stopping");
    stream.read_to_end(&mut bytes).unwrap();
    let response = Response::parse(&bytes);
    assert!(response.is_whole && response.body.len() > 2_000_000);
    assert_eq!(serving.process.wait().code(), Some(0));
}
