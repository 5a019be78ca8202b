//! What OpenMetrics 1.0.0 does its own way.

use tallyboard::Kind;

use super::{escape, name};

/// The last line: a body without it was cut off.
pub(super) const END: &[u8] = b"# EOF\n";

/// A counter's family has the name without `_total`, an info's without `_info`; their samples
/// have it back.
pub(super) fn family_name(kind: Kind, mut name: String) -> String {
    let suffix = sample_suffix(kind);
    if name.len() > suffix.len() && name.ends_with(suffix) {
        name.truncate(name.len() - suffix.len());
    }
    name
}

/// What follows the family's name in its samples' names, where there is one line a series.
pub(super) fn sample_suffix(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "_total",
        Kind::Info => "_info",
        _ => "",
    }
}

/// The specification reserves `_created` also where it is not written.
pub(super) fn owned_suffixes(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Counter => &["", "_total", "_created"],
        Kind::Gauge | Kind::StateSet => &[""],
        Kind::Info => &["", "_info"],
        Kind::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
        Kind::Summary => &["", "_sum", "_count", "_created"],
        _ => &[],
    }
}

/// `# TYPE`, then `# UNIT` and `# HELP` where there is something to say. A unit that the
/// name does not end with is not written: the specification forbids it, and parsers
/// refuse the whole body. Nor is one of other characters than a legacy name's, which there is
/// no way to escape: with the end of a line in it, it would end its own.
pub(super) fn write_head(family_name: &str, kind: Kind, help: &str, unit: &str, out: &mut Vec<u8>) {
    let mut line = |key: &str, write_value: &dyn Fn(&mut Vec<u8>)| {
        out.extend_from_slice(b"# ");
        out.extend_from_slice(key.as_bytes());
        out.push(b' ');
        name::write_metric(family_name, out);
        out.push(b' ');
        write_value(out);
        out.push(b'\n');
    };
    line("TYPE", &|out| {
        out.extend_from_slice(kind.to_string().as_bytes());
    });
    let names_unit = family_name
        .strip_suffix(unit)
        .is_some_and(|rest| rest.ends_with('_'));
    // Another program's words may have one.
    let has_unit = !matches!(kind, Kind::Info | Kind::StateSet);
    let is_plain = name::is_legacy(&format!("_{unit}"), name::Of::Metric);
    if has_unit && !unit.is_empty() && names_unit && is_plain {
        line("UNIT", &|out| out.extend_from_slice(unit.as_bytes()));
    }
    if !help.is_empty() {
        line("HELP", &|out| escape::write_quoted(help, out));
    }
}

/// Whether a histogram or summary may show its sum. The specification takes a sum for a
/// counter: it must not be negative or NaN, nor be there at all beside negative bounds.
/// Its parsers refuse the whole body otherwise; the text format has no such rule.
pub(super) fn may_show_sum(bounds: &[f64], sum: f64) -> bool {
    sum >= 0.0 && bounds.first().is_none_or(|lowest| *lowest >= 0.0)
}
