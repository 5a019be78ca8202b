//! Boards from a seed, what the exporter makes of them in every style, and what was counted.
//!
//! One line of JSON for each seed: `boards` is the truth, kept by who counted, and `bodies` is what the encoder wrote.
//! `tests/oracle` reads it and compares the two by parsers that others have written.

mod bodies;
mod chance;
mod choice;
mod filling;
mod texts;
mod truth;

use std::io::{BufWriter, Write, stdout};

use clap::Parser;

/// Makes boards from seeds and prints them in every style beside what was counted.
#[derive(Parser)]
struct Options {
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many, one seed after the other
    #[arg(long, default_value_t = 1)]
    count: u64,
}

fn main() {
    let options = Options::parse();
    let mut out = BufWriter::new(stdout().lock());
    for seed in options.seed..options.seed + options.count {
        let case = bodies::case(seed);
        serde_json::to_writer(&mut out, &case).expect("a reader of the boards");
        out.write_all(b"\n").expect("a reader of the boards");
    }
    out.flush().expect("a reader of the boards");
}
