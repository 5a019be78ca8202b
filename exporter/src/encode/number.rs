//! Numbers as text.

use tallyboard::Number;

/// Appends an integer.
pub(super) fn write_u64(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends the shortest text that reads back as `value`; `+Inf`, `-Inf` and `NaN` as
/// Prometheus spells them.
pub(super) fn write_f64(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(non_finite(value).as_bytes());
    }
}

/// Appends a counter's value.
pub(super) fn write_number(value: Number, out: &mut Vec<u8>) {
    match value {
        Number::Int(value) => write_u64(value, out),
        Number::Float(value) => write_f64(value, out),
    }
}

/// Appends a time in seconds, exactly.
pub(super) fn write_seconds(unix_nanos: u64, out: &mut Vec<u8>) {
    write_u64(unix_nanos / 1_000_000_000, out);
    let nanos = format!(".{:09}", unix_nanos % 1_000_000_000);
    out.extend_from_slice(nanos.as_bytes());
}

fn non_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

/// A number as OpenMetrics wants it in an `le` label: Go's `%g` with `.0` appended where
/// there is neither a point nor an exponent, so `1.0`, `0.005`, `1e-05`, `1e+06`, `+Inf`.
///
/// The text format gets the same, or the label would change with the format that was
/// agreed on and each change of format would begin new series. For the same reason there is
/// one zero: of messages, Prometheus makes `0.0` of both.
pub fn canonical_float(value: f64) -> String {
    if !value.is_finite() {
        return non_finite(value).to_owned();
    }
    let value = if value == 0.0 { 0.0 } else { value };
    // The shortest digits; only their layout differs.
    let scientific = nearest(value, format!("{value:e}"), |places| {
        format!("{value:.places$e}")
    });
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    let mut plain = nearest(value, format!("{value}"), |places| {
        format!("{value:.places$}")
    });
    if !plain.contains('.') {
        plain.push_str(".0");
    }
    plain
}

/// Of two shortest texts that are as near to `value`, Go and Python take the even one, and Prometheus
/// names the buckets of a message as Go does. Rust takes the other when it writes `shortest`, and
/// the even one when it is told the number of places. Where `value` is a power of two, the nearest
/// text of so many places may read back as another number.
fn nearest(value: f64, shortest: String, with_places: impl Fn(usize) -> String) -> String {
    let mantissa = shortest.split('e').next().unwrap_or_default();
    let places = mantissa.split_once('.').map_or(0, |(_, after)| after.len());
    let rounded = with_places(places);
    let reads_back = rounded.parse() == Ok(value);
    if reads_back { rounded } else { shortest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let text = |value| {
            let mut out = Vec::new();
            write_f64(value, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(f64::INFINITY), "+Inf");
        assert_eq!(text(f64::NEG_INFINITY), "-Inf");
        assert_eq!(text(f64::NAN), "NaN");
        assert_eq!(text(-0.25), "-0.25");
        for value in [0.1, 1e300, 5e-324, f64::MAX, 123_456_789.123] {
            assert_eq!(text(value).parse::<f64>().unwrap(), value);
        }
    }

    #[test]
    fn times() {
        let mut out = Vec::new();
        write_seconds(1_700_000_000_000_000_012, &mut out);
        assert_eq!(out, b"1700000000.000000012");
    }

    #[test]
    fn bounds_in_the_examples_of_the_specification() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (0.001, "0.001"),
            (9.999, "9.999"),
            (10.0, "10.0"),
            (1e-10, "1e-10"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1.0, "1.0"),
            (100_000.0, "100000.0"),
            (1e6, "1e+06"),
            (1e10, "1e+10"),
            (123_456.0, "123456.0"),
            (1_234_567.5, "1.2345675e+06"),
            (f64::INFINITY, "+Inf"),
            (-2.5, "-2.5"),
            (1.5e300, "1.5e+300"),
            // As near to another of as many digits, which is odd.
            (806_994_324_491_968.0 + 0.25, "8.069943244919682e+14"),
            (524_288.0 + 2_f64.powi(-11), "524288.0004882812"),
            // The nearest of as many digits is another number.
            (2_f64.powi(-44), "5.684341886080802e-14"),
        ] {
            assert_eq!(canonical_float(value), expected);
        }
    }
}
