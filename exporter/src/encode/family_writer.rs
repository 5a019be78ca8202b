//! Single families written by hand, for metrics that are on no board.

use tallyboard::{Kind, Number};

use super::exemplar::Exemplars;
use super::wire::{self, WIDE_LEN};
use super::{Format, Style, escape, name, number, protobuf};

/// Writes one family.
pub(crate) struct FamilyWriter<'a> {
    out: &'a mut Vec<u8>,
    sample_name: &'static str,
    kind: Kind,
    /// In protobuf where the message begins, behind its length; that is right after each call.
    message: Option<usize>,
}

impl<'a> FamilyWriter<'a> {
    /// Writes the metadata lines. `name` must be legacy-valid, and a counter's must end in `_total`.
    pub(crate) fn new(
        style: Style,
        name: &'static str,
        kind: Kind,
        help: &str,
        out: &'a mut Vec<u8>,
    ) -> Self {
        debug_assert!(name::is_legacy(name, name::Of::Metric));
        let message = (style.format == Format::Protobuf).then(|| {
            out.extend_from_slice(&[0; WIDE_LEN]);
            out.len()
        });
        style.write_head(&style.family_name(kind, name), kind, help, "", out);
        let mut writer = Self {
            out,
            sample_name: name,
            kind,
            message,
        };
        writer.set_length();
        writer
    }

    /// Writes one sample.
    pub(crate) fn sample(&mut self, labels: &[(&str, &str)], value: Number) -> &mut Self {
        if self.message.is_some() {
            self.write_metric(labels, value);
            self.set_length();
        } else {
            self.write_line(labels, value);
        }
        self
    }

    fn write_line(&mut self, labels: &[(&str, &str)], value: Number) {
        self.out.extend_from_slice(self.sample_name.as_bytes());
        for (index, (label, value)) in labels.iter().enumerate() {
            self.out.push(if index == 0 { b'{' } else { b',' });
            self.out.extend_from_slice(label.as_bytes());
            self.out.extend_from_slice(b"=\"");
            escape::write_quoted(value, self.out);
            self.out.push(b'"');
        }
        if !labels.is_empty() {
            self.out.push(b'}');
        }
        self.out.push(b' ');
        number::write_number(value, self.out);
        self.out.push(b'\n');
    }

    fn write_metric(&mut self, labels: &[(&str, &str)], value: Number) {
        let mut written = Vec::new();
        for (label, value) in labels {
            protobuf::write_label(label.as_bytes(), value, &mut written);
        }
        let values_len = protobuf::values_len(self.kind, 0, &Exemplars::default());
        protobuf::write_metric(self.kind, &written, 0, values_len, None, self.out);
        protobuf::write_value(value.as_f64(), self.out);
    }

    fn set_length(&mut self) {
        if let Some(start) = self.message {
            let len = (self.out.len() - start) as u64;
            self.out[start - WIDE_LEN..start].copy_from_slice(&wire::wide::<WIDE_LEN>(len));
        }
    }
}

/// The name of the family that `bytes`, written here in protobuf, begin with, and the length of
/// all of it.
pub(super) fn message(bytes: &[u8]) -> Option<(&str, usize)> {
    let (length, message) = bytes.split_at_checked(WIDE_LEN)?;
    let length = wire::read_wide(length);
    // The name is the first field, and short.
    let name_len = usize::from(*message.get(1)?);
    let name = str::from_utf8(message.get(2..2 + name_len)?).ok()?;
    Some((name, WIDE_LEN + length))
}
