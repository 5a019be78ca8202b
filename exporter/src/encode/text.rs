//! What Prometheus text does its own way: 0.0.4, and 1.0.0, which is the same with another name.

use tallyboard::Kind;

use super::{escape, name};

/// An info's family has the name of its samples.
pub(super) fn family_name(kind: Kind, name: String) -> String {
    match kind {
        Kind::Info if !name.ends_with("_info") => name + "_info",
        _ => name,
    }
}

/// A counter owns its name alone; `_created` series do not exist in this format.
pub(super) fn owned_suffixes(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Counter | Kind::Gauge | Kind::Info | Kind::StateSet => &[""],
        Kind::Histogram => &["", "_bucket", "_sum", "_count"],
        Kind::Summary => &["", "_sum", "_count"],
        _ => &[],
    }
}

/// `# HELP` where there is a help text, then `# TYPE`. Units are not part of the format.
pub(super) fn write_head(family_name: &str, kind: Kind, help: &str, out: &mut Vec<u8>) {
    if !help.is_empty() {
        out.extend_from_slice(b"# HELP ");
        name::write_metric(family_name, out);
        out.push(b' ');
        escape::write_help(help, out);
        out.push(b'\n');
    }
    out.extend_from_slice(b"# TYPE ");
    name::write_metric(family_name, out);
    out.push(b' ');
    // The format has no other word for what is 1 or 0.
    let kind = match kind {
        Kind::Info | Kind::StateSet => Kind::Gauge,
        kind => kind,
    };
    out.extend_from_slice(kind.to_string().as_bytes());
    out.push(b'\n');
}
