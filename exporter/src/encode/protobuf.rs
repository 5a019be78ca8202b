//! What `io.prometheus.client.MetricFamily` does its own way.
//!
//! A body is one message for each family, its length before it. To send a family while it is
//! read, its length must be known first; so each series has a length that does not depend on its
//! values ([`wire`]), and a series that ends in the meantime leaves a field behind that has no
//! meaning and the same length. Nor does it depend on what its label values are, but on how long
//! they are together, unless they are very long ([`MetricLen`]): so it is known before they are
//! read.
//!
//! A series' kept text is everything up to its values, which come last in the message:
//!
//! ```text
//! metric, its length | labels | counter, its length | created | value
//! ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ kept ^^^^^^^^^^^^^^^^^^^^^^^^^^ ^^^^^ written at each scrape
//! ```

use tallyboard::{Kind, LabelBytes};

use super::exemplar::Exemplars;
use super::wire::{self, WIDE, WIDE_LEN};

const FAMILY_NAME: u8 = 1;
const FAMILY_HELP: u8 = 2;
const FAMILY_TYPE: u8 = 3;
const FAMILY_METRIC: u8 = 4;
const FAMILY_UNIT: u8 = 5;
/// No field of a family has this number, so decoders skip it.
const FAMILY_NOTHING: u8 = 15;

const METRIC_LABEL: u8 = 1;
const LABEL_NAME: u8 = 1;
const LABEL_VALUE: u8 = 2;

/// Of a gauge and of a counter.
const VALUE: u8 = 1;
/// Of a summary and of a histogram.
const SAMPLE_COUNT: u8 = 1;
const SAMPLE_SUM: u8 = 2;
const HISTOGRAM_BUCKET: u8 = 3;
const BUCKET_CUMULATIVE_COUNT: u8 = 1;
const BUCKET_UPPER_BOUND: u8 = 2;
const TIMESTAMP_SECONDS: u8 = 1;
const TIMESTAMP_NANOS: u8 = 2;

/// Bytes of a field that is a double.
const DOUBLE_LEN: usize = 1 + 8;
/// Bytes of a field that is a number of any size.
const WIDE_FIELD_LEN: usize = 1 + WIDE;
/// Bytes of a moment with its key.
const TIMESTAMP_LEN: usize = 2 + 2 * (1 + WIDE_LEN);
/// Bytes of the least that says nothing.
pub(super) const NOTHING_LEN: usize = 1 + WIDE_LEN;
/// The greatest length that has one byte.
const SHORT: usize = 0x7f;
/// Bytes of a bucket without its key and its length.
const BUCKET_LEN: usize = WIDE_FIELD_LEN + DOUBLE_LEN;

/// A family's message up to its first metric.
pub(super) fn write_head(family_name: &str, kind: Kind, help: &str, unit: &str, out: &mut Vec<u8>) {
    wire::write_bytes(FAMILY_NAME, family_name.as_bytes(), out);
    if !help.is_empty() {
        wire::write_bytes(FAMILY_HELP, help.as_bytes(), out);
    }
    out.push(wire::varint_key(FAMILY_TYPE));
    out.push(match kind {
        // The format has no other word for what is 1 or 0.
        Kind::Gauge | Kind::Info | Kind::StateSet => 1,
        Kind::Summary => 2,
        Kind::Histogram => 4,
        // A counter: no kind is admitted that is not known.
        _ => 0,
    });
    if !unit.is_empty() {
        wire::write_bytes(FAMILY_UNIT, unit.as_bytes(), out);
    }
}

/// Appends a label of a metric.
pub(super) fn write_label(name: &[u8], value: &str, out: &mut Vec<u8>) {
    let value = value.as_bytes();
    let field = |text: &[u8]| 1 + wire::varint_len(text.len() as u64) + text.len();
    out.push(wire::bytes_key(METRIC_LABEL));
    wire::write_varint((field(name) + field(value)) as u64, out);
    wire::write_bytes(LABEL_NAME, name, out);
    wire::write_bytes(LABEL_VALUE, value, out);
}

/// Bytes of what [`write_value`] (and a counter's exemplar), [`write_summary`] or
/// [`write_histogram`] appends.
pub(super) fn values_len(kind: Kind, bounds: usize, exemplars: &Exemplars) -> usize {
    match kind {
        Kind::Summary => DOUBLE_LEN + WIDE_FIELD_LEN,
        Kind::Histogram => {
            let plain = bucket_len(0);
            let with_exemplars = exemplars.lens().map(|(place, len)| {
                // The bucket up to +Inf is there for its exemplar only.
                let before = if place < bounds { plain } else { 0 };
                bucket_len(len) - before
            });
            let more: usize = with_exemplars.sum();
            DOUBLE_LEN + WIDE_FIELD_LEN + bounds * plain + more
        }
        _ => DOUBLE_LEN + exemplars.at(0).len(),
    }
}

/// Bytes of a bucket whose exemplar has so many.
fn bucket_len(exemplar: usize) -> usize {
    let len = BUCKET_LEN + exemplar;
    1 + wire::varint_len(len as u64) + len
}

/// How long the metrics of a family are up to their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MetricLen {
    /// What each has beside the bytes of its label values,
    fixed: usize,
    /// unless these are more than so many.
    most: usize,
    /// Bytes of a metric's own length, the same for all of them.
    width: usize,
}

impl MetricLen {
    /// Of metrics with labels of these names, and one that is written already, `board`. `None` if a
    /// name is too long for that.
    pub(super) fn new(
        kind: Kind,
        board: &[u8],
        names: &[Vec<u8>],
        values_len: usize,
    ) -> Option<Self> {
        let mut labels = board.len();
        let mut most = SHORT;
        for name in names {
            // The keys and lengths of the name and of the value.
            let of_pair = 4 + name.len();
            labels += 2 + of_pair;
            most = most.min(SHORT.checked_sub(of_pair)?);
        }
        let created = match of_kind(kind) {
            (_, Some(_)) => TIMESTAMP_LEN,
            _ => 0,
        };
        let inner = created + values_len;
        let outer = labels + 1 + wire::varint_len(inner as u64) + inner;
        let width = wire::varint_len((outer + most) as u64);
        Some(Self {
            fixed: 1 + width + outer - values_len,
            most,
            width,
        })
    }

    /// Of `count` metrics together; `None` if it cannot be told.
    pub(super) fn of_all(&self, count: usize, label_bytes: LabelBytes) -> Option<usize> {
        (label_bytes.most <= self.most).then_some(count * self.fixed + label_bytes.sum)
    }
}

/// The field of a metric that says what kind it is, and the field in that for its creation. A gauge
/// has no time of creation.
fn of_kind(kind: Kind) -> (u8, Option<u8>) {
    match kind {
        Kind::Gauge => (2, None),
        Kind::Summary => (4, Some(4)),
        Kind::Histogram => (7, Some(15)),
        _ => (3, Some(3)),
    }
}

/// Appends a metric up to its values, which take `values_len` bytes; of those of one family `len`
/// says how long it is.
pub(super) fn write_metric(
    kind: Kind,
    labels: &[u8],
    created_unix_nanos: u64,
    values_len: usize,
    len: Option<&MetricLen>,
    out: &mut Vec<u8>,
) {
    let (of_kind, created_field) = of_kind(kind);
    let width = len.map_or(1, |len| len.width);
    let mut created = Vec::new();
    if let Some(field) = created_field
        && created_unix_nanos > 0
    {
        write_timestamp(field, created_unix_nanos, &mut created);
    }
    let of_kind = wire::bytes_key(of_kind);
    write_framed(width, labels, of_kind, &created, values_len, out);
}

fn write_framed(
    width: usize,
    labels: &[u8],
    of_kind: u8,
    created: &[u8],
    values_len: usize,
    out: &mut Vec<u8>,
) {
    let inner = created.len() + values_len;
    let outer = labels.len() + 1 + wire::varint_len(inner as u64) + inner;
    out.push(wire::bytes_key(FAMILY_METRIC));
    wire::write_varint_in(width, outer as u64, out);
    out.extend_from_slice(labels);
    out.push(of_kind);
    wire::write_varint(inner as u64, out);
    out.extend_from_slice(created);
}

/// Appends what [`write_metric`] wrote as `written`, for values of another length.
pub(super) fn write_metric_anew(written: &[u8], values_len: usize, out: &mut Vec<u8>) {
    // Behind a key of one byte.
    let after_len = |mut at: usize| {
        let mut len = 0;
        for shift in (0..64).step_by(7) {
            at += 1;
            len |= usize::from(written[at] & 0x7f) << shift;
            if written[at] < 0x80 {
                break;
            }
        }
        (at + 1, len)
    };
    let (labels_at, _) = after_len(0);
    let mut at = labels_at;
    while written[at] == wire::bytes_key(METRIC_LABEL) {
        let (label_at, len) = after_len(at);
        at = label_at + len;
    }
    let (created_at, _) = after_len(at);
    let (labels, created) = (&written[labels_at..at], &written[created_at..]);
    write_framed(1, labels, written[at], created, values_len, out);
}

/// Appends a moment.
pub(super) fn write_timestamp(field: u8, unix_nanos: u64, out: &mut Vec<u8>) {
    const SECOND: u64 = 1_000_000_000;
    let mut timestamp = vec![wire::varint_key(TIMESTAMP_SECONDS)];
    timestamp.extend_from_slice(&wire::wide::<WIDE_LEN>(unix_nanos / SECOND));
    timestamp.push(wire::varint_key(TIMESTAMP_NANOS));
    timestamp.extend_from_slice(&wire::wide::<WIDE_LEN>(unix_nanos % SECOND));
    wire::write_bytes(field, &timestamp, out);
}

/// Appends a whole gauge.
pub(super) fn write_gauge(labels: &[u8], value: f64, out: &mut Vec<u8>) {
    write_metric(Kind::Gauge, labels, 0, DOUBLE_LEN, None, out);
    write_value(value, out);
}

/// Appends a counter's or gauge's value.
pub(super) fn write_value(value: f64, out: &mut Vec<u8>) {
    wire::write_double(VALUE, value, out);
}

/// Appends a summary's values.
pub(super) fn write_summary(count: u64, sum: f64, out: &mut Vec<u8>) {
    wire::write_double(SAMPLE_SUM, sum, out);
    wire::write_wide(SAMPLE_COUNT, count, out);
}

/// Appends a histogram's values. The bucket up to +Inf is not written, since it is the count,
/// unless it has an exemplar.
pub(super) fn write_histogram(
    bounds: &[f64],
    buckets: &[u64],
    sum: f64,
    exemplars: &Exemplars,
    out: &mut Vec<u8>,
) {
    let count = buckets
        .iter()
        .fold(0, |sum: u64, bucket| sum.wrapping_add(*bucket));
    write_summary(count, sum, out);
    let mut events = 0_u64;
    let with_infinity = bounds.iter().copied().chain([f64::INFINITY]);
    for (place, (bound, bucket)) in with_infinity.zip(buckets).enumerate() {
        let exemplar = exemplars.at(place);
        if place == bounds.len() && exemplar.is_empty() {
            break;
        }
        events = events.wrapping_add(*bucket);
        out.push(wire::bytes_key(HISTOGRAM_BUCKET));
        wire::write_varint((BUCKET_LEN + exemplar.len()) as u64, out);
        wire::write_wide(BUCKET_CUMULATIVE_COUNT, events, out);
        wire::write_double(BUCKET_UPPER_BOUND, bound, out);
        out.extend_from_slice(exemplar);
    }
}

/// Appends `len` bytes of a family's message that say nothing, in place of a metric.
pub(super) fn write_nothing(len: usize, out: &mut Vec<u8>) {
    let payload = len.saturating_sub(NOTHING_LEN);
    out.push(wire::bytes_key(FAMILY_NOTHING));
    out.extend_from_slice(&wire::wide::<WIDE_LEN>(payload as u64));
    out.resize(out.len() + payload, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_written_anew_as_if_it_had_been_so_from_the_beginning() {
        for kind in [Kind::Counter, Kind::Gauge, Kind::Histogram] {
            for value in ["", "x", &"long".repeat(100)] {
                let mut labels = Vec::new();
                write_label(b"a", value, &mut labels);
                write_label(b"b", "y", &mut labels);
                for labels in [&labels[..], b""] {
                    for created in [0, 1_700_000_000_000_000_000] {
                        let written = |values_len| {
                            let mut out = Vec::new();
                            write_metric(kind, labels, created, values_len, None, &mut out);
                            out
                        };
                        let mut anew = Vec::new();
                        write_metric_anew(&written(9), 300, &mut anew);
                        assert_eq!(anew, written(300));
                    }
                }
            }
        }
    }
}
