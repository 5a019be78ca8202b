//! Names, texts and numbers that formats trip over.

use crate::chance::Chance;

/// Of names that every Prometheus reads. Few, so that they meet.
const PLAIN: &[&str] = &[
    "a",
    "b",
    "_",
    "jobs",
    "wait",
    "wait_seconds",
    "size_bytes",
    "x:y",
    "A9",
    "top",
    "jobs_a",
    "load_ratio",
];
/// What formats append to names, and what looks like it.
const ENDS: &[&str] = &[
    "",
    "",
    "",
    "",
    "_total",
    "_total",
    "_info",
    "_sum",
    "_count",
    "_bucket",
    "_created",
    "_seconds",
    "_ratio",
    "_total_total",
];
const LABELS: &[&str] = &[
    "a",
    "b",
    "a.b",
    "a_b",
    "a-b",
    "a_b_",
    "x:y",
    "le",
    "quantile",
    "pid",
    "board",
    "exported_board",
    "exported_le",
    "jobs",
    "é",
    "é_name__",
    "code",
    "method",
    "_",
];
/// No name has a NUL: neither C nor Python could say it.
const HOSTILE: &[&str] = &[
    ".",
    "-",
    " ",
    "  ",
    "é",
    "e\u{301}",
    "漢",
    "🦀",
    "\"",
    "\\",
    "\n",
    "\\n",
    "\\\"",
    "{",
    "}",
    ",",
    "=",
    "#",
    " # {",
    "\t",
    "\r",
    "\r\n",
    "\u{1}",
    "\u{b}",
    "\u{c}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{ffff}",
    "\u{10ffff}",
    "9",
    "# EOF",
    "\n# TYPE a counter\n",
    "a=\"b\"",
    "NaN",
    "+Inf",
    "1e5",
    "_",
    "__",
    "x",
    "seconds",
];
const NUL: &str = "\0";

/// Numbers on the edges, and others.
const NUMBERS: &[f64] = &[
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    1.0 / 3.0,
    5e-324,
    -5e-324,
    2.225_073_858_507_201e-308,
    f64::MIN_POSITIVE,
    f64::MAX,
    f64::MIN,
    1e-7,
    1e-5,
    1e-4,
    123_456_789.123,
    999_999.0,
    1e6,
    1e16,
    9_007_199_254_740_991.0,
    9_007_199_254_740_992.0,
    9_007_199_254_740_994.0,
    1e21,
    1e22,
    1e300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    1.797e308,
];
const WHOLE: &[u64] = &[
    0,
    1,
    7,
    1000,
    (1 << 53) - 1,
    1 << 53,
    (1 << 53) + 1,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];
/// NaNs of other bits. The last one is what Prometheus keeps to say that a series has ended.
const NANS: &[u64] = &[
    0xFFF8_0000_0000_0000,
    0x7FF0_0000_0000_0001,
    0x7FF0_0000_0000_0002,
];

/// A text without NUL.
pub fn hostile(chance: &mut Chance) -> String {
    let pieces = chance.below(5);
    (0..pieces)
        .map(|_| match chance.below(8) {
            0 => char::from_u32(chance.below(0x11_0000) as u32)
                .filter(|c| *c != '\0')
                .unwrap_or('ä')
                .to_string(),
            1 => chance.one_of(PLAIN).to_string(),
            _ => chance.one_of(HOSTILE).to_string(),
        })
        .collect()
}

/// A label's value, or a help.
pub fn text(chance: &mut Chance) -> String {
    match chance.below(10) {
        0..3 => chance.one_of(PLAIN).to_string(),
        3 => String::new(),
        4 => hostile(chance) + NUL + &hostile(chance),
        _ => hostile(chance),
    }
}

/// The name of a metric.
pub fn name(chance: &mut Chance) -> String {
    let base = chance.one_of(PLAIN).to_string();
    let base = match chance.below(4) {
        0 => hostile(chance),
        1 => base + &hostile(chance),
        _ => base,
    };
    let name = base + *chance.one_of(ENDS);
    if name.is_empty() {
        "x".to_owned()
    } else {
        name
    }
}

/// The name of a label: not empty, and not one of Prometheus's own.
pub fn label(chance: &mut Chance) -> String {
    let label = match chance.below(4) {
        0 => hostile(chance),
        _ => chance.one_of(LABELS).to_string(),
    };
    if label.is_empty() || label.starts_with("__") {
        "other".to_owned()
    } else {
        label
    }
}

/// A unit: often what the name ends in, whatever that is.
pub fn unit(chance: &mut Chance, name: &str) -> String {
    match chance.below(6) {
        0 => "seconds".to_owned(),
        1 | 2 => {
            let name = name.strip_suffix("_total").unwrap_or(name);
            name.split_once('_').map_or("", |(_, end)| end).to_owned()
        }
        3 => hostile(chance),
        _ => String::new(),
    }
}

/// Any number.
pub fn number(chance: &mut Chance) -> f64 {
    match chance.below(8) {
        0 => f64::from_bits(chance.next()),
        1 => f64::from_bits(*chance.one_of(NANS)),
        2 => dyadic(chance),
        _ => *chance.one_of(NUMBERS),
    }
}

/// A number that a counter takes.
pub fn amount(chance: &mut Chance) -> f64 {
    let number = number(chance).abs();
    if number.is_finite() { number } else { 0.5 }
}

/// A whole number that a counter takes.
pub fn whole(chance: &mut Chance) -> u64 {
    *chance.one_of(WHOLE)
}

/// Eighths: sums of them are exact in any order.
pub fn dyadic(chance: &mut Chance) -> f64 {
    (chance.below(4000) as f64 - 1000.0) / 8.0
}
