//! `tls_server_config`: what it asks for, and what that comes to with the files it names as
//! they are now.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, SupportedProtocolVersion};

use super::client::{self, ClientAuth};
use super::{file, protocol};

/// The section, checked.
#[derive(Debug)]
pub(super) struct Tls {
    certificate: Pem,
    key: Pem,
    authorities: Option<Pem>,
    auth: ClientAuth,
    sans: Vec<String>,
    versions: Vec<&'static SupportedProtocolVersion>,
    provider: Arc<CryptoProvider>,
    prefers_own_order: bool,
    http2: bool,
}

/// Where a PEM text is.
#[derive(Debug)]
enum Pem {
    Inline {
        setting: &'static str,
        text: String,
    },
    File {
        setting: &'static str,
        path: PathBuf,
    },
}

/// What the PEM texts were when they were last read.
#[derive(PartialEq, Eq)]
pub(super) struct Material {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authorities: Option<Vec<u8>>,
}

impl Tls {
    /// Checks the section; `None` if it sets nothing. Paths are relative to `directory`.
    ///
    /// # Errors
    ///
    /// The first setting that cannot be done, by its name. exporter-toolkit takes some of these
    /// in silence: a section without a certificate, two sources of one text, client CAs or
    /// names that are never compared with anything, versions and suites that rustls does not
    /// have.
    pub(super) fn checked(
        given: file::Tls,
        http2: bool,
        directory: &Path,
    ) -> Result<Option<Self>, String> {
        if given.is_empty() {
            return Ok(None);
        }
        let pem = |inline, text, file, path| Pem::chosen((inline, text), (file, path), directory);
        let missing = |setting: &str| format!("tls_server_config: {setting} is missing");
        let certificate = pem("cert", given.cert, "cert_file", given.cert_file)?
            .ok_or_else(|| missing("cert_file (or cert)"))?;
        let key = pem("key", given.key, "key_file", given.key_file)?
            .ok_or_else(|| missing("key_file (or key)"))?;
        let authorities = pem(
            "client_ca",
            given.client_ca,
            "client_ca_file",
            given.client_ca_file,
        )?;
        let auth = ClientAuth::named(given.client_auth_type.as_deref())
            .map_err(|problem| format!("tls_server_config.client_auth_type: {problem}"))?;
        match (&authorities, auth.verifies()) {
            (None, true) => {
                return Err(
                    "tls_server_config.client_auth_type: needs client_ca_file (or client_ca): \
                     whom to trust"
                        .to_owned(),
                );
            }
            (Some(authorities), false) => {
                return Err(format!(
                    "{}: is compared with nothing unless client_auth_type is \
                     RequireAndVerifyClientCert or VerifyClientCertIfGiven",
                    authorities.setting()
                ));
            }
            _ => {}
        }
        if let Some(sans) = &given.client_allowed_sans {
            let problem = if sans.is_empty() {
                "lists nobody: no client could connect"
            } else if !auth.requires() {
                "needs client_auth_type RequireAndVerifyClientCert or RequireAnyClientCert: \
                 other types let clients in without a certificate"
            } else {
                ""
            };
            if !problem.is_empty() {
                return Err(format!("tls_server_config.client_allowed_sans: {problem}"));
            }
        }
        let suites = given.cipher_suites.unwrap_or_default();
        let curves = given.curve_preferences.unwrap_or_default();
        Ok(Some(Self {
            certificate,
            key,
            authorities,
            auth,
            sans: given.client_allowed_sans.unwrap_or_default(),
            versions: protocol::versions(
                given.min_version.as_deref(),
                given.max_version.as_deref(),
            )?,
            provider: Arc::new(protocol::provider(&suites, &curves)?),
            prefers_own_order: given.prefer_server_cipher_suites.unwrap_or(true),
            http2,
        }))
    }

    /// Reads the texts.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, by the setting that names it.
    pub(super) fn read(&self) -> Result<Material, String> {
        Ok(Material {
            certificate: self.certificate.read()?,
            key: self.key.read()?,
            authorities: self.authorities.as_ref().map(Pem::read).transpose()?,
        })
    }

    /// What a handshake needs.
    ///
    /// # Errors
    ///
    /// A text that is not PEM, a key that is not the certificate's, suites for no version.
    pub(super) fn build(&self, material: &Material) -> Result<ServerConfig, String> {
        let chain = self.certificate.certificates(&material.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&material.key)
            .map_err(|error| format!("{}: no private key: {error}", self.key.setting()))?;
        let trusted = match (&self.authorities, &material.authorities) {
            (Some(authorities), Some(text)) => authorities.certificates(text)?,
            _ => Vec::new(),
        };
        let verifier = client::verifier(self.auth, trusted, &self.sans, &self.provider).map_err(
            |problem| match &self.authorities {
                Some(authorities) => format!("{}: {problem}", authorities.setting()),
                None => problem,
            },
        )?;
        let mut config = ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&self.versions)
            .map_err(|error| format!("tls_server_config.cipher_suites: {error}"))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|error| {
                let settings = (self.certificate.setting(), self.key.setting());
                format!("{} and {}: {error}", settings.0, settings.1)
            })?;
        config.ignore_client_order = self.prefers_own_order;
        // Each handshake is judged by the settings of its time, and silent clients cost no
        // memory for a session that they may want to go on with.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        if self.http2 {
            config.alpn_protocols.push(b"h2".to_vec());
        }
        config.alpn_protocols.push(b"http/1.1".to_vec());
        Ok(config)
    }
}

impl Pem {
    /// The one of two settings that is given.
    fn chosen(
        (inline, text): (&'static str, Option<String>),
        (file, path): (&'static str, Option<String>),
        directory: &Path,
    ) -> Result<Option<Self>, String> {
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        match (given(text), given(path)) {
            (Some(_), Some(_)) => Err(format!(
                "tls_server_config.{inline}: {file} is given too; keep one of them"
            )),
            (Some(text), None) => Ok(Some(Self::Inline {
                setting: inline,
                text,
            })),
            (None, Some(path)) => Ok(Some(Self::File {
                setting: file,
                path: directory.join(path),
            })),
            (None, None) => Ok(None),
        }
    }

    fn setting(&self) -> String {
        match self {
            Self::Inline { setting, .. } => format!("tls_server_config.{setting}"),
            Self::File { setting, path } => {
                format!("tls_server_config.{setting} {}", path.display())
            }
        }
    }

    fn read(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::Inline { text, .. } => Ok(text.clone().into_bytes()),
            Self::File { path, .. } => {
                fs::read(path).map_err(|error| format!("{}: {error}", self.setting()))
            }
        }
    }

    fn certificates(&self, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
        match certificates {
            Ok(certificates) if certificates.is_empty() => {
                Err(format!("{}: has no PEM certificate", self.setting()))
            }
            Ok(certificates) => Ok(certificates),
            Err(error) => Err(format!("{}: {error}", self.setting())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(change: impl FnOnce(&mut file::Tls)) -> Result<Option<Tls>, String> {
        let mut given = file::Tls {
            cert_file: Some("a.crt".to_owned()),
            key_file: Some("/b.key".to_owned()),
            ..file::Tls::default()
        };
        change(&mut given);
        Tls::checked(given, true, Path::new("/etc/tallyboard"))
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let tls = checked(|_| {}).unwrap().unwrap();
        assert!(
            tls.certificate
                .setting()
                .ends_with(" /etc/tallyboard/a.crt")
        );
        assert!(tls.key.setting().ends_with(" /b.key"));
        assert!(tls.read().err().unwrap().contains("cert_file"));
    }

    #[test]
    fn a_section_that_sets_nothing_is_none() {
        let nothing = file::Tls {
            cert_file: Some(String::new()),
            ..file::Tls::default()
        };
        assert!(
            Tls::checked(nothing, true, Path::new(""))
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn what_would_have_no_effect_is_refused_by_name() {
        let text = |text: &str| Some(text.to_owned());
        for (change, name) in [
            (
                (|given| given.cert_file = None) as fn(&mut file::Tls),
                "cert_file",
            ),
            (|given| given.key_file = None, "key_file"),
            (
                |given| given.cert = Some("x".to_owned()),
                "tls_server_config.cert:",
            ),
            (
                |given| given.client_ca_file = Some("ca".to_owned()),
                "tls_server_config.client_ca_file",
            ),
            (
                |given| given.client_auth_type = Some("RequireAndVerifyClientCert".to_owned()),
                "tls_server_config.client_auth_type",
            ),
            (
                |given| given.client_allowed_sans = Some(vec!["a".to_owned()]),
                "tls_server_config.client_allowed_sans",
            ),
        ] {
            let error = checked(change).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        let alone = file::Tls {
            min_version: text("TLS13"),
            ..file::Tls::default()
        };
        assert!(Tls::checked(alone, true, Path::new("")).is_err());
    }
}
