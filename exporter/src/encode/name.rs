//! Names of metrics and labels: which ones every Prometheus can read, and what becomes of
//! the others.

use std::borrow::Cow;
use std::fmt::Write;

use super::{Escaping, escape};

/// The label that a metric's name is, to Prometheus. No label may be called so, but an escaped one
/// may have become it.
const METRIC_NAME: &str = "__name__";

/// What a name is of: colons are for metrics only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
    Metric,
    /// `[a-zA-Z_][a-zA-Z0-9_]*`
    Label,
}

fn is_legacy_char(c: char, first: bool, of: Of) -> bool {
    c.is_ascii_alphabetic()
        || c == '_'
        || (c.is_ascii_digit() && !first)
        || (c == ':' && of == Of::Metric)
}

/// Whether a Prometheus before version 3 accepts the name.
pub(super) fn is_legacy(name: &str, of: Of) -> bool {
    !name.is_empty()
        && name
            .char_indices()
            .all(|(at, c)| is_legacy_char(c, at == 0, of))
}

/// A name as the scheme writes it: Prometheus's `EscapeName`, character by character, and like
/// its encoders only where a name needs it. So `dots` leaves `a_b` alone and makes `a__b_dot_c` of
/// `a_b.c`. Its documentation has one `_` for other characters under `dots`; its code writes two.
///
/// One thing differs: a colon in a label's name, which that code takes for a legacy character and
/// which no parser accepts there, is escaped like any other.
pub(super) fn escaped(name: &str, of: Of, escaping: Escaping) -> Cow<'_, str> {
    if escaping == Escaping::AllowUtf8 || is_legacy(name, of) {
        return Cow::Borrowed(name);
    }
    let mut escaped = String::with_capacity(name.len() + 8);
    if escaping == Escaping::Values {
        escaped.push_str("U__");
    }
    for (at, c) in name.char_indices() {
        let is_legacy = is_legacy_char(c, at == 0, of);
        match escaping {
            Escaping::Dots if c == '.' => escaped.push_str("_dot_"),
            Escaping::Dots | Escaping::Values if c == '_' => escaped.push_str("__"),
            _ if is_legacy => escaped.push(c),
            Escaping::Dots => escaped.push_str("__"),
            Escaping::Values => {
                let _ = write!(escaped, "_{:x}_", u32::from(c));
            }
            Escaping::Underscores | Escaping::AllowUtf8 => escaped.push('_'),
        }
    }
    Cow::Owned(escaped)
}

/// Appends a metric's name for a metadata line: in quotes if it needs them.
pub(super) fn write_metric(name: &str, out: &mut Vec<u8>) {
    if is_legacy(name, Of::Metric) {
        out.extend_from_slice(name.as_bytes());
    } else {
        write_in_quotes(name, out);
    }
}

fn write_in_quotes(name: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escape::write_quoted(name, out);
    out.push(b'"');
}

/// The start of a sample up to its first label, and the end of the labels up to the value.
///
/// ```text
/// name{labels} 1      name 1      {"na.me",labels} 1      {"na.me"} 1
/// ^^^^^      ^^       ^^^^ ^ (the space is the end)
/// ```
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) open: Vec<u8>,
    pub(super) close: Vec<u8>,
}

impl Frame {
    /// The frame of samples called `name`, with or without labels between the two halves.
    pub(super) fn new(name: &str, has_labels: bool) -> Self {
        let mut open = Vec::new();
        let legacy = is_legacy(name, Of::Metric);
        if legacy {
            open.extend_from_slice(name.as_bytes());
        } else {
            open.push(b'{');
            write_in_quotes(name, &mut open);
        }
        if has_labels {
            open.push(if legacy { b'{' } else { b',' });
        }
        let close: &[u8] = if has_labels || !legacy { b"} " } else { b" " };
        Self {
            open,
            close: close.to_vec(),
        }
    }
}

/// The label names of a family as they are written, in the same order, each different
/// from the others and from `taken`.
///
/// Two names can become one when they are escaped, and a sample with one
/// label twice fails the whole scrape, so the later name gets underscores appended until
/// it is its own. A name that the exporter needs for itself moves to `exported_NAME`, as
/// it does in Prometheus.
pub(super) fn label_names(names: &[String], taken: &[&str], escaping: Escaping) -> Vec<String> {
    let mut written: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let mut own = escaped(name, Of::Label, escaping).into_owned();
        if taken.contains(&own.as_str()) || own == METRIC_NAME {
            own.insert_str(0, "exported_");
        }
        // A family's own names come first: `exported_board` may be one of them.
        while written.contains(&own) || (own != *name && names.contains(&own)) {
            own.push('_');
        }
        written.push(own);
    }
    written
}

/// Appends `name="`.
pub(super) fn write_label_open(name: &str, out: &mut Vec<u8>) {
    if is_legacy(name, Of::Label) {
        out.extend_from_slice(name.as_bytes());
    } else {
        write_in_quotes(name, out);
    }
    out.extend_from_slice(b"=\"");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_prometheus_does() {
        let all = |name| {
            use Escaping::{Dots, Underscores, Values};
            [Underscores, Dots, Values].map(|scheme| escaped(name, Of::Metric, scheme))
        };
        for (name, underscores, dots, values) in [
            ("up", "up", "up", "up"),
            ("a_b:c1", "a_b:c1", "a_b:c1", "a_b:c1"),
            (
                "http.status:sum",
                "http_status:sum",
                "http_dot_status:sum",
                "U__http_2e_status:sum",
            ),
            (
                "mysystem.prod.west_cpu.load",
                "mysystem_prod_west_cpu_load",
                "mysystem_dot_prod_dot_west__cpu_dot_load",
                "U__mysystem_2e_prod_2e_west__cpu_2e_load",
            ),
            (
                "label with 😱",
                "label_with__",
                "label__with____",
                "U__label_20_with_20__1f631_",
            ),
            ("花火", "__", "____", "U___82b1__706b_"),
            ("9lives", "_lives", "__lives", "U___39_lives"),
            ("ä1", "_1", "__1", "U___e4_1"),
            ("\u{10ffff}", "_", "__", "U___10ffff_"),
        ] {
            assert_eq!(all(name), [underscores, dots, values], "{name}");
            assert_eq!(escaped(name, Of::Metric, Escaping::AllowUtf8), name);
        }
        assert!(is_legacy("a:b_1", Of::Metric) && !is_legacy("a:b_1", Of::Label));
        assert_eq!(escaped("a:b", Of::Label, Escaping::Underscores), "a_b");
        assert_eq!(escaped("a:b", Of::Label, Escaping::Values), "U__a_3a_b");
    }

    #[test]
    fn frames() {
        let frame = |name, labels| {
            let frame = Frame::new(name, labels);
            let text = |bytes| String::from_utf8(bytes).unwrap();
            format!("{}|{}", text(frame.open), text(frame.close))
        };
        assert_eq!(frame("a", true), "a{|} ");
        assert_eq!(frame("a", false), "a| ");
        assert_eq!(frame("a.b", true), "{\"a.b\",|} ");
        assert_eq!(frame("a.b", false), "{\"a.b\"|} ");
    }

    #[test]
    fn label_names_stay_apart() {
        let names = |names: &[&str], taken: &[&str], escaping| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            label_names(&names, taken, escaping)
        };
        let underscores = Escaping::Underscores;
        assert_eq!(names(&["a.b", "a_b"], &[], underscores), ["a_b_", "a_b"]);
        assert_eq!(names(&["a.b", "a-b"], &[], underscores), ["a_b", "a_b_"]);
        assert_eq!(
            names(&["a.b", "a_b"], &[], Escaping::AllowUtf8),
            ["a.b", "a_b"]
        );
        assert_eq!(
            names(&["board", "exported_board"], &["board"], underscores),
            ["exported_board_", "exported_board"]
        );
        assert_eq!(
            names(&["é_name__"], &[], underscores),
            ["exported___name__"]
        );
    }
}
