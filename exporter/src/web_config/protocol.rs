//! Protocol versions, cipher suites and curves, by the names that Go gives them.
//!
//! A name that Go knows and rustls has nothing for is refused, and says so: those are the
//! ones without forward secrecy or with CBC, TLS before 1.2, and the curve P-521.

use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

/// The suites that Go's `tls.CipherSuites` lists, or listed, and rustls does not have.
const OLD_SUITES: [&str; 9] = [
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
];

/// The versions from `min` to `max`, both of which have a default.
///
/// # Errors
///
/// A name that is not known or not supported, or nothing in between.
pub(super) fn versions(
    min: Option<&str>,
    max: Option<&str>,
) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    // Smaller is older.
    let named = |setting: &str, name: &str| match name {
        "TLS12" => Ok(2),
        "TLS13" => Ok(3),
        "TLS10" | "TLS11" => Err(format!(
            "tls_server_config.{setting}: {name} is not supported; TLS12 and TLS13 are"
        )),
        _ => Err(format!(
            "tls_server_config.{setting}: `{name}` is not TLS12 or TLS13"
        )),
    };
    let min = named("min_version", min.unwrap_or("TLS12"))?;
    let max = named("max_version", max.unwrap_or("TLS13"))?;
    if min > max {
        return Err("tls_server_config.min_version: is above max_version".to_owned());
    }
    let all = [(2, &TLS12), (3, &TLS13)];
    let chosen = all.iter().filter(|(age, _)| (min..=max).contains(age));
    Ok(chosen.map(|(_, version)| *version).collect())
}

/// The cryptography that suites and curves, in the order of preference, leave; all of it where
/// none are given.
///
/// Go's list is about TLS 1.2 alone, and it takes names of TLS 1.3 without effect. Here such a
/// name has one: of TLS 1.3, only those that are named are used, if any is.
///
/// # Errors
///
/// A name that is not known or not supported.
pub(super) fn provider(suites: &[String], curves: &[String]) -> Result<CryptoProvider, String> {
    let mut provider = ring::default_provider();
    if !suites.is_empty() {
        let mut chosen = Vec::new();
        for name in suites {
            chosen.push(
                suite(name)
                    .map_err(|problem| format!("tls_server_config.cipher_suites: {problem}"))?,
            );
        }
        if !chosen.iter().any(is_of_tls13) {
            let mut all = ring::ALL_CIPHER_SUITES.to_vec();
            all.retain(is_of_tls13);
            chosen.extend(all);
        }
        provider.cipher_suites = chosen;
    }
    if !curves.is_empty() {
        provider.kx_groups = curves
            .iter()
            .map(|name| curve(name))
            .collect::<Result<_, _>>()
            .map_err(|problem| format!("tls_server_config.curve_preferences: {problem}"))?;
    }
    Ok(provider)
}

fn is_of_tls13(suite: &SupportedCipherSuite) -> bool {
    suite.tls13().is_some()
}

fn suite(name: &str) -> Result<SupportedCipherSuite, String> {
    // Go writes TLS_AES_…, where rustls writes TLS13_AES_….
    let of_rustls = |suite: &SupportedCipherSuite| {
        let text = suite.suite().as_str().unwrap_or_default();
        text.replacen("TLS13_", "TLS_", 1)
    };
    let mut all = ring::ALL_CIPHER_SUITES.iter();
    if let Some(suite) = all.find(|suite| of_rustls(suite) == name) {
        return Ok(*suite);
    }
    let names: Vec<String> = ring::ALL_CIPHER_SUITES.iter().map(of_rustls).collect();
    let names = names.join(", ");
    if OLD_SUITES.contains(&name) {
        Err(format!(
            "{name} is not supported: it has no forward secrecy or uses CBC. Supported are {names}"
        ))
    } else {
        Err(format!(
            "`{name}` is not a cipher suite. Supported are {names}"
        ))
    }
}

fn curve(name: &str) -> Result<&'static dyn SupportedKxGroup, String> {
    match name {
        "X25519" => Ok(ring::kx_group::X25519),
        "CurveP256" => Ok(ring::kx_group::SECP256R1),
        "CurveP384" => Ok(ring::kx_group::SECP384R1),
        "CurveP521" => {
            Err("CurveP521 is not supported; X25519, CurveP256 and CurveP384 are".to_owned())
        }
        _ => Err(format!("`{name}` is not X25519, CurveP256 or CurveP384")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_versions() {
        assert_eq!(versions(None, None), Ok(vec![&TLS12, &TLS13]));
        assert_eq!(versions(Some("TLS13"), None), Ok(vec![&TLS13]));
        assert_eq!(versions(None, Some("TLS12")), Ok(vec![&TLS12]));
        for (min, max) in [("TLS13", "TLS12"), ("TLS10", "TLS13"), ("1.2", "TLS13")] {
            let error = versions(Some(min), Some(max)).unwrap_err();
            assert!(
                error.starts_with("tls_server_config.min_version: "),
                "{error}"
            );
        }
    }

    #[test]
    fn suites_keep_their_order_and_tls13_stays() {
        let names = [
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        ]
        .map(str::to_owned);
        let provider = provider(&names, &["CurveP384".to_owned()]).unwrap();
        let suites = provider.cipher_suites.iter();
        let suites: Vec<_> = suites
            .map(|suite| suite.suite().as_str().unwrap())
            .collect();
        assert_eq!(suites[..2], names);
        assert!(suites.len() == 5 && suites[2..].iter().all(|name| name.starts_with("TLS13_")));
        assert_eq!(provider.kx_groups.len(), 1);
    }

    #[test]
    fn a_suite_of_tls13_that_is_named_is_the_only_one() {
        let names = ["TLS_AES_256_GCM_SHA384".to_owned()];
        assert_eq!(provider(&names, &[]).unwrap().cipher_suites.len(), 1);
    }

    #[test]
    fn what_go_knows_and_we_do_not_have_is_named() {
        for name in OLD_SUITES {
            let error = provider(&[name.to_owned()], &[]).unwrap_err();
            assert!(
                error.contains(name) && error.contains("not supported"),
                "{error}"
            );
        }
        assert!(curve("CurveP521").unwrap_err().contains("not supported"));
        assert!(curve("P256").is_err());
    }
}
