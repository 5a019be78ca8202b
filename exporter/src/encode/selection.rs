//! Which families a scrape wants: those named by `name[]`, or all.

use super::plan::Block;
use super::{Format, Style, family_writer};

/// The names that were asked for. None: everything is wanted.
#[derive(Debug, Default)]
pub struct Selection {
    names: Vec<String>,
}

impl Selection {
    /// Of these names: of families, as they were registered or as they are written, or of their
    /// samples.
    pub fn new(names: Vec<String>) -> Self {
        Self { names }
    }

    /// Whether everything is wanted.
    pub fn is_all(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn wants(&self, block: &Block, style: Style) -> bool {
        self.is_all()
            || self.names.iter().any(|wanted| {
                let mut parts = block.parts.iter();
                parts.any(|part| part.rendered.identity().name() == wanted)
                    || wanted.strip_prefix(&*block.name).is_some_and(|suffix| {
                        suffix.is_empty() || style.owned_suffixes(block.kind).contains(&suffix)
                    })
            })
    }

    /// Whether a family that is on no board is wanted.
    pub(crate) fn wants_own(&self, name: &str) -> bool {
        self.is_all()
            || (self.names.iter())
                .any(|wanted| wanted == name || wanted.strip_suffix("_total") == Some(name))
    }

    /// Appends those of the families in `own` that are wanted, which [`FamilyWriter`] has written.
    ///
    /// [`FamilyWriter`]: super::FamilyWriter
    pub(crate) fn append_own(&self, style: Style, own: &[u8], out: &mut Vec<u8>) {
        if self.is_all() {
            out.extend_from_slice(own);
        } else if style.format == Format::Protobuf {
            let mut rest = own;
            while let Some((name, len)) = family_writer::message(rest) {
                let (message, after) = rest.split_at(len);
                if self.wants_own(name) {
                    out.extend_from_slice(message);
                }
                rest = after;
            }
        } else {
            let mut is_wanted = false;
            for line in own.split_inclusive(|byte| *byte == b'\n') {
                // No sample begins like this.
                if line.starts_with(b"# ") {
                    let name = line.split(|byte| *byte == b' ').nth(2).unwrap_or_default();
                    is_wanted = str::from_utf8(name).is_ok_and(|name| self.wants_own(name));
                }
                if is_wanted {
                    out.extend_from_slice(line);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tallyboard::{Kind, Number};

    use super::super::{Escaping, FamilyWriter};
    use super::*;

    #[test]
    fn own_families_are_chosen_by_name() {
        for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
            let style = Style {
                format,
                escaping: Escaping::Underscores,
                created: false,
            };
            let write = |names: &[(&'static str, Kind)]| {
                let mut out = Vec::new();
                for (name, kind) in names {
                    FamilyWriter::new(style, name, *kind, "Help.\n# TYPE b c", &mut out)
                        .sample(&[("l", "\n# HELP a")], Number::Int(1));
                }
                out
            };
            let families = [("a", Kind::Gauge), ("b_total", Kind::Counter)];
            let chosen = |name: &str| {
                let mut out = Vec::new();
                let selection = Selection::new(vec![name.to_owned()]);
                selection.append_own(style, &write(&families), &mut out);
                out
            };
            assert_eq!(chosen("a"), write(&families[..1]));
            assert_eq!(chosen("b_total"), write(&families[1..]));
            assert!(chosen("c").is_empty());
        }
    }
}
