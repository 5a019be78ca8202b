//! The headers that may be added to answers: those of exporter-toolkit, and no others.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

/// Each name, in the one spelling that is accepted, and the values it may have: any, if none
/// are listed.
const PERMITTED: [(&str, &[&str]); 5] = [
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
    ("Content-Security-Policy", &[]),
];

/// The headers to add. One without a value is not added, where it may have any.
///
/// # Errors
///
/// A name or a value that is not permitted, or a value that no header can have.
pub(super) fn checked(given: &BTreeMap<String, Option<String>>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let value = value.as_deref().unwrap_or_default();
        let about = |problem: String| format!("http_server_config.headers.{name}: {problem}");
        let Some((_, values)) = PERMITTED.iter().find(|(permitted, _)| permitted == name) else {
            let names = PERMITTED.map(|(name, _)| name).join(", ");
            return Err(about(format!(
                "this header cannot be set; those that can are {names}"
            )));
        };
        if !values.is_empty() && !values.contains(&value) {
            let values = values.join(" or ");
            return Err(about(format!("`{value}` is not {values}")));
        }
        if value.is_empty() {
            continue;
        }
        let value = HeaderValue::from_str(value)
            .map_err(|_| about("the value has characters that no header can have".to_owned()))?;
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|error| about(error.to_string()))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, value: &str) -> Result<HeaderMap, String> {
        checked(&BTreeMap::from([(name.to_owned(), Some(value.to_owned()))]))
    }

    #[test]
    fn only_what_is_permitted() {
        assert_eq!(
            one("X-Frame-Options", "deny").unwrap()["x-frame-options"],
            "deny"
        );
        assert_eq!(one("X-XSS-Protection", "0").unwrap().len(), 1);
        assert!(one("X-XSS-Protection", "").unwrap().is_empty());
        for (name, value) in [
            ("X-Frame-Options", "DENY"),
            ("X-Frame-Options", ""),
            ("x-frame-options", "deny"),
            ("X-Content-Type-Options", "sniff"),
            ("Content-Security-Policy", "a\r\nSet-Cookie: b"),
            ("Server", "x"),
        ] {
            let error = one(name, value).unwrap_err();
            assert!(error.starts_with(&format!("http_server_config.headers.{name}: ")));
        }
    }
}
