//! Names as Prometheus has always taken them.

use std::borrow::Cow;

/// A metric's: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub(super) fn of_metric(name: &str) -> Cow<'_, str> {
    of(name, |byte| byte == b':')
}

/// A label's: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub(super) fn of_label(name: &str) -> Cow<'_, str> {
    of(name, |_| false)
}

/// Each character that is not allowed becomes `_`. An empty name stays, and is refused.
fn of(name: &str, more: impl Fn(u8) -> bool) -> Cow<'_, str> {
    let fits = |at: usize, byte: u8| {
        byte == b'_'
            || byte.is_ascii_alphabetic()
            || more(byte)
            || (at > 0 && byte.is_ascii_digit())
    };
    if name.bytes().enumerate().all(|(at, byte)| fits(at, byte)) {
        return Cow::Borrowed(name);
    }
    let characters = name.chars().enumerate().map(|(at, character)| {
        let byte = u8::try_from(character).unwrap_or(b'.');
        if fits(at, byte) { character } else { '_' }
    });
    Cow::Owned(characters.collect())
}

#[cfg(test)]
#[test]
fn what_prometheus_does_not_take_becomes_underscores() {
    for (name, metric, label) in [
        ("http.requests", "http_requests", "http_requests"),
        ("a:b_1", "a:b_1", "a_b_1"),
        ("9lives", "_lives", "_lives"),
        ("größe", "gr__e", "gr__e"),
        ("", "", ""),
    ] {
        assert_eq!((&*of_metric(name), &*of_label(name)), (metric, label));
    }
}
