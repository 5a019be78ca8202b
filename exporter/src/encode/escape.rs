//! Escapes inside quotes and after `# HELP`.

/// Appends `text` as both formats want it between double quotes: backslash, newline and
/// the quote itself are escaped, everything else is UTF-8 as it is. OpenMetrics wants
/// help texts like this too.
pub(super) fn write_quoted(text: &str, out: &mut Vec<u8>) {
    write(text, out, |byte| match byte {
        b'\\' => Some(b"\\\\"),
        b'\n' => Some(b"\\n"),
        b'"' => Some(b"\\\""),
        _ => None,
    });
}

/// Appends `text` as the text format wants it after `# HELP name `: quotes stay as they
/// are, for its parser knows no `\"` there.
pub(super) fn write_help(text: &str, out: &mut Vec<u8>) {
    write(text, out, |byte| match byte {
        b'\\' => Some(b"\\\\"),
        b'\n' => Some(b"\\n"),
        _ => None,
    });
}

/// Bytes are enough: all that is escaped is ASCII, which is no part of a longer character.
fn write(text: &str, out: &mut Vec<u8>, escape: impl Fn(u8) -> Option<&'static [u8; 2]>) {
    let bytes = text.as_bytes();
    let mut clean_from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if let Some(escaped) = escape(byte) {
            out.extend_from_slice(&bytes[clean_from..at]);
            out.extend_from_slice(escaped);
            clean_from = at + 1;
        }
    }
    out.extend_from_slice(&bytes[clean_from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(write: fn(&str, &mut Vec<u8>), text: &str) -> String {
        let mut out = Vec::new();
        write(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn quoted_text_escapes_three_characters_and_no_more() {
        assert_eq!(with(write_quoted, "a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
        assert_eq!(with(write_quoted, "tab\t cr\r ü 🦀"), "tab\t cr\r ü 🦀");
        assert_eq!(with(write_quoted, ""), "");
    }

    #[test]
    fn help_keeps_quotes() {
        assert_eq!(
            with(write_help, "say \"hi\"\\\nagain"),
            "say \"hi\"\\\\\\nagain"
        );
    }
}
