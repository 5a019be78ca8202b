//! The same content in `prometheus` as on a board.

use prometheus::{Encoder as _, IntCounterVec, Opts, Registry, TextEncoder};
use tallyboard::{Board, Counter, Family, Reader};
use tallyboard_exporter::encode::{Encoder, Source};

/// Label names of the counters that are encoded and looked up.
pub const LABELS: [&str; 2] = ["method", "path"];

/// The label values of the `n`-th series.
pub fn values(n: usize) -> [String; 2] {
    let method = ["GET", "POST", "PUT", "DELETE"][n % 4];
    [method.to_owned(), format!("/api/v1/items/{n}")]
}

/// `count` counters in a registry of `prometheus`.
///
/// # Panics
/// When the registry refuses them.
pub fn in_prometheus(count: usize) -> (Registry, IntCounterVec) {
    let opts = Opts::new("bench_requests_total", "Requests served.");
    let family = IntCounterVec::new(opts, &LABELS).expect("a valid name");
    let registry = Registry::new();
    registry
        .register(Box::new(family.clone()))
        .expect("a new name");
    for n in 0..count {
        let [method, path] = values(n);
        family.with_label_values(&[&method, &path]).inc_by(n as u64);
    }
    (registry, family)
}

/// The same counters on a board.
///
/// # Panics
/// When the board refuses them.
pub fn on_board(board: &Board, count: usize) -> Family<Counter> {
    let family = board
        .counter("bench_requests_total", "Requests served.")
        .labels(&LABELS)
        .family()
        .expect("room for a family");
    for n in 0..count {
        let [method, path] = values(n);
        let counter = family
            .try_with(&[&method, &path])
            .expect("room for the series");
        counter.add(n as u64);
    }
    family
}

/// Reads all values anew and encodes them.
pub fn encode_board(reader: &mut Reader, encoder: &mut Encoder, into: &mut Vec<u8>) {
    into.clear();
    reader.refresh();
    let source = Source {
        id: 0,
        label: None,
        reader,
    };
    encoder.encode(&[source], into);
}

/// Gathers and encodes as the documentation of `prometheus` says.
///
/// # Panics
/// When the encoder fails, which it does for invalid names only.
pub fn encode_prometheus(registry: &Registry, into: &mut Vec<u8>) {
    into.clear();
    TextEncoder::new()
        .encode(&registry.gather(), into)
        .expect("valid names");
}
