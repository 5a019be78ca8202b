//! Work to be counted by `valgrind --tool=callgrind`: `instructions WORK COUNT`.
//!
//! The difference between two counts is what one operation costs in instructions, the same
//! on every machine with the same compiler. `shared`, `observe` and `native` are updates of the
//! shared plane (a counter's, a classic and a native histogram's): run these with
//! `TALLYBOARD_RSEQ=off`.

use std::hint::black_box;
use tallyboard::{Native, Reader, UpdatePath};
use tallyboard_benches::{Bench, peers};
use tallyboard_exporter::encode::{Encoder, Style};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [work, count] = arguments.as_slice() else {
        panic!("usage: instructions lookup|encode|shared|observe|native COUNT");
    };
    let count: usize = count.parse().expect("a count");
    match work.as_str() {
        "lookup" => lookup(count),
        "encode" => encode(count),
        "shared" => shared(count),
        "observe" => observe(count, None),
        "native" => observe(count, Some(Native::default())),
        other => panic!("no such work: {other}"),
    }
}

fn lookup(count: usize) {
    let bench = Bench::new(4096);
    let family = peers::on_board(&bench.board, 1000);
    let values = peers::values(500);
    let values = values.each_ref().map(String::as_str);
    for _ in 0..count {
        black_box(family.with(black_box(&values)));
    }
}

/// `count` scrapes of 1,000 counters.
fn encode(count: usize) {
    let bench = Bench::new(4096);
    let _family = peers::on_board(&bench.board, 1000);
    let mut reader = Reader::new(&bench.board);
    let mut encoder = Encoder::new(Style::PLAIN);
    let mut body = Vec::new();
    for _ in 0..count {
        peers::encode_board(&mut reader, &mut encoder, black_box(&mut body));
    }
}

fn on_the_shared_plane() -> Bench {
    let bench = Bench::new(64);
    let path = bench.board.update_path();
    assert_eq!(path, UpdatePath::Shared, "run it with TALLYBOARD_RSEQ=off");
    bench
}

fn shared(count: usize) {
    let bench = on_the_shared_plane();
    let counter = bench.board.counter("c_total", "").register();
    let counter = counter.expect("room for one");
    for _ in 0..count {
        black_box(&counter).inc();
    }
}

/// With the default buckets, or as a native histogram; what is observed falls into many of them.
fn observe(count: usize, native: Option<Native>) {
    let bench = on_the_shared_plane();
    let histogram = bench.board.histogram("h_seconds", "");
    let histogram = match native {
        Some(native) => histogram.native(native),
        None => histogram,
    };
    let histogram = histogram.register().expect("room for one");
    for nth in 0..count {
        let value = (nth % 100 + 1) as f64 / 10.0;
        black_box(&histogram).observe(black_box(value));
    }
}
