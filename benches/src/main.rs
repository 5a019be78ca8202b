//! The ratios that the project promises against its peers, taken in interleaved rounds of
//! one run; exits with 1 where one is not kept. `--json` for figures only.
//!
//! Criterion's benches beside it show the absolute times; this says whether a change may
//! land. A round measures both sides one right after the other, for a millisecond or less
//! where it can; each side's best round is what it costs when nothing else disturbs it, and
//! the ratio of the two is what counts. All promises take turns, so that the rounds of each are
//! spread over the run: a neighbour that is busy for a second spoils no ratio.

use prometheus_client::metrics::histogram::Histogram;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;
use tallyboard::Reader;
use tallyboard::buckets::DEFAULT;
use tallyboard_benches::{Bench, peers};
use tallyboard_exporter::encode::{Encoder, Style};

/// Turns that each promise takes.
const TURNS: usize = 20;

/// One promise: our time over the peer's, at most.
struct Promise {
    name: &'static str,
    at_most: f64,
    /// Rounds in a turn, and calls in a round.
    rounds: usize,
    calls: u32,
    ours: Side,
    theirs: Side,
}

/// One side of a promise.
struct Side {
    call: Box<dyn FnMut(u32)>,
    /// Nanoseconds of one call in the best round.
    best_ns: f64,
}

impl Side {
    /// `call` holds all that it counts on: a board is gone with its `Bench`.
    fn new(mut call: impl FnMut() + 'static) -> Side {
        let call = Box::new(move |calls| (0..calls).for_each(|_| call()));
        Side {
            call,
            best_ns: f64::INFINITY,
        }
    }

    fn round(&mut self, calls: u32) {
        let started = Instant::now();
        (self.call)(calls);
        let each = started.elapsed().as_nanos() as f64 / f64::from(calls);
        self.best_ns = self.best_ns.min(each);
    }
}

impl Promise {
    fn turn(&mut self) {
        for _ in 0..self.rounds {
            self.ours.round(self.calls);
            self.theirs.round(self.calls);
        }
    }

    fn ratio(&self) -> f64 {
        self.ours.best_ns / self.theirs.best_ns
    }
}

fn main() -> ExitCode {
    let in_turns = [0.003, 0.02, 0.4, 0.007, 0.09, 3.0, 0.04, 0.012];
    let mut promises = [
        observe(
            "8 observations, to prometheus-client",
            (100, 2_500),
            &in_turns,
        ),
        observe(
            "262,144 that no CPU foresees, to the same",
            (5, 1),
            &unforeseen(1 << 18),
        ),
        lookup(),
        encode(),
    ];
    for _ in 0..TURNS {
        promises.iter_mut().for_each(Promise::turn);
    }
    if std::env::args().any(|argument| argument == "--json") {
        let figures: serde_json::Map<_, _> = promises
            .iter()
            .map(|p| (p.name.to_owned(), serde_json::json!(p.ratio())))
            .collect();
        println!("{}", serde_json::Value::Object(figures));
    } else {
        for p in &promises {
            println!(
                "{:45} {:12.1} ns {:14.1} ns  ratio {:.4} (at most {})",
                p.name,
                p.ours.best_ns,
                p.theirs.best_ns,
                p.ratio(),
                p.at_most
            );
        }
    }
    let broken = promises.iter().filter(|p| p.ratio() > p.at_most);
    let broken: Vec<&str> = broken.map(|p| p.name).collect();
    if broken.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("not kept: {}", broken.join(", "));
    ExitCode::FAILURE
}

/// Seconds as of requests, most of them short, in an order that a CPU cannot learn.
fn unforeseen(count: u64) -> Vec<f64> {
    let at_random = |n: u64| {
        let mut hasher = DefaultHasher::new();
        n.hash(&mut hasher);
        (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|n| -0.05 * at_random(n).ln()).collect()
}

/// A call observes each of `values`, so that the loop around them hardly counts.
fn observe(name: &'static str, (rounds, calls): (usize, u32), values: &[f64]) -> Promise {
    let bench = Bench::new(64);
    let ours = bench.board.histogram("h", "").register().expect("room");
    let theirs = Histogram::new(DEFAULT);
    let (values, to_theirs) = (values.to_vec(), values.to_vec());
    Promise {
        name,
        at_most: 0.35,
        rounds,
        calls,
        ours: Side::new(move || {
            let _held = &bench;
            values
                .iter()
                .for_each(|value| ours.observe(black_box(*value)));
        }),
        theirs: Side::new(move || {
            to_theirs
                .iter()
                .for_each(|value| theirs.observe(black_box(*value)));
        }),
    }
}

fn lookup() -> Promise {
    let bench = Bench::new(4096);
    let ours = peers::on_board(&bench.board, 1000);
    let (_, theirs) = peers::in_prometheus(1000);
    let values = peers::values(500).map(|value| &*value.leak());
    Promise {
        name: "labels to handle, to prometheus",
        at_most: 1.2,
        rounds: 50,
        calls: 10_000,
        ours: Side::new(move || {
            let _held = &bench;
            _ = black_box(ours.with(black_box(&values)));
        }),
        theirs: Side::new(move || {
            _ = black_box(theirs.with_label_values(black_box(&values)));
        }),
    }
}

fn encode() -> Promise {
    const SERIES: usize = 100_000;
    let bench = Bench::new(1 << 17);
    let on_board = peers::on_board(&bench.board, SERIES);
    let mut reader = Reader::new(&bench.board);
    let mut encoder = Encoder::new(Style::PLAIN);
    let (registry, in_registry) = peers::in_prometheus(SERIES);
    let mut ours = move |body: &mut Vec<u8>| {
        let _held = (&bench, &on_board);
        peers::encode_board(&mut reader, &mut encoder, body);
    };
    let theirs = move |body: &mut Vec<u8>| {
        let _held = &in_registry;
        peers::encode_prometheus(&registry, body);
    };
    let (mut our_body, mut their_body) = (Vec::new(), Vec::new());
    ours(&mut our_body);
    theirs(&mut their_body);
    let lines = |body: &[u8]| body.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(
        lines(&our_body),
        lines(&their_body),
        "both write all series"
    );
    Promise {
        name: "encode 100,000 counters, to prometheus",
        at_most: 1.0 / 20.0,
        rounds: 1,
        calls: 1,
        ours: Side::new(move || ours(&mut our_body)),
        theirs: Side::new(move || theirs(&mut their_body)),
    }
}
