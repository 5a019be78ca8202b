//! Bodies that are made while they are sent: `serve` as a process, with clients that are slow,
//! many, or in a hurry.

mod rig;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use flate2::read::GzDecoder;
use rig::{Response, Rig, Serving};
use tallyboard::{Board, Location};

/// Much more than the sockets and the exporter hold together.
const SERIES: usize = 40_000;
const PADDING: usize = 400;

/// A board whose body has some 17 MB.
fn fill(rig: &Rig) -> Board {
    fill_with(rig, SERIES)
}

fn fill_with(rig: &Rig, series: usize) -> Board {
    let at = Location::Path(rig.board("default"));
    let board = Board::options().slots(1 << 17).create(&at).unwrap();
    let family = board.counter("jobs_total", "Jobs.").labels(&["job"]);
    let family = family.family().unwrap();
    let padding = "x".repeat(PADDING);
    for job in 0..series {
        family
            .try_with(&[&format!("{job}{padding}")])
            .unwrap()
            .inc();
    }
    board
}

/// Asks for a scrape and reads the first bytes of the answer.
fn begin(serving: &Serving, headers: &str) -> (TcpStream, Vec<u8>) {
    let mut stream = serving.connect();
    let request = format!(
        "GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
         Accept: application/openmetrics-text\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut first = vec![0; 1000];
    stream.read_exact(&mut first).unwrap();
    (stream, first)
}

/// The rest of an answer; an error ends it like a close.
fn end(mut stream: TcpStream, mut bytes: Vec<u8>) -> Response {
    let _ = stream.read_to_end(&mut bytes);
    Response::parse(&bytes)
}

/// Anonymous memory of the exporter, in kB.
fn anonymous_kb(serving: &Serving) -> u64 {
    let pid = serving.process.0.id();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("RssAnon:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_body_of_many_pieces_is_whole_and_the_same_when_compressed() {
    let rig = Rig::new();
    let series = SERIES / 16;
    let _board = fill_with(&rig, series);
    let serving = rig.serve(&[]);
    let accept = ("Accept", "application/openmetrics-text");
    let plain = serving.request("GET", "/metrics", &[accept]);
    assert!(plain.is_whole && plain.header("content-length").is_none());
    let text = plain.text();
    let samples = text.lines().filter(|line| line.starts_with("jobs_total{"));
    assert_eq!(samples.count(), series);
    assert!(text.ends_with("# EOF\n"));
    let gzip = serving.request("GET", "/metrics", &[accept, ("Accept-Encoding", "gzip")]);
    assert!(gzip.is_whole);
    let mut unpacked = String::new();
    let mut unzip = GzDecoder::new(&gzip.body[..]);
    unzip.read_to_string(&mut unpacked).unwrap();
    let of_boards = |text: &str| text.find("# TYPE tallyboard_build_info").unwrap();
    assert!(unpacked[..of_boards(&unpacked)] == text[..of_boards(&text)]);
}

#[test]
fn a_board_that_breaks_in_the_middle_cuts_the_body_off() {
    let rig = Rig::new();
    let _board = fill(&rig);
    let serving = rig.serve(&[]);
    assert!(end_of(&serving, "").is_whole);
    let mut failed = 0;
    for headers in ["", "Accept-Encoding: gzip\r\n"] {
        let (stream, first) = begin(&serving, headers);
        let file = std::fs::File::options()
            .write(true)
            .open(rig.board("default"))
            .unwrap();
        file.set_len(4096).unwrap();
        let cut = end(stream, first);
        assert!(!cut.is_whole, "{headers}");
        assert!(!cut.body.ends_with(b"# EOF\n"));
        rig::wait_for(&serving.log, "cut off");
        // The next scrape does without it.
        let metrics = serving.metrics();
        assert!(metrics.contains("tallyboard_board_mapped{board=\"default\"} 0\n"));
        failed += 1;
        let failed = format!("tallyboard_scrapes_failed_total{{reason=\"broken\"}} {failed}\n");
        assert!(metrics.contains(&failed), "{metrics}");
        std::fs::remove_file(rig.board("default")).unwrap();
        fill(&rig);
        assert!(end_of(&serving, "").is_whole);
    }
}

fn end_of(serving: &Serving, headers: &str) -> Response {
    let (stream, first) = begin(serving, headers);
    end(stream, first)
}

/// To HTTP/1.0 the end of the connection is the end of the body, and some reverse proxies speak it.
#[test]
fn a_body_that_is_cut_off_looks_whole_to_no_client_of_http_1_0() {
    let rig = Rig::new();
    let _board = fill(&rig);
    let serving = rig.serve(&[]);
    let ask = |headers: &str| {
        let mut stream = serving.connect();
        let request = format!("GET /metrics HTTP/1.0\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = vec![0; 1000];
        stream.read_exact(&mut bytes).unwrap();
        (stream, bytes)
    };
    let (mut stream, mut bytes) = ask("");
    let len = stream.read_to_end(&mut bytes).unwrap();
    assert!(len > SERIES * PADDING && bytes.ends_with(b"\n"));
    let reset = Err(std::io::ErrorKind::ConnectionReset);
    let (mut stream, mut bytes) = ask("X-Prometheus-Scrape-Timeout-Seconds: 1\r\n");
    std::thread::sleep(Duration::from_secs(2));
    let ended = stream.read_to_end(&mut bytes);
    assert_eq!(ended.map_err(|error| error.kind()), reset);
    let (mut stream, mut bytes) = ask("");
    let board = std::fs::File::options()
        .write(true)
        .open(rig.board("default"));
    board.unwrap().set_len(4096).unwrap();
    let ended = stream.read_to_end(&mut bytes);
    assert_eq!(ended.map_err(|error| error.kind()), reset);
}

#[test]
fn a_timeout_that_is_over_cuts_the_body_off() {
    let rig = Rig::new();
    let _board = fill(&rig);
    let serving = rig.serve(&[]);
    serving.metrics();
    let (stream, first) = begin(&serving, "X-Prometheus-Scrape-Timeout-Seconds: 4\r\n");
    // The client is what takes long.
    std::thread::sleep(Duration::from_secs(5));
    let cut = end(stream, first);
    assert!(!cut.is_whole && cut.body.len() > 1000);
    let late = "tallyboard_scrapes_failed_total{reason=\"late\"} 1\n";
    assert!(serving.metrics().contains(late));
    let long = end_of(&serving, "X-Prometheus-Scrape-Timeout-Seconds: 60\r\n");
    assert!(long.is_whole);
}

#[test]
fn a_scrape_beyond_the_limit_is_refused_and_counted() {
    let rig = Rig::new();
    let _board = fill(&rig);
    let serving = rig.serve(&["--web.max-requests=1"]);
    let (stream, first) = begin(&serving, "");
    assert_eq!(serving.get("/metrics").status, 503);
    assert!(end(stream, first).is_whole);
    // Its place is free again a moment after its client has the last byte.
    let mut refused = 1;
    let metrics = loop {
        let response = serving.get("/metrics");
        if response.status == 200 {
            break response.text();
        }
        refused += 1;
    };
    let busy = format!("tallyboard_scrapes_failed_total{{reason=\"busy\"}} {refused}\n");
    assert!(metrics.contains(&busy), "{metrics}");
}

#[test]
fn families_are_chosen_by_name_and_a_head_costs_no_scrape() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total", "3"]);
    rig.run(&["set", "disk.free", "1"]);
    let serving = rig.serve(&[]);
    let chosen = serving
        .get("/metrics?name[]=disk_free&name[]=tallyboard_scrapes_total")
        .text();
    let types: Vec<&str> = chosen
        .lines()
        .filter(|line| line.starts_with("# TYPE"))
        .collect();
    let expected = [
        "# TYPE disk_free gauge",
        "# TYPE tallyboard_scrapes_total counter",
    ];
    assert_eq!(types, expected);
    let scrapes = chosen.lines().last().unwrap();
    let head = serving.request("HEAD", "/metrics", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_ne!(head.header("content-length"), Some("0"));
    assert_eq!(scrapes, "tallyboard_scrapes_total 1");
    let after = serving
        .get("/metrics?name[]=tallyboard_scrapes_total")
        .text();
    assert!(after.ends_with("tallyboard_scrapes_total 2\n"), "{after}");
    let headers = [("Accept", "application/openmetrics-text")];
    let created = serving.request("GET", "/metrics?created=true&name[]=jobs_total", &headers);
    assert!(created.text().contains("\njobs_created 1"));
}

#[test]
fn the_slow_and_the_idle_hold_up_nobody() {
    let rig = Rig::new();
    let board = fill(&rig);
    let counter = board.counter("jobs_total", "").label("job", "counted");
    let counter = counter.register().unwrap();
    // All of them at once, and the one before if its place is not free again.
    let serving = rig.serve(&["--web.max-requests=41"]);
    serving.metrics();
    let before = anonymous_kb(&serving);
    let slow: Vec<_> = (0..20).map(|_| begin(&serving, "")).collect();
    let idle: Vec<TcpStream> = (0..300).map(|_| serving.connect()).collect();
    let address = &serving.address;
    std::thread::scope(|scope| {
        let scrapes: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| rig::request(address, "GET", "/metrics", &[])))
            .collect();
        for _ in 0..1_000_000 {
            counter.inc();
        }
        for scrape in scrapes {
            let response = scrape.join().unwrap();
            assert!(response.is_whole && response.body.len() > SERIES * PADDING);
        }
    });
    let grown = anonymous_kb(&serving).saturating_sub(before);
    // Each slow one holds some pieces of 64 KiB, where the whole would be 17 MB; so does each of
    // the others until it is done, and the allocator keeps what it was.
    assert!(grown < 80 * 1024, "{grown} kB for 20 slow clients");
    drop(idle);
    for (stream, first) in slow {
        assert!(end(stream, first).is_whole);
    }
}
