//! Golden texts of whole bodies, through real boards.

mod annexes;
mod clashes;
mod hostile;
mod kept;
mod messages;
mod names;
mod native;

use std::fs::File;
use std::os::unix::fs::FileExt;

use tallyboard::{Board, Location, Reader};

use super::*;

const OPEN_METRICS: Style = Style {
    format: Format::OpenMetrics,
    escaping: Escaping::Underscores,
    created: false,
};

/// A board that no other test sees, and its directory.
struct TestBoard {
    board: Board,
    _directory: tempfile::TempDir,
}

impl std::ops::Deref for TestBoard {
    type Target = Board;

    fn deref(&self) -> &Board {
        &self.board
    }
}

fn board() -> TestBoard {
    board_of(256)
}

fn board_of(slots: u32) -> TestBoard {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::Path(directory.path().join("test.v1.board"));
    let options = Board::options().slots(slots).allow_any_filesystem(true);
    TestBoard {
        board: options.create(&location).unwrap(),
        _directory: directory,
    }
}

/// The file of a board, for what no library does to one.
struct BoardFile(File);

impl BoardFile {
    fn of(board: &Board) -> Self {
        let mut options = File::options();
        let options = options.read(true).write(true);
        Self(options.open(board.path().unwrap()).unwrap())
    }

    fn word(&self, at: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, at).unwrap();
        u64::from_le_bytes(bytes)
    }

    fn put(&self, at: u64, word: u64) {
        self.0.write_all_at(&word.to_le_bytes(), at).unwrap();
    }

    /// Where the record of the slot with this tag begins.
    fn record(&self, tag: u64) -> u64 {
        let (states, records) = (self.word(104), self.word(120));
        let mut slots = 0..;
        let slot = slots.find(|slot| self.word(states + slot * 8) == tag);
        records + slot.unwrap() * 256
    }

    /// Lets each of two records say what the other said, in these of its words.
    fn swap(&self, a: u64, b: u64, words: impl Iterator<Item = u64>) {
        for word in words {
            let (said, other) = (self.word(a + word), self.word(b + word));
            self.put(a + word, other);
            self.put(b + word, said);
        }
    }
}

fn encode_with(encoder: &mut Encoder, boards: &[(&Board, Option<&str>)]) -> (String, Encoded) {
    let (body, encoded) = bytes_with(encoder, boards);
    (String::from_utf8(body).unwrap(), encoded)
}

fn bytes_with(encoder: &mut Encoder, boards: &[(&Board, Option<&str>)]) -> (Vec<u8>, Encoded) {
    let readers: Vec<Reader> = boards
        .iter()
        .map(|(board, _)| {
            let mut reader = Reader::new(board);
            reader.refresh();
            reader
        })
        .collect();
    let sources: Vec<Source<'_>> = (0..boards.len())
        .map(|index| Source {
            id: index as u64,
            label: boards[index].1,
            reader: &readers[index],
        })
        .collect();
    let mut out = Vec::new();
    let encoded = encoder.encode(&sources, &mut out);
    encoder.finish(&mut out);
    (out, encoded)
}

fn encode(board: &Board, style: Style) -> String {
    encode_with(&mut Encoder::new(style), &[(board, None)]).0
}

#[test]
fn each_kind_in_text() {
    let board = board();
    let jobs = board.counter("jobs_total", "Jobs\ndone \"well\".");
    jobs.label("queue", "a\"b\\c\nd").register().unwrap().add(7);
    board
        .gauge("heat_celsius", "")
        .register()
        .unwrap()
        .set(f64::NEG_INFINITY);
    let waits = board
        .histogram("wait_seconds", "Waits.")
        .buckets(&[0.5, 1.0]);
    let waits = waits.label("q", "ü").register().unwrap();
    for seconds in [0.25, 0.75, 0.75, 8.0] {
        waits.observe(seconds);
    }
    let sizes = board.summary("size_bytes", "Sizes.").register().unwrap();
    sizes.observe(1.5);
    assert_eq!(
        encode(&board, Style::PLAIN),
        r#"# TYPE heat_celsius gauge
heat_celsius -Inf
# HELP jobs_total Jobs\ndone "well".
# TYPE jobs_total counter
jobs_total{queue="a\"b\\c\nd"} 7
# HELP size_bytes Sizes.
# TYPE size_bytes summary
size_bytes_sum 1.5
size_bytes_count 1
# HELP wait_seconds Waits.
# TYPE wait_seconds histogram
wait_seconds_bucket{q="ü",le="0.5"} 1
wait_seconds_bucket{q="ü",le="1.0"} 3
wait_seconds_bucket{q="ü",le="+Inf"} 4
wait_seconds_sum{q="ü"} 9.75
wait_seconds_count{q="ü"} 4
"#
    );
}

#[test]
fn each_kind_in_openmetrics() {
    let board = board();
    let jobs = board.counter("jobs_total", "Jobs \"done\".");
    jobs.label("queue", "mail").register().unwrap().add(7);
    board
        .counter("oddly_named", "")
        .register()
        .unwrap()
        .add_f64(0.5);
    let heat = board.gauge("heat_celsius", "Heat.").unit("celsius");
    heat.register().unwrap().set(21.0);
    board
        .gauge("load", "Load.")
        .unit("ratio")
        .register()
        .unwrap();
    let waits = board.histogram("wait_seconds", "Waits.").buckets(&[1.0]);
    waits.register().unwrap().observe(2.0);
    assert_eq!(
        encode(&board, OPEN_METRICS),
        r#"# TYPE heat_celsius gauge
# UNIT heat_celsius celsius
# HELP heat_celsius Heat.
heat_celsius 21.0
# TYPE jobs counter
# HELP jobs Jobs \"done\".
jobs_total{queue="mail"} 7
# TYPE load gauge
# HELP load Load.
load 0.0
# TYPE oddly_named counter
oddly_named_total 0.5
# TYPE wait_seconds histogram
# HELP wait_seconds Waits.
wait_seconds_bucket{le="1.0"} 0
wait_seconds_bucket{le="+Inf"} 1
wait_seconds_sum 2.0
wait_seconds_count 1
# EOF
"#
    );
}

#[test]
fn openmetrics_leaves_out_sums_that_cannot_be_counters() {
    let board = board();
    let deltas = board.histogram("delta", "").buckets(&[-1.0, 1.0]);
    deltas.register().unwrap().observe(0.5);
    board.summary("lost", "").register().unwrap().observe(-1.0);
    assert_eq!(
        encode(&board, OPEN_METRICS),
        r#"# TYPE delta histogram
delta_bucket{le="-1.0"} 0
delta_bucket{le="1.0"} 1
delta_bucket{le="+Inf"} 1
# TYPE lost summary
lost_count 1
# EOF
"#
    );
    assert!(encode(&board, Style::PLAIN).contains("delta_sum 0.5\ndelta_count 1\n"));
}

#[test]
fn created_lines_when_they_are_asked_for() {
    let board = board();
    let jobs = board.counter("jobs_total", "").label("queue", "mail");
    jobs.register().unwrap();
    let waits = board.histogram("wait", "").buckets(&[1.0]);
    waits.register().unwrap();
    board.gauge("depth", "").register().unwrap();
    let style = Style {
        created: true,
        ..OPEN_METRICS
    };
    let mut reader = Reader::new(&board);
    reader.refresh();
    let created = |family: usize| {
        let series = reader.families()[family].series.first().unwrap();
        let nanos = reader.created_unix_nanos(series).unwrap();
        format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
    };
    let body = encode(&board, style);
    let (jobs, wait) = (created(1), created(2));
    assert!(body.contains(&format!(
        "jobs_total{{queue=\"mail\"}} 0\njobs_created{{queue=\"mail\"}} {jobs}\n"
    )));
    assert!(body.contains(&format!("wait_count 0\nwait_created {wait}\n")));
    assert!(!body.contains("depth_created"));
    assert!(
        !encode(
            &board,
            Style {
                created: true,
                ..Style::PLAIN
            }
        )
        .contains("_created")
    );
}

#[test]
fn pieces_of_any_size_make_the_same_body() {
    let board = board();
    for queue in ["a", "b", "c"] {
        let jobs = board.counter("jobs_total", "Jobs.").label("queue", queue);
        jobs.register().unwrap().add(7);
        let waits = board.histogram("wait", "").label("queue", queue);
        waits.register().unwrap().observe(0.5);
    }
    let set = board
        .gauge("set", "")
        .aggregation(tallyboard::Aggregation::All);
    set.register().unwrap().set(1.0);
    let mut reader = Reader::new(&board);
    reader.refresh();
    for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
        let style = Style {
            format,
            ..Style::PLAIN
        };
        let mut encoder = Encoder::new(style);
        let source = Source {
            id: 0,
            label: None,
            reader: &reader,
        };
        let exposition = Arc::new(encoder.expose(&[source]));
        let in_pieces = |piece: usize, names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let mut pass = Pass::new(exposition.clone(), Arc::new(Selection::new(names)));
            let mut body = Vec::new();
            while pass.fill(body.len() + piece, &mut body) {}
            body
        };
        let whole = in_pieces(usize::MAX, &[]);
        for piece in [1, 60, 500] {
            assert!(
                in_pieces(piece, &[]) == whole,
                "{format:?} in pieces of {piece}"
            );
        }
        let jobs = in_pieces(1, &["jobs_total"]);
        assert!(whole.starts_with(&jobs) && jobs.len() < whole.len());
        assert_eq!(in_pieces(1, &["set", "wait_count"]), whole[jobs.len()..]);
        assert!(in_pieces(1, &["nothing"]).is_empty());
    }
}
