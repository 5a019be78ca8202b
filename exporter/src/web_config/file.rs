//! The web configuration file as it is written.
//!
//! The fields and their meaning are exporter-toolkit's, `docs/web-configuration.md`. A field
//! without a value (`cert_file:`) means the same as a field that is left out, and so does an
//! empty text. Whether the values make sense together is not decided here.

use std::collections::BTreeMap;

use serde::Deserialize;

/// All of it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) tls_server_config: Option<Tls>,
    pub(super) http_server_config: Option<Http>,
    pub(super) basic_auth_users: Option<BTreeMap<String, Option<String>>>,
    pub(super) rate_limit: Option<RateLimit>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) cert: Option<String>,
    pub(super) key: Option<String>,
    pub(super) client_ca: Option<String>,
    pub(super) cert_file: Option<String>,
    pub(super) key_file: Option<String>,
    pub(super) client_ca_file: Option<String>,
    pub(super) client_auth_type: Option<String>,
    pub(super) client_allowed_sans: Option<Vec<String>>,
    pub(super) cipher_suites: Option<Vec<String>>,
    pub(super) curve_preferences: Option<Vec<String>>,
    pub(super) min_version: Option<String>,
    pub(super) max_version: Option<String>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
}

impl Tls {
    /// Whether no field has a value.
    pub(super) fn is_empty(&self) -> bool {
        let texts = [
            &self.cert,
            &self.key,
            &self.client_ca,
            &self.cert_file,
            &self.key_file,
            &self.client_ca_file,
            &self.client_auth_type,
            &self.min_version,
            &self.max_version,
        ];
        let lists = [
            &self.client_allowed_sans,
            &self.cipher_suites,
            &self.curve_preferences,
        ];
        texts
            .iter()
            .all(|text| text.as_deref().unwrap_or_default().is_empty())
            && lists.iter().all(|list| list.is_none())
            && self.prefer_server_cipher_suites.is_none()
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    pub(super) http2: Option<bool>,
    pub(super) headers: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateLimit {
    pub(super) interval: Option<String>,
    pub(super) burst: Option<u32>,
}

impl File {
    /// Reads the file's text. An empty one, or one of comments alone, sets nothing.
    ///
    /// # Errors
    ///
    /// It is not YAML, a field is not known, is there twice or has a value of the wrong kind;
    /// says the line. Never quotes the file, which has secrets in it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // Without a snippet, which would be a part of the file.
        let options = serde_saphyr::options! { with_snippet: false };
        let parsed: Result<Option<Self>, _> = serde_saphyr::from_str_with_options(text, options);
        match parsed {
            Ok(file) => Ok(file.unwrap_or_default()),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_set() {
        for text in ["", "# nothing\n", "---\n", "tls_server_config:\n", "{}"] {
            let file = File::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert!(file.tls_server_config.is_none(), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_by_name_and_line() {
        for (text, name, line) in [
            ("tls_config:\n  cert_file: x\n", "tls_config", "line 1"),
            (
                "tls_server_config:\n  cert_file: x\n  certfile: y\n",
                "certfile",
                "line 3",
            ),
            ("http_server_config:\n  http3: true\n", "http3", "line 2"),
            ("rate_limit:\n  burst: 1\n  rate: 2\n", "rate", "line 3"),
            ("basic_auth_users:\n  a: x\n  a: y\n", "duplicate", "line 3"),
        ] {
            let error = File::parse(text).err().unwrap();
            assert!(error.contains(name) && error.contains(line), "{error}");
        }
    }

    #[test]
    fn no_part_of_the_file_is_quoted() {
        let text = "tls_server_config:\n  key: topsecret\n  more: topsecret\n: :";
        let error = File::parse(text).err().unwrap();
        assert!(!error.contains("topsecret"), "{error}");
    }

    #[test]
    fn old_booleans_and_unquoted_numbers() {
        let text = "http_server_config:\n  http2: off\nbasic_auth_users:\n  1001: 2002\n";
        let file = File::parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(file.http_server_config.unwrap().http2, Some(false));
        let users = file.basic_auth_users.unwrap();
        assert_eq!(users["1001"].as_deref(), Some("2002"));
    }
}
