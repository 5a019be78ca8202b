//! What a client has to show before it is talked to: `client_auth_type` and
//! `client_allowed_sans`.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// `client_auth_type`, in the words of Go's `tls.ClientAuthType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ClientAuth {
    /// No certificate is asked for.
    #[default]
    None,
    /// One is asked for; none, or any, will do.
    Request,
    /// Any will do, as long as the client has its key.
    RequireAny,
    /// None will do, or one that the client CAs vouch for.
    VerifyIfGiven,
    /// One that the client CAs vouch for.
    RequireAndVerify,
}

impl ClientAuth {
    /// Reads the setting.
    ///
    /// # Errors
    ///
    /// No such type.
    pub(super) fn named(name: Option<&str>) -> Result<Self, String> {
        match name.unwrap_or_default() {
            "" | "NoClientCert" => Ok(Self::None),
            "RequestClientCert" => Ok(Self::Request),
            // The second is what exporter-toolkit called it first, and still takes.
            "RequireAnyClientCert" | "RequireClientCert" => Ok(Self::RequireAny),
            "VerifyClientCertIfGiven" => Ok(Self::VerifyIfGiven),
            "RequireAndVerifyClientCert" => Ok(Self::RequireAndVerify),
            other => Err(format!(
                "`{other}` is not NoClientCert, RequestClientCert, RequireAnyClientCert, \
                 VerifyClientCertIfGiven or RequireAndVerifyClientCert"
            )),
        }
    }

    /// Whether certificates are compared with the client CAs.
    pub(super) fn verifies(self) -> bool {
        matches!(self, Self::VerifyIfGiven | Self::RequireAndVerify)
    }

    /// Whether there is no handshake without a certificate.
    pub(super) fn requires(self) -> bool {
        matches!(self, Self::RequireAny | Self::RequireAndVerify)
    }
}

/// The verifier of what `auth` asks for; `trusted` are the client CAs, which matter where it
/// verifies, and of `sans`, where there are any, the certificate has to have one.
pub(super) fn verifier(
    auth: ClientAuth,
    trusted: Vec<CertificateDer<'static>>,
    sans: &[String],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let verifier: Arc<dyn ClientCertVerifier> = match auth {
        ClientAuth::None => WebPkiClientVerifier::no_client_auth(),
        ClientAuth::Request | ClientAuth::RequireAny => Arc::new(AnyCertificate {
            is_required: auth.requires(),
            provider: provider.clone(),
        }),
        ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify => {
            let mut authorities = RootCertStore::empty();
            for certificate in &trusted {
                let added = authorities.add(certificate.clone());
                added.map_err(|error| error.to_string())?;
            }
            let authorities = Arc::new(authorities);
            let builder =
                WebPkiClientVerifier::builder_with_provider(authorities, provider.clone());
            let builder = if auth.requires() {
                builder
            } else {
                builder.allow_unauthenticated()
            };
            builder.build().map_err(|error| error.to_string())?
        }
    };
    if sans.is_empty() && trusted.is_empty() {
        return Ok(verifier);
    }
    Ok(Arc::new(Admission {
        verifier,
        trusted,
        sans: sans.to_vec(),
    }))
}

/// Takes any certificate whose key the client has.
#[derive(Debug)]
struct AnyCertificate {
    is_required: bool,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        self.is_required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// Takes what `verifier` takes and what is trusted itself, if it also has one of the alternative
/// names, where there are any.
///
/// Go's servers take a client certificate that is itself among the client CAs, such as
/// `openssl req -x509` makes. webpki does not: to it, a CA is nobody's client.
#[derive(Debug)]
struct Admission {
    verifier: Arc<dyn ClientCertVerifier>,
    trusted: Vec<CertificateDer<'static>>,
    sans: Vec<String>,
}

impl ClientCertVerifier for Admission {
    fn offer_client_auth(&self) -> bool {
        self.verifier.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.verifier.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = if self.trusted.contains(certificate) {
            verify_trusted(certificate, now)?
        } else {
            self.verifier
                .verify_client_cert(certificate, intermediates, now)?
        };
        if self.sans.is_empty() {
            return Ok(verified);
        }
        let names = alternative_names(certificate)
            .ok_or_else(|| Error::General("the client certificate cannot be read".to_owned()))?;
        if names.iter().any(|name| self.sans.contains(name)) {
            return Ok(verified);
        }
        Err(Error::General(format!(
            "the client certificate has none of client_allowed_sans; it has: {}",
            names.join(", ")
        )))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// Takes a certificate that nobody has to vouch for, if it is for clients and for now.
fn verify_trusted(
    certificate: &CertificateDer<'_>,
    now: UnixTime,
) -> Result<ClientCertVerified, Error> {
    let (_, certificate) = X509Certificate::from_der(certificate)
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = certificate.validity();
    if now < validity.not_before.timestamp() {
        return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
    }
    if now > validity.not_after.timestamp() {
        return Err(Error::InvalidCertificate(CertificateError::Expired));
    }
    let usage = certificate
        .extended_key_usage()
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    if usage.is_some_and(|usage| !usage.value.any && !usage.value.client_auth) {
        return Err(Error::InvalidCertificate(CertificateError::InvalidPurpose));
    }
    Ok(ClientCertVerified::assertion())
}

/// The DNS names, e-mail addresses, IP addresses and URIs of a certificate, as text; `None` if
/// it cannot be read.
fn alternative_names(certificate: &CertificateDer<'_>) -> Option<Vec<String>> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let extension = certificate.subject_alternative_name().ok()?;
    let names = extension.map_or(&[][..], |extension| &extension.value.general_names);
    let names = names.iter().filter_map(|name| match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
            Some((*text).to_owned())
        }
        GeneralName::IPAddress(bytes) => ip_text(bytes),
        _ => None,
    });
    Some(names.collect())
}

fn ip_text(bytes: &[u8]) -> Option<String> {
    let address = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        16 => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
        _ => return None,
    };
    Some(address.to_canonical().to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn types() {
        let named = |name| ClientAuth::named(Some(name));
        assert_eq!(ClientAuth::named(None), Ok(ClientAuth::None));
        assert_eq!(named("RequireClientCert"), Ok(ClientAuth::RequireAny));
        assert_eq!(
            named("VerifyClientCertIfGiven"),
            Ok(ClientAuth::VerifyIfGiven)
        );
        assert!(named("requireandverifyclientcert").is_err());
    }

    /// Of a key of its own, for 1795382639 to 2110742639, in seconds of Unix time.
    const SELF_SIGNED: &str = "\
-----BEGIN CERTIFICATE-----
MIIBLDCB36ADAgECAhQWxsNlmnT5C7jxV5WGrJ+Tq+NqoTAFBgMrZXAwDDEKMAgG
A1UEAwwBYzAeFw0yNjExMjIyMTIzNTlaFw0zNjExMTkyMTIzNTlaMAwxCjAIBgNV
BAMMAWMwKjAFBgMrZXADIQDSDXL5HOytspQPIFIeCLwl6mDQKjSGq6mG034H/qBR
m6NTMFEwHQYDVR0OBBYEFMY6UGh1yAn8/0RbRqQoMWOLAA9dMB8GA1UdIwQYMBaA
FMY6UGh1yAn8/0RbRqQoMWOLAA9dMA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EA
H+PBCgf0fgdlJIEkoFpf/HxxrOKy09wyyUJJWwTo7Rq40VHNrn0MJ6rUmW0xREF4
rdRFWHplApE1jotI0dP+AQ==
-----END CERTIFICATE-----
";

    #[test]
    fn what_is_trusted_itself_is_so_for_its_time() {
        let certificate = CertificateDer::from_pem_slice(SELF_SIGNED.as_bytes()).unwrap();
        let verified = |seconds| {
            let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            verify_trusted(&certificate, now).map(|_| ())
        };
        let (from, to) = (1_795_382_639, 2_110_742_639);
        assert_eq!((verified(from), verified(to)), (Ok(()), Ok(())));
        let refused = |why| Err(Error::InvalidCertificate(why));
        assert_eq!(verified(from - 1), refused(CertificateError::NotValidYet));
        assert_eq!(verified(to + 1), refused(CertificateError::Expired));
    }

    #[test]
    fn addresses_as_text() {
        assert_eq!(ip_text(&[10, 0, 0, 1]).as_deref(), Some("10.0.0.1"));
        let mut mapped = [0; 16];
        mapped[10..].copy_from_slice(&[0xff, 0xff, 10, 0, 0, 1]);
        assert_eq!(ip_text(&mapped).as_deref(), Some("10.0.0.1"));
        assert_eq!(ip_text(&[0; 5]), None);
    }
}
