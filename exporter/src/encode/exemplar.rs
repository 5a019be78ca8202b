//! Exemplars as OpenMetrics writes them behind a sample's value.

use tallyboard::Exemplar;

use super::number::write_f64;
use super::{Escaping, escape, name};

/// Of all names and values: a longer one fails the whole scrape.
const MAX_CHARS: usize = 128;

/// Appends ` # {trace_id="x"} 1.0 1700000000.123`; nothing if names that had to become others
/// have made the labels too long.
pub(super) fn write(exemplar: &Exemplar, out: &mut Vec<u8>) {
    let (names, values): (Vec<String>, Vec<&String>) = (exemplar
        .labels
        .iter()
        .map(|(name, value)| (name.clone(), value)))
    .unzip();
    // Whatever was agreed upon for other names: the specification has no quoted ones here.
    let names = name::label_names(&names, &[], Escaping::Underscores);
    let chars = |text: &String| text.chars().count();
    let chars: usize = names.iter().chain(values.iter().copied()).map(chars).sum();
    if chars > MAX_CHARS {
        return;
    }
    out.extend_from_slice(b" # {");
    for (place, (name, value)) in names.iter().zip(values).enumerate() {
        if place > 0 {
            out.push(b',');
        }
        name::write_label_open(name, out);
        escape::write_quoted(value, out);
        out.push(b'"');
    }
    out.extend_from_slice(b"} ");
    write_f64(exemplar.value, out);
    let millis = exemplar.unix_nanos / 1_000_000;
    out.extend_from_slice(format!(" {}.{:03}", millis / 1000, millis % 1000).as_bytes());
}
