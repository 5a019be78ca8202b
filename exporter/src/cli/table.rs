//! Tables for people and pipes: columns as wide as what is in them, two spaces apart.

use std::io::{self, Write};

/// Where a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    /// As numbers do.
    Right,
}

/// Prints the headings and the rows.
pub(super) fn write<const N: usize>(
    columns: &[(&str, Align); N],
    rows: &[[String; N]],
    out: &mut impl Write,
) -> io::Result<()> {
    let headings = columns.map(|(heading, _)| heading.to_owned());
    let lines = || std::iter::once(&headings).chain(rows);
    let width = |column: usize| {
        let widths = lines().map(|line| line[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    for line in lines() {
        let cells = line.iter().zip(widths).zip(columns);
        let cells = cells.map(|((cell, width), (_, align))| match align {
            Align::Right => format!("{cell:>width$}"),
            Align::Left => format!("{cell:<width$}"),
        });
        let cells: Vec<String> = cells.collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let columns = [
            ("ROW", Align::Right),
            ("NAME", Align::Left),
            ("STATE", Align::Left),
        ];
        let rows = [["0", "python3", "gone"], ["10000", "größe", ""]];
        let mut out = Vec::new();
        write(&columns, &rows.map(|row| row.map(str::to_owned)), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "  ROW  NAME     STATE\n    0  python3  gone\n10000  größe\n"
        );
    }
}
