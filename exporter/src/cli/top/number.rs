//! Numbers for people.

use crate::cli::digits::grouped;
use crate::encode::canonical_float;

/// From here on a number is written with an exponent.
const LARGE: f64 = 1e15;
const SMALL: f64 = 1e-4;

/// A value: whole ones in groups of three, others to three places.
pub(super) fn value(value: f64) -> String {
    if !value.is_finite() {
        return canonical_float(value);
    }
    let size = value.abs();
    if size >= LARGE || (size > 0.0 && size < SMALL) {
        return format!("{value:.3e}");
    }
    let rounded = format!("{size:.3}");
    let (whole, fraction) = rounded.split_once('.').unwrap_or((&rounded, ""));
    let fraction = fraction.trim_end_matches('0');
    let sign = if value < 0.0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

/// A change a second, with as many places as are worth reading.
pub(super) fn rate(rate: Option<f64>) -> String {
    match rate {
        None => "-".to_owned(),
        Some(rate) if rate.abs() >= 100.0 => value(rate.round()),
        Some(rate) => value((rate * 100.0).round() / 100.0),
    }
}

/// To four digits.
pub(super) fn rounded(value: f64) -> String {
    let rounded = format!("{value:.3e}").parse().unwrap_or(value);
    canonical_float(rounded)
}

/// Bytes in the largest unit of which there is one.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut number = bytes as f64;
    let mut unit = 0;
    while number >= 1024.0 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    let places = usize::from(unit > 0 && number < 100.0);
    format!("{number:.places$} {}", UNITS[unit])
}

/// A share of a whole in percent; 0 of nothing.
pub(super) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64 * 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (number, text) in [
            (0.0, "0"),
            (999.0, "999"),
            (1_234_567.0, "1,234,567"),
            (-1234.5, "-1,234.5"),
            (0.05, "0.05"),
            (1e21, "1.000e21"),
            (0.000_012, "1.200e-5"),
            (f64::INFINITY, "+Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(value(number), text);
        }
    }

    #[test]
    fn rates_and_bytes() {
        assert_eq!(rate(None), "-");
        assert_eq!(rate(Some(0.123)), "0.12");
        assert_eq!(rate(Some(12_345.6)), "12,346");
        assert_eq!(rounded(0.010_715_998), "0.01072");
        assert_eq!(rounded(f64::INFINITY), "+Inf");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(6_645_760), "6.3 MiB");
        assert_eq!(bytes(640 << 20), "640 MiB");
        assert_eq!(percent(1, 0), 0.0);
        assert_eq!(percent(1, 4), 25.0);
    }
}
