//! A native histogram's own fields of `io.prometheus.client.Histogram`, behind its classic buckets.
//!
//! Buckets are sent as runs of neighbours (spans), each with how far it lies behind the one before,
//! and as differences from one count to the next.

use tallyboard::{NativeCounts, Window};

use super::wire;

const SCHEMA: u8 = 5;
const ZERO_THRESHOLD: u8 = 6;
const ZERO_COUNT: u8 = 7;
const SPAN_OFFSET: u8 = 1;
const SPAN_LENGTH: u8 = 2;

/// The fields of one side.
struct Side {
    span: u8,
    delta: u8,
}

const NEGATIVE: Side = Side { span: 9, delta: 10 };
const POSITIVE: Side = Side {
    span: 12,
    delta: 13,
};

/// Empty buckets in a row that are sent as zeros: a span more would be longer.
const MOST_ZEROS: i32 = 2;

/// Appends schema, zero bucket and buckets. Their length depends on what was counted.
pub(super) fn write(window: &Window, counts: &NativeCounts, out: &mut Vec<u8>) {
    out.push(wire::varint_key(SCHEMA));
    wire::write_varint(zigzag(window.schema().into()), out);
    wire::write_double(ZERO_THRESHOLD, window.zero_threshold(), out);
    out.push(wire::varint_key(ZERO_COUNT));
    wire::write_varint(counts.zero(), out);
    let negative = NEGATIVE.write(counts.negative(), out);
    let positive = POSITIVE.write(counts.positive(), out);
    if !negative && !positive {
        // A span of no bucket, by which a scraper knows that this is a native histogram.
        write_span(POSITIVE.span, 0, 0, out);
    }
}

impl Side {
    /// Whether there are any.
    fn write(&self, buckets: impl Iterator<Item = (i32, u64)>, out: &mut Vec<u8>) -> bool {
        let mut deltas = Vec::new();
        // The span that grows: where it begins, behind the end of the one before, and its length.
        let mut span: Option<(i32, i32)> = None;
        let (mut end, mut before) = (0, 0_u64);
        for (index, count) in buckets {
            let gap = index - end;
            span = match span {
                Some((offset, length)) if gap <= MOST_ZEROS => {
                    for _ in 0..gap {
                        write_delta(&mut before, 0, &mut deltas);
                    }
                    Some((offset, length + gap + 1))
                }
                done => {
                    if let Some((offset, length)) = done {
                        write_span(self.span, offset, length, out);
                    }
                    Some((gap, 1))
                }
            };
            write_delta(&mut before, count, &mut deltas);
            end = index + 1;
        }
        let Some((offset, length)) = span else {
            return false;
        };
        write_span(self.span, offset, length, out);
        wire::write_bytes(self.delta, &deltas, out);
        true
    }
}

fn write_span(field: u8, offset: i32, length: i32, out: &mut Vec<u8>) {
    let mut span = vec![wire::varint_key(SPAN_OFFSET)];
    wire::write_varint(zigzag(offset.into()), &mut span);
    span.push(wire::varint_key(SPAN_LENGTH));
    wire::write_varint(length.unsigned_abs().into(), &mut span);
    wire::write_bytes(field, &span, out);
}

fn write_delta(before: &mut u64, count: u64, out: &mut Vec<u8>) {
    let delta = count.wrapping_sub(core::mem::replace(before, count));
    wire::write_varint(zigzag(delta.cast_signed()), out);
}

/// Signed numbers as Protocol buffers' `sint64` has them: small ones are short.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}
