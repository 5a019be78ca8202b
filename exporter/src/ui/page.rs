//! The document.

use std::sync::LazyLock;

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};

use super::{HTML, Reply};

/// The document with its style and script in it. What stands between at signs is filled in for each answer.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let script = [
        include_str!("page/format.js"),
        include_str!("page/history.js"),
        include_str!("page/reading.js"),
        include_str!("page/chart.js"),
        include_str!("page/words.js"),
        include_str!("page/detail.js"),
        include_str!("page/page.js"),
        include_str!("page/board.js"),
        include_str!("page/families.js"),
        // Last: it begins.
        include_str!("page/settings.js"),
    ];
    include_str!("page/page.html")
        .replace("@@style@@", include_str!("page/page.css"))
        .replace("@@script@@", &script.join("\n"))
        .replace("@@version@@", env!("CARGO_PKG_VERSION"))
});

/// The page. The browser lets it load nothing, run nothing but its own script, which the random
/// number names, and ask nobody but this exporter.
pub(crate) fn page(telemetry_path: &str) -> Reply {
    let mut random = [0; 16];
    if let Err(error) = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())
    {
        return Reply::refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            &format!("The system gives no random number: {error}."),
        );
    }
    let nonce = format!("{:032x}", u128::from_be_bytes(random));
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    // Relative, so that it is right behind a proxy that puts something before the path. With the
    // dot, what follows cannot be taken for a scheme or a host.
    let metrics = escaped(&format!(".{telemetry_path}"));
    let document = DOCUMENT
        .replace("@@nonce@@", &nonce)
        .replace("@@metrics@@", &metrics);
    let mut reply = Reply::new(StatusCode::OK, HTML, document.into_bytes());
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("sandbox"));
    let referrer = HeaderValue::from_static("no-referrer");
    reply
        .headers
        .push((header::CONTENT_SECURITY_POLICY, policy));
    reply.headers.push((header::REFERRER_POLICY, referrer));
    reply
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_filled_in_and_named_in_the_policy() {
        let reply = page("/a\"<&>");
        let text = String::from_utf8(reply.body).unwrap();
        for place in ["style", "script", "version", "nonce", "metrics"] {
            assert!(!text.contains(&format!("@@{place}@@")), "{place}");
        }
        assert!(text.contains("href=\"./a&quot;&lt;&amp;&gt;\""));
        let (_, policy) = &reply.headers[2];
        let policy = policy.to_str().unwrap();
        let nonce = policy.split("'nonce-").nth(1).unwrap();
        let nonce = nonce.split('\'').next().unwrap();
        assert_eq!(text.matches(&format!("nonce=\"{nonce}\"")).count(), 2);
        let next = String::from_utf8(page("/metrics").body).unwrap();
        assert!(!next.contains(nonce));
    }

    #[test]
    fn the_document_names_no_other_host() {
        let text = DOCUMENT.replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http://") && !text.contains("https://"));
    }
}
