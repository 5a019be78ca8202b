//! Work to be counted by `valgrind --tool=callgrind`: `instructions WORK COUNT`.
//!
//! The difference between two counts is what one operation costs in instructions, the same
//! on every machine with the same compiler. `shared` is an update of the shared plane: run it
//! with `TALLYBOARD_RSEQ=off`.

use std::hint::black_box;
use tallyboard::{Reader, UpdatePath};
use tallyboard_benches::{Bench, peers};
use tallyboard_exporter::encode::{Encoder, Source, Style};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [work, count] = arguments.as_slice() else {
        panic!("usage: instructions lookup|encode|shared COUNT");
    };
    let count: usize = count.parse().expect("a count");
    match work.as_str() {
        "lookup" => lookup(count),
        "encode" => encode(count),
        "shared" => shared(count),
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
        body.clear();
        reader.refresh();
        let source = Source {
            id: 0,
            label: None,
            reader: &reader,
        };
        encoder.encode(&[source], black_box(&mut body));
    }
}

fn shared(count: usize) {
    let bench = Bench::new(64);
    let path = bench.board.update_path();
    assert_eq!(path, UpdatePath::Shared, "run it with TALLYBOARD_RSEQ=off");
    let counter = bench.board.counter("c_total", "").register();
    let counter = counter.expect("room for one");
    for _ in 0..count {
        black_box(&counter).inc();
    }
}
