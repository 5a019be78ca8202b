//! The ratios that the project promises against its peers, taken in interleaved rounds of
//! one run; exits with 1 where one is not kept. `--json` for figures only.
//!
//! Criterion's benches beside it show the absolute times; this says whether a change may
//! land. A round measures both sides one right after the other, for a millisecond or two;
//! each side's best round is what it costs when nothing else disturbs it, and the ratio of
//! the two is what counts.

use prometheus_client::metrics::histogram::Histogram;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;
use tallyboard::Reader;
use tallyboard::buckets::DEFAULT;
use tallyboard_benches::{Bench, peers};
use tallyboard_exporter::encode::{Encoder, Source, Style};

/// One promise: our time over the peer's, at most.
struct Promise {
    name: &'static str,
    at_most: f64,
    ours_ns: f64,
    theirs_ns: f64,
    ratio: f64,
}

fn main() -> ExitCode {
    let promises = [observe(), lookup(), encode()];
    if std::env::args().any(|argument| argument == "--json") {
        let figures: serde_json::Map<_, _> = promises
            .iter()
            .map(|p| (p.name.to_owned(), serde_json::json!(p.ratio)))
            .collect();
        println!("{}", serde_json::Value::Object(figures));
    } else {
        for p in &promises {
            println!(
                "{:45} {:12.1} ns {:14.1} ns  ratio {:.4} (at most {})",
                p.name, p.ours_ns, p.theirs_ns, p.ratio, p.at_most
            );
        }
    }
    let broken = promises.iter().filter(|p| p.ratio > p.at_most);
    let broken: Vec<&str> = broken.map(|p| p.name).collect();
    if broken.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("not kept: {}", broken.join(", "));
    ExitCode::FAILURE
}

/// Nanoseconds of one call, over `calls` of them.
fn time(calls: u32, mut call: impl FnMut()) -> f64 {
    let started = Instant::now();
    for _ in 0..calls {
        call();
    }
    started.elapsed().as_nanos() as f64 / f64::from(calls)
}

fn compare(
    name: &'static str,
    at_most: f64,
    (rounds, calls): (usize, u32),
    mut ours: impl FnMut(),
    mut theirs: impl FnMut(),
) -> Promise {
    let (mut ours_ns, mut theirs_ns) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..rounds {
        ours_ns = ours_ns.min(time(calls, &mut ours));
        theirs_ns = theirs_ns.min(time(calls, &mut theirs));
    }
    Promise {
        name,
        at_most,
        ours_ns,
        theirs_ns,
        ratio: ours_ns / theirs_ns,
    }
}

fn observe() -> Promise {
    let bench = Bench::new(64);
    let ours = bench.board.histogram("h", "").register().expect("room");
    let theirs = Histogram::new(DEFAULT);
    let values = [0.003, 0.02, 0.4, 0.007, 0.09, 3.0, 0.04, 0.012];
    // Eight observations a call, so that the loop around them hardly counts.
    compare(
        "8 observations, to prometheus-client",
        0.35,
        (500, 5_000),
        || {
            values
                .iter()
                .for_each(|value| ours.observe(black_box(*value)))
        },
        || {
            values
                .iter()
                .for_each(|value| theirs.observe(black_box(*value)))
        },
    )
}

fn lookup() -> Promise {
    let bench = Bench::new(4096);
    let ours = peers::on_board(&bench.board, 1000);
    let (_, theirs) = peers::in_prometheus(1000);
    let values = peers::values(500);
    let values = values.each_ref().map(String::as_str);
    compare(
        "labels to handle, to prometheus",
        1.2,
        (500, 20_000),
        || _ = black_box(ours.with(black_box(&values))),
        || _ = black_box(theirs.with_label_values(black_box(&values))),
    )
}

fn encode() -> Promise {
    const SERIES: usize = 100_000;
    let bench = Bench::new(1 << 17);
    let _family = peers::on_board(&bench.board, SERIES);
    let mut reader = Reader::new(&bench.board);
    let mut encoder = Encoder::new(Style::PLAIN);
    let (registry, _theirs) = peers::in_prometheus(SERIES);
    let (mut our_body, mut their_body) = (Vec::new(), Vec::new());
    let promise = compare(
        "encode 100,000 counters, to prometheus",
        1.0 / 20.0,
        (15, 1),
        || {
            our_body.clear();
            reader.refresh();
            let source = Source {
                id: 0,
                label: None,
                reader: &reader,
            };
            encoder.encode(&[source], &mut our_body);
        },
        || peers::encode_prometheus(&registry, &mut their_body),
    );
    let lines = |body: &[u8]| body.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(
        lines(&our_body),
        lines(&their_body),
        "both wrote all series"
    );
    promise
}
