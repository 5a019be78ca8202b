//! Protobuf, read by a decoder that knows nothing of how it was written.

use prost::Message;

use super::*;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(double, optional, tag = "2")]
    pub(super) value: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub(super) time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct OneValue {
    #[prost(double, optional, tag = "1")]
    pub(super) value: Option<f64>,
    /// Of a counter.
    #[prost(message, optional, tag = "2")]
    pub(super) exemplar: Option<Exemplar>,
    /// Of a counter.
    #[prost(message, optional, tag = "3")]
    pub(super) created: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SummaryValue {
    #[prost(uint64, optional, tag = "1")]
    pub(super) count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(super) sum: Option<f64>,
    #[prost(message, optional, tag = "4")]
    pub(super) created: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Bucket {
    #[prost(uint64, optional, tag = "1")]
    pub(super) cumulative: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(super) bound: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub(super) exemplar: Option<Exemplar>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HistogramValue {
    #[prost(uint64, optional, tag = "1")]
    pub(super) count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(super) sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    pub(super) buckets: Vec<Bucket>,
    #[prost(message, optional, tag = "15")]
    pub(super) created: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Metric {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(message, optional, tag = "2")]
    pub(super) gauge: Option<OneValue>,
    #[prost(message, optional, tag = "3")]
    pub(super) counter: Option<OneValue>,
    #[prost(message, optional, tag = "4")]
    pub(super) summary: Option<SummaryValue>,
    #[prost(message, optional, tag = "7")]
    pub(super) histogram: Option<HistogramValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Family {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) help: String,
    #[prost(int32, tag = "3")]
    pub(super) kind: i32,
    #[prost(message, repeated, tag = "4")]
    pub(super) metrics: Vec<Metric>,
    #[prost(string, tag = "5")]
    pub(super) unit: String,
}

pub(super) const PROTOBUF: Style = Style {
    format: Format::Protobuf,
    escaping: Escaping::AllowUtf8,
    created: false,
};

pub(super) fn decode(mut body: &[u8]) -> Vec<Family> {
    let mut families = Vec::new();
    while !body.is_empty() {
        families.push(Family::decode_length_delimited(&mut body).unwrap());
    }
    families
}

pub(super) fn label(name: &str, value: &str) -> Label {
    Label {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

#[test]
fn each_kind_in_protobuf() {
    let board = board();
    let jobs = board.counter("jobs_total", "Jobs\n\"done\".");
    let jobs = jobs.label("queue", "a\"\\\n").label("who", "ü");
    jobs.register().unwrap().add_f64(7.5);
    let heat = board.gauge("heat_celsius", "").unit("celsius");
    heat.register().unwrap().set(f64::NEG_INFINITY);
    let waits = board
        .histogram("wait.seconds", "Waits.")
        .buckets(&[-1.0, 1.0]);
    let waits = waits.register().unwrap();
    for seconds in [-2.0, 0.75, 0.75, 8.0] {
        waits.observe(seconds);
    }
    let sizes = board.summary("size_bytes", "").register().unwrap();
    sizes.observe(1.5);
    let each = board
        .gauge("each", "")
        .aggregation(tallyboard::Aggregation::All);
    each.label("zone", "z").register().unwrap().set(3.0);

    let (body, encoded) = bytes_with(&mut Encoder::new(PROTOBUF), &[(&board, Some("b"))]);
    let families = decode(&body);
    assert_eq!(encoded.series, 5);
    let names: Vec<&str> = families.iter().map(|family| &*family.name).collect();
    let sorted = [
        "each",
        "heat_celsius",
        "jobs_total",
        "size_bytes",
        "wait.seconds",
    ];
    assert_eq!(names, sorted);
    let kinds: Vec<i32> = families.iter().map(|family| family.kind).collect();
    assert_eq!(kinds, [1, 1, 0, 2, 4]);
    assert_eq!(families[1].unit, "celsius");
    assert_eq!(families[2].help, "Jobs\n\"done\".");

    let mut reader = Reader::new(&board);
    reader.refresh();
    let created = |family: usize| {
        let series = reader.families()[family].series.first().unwrap();
        let nanos = reader.created_unix_nanos(series).unwrap();
        Some(Timestamp {
            seconds: (nanos / 1_000_000_000) as i64,
            nanos: (nanos % 1_000_000_000) as i32,
        })
    };
    let pid = std::process::id().to_string();
    let expected = [
        Metric {
            labels: vec![label("board", "b"), label("zone", "z"), label("pid", &pid)],
            gauge: Some(OneValue {
                value: Some(3.0),
                exemplar: None,
                created: None,
            }),
            ..Metric::default()
        },
        Metric {
            labels: vec![label("board", "b")],
            gauge: Some(OneValue {
                value: Some(f64::NEG_INFINITY),
                exemplar: None,
                created: None,
            }),
            ..Metric::default()
        },
        Metric {
            labels: vec![
                label("board", "b"),
                label("queue", "a\"\\\n"),
                label("who", "ü"),
            ],
            counter: Some(OneValue {
                value: Some(7.5),
                exemplar: None,
                created: created(2),
            }),
            ..Metric::default()
        },
        Metric {
            labels: vec![label("board", "b")],
            summary: Some(SummaryValue {
                count: Some(1),
                sum: Some(1.5),
                created: created(3),
            }),
            ..Metric::default()
        },
        Metric {
            labels: vec![label("board", "b")],
            histogram: Some(HistogramValue {
                count: Some(4),
                sum: Some(7.5),
                buckets: [(1, -1.0), (3, 1.0)]
                    .map(|(count, bound)| Bucket {
                        cumulative: Some(count),
                        bound: Some(bound),
                        exemplar: None,
                    })
                    .to_vec(),
                created: created(4),
            }),
            ..Metric::default()
        },
    ];
    for (family, expected) in families.iter().zip(expected) {
        assert_eq!(family.metrics, [expected], "{}", family.name);
    }
}

#[test]
fn a_gauge_byte_for_byte() {
    let board = board();
    let heat = board.gauge("heat", "How hot.").label("at", "top");
    heat.register().unwrap().set(1.0);
    let (body, _) = bytes_with(&mut Encoder::new(PROTOBUF), &[(&board, None)]);
    let expected: &[&[u8]] = &[
        b"\x2b\x0a\x04heat\x12\x08How hot.\x18\x01",
        // Its length has the two bytes that a longer value of the label would need.
        b"\x22\x96\0\x0a\x09\x0a\x02at\x12\x03top",
        b"\x12\x09\x09\0\0\0\0\0\0\xf0\x3f",
    ];
    assert_eq!(body, expected.concat());
}

#[test]
fn what_ends_while_it_is_sent_leaves_no_mark() {
    for is_kept in [true, false] {
        let board = board();
        for queue in ["a", "b", "c"] {
            let jobs = board.counter("jobs_total", "").label("queue", queue);
            jobs.register().unwrap().inc();
            let waits = board.histogram("wait", "").label("queue", queue);
            waits.register().unwrap().observe(1.0);
        }
        let mut reader = Reader::new(&board);
        reader.refresh();
        let mut encoder = Encoder::new(PROTOBUF);
        let source = Source {
            id: 0,
            label: None,
            reader: &reader,
        };
        let exposition = Arc::new(encoder.expose(&[source]));
        if is_kept {
            // A body before this one.
            let mut pass = Pass::new(exposition.clone(), Arc::default());
            while pass.fill(usize::MAX, &mut Vec::new()) {}
        }
        let mut pass = Pass::new(exposition, Arc::default());
        let mut body = Vec::new();
        assert!(pass.fill(1, &mut body), "one series was written");
        let jobs = board.counter("jobs_total", "").label("queue", "");
        assert_eq!(jobs.family().unwrap().remove(&["b"]), Ok(true));
        let waits = board.histogram("wait", "").label("queue", "");
        let waits = waits.family().unwrap();
        for queue in ["a", "b", "c"] {
            assert_eq!(waits.remove(&[queue]), Ok(true));
        }
        while pass.fill(body.len() + 1, &mut body) {}
        let families = decode(&body);
        let queues = |family: &Family| {
            let metrics = family.metrics.iter();
            let queues = metrics.map(|metric| metric.labels[0].value.clone());
            queues.collect::<Vec<_>>()
        };
        assert_eq!(queues(&families[0]), ["a", "c"]);
        // Its length was told before any of it ended.
        assert_eq!(families.len(), 2);
        assert_eq!(families[1].metrics, []);
        assert_eq!(pass.series(), 2);
    }
}

/// A board with one family of counters, `jobs_total{n="0"}` and so on, and its reader.
fn jobs(count: u64) -> (TestBoard, Reader) {
    let board = board_of(4096);
    let family = board.counter("jobs_total", "").labels(&["n"]);
    let family = family.family().unwrap();
    for n in 0..count {
        family.try_with(&[&n.to_string()]).unwrap().inc();
    }
    let mut reader = Reader::new(&board);
    reader.refresh();
    (board, reader)
}

fn pass_of(reader: &Reader) -> Pass {
    let source = Source {
        id: 0,
        label: None,
        reader,
    };
    let exposition = Encoder::new(PROTOBUF).expose(&[source]);
    Pass::new(Arc::new(exposition), Arc::default())
}

/// It was one piece, however large the family was.
#[test]
fn a_family_that_ends_before_it_is_rendered_is_passed_in_pieces() {
    let (board, reader) = jobs(3000);
    let mut pass = pass_of(&reader);
    let family = board.counter("jobs_total", "").labels(&["n"]);
    assert_eq!(family.family().unwrap().clear(), Ok(3000));
    let mut body = Vec::new();
    let mut largest = 0;
    let mut is_more = true;
    while is_more {
        let before = body.len();
        is_more = pass.fill(before + 1, &mut body);
        largest = largest.max(body.len() - before);
    }
    assert!(largest <= body.len() / 5, "{largest} of {}", body.len());
    let [family] = &decode(&body)[..] else {
        panic!("one family");
    };
    assert_eq!((family.metrics.len(), pass.series()), (0, 0));
}

/// Whoever may write to a board may change a record between two looks at it.
#[test]
fn a_record_that_changes_after_its_length_was_told_leaves_the_rest_readable() {
    const HASH: u64 = 0;
    const LENGTHS: u64 = 16;
    const CREATED: u64 = 32;
    let (board, reader) = jobs(1200);
    let file = BoardFile::of(&board);
    let series = &reader.families()[0].series;
    let record = |n: usize| file.record(series.iter().nth(n).unwrap().tag);
    let mut pass = pass_of(&reader);
    // In the first batch one becomes longer than it was, in the second shorter, and by less than
    // can be said of nothing. In the third one becomes shorter by more.
    let text = (64..256).step_by(8);
    file.swap(
        record(5),
        record(700),
        [HASH, LENGTHS].into_iter().chain(text),
    );
    file.put(record(1100) + CREATED, 0);
    let mut body = Vec::new();
    while pass.fill(body.len() + 1, &mut body) {}
    let [family] = &decode(&body)[..] else {
        panic!("one family");
    };
    let metrics = family.metrics.iter();
    let shown = metrics.map(|metric| {
        let created = metric.counter.as_ref().unwrap().created.as_ref();
        (metric.labels[0].value.parse().unwrap(), created.is_some())
    });
    let wanted = (1024..1200).map(|n| (n, n != 1100));
    assert_eq!(
        shown.collect::<Vec<(u64, bool)>>(),
        wanted.collect::<Vec<_>>()
    );
    assert_eq!(pass.series(), 176);
}

#[test]
fn a_length_that_is_told_before_rendering_is_right_for_labels_of_any_length() {
    let long_name = "n".repeat(200);
    for (label, board_label) in [("a", None), ("a", Some("board")), (&*long_name, None)] {
        for longest in [4, 50, 59, 60, 119, 120, 122, 123, 127, 128, 300] {
            let board = board();
            let lens = [0, 3, longest];
            for len in lens {
                let value = "v".repeat(len);
                let jobs = board.counter("jobs_total", "").label(label, &value);
                jobs.register().unwrap().inc();
                let waits = board.histogram("wait", "").label(label, &value);
                waits.label("also", &value).register().unwrap().observe(1.0);
            }
            let mut encoder = Encoder::new(PROTOBUF);
            let (first, _) = bytes_with(&mut encoder, &[(&board, board_label)]);
            let (second, _) = bytes_with(&mut encoder, &[(&board, board_label)]);
            assert_eq!(first, second);
            for family in decode(&first) {
                let metrics = family.metrics.iter();
                let found = metrics.map(|metric| {
                    let pair = metric.labels.iter().find(|pair| pair.name == label);
                    pair.unwrap().value.len()
                });
                assert_eq!(found.collect::<Vec<_>>(), lens);
            }
        }
    }
}

#[test]
fn the_exporters_own_families_are_messages_too() {
    let mut body = Vec::new();
    let mut writer = FamilyWriter::new(PROTOBUF, "own_total", Kind::Counter, "Own.", &mut body);
    writer.sample(&[("board", "ü\"")], tallyboard::Number::Int(3));
    writer.sample(&[], tallyboard::Number::Int(4));
    FamilyWriter::new(PROTOBUF, "empty", Kind::Gauge, "", &mut body);
    let families = decode(&body);
    let counts = families[0].metrics.iter();
    let counts = counts.map(|metric| metric.counter.as_ref().unwrap().value.unwrap());
    assert_eq!(counts.collect::<Vec<_>>(), [3.0, 4.0]);
    assert_eq!(families[0].metrics[0].labels, [label("board", "ü\"")]);
    assert_eq!(families[1].name, "empty");
}
