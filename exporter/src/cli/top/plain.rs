//! `top --once`: the families as a table that other programs can read. Numbers have no groups.

use std::io::{self, Write};

use super::board::Watched;
use super::draw::printable;
use super::history::{Line, Shown};
use super::view::Arrangement;
use crate::cli::failure::Failure;
use crate::cli::table::{self, Align};
use crate::encode::canonical_float;

const COLUMNS: [(&str, Align); 5] = [
    ("FAMILY", Align::Left),
    ("TYPE", Align::Left),
    ("SERIES", Align::Right),
    ("VALUE", Align::Right),
    ("RATE/S", Align::Right),
];

/// Prints the families that the arrangement shows.
pub(super) fn write(watched: &Watched, arrangement: &Arrangement) -> Result<(), Failure> {
    let lines = arrangement.apply(&watched.lines);
    let rows: Vec<_> = lines.iter().map(row).collect();
    let mut out = io::stdout().lock();
    table::write(&COLUMNS, &rows, &mut out)?;
    out.flush()?;
    Ok(())
}

fn row(line: &Line) -> [String; 5] {
    let value = match &line.shown {
        Shown::Nothing => "-".to_owned(),
        Shown::One(value) => plain(*value),
        Shown::Between(least, greatest) => format!("{}..{}", plain(*least), plain(*greatest)),
        Shown::Words(words) => printable(words),
    };
    let rate = (line.rate).map_or("-".to_owned(), |rate| plain((rate * 1e3).round() / 1e3));
    [
        printable(&line.name),
        line.kind.to_string(),
        line.series.to_string(),
        value,
        rate,
    ]
}

/// A number without an exponent as far as that is readable.
fn plain(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e16 {
        format!("{value:.0}")
    } else {
        canonical_float(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_plain_as_they_can_be() {
        for (number, text) in [
            (0.0, "0"),
            (1_234_567.0, "1234567"),
            (-2.0, "-2"),
            (0.25, "0.25"),
            (1e20, "1e+20"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(plain(number), text);
        }
    }
}
