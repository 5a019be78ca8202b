//! Through the macros, as a program does it, and read back from the board.

use super::RecorderBuilder;
use crate::aggregation::Aggregation;
use crate::board::Board;
use crate::counter::Number;
use crate::location::Location;
use crate::snapshot::Reader;
use metrics::{Unit, counter, gauge, histogram};

/// Lines such as `requests_total{code="",method="GET"} 2`, as the exporter shows them.
fn shown(board: &Board) -> Vec<String> {
    let mut reader = Reader::new(board);
    reader.refresh();
    let mut lines = Vec::new();
    for family in reader.families() {
        for series in &family.series {
            let labels: Vec<String> = family
                .label_names
                .iter()
                .zip(reader.label_values(series).unwrap())
                .map(|(name, value)| format!("{name}={value:?}"))
                .collect();
            let mut buckets = vec![0; family.bounds.len() + 1];
            let value = match family.kind {
                crate::Kind::Counter => match reader.counter(series).unwrap() {
                    Number::Int(value) => value.to_string(),
                    Number::Float(value) => value.to_string(),
                },
                crate::Kind::Gauge => reader.gauge(series).unwrap().to_string(),
                _ => {
                    let sum = reader.histogram(series, &mut buckets).unwrap();
                    format!("{sum} {buckets:?}")
                }
            };
            lines.push(format!("{}{{{}}} {value}", family.name, labels.join(",")));
        }
    }
    lines.sort();
    lines
}

/// A board of a test's own, which is there as long as its folder.
fn scratch() -> (tempfile::TempDir, Board) {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let at = Location::Path(folder.path().join("recorder.v1.board"));
    let board = Board::open(&at).unwrap();
    (folder, board)
}

fn recording(builder: RecorderBuilder, board: &Board, work: impl FnOnce()) {
    let recorder = builder.board(board).build_recorder().unwrap();
    metrics::with_local_recorder(&recorder, work);
}

#[test]
fn every_kind_of_metric_gets_to_the_board() {
    let (_folder, board) = scratch();
    let builder = RecorderBuilder::new()
        .set_buckets(&[1.0, 2.0])
        .set_buckets_for_metric("batch_size", &[100.0])
        .set_aggregation_for_metric("workers", Aggregation::LiveSum);
    recording(builder, &board, || {
        counter!("requests_total", "method" => "GET").increment(2);
        counter!("requests_total", "method" => "GET").increment(1);
        gauge!("queue").set(5.0);
        gauge!("queue").increment(2.0);
        gauge!("queue").decrement(1.5);
        gauge!("workers").increment(1.0);
        histogram!("wait_seconds").record(1.5);
        histogram!("wait_seconds").record_many(0.5, 2);
        histogram!("batch_size").record(100.0);
    });
    assert_eq!(
        shown(&board),
        [
            r#"batch_size{} 100 [1, 0]"#,
            r#"queue{} 5.5"#,
            r#"requests_total{method="GET"} 3"#,
            r#"wait_seconds{} 2.5 [2, 1, 0]"#,
            r#"workers{} 1"#,
        ]
    );
}

#[test]
fn descriptions_are_shown_whether_they_come_before_or_after() {
    let (_folder, board) = scratch();
    recording(RecorderBuilder::new(), &board, || {
        metrics::describe_counter!("before_total", "Told before.");
        counter!("before_total").increment(1);
        histogram!("after_seconds").record(1.0);
        metrics::describe_histogram!("after_seconds", Unit::Milliseconds, "Wrong.");
        metrics::describe_histogram!("after_seconds", Unit::Seconds, "Told after.");
        metrics::describe_gauge!("items", Unit::Count, "How many.");
        gauge!("items").set(1.0);
    });
    let mut reader = Reader::new(&board);
    reader.refresh();
    let words: Vec<_> = reader
        .families()
        .iter()
        .map(|family| (&*family.name, &*family.unit, &*family.help))
        .collect();
    assert_eq!(
        words,
        [
            ("after_seconds", "seconds", "Told after."),
            ("before_total", "", "Told before."),
            ("items", "", "How many."),
        ]
    );
}

#[test]
fn an_absolute_value_counts_by_what_it_has_grown() {
    let (_folder, board) = scratch();
    let work = || {
        counter!("mirrored_total").absolute(10);
        counter!("mirrored_total").absolute(7);
        counter!("mirrored_total").absolute(12);
    };
    recording(RecorderBuilder::new(), &board, work);
    assert_eq!(shown(&board), ["mirrored_total{} 12"]);
    // As another process does: its own count, from the beginning.
    recording(RecorderBuilder::new(), &board, work);
    assert_eq!(shown(&board), ["mirrored_total{} 24"]);
}

#[test]
fn labels_that_a_call_leaves_out_are_empty_where_they_were_announced() {
    let (_folder, board) = scratch();
    let builder =
        RecorderBuilder::new().set_labels_for_metric("requests_total", &["method", "code"]);
    recording(builder, &board, || {
        counter!("requests_total").increment(1);
        counter!("requests_total", "method" => "GET").increment(2);
        counter!("requests_total", "code" => "200", "method" => "GET").increment(3);
    });
    assert_eq!(
        shown(&board),
        [
            r#"requests_total{code="",method=""} 1"#,
            r#"requests_total{code="",method="GET"} 2"#,
            r#"requests_total{code="200",method="GET"} 3"#,
        ]
    );
}

#[test]
fn a_label_that_comes_later_takes_handles_and_other_processes_with_it() {
    let (_folder, board) = scratch();
    recording(RecorderBuilder::new(), &board, || {
        let early = counter!("requests_total", "method" => "GET");
        early.increment(1);
        counter!("requests_total", "code" => "200").increment(2);
        early.increment(4);
    });
    let expected = [
        r#"requests_total{code="",method="GET"} 4"#,
        r#"requests_total{code="200",method=""} 2"#,
    ];
    assert_eq!(shown(&board), expected);
    // A process that knows only the first label finds the others on the board.
    recording(RecorderBuilder::new(), &board, || {
        counter!("requests_total", "method" => "GET").increment(1);
    });
    assert_eq!(
        shown(&board)[0],
        r#"requests_total{code="",method="GET"} 5"#
    );
}

#[test]
fn names_become_what_prometheus_has_always_taken_unless_they_are_to_be_kept() {
    let (_folder, board) = scratch();
    let work = || counter!("http.requests", "status.code" => "200").increment(1);
    recording(RecorderBuilder::new(), &board, work);
    recording(RecorderBuilder::new().keep_names(), &board, work);
    assert_eq!(
        shown(&board),
        [
            r#"http.requests{status.code="200"} 1"#,
            r#"http_requests{status_code="200"} 1"#,
        ]
    );
}

#[test]
fn what_cannot_be_registered_goes_nowhere_and_disturbs_nobody() {
    let (_folder, board) = scratch();
    recording(RecorderBuilder::new(), &board, || {
        counter!("taken").increment(1);
        gauge!("taken").set(9.0);
        histogram!("reserved", "le" => "1").record(1.0);
        counter!("reserved_total", "__name__" => "x").increment(1);
        // Without the label that cannot be, before and after.
        counter!("spoilt_total").increment(1);
        counter!("spoilt_total", "__x" => "1").increment(1);
        counter!("spoilt_total").increment(1);
        counter!("").increment(1);
        counter!("twice_total", "a" => "1", "a" => "2").increment(1);
    });
    assert_eq!(
        shown(&board),
        ["spoilt_total{} 2", "taken{} 1", r#"twice_total{a="2"} 1"#]
    );
}

#[test]
fn threads_that_widen_a_metric_at_once_lose_nothing_once_it_is_wide() {
    const EACH: u64 = 1_000;
    let (_folder, board) = scratch();
    let recorder = RecorderBuilder::new()
        .board(&board)
        .build_recorder()
        .unwrap();
    let labels = ["a", "b", "c", "d"];
    let count = || {
        std::thread::scope(|scope| {
            for label in labels {
                scope.spawn(move || {
                    metrics::with_local_recorder(&recorder, || {
                        for _ in 0..EACH {
                            counter!("wide_total", label => "x").increment(1);
                        }
                    });
                });
            }
        });
    };
    let sum = || -> u64 {
        let lines = shown(&board);
        let values = lines.iter().map(|line| line.rsplit(' ').next().unwrap());
        values.map(|value| value.parse::<u64>().unwrap()).sum()
    };
    count();
    // Whoever lost a race to widen has widened by now, or does it in the first calls of this.
    count();
    let before = sum();
    count();
    assert_eq!(shown(&board).len(), labels.len());
    assert_eq!(sum(), before + EACH * labels.len() as u64);
}

#[test]
fn a_process_has_one_recorder() {
    let (_folder, board) = scratch();
    let install = || RecorderBuilder::new().board(&board).install();
    install().unwrap();
    let again = install().unwrap_err().to_string();
    assert!(again.contains("another recorder"), "{again}");
    counter!("global_total").increment(3);
    assert_eq!(shown(&board), ["global_total{} 3"]);
}
