//! Requests that no scraper sends: `serve` answers or refuses each, and goes on.

mod rig;

use std::io::{Read, Write};

use rig::{Rig, Serving};

/// The statuses of all that comes back for these bytes, until the other end has said all.
fn statuses(serving: &Serving, bytes: &[u8]) -> Vec<String> {
    let mut stream = serving.connect();
    // It may be closed before all has been said.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    let answers = text.split("HTTP/1.").skip(1);
    let statuses = answers.map(|answer| answer.split(' ').nth(1).unwrap_or("").to_owned());
    statuses.collect()
}

fn head(more: &str) -> Vec<u8> {
    format!("GET /metrics HTTP/1.1\r\nHost: test\r\n{more}\r\n").into_bytes()
}

fn line(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n").into_bytes()
}

#[test]
fn what_no_scraper_sends_is_answered_or_refused_and_nothing_more_happens() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total", "3"]);
    let mut serving = rig.serve(&[]);
    let smuggled = "GET /-/healthy HTTP/1.1\r\nHost: test\r\n\r\n";
    let both =
        format!("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}");
    let many = |count: usize, text: &str| vec![text; count].join("&");
    for (request, expected) in [
        (head(&format!("X: {}\r\n", "a".repeat(1 << 20))), "431"),
        (head(&"X: a\r\n".repeat(200)), "431"),
        (line(&format!("/{}", "a".repeat(1 << 20))), "431"),
        (line(&format!("/metrics?{}", many(3000, "name[]=a"))), "200"),
        (line("/metrics?name[]=%zz&%&%%%=1&name[]=%ff"), "200"),
        (line("/metri%zz"), "404"),
        (line("/../metrics"), "404"),
        (line("http://elsewhere/metrics"), "200"),
        (
            head(&format!("Accept: {}\r\n", "a/b;q=,".repeat(4000))),
            "200",
        ),
        (head("Accept: \u{0}\r\n"), "400"),
        (head("Accept-Encoding: gzip;q=0, identity;q=0\r\n"), "200"),
        (head("X: a\r\n folded\r\n"), "400"),
        (head("X : a\r\n"), "400"),
        (head("Content-Length: 1\r\nContent-Length: 2\r\n"), "400"),
        (head("Content-Length: -1\r\n"), "400"),
        (head("Transfer-Encoding: chunked, identity\r\n"), "400"),
        // Either of the two lengths may be meant, so nothing behind them is a request.
        (head(&both), "200"),
        (head("Content-Length: 1000000\r\n\r\nslow"), "200"),
        (b"GET /metrics HTTP/1.0\r\n\r\n".to_vec(), "200"),
        (b"GET /metrics\r\n\r\n".to_vec(), "400"),
        (b"CONNECT elsewhere:1 HTTP/1.1\r\n\r\n".to_vec(), "404"),
        (b"OPTIONS /metrics HTTP/1.1\r\n\r\n".to_vec(), "405"),
        (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00".to_vec(), "400"),
    ] {
        let shown = String::from_utf8_lossy(&request[..request.len().min(100)]).into_owned();
        assert_eq!(statuses(&serving, &request), [expected], "{shown}");
    }
    for timeout in ["nan", "inf", "-1", "0", "1e308", "1e400", "soon", ""] {
        let header = format!("X-Prometheus-Scrape-Timeout-Seconds: {timeout}\r\n");
        assert_eq!(statuses(&serving, &head(&header)), ["200"], "{timeout}");
    }
    let pipelined = head("").repeat(50);
    assert_eq!(statuses(&serving, &pipelined), vec!["200"; 50]);
    assert!(serving.metrics().contains("\njobs_total 3\n"));
    assert!(serving.process.0.try_wait().unwrap().is_none());
}
