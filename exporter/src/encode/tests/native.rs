//! Native histograms as a decoder of Protocol buffers has them.

use prost::Message;
use tallyboard::{Kind, Native};

use super::messages::PROTOBUF;
use super::*;

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(sint32, optional, tag = "1")]
    offset: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    length: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(double, optional, tag = "2")]
    value: Option<f64>,
    #[prost(message, optional, tag = "3")]
    at: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    value: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, optional, tag = "1")]
    seconds: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Bucket {
    #[prost(uint64, optional, tag = "1")]
    cumulative: Option<u64>,
    #[prost(double, optional, tag = "2")]
    bound: Option<f64>,
    #[prost(message, optional, tag = "3")]
    exemplar: Option<Exemplar>,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    classic: Vec<Bucket>,
    #[prost(sint32, optional, tag = "5")]
    schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    zero_threshold: Option<f64>,
    #[prost(uint64, optional, tag = "7")]
    zero: Option<u64>,
    #[prost(message, repeated, tag = "9")]
    negative_spans: Vec<Span>,
    #[prost(sint64, repeated, tag = "10")]
    negative_deltas: Vec<i64>,
    #[prost(message, repeated, tag = "12")]
    positive_spans: Vec<Span>,
    #[prost(sint64, repeated, tag = "13")]
    positive_deltas: Vec<i64>,
    #[prost(message, repeated, tag = "16")]
    exemplars: Vec<Exemplar>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct Family {
    #[prost(int32, tag = "3")]
    kind: i32,
    #[prost(message, repeated, tag = "4")]
    metrics: Vec<Metric>,
}

/// The histogram `h` of a board, after these observations.
fn observed(native: Native, values: &[f64]) -> Histogram {
    after(native, |histogram| {
        for value in values {
            histogram.observe(*value);
        }
    })
}

/// The histogram `h` of a board, after these updates.
fn after(native: Native, update: impl FnOnce(&tallyboard::Histogram)) -> Histogram {
    let board = board();
    update(&board.histogram("h", "").native(native).register().unwrap());
    let (body, encoded) = bytes_with(&mut Encoder::new(PROTOBUF), &[(&board, None)]);
    assert_eq!(encoded.series, 1);
    let family = Family::decode_length_delimited(&body[..]).unwrap();
    assert_eq!(family.kind, 4);
    family.metrics[0].histogram.clone().unwrap()
}

fn spans(spans: &[Span]) -> Vec<(i32, u32)> {
    let pair = |span: &Span| (span.offset.unwrap(), span.length.unwrap());
    spans.iter().map(pair).collect()
}

fn doublings() -> Native {
    Native::new().schema(0).range(1.0, 4096.0)
}

#[test]
fn buckets_are_spans_and_differences_and_classic_ones_stand_beside_them() {
    let values = [0.1, 1.0, 1.5, 1.6, 16.0, 256.0, 256.0, 1e9];
    let histogram = observed(doublings(), &values);
    assert_eq!(histogram.count, Some(8));
    assert_eq!(histogram.sum, Some(values.iter().sum()));
    assert_eq!((histogram.schema, histogram.zero), (Some(0), Some(1)));
    assert_eq!(histogram.zero_threshold, Some(0.5));
    // 0, 1 and 4 with two empty ones between, then three empty ones, then 8; 12.
    assert_eq!(spans(&histogram.positive_spans), [(0, 5), (3, 1), (3, 1)]);
    assert_eq!(histogram.positive_deltas, [1, 1, -2, 0, 1, 1, -1]);
    assert!(histogram.negative_spans.is_empty() && histogram.negative_deltas.is_empty());
    let classic: Vec<_> = (histogram.classic.iter())
        .map(|bucket| (bucket.bound.unwrap(), bucket.cumulative.unwrap()))
        .collect();
    let expected = |bound: f64| values.iter().filter(|value| **value <= bound).count() as u64;
    assert_eq!(classic.len(), 14);
    for (bound, cumulative) in classic {
        assert_eq!(cumulative, expected(bound), "le {bound}");
    }
}

#[test]
fn negative_buckets_are_their_own_spans_away_from_zero() {
    let native = Native::new().schema(0).range(0.125, 8.0).with_negative();
    let histogram = observed(native, &[-0.2, -8.0, -8.0, -99.0, 0.0, 0.3]);
    assert_eq!((histogram.count, histogram.zero), (Some(6), Some(1)));
    assert_eq!(spans(&histogram.negative_spans), [(-2, 1), (4, 1)]);
    assert_eq!(histogram.negative_deltas, [1, 2]);
    assert_eq!(spans(&histogram.positive_spans), [(-1, 1)]);
    assert_eq!(histogram.positive_deltas, [1]);
}

#[test]
fn an_empty_one_has_a_span_of_nothing() {
    for values in [&[][..], &[0.0]] {
        let histogram = observed(doublings(), values);
        assert_eq!(spans(&histogram.positive_spans), [(0, 0)]);
        assert!(histogram.positive_deltas.is_empty() && histogram.negative_spans.is_empty());
        assert_eq!(histogram.count, Some(values.len() as u64));
    }
}

/// As client_golang has them: on the classic buckets, and by value on the histogram itself.
#[test]
fn exemplars_stand_in_their_classic_buckets_and_on_the_histogram() {
    let histogram = after(doublings(), |histogram| {
        // The last one of its bucket stays.
        for value in [99.0, 3.0, 100.0, -1.0] {
            histogram.observe_with_exemplar(value, &[("trace_id", &value.to_string())]);
        }
        histogram.observe_with_exemplar(f64::NAN, &[]);
    });
    let on_buckets: Vec<_> = (histogram.classic.iter())
        .filter_map(|bucket| Some((bucket.bound.unwrap(), bucket.exemplar.clone()?.value?)))
        .collect();
    assert_eq!(on_buckets[..3], [(0.5, -1.0), (4.0, 3.0), (128.0, 100.0)]);
    let (infinity, not_a_number) = on_buckets[3];
    assert!(infinity == f64::INFINITY && not_a_number.is_nan() && on_buckets.len() == 4);
    let own: Vec<_> = (histogram.exemplars.iter())
        .map(|exemplar| {
            (
                exemplar.value.unwrap(),
                exemplar.labels[0].value().to_owned(),
            )
        })
        .collect();
    let expected = [(-1.0, "-1"), (3.0, "3"), (100.0, "100")];
    assert_eq!(
        own,
        expected.map(|(value, trace)| (value, trace.to_owned()))
    );
    let is_recent = |exemplar: &Exemplar| exemplar.at.as_ref().unwrap().seconds() > 1_700_000_000;
    assert!(histogram.exemplars.iter().all(is_recent));
}

#[test]
fn of_many_exemplars_the_ten_newest_stand_on_the_histogram() {
    let histogram = after(doublings(), |histogram| {
        for power in (0..13).rev() {
            histogram.observe_with_exemplar(f64::from(1 << power), &[]);
        }
    });
    let own = histogram.exemplars.iter().map(|exemplar| exemplar.value());
    assert!(own.eq((0..10).map(|power| f64::from(1 << power))));
    let on_buckets = histogram.classic.iter();
    assert_eq!(
        on_buckets
            .filter(|bucket| bucket.exemplar.is_some())
            .count(),
        13
    );
}

#[test]
fn text_has_the_classic_buckets_alone() {
    let board = board();
    let native = Native::new().schema(1).range(1.0, 2.0);
    let histogram = board.histogram("h", "").native(native).register().unwrap();
    for value in [0.5, 1.0, 1.25, 2.0, 3.0] {
        histogram.observe(value);
    }
    let mut reader = Reader::new(&board);
    reader.refresh();
    assert_eq!(reader.families()[0].kind, Kind::Histogram);
    let lowest = reader.families()[0].bounds[0];
    assert_eq!(
        encode(&board, Style::PLAIN),
        format!(
            "# TYPE h histogram\nh_bucket{{le=\"{lowest}\"}} 1\nh_bucket{{le=\"1.0\"}} 2\n\
             h_bucket{{le=\"2.0\"}} 4\nh_bucket{{le=\"+Inf\"}} 5\nh_sum 7.75\nh_count 5\n"
        )
    );
}

#[test]
fn of_two_boards_the_one_with_classic_buckets_goes_first() {
    let (native, classic) = (board(), board());
    let doublings = native.histogram("h", "").native(doublings());
    doublings.register().unwrap().observe(1.0);
    let halves = classic.histogram("h", "").buckets(&[0.5]);
    halves.register().unwrap().observe(1.0);
    let boards: [(&Board, _); 2] = [(&native, Some("native")), (&classic, Some("classic"))];
    let (body, _) = bytes_with(&mut Encoder::new(PROTOBUF), &boards);
    let family = Family::decode_length_delimited(&body[..]).unwrap();
    let schemas = family.metrics.iter().map(|metric| {
        let histogram = metric.histogram.as_ref().unwrap();
        histogram.schema
    });
    assert_eq!(schemas.collect::<Vec<_>>(), [None, Some(0)]);
}
