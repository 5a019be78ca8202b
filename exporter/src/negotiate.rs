//! Which format and which encoding a request gets.
//!
//! Prometheus's rules rather than HTTP's: whoever asks for nothing that is spoken here,
//! browsers included, gets text 0.0.4, never 406.

use crate::encode::{Escaping, Format, Style};
use crate::encode::{OPENMETRICS_CONTENT_TYPE, TEXT_CONTENT_TYPE};

/// What a request and this exporter agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// How the body is written.
    pub style: Style,
    /// Whether the request named the escaping, so that the answer names it as well.
    pub escaping_named: bool,
}

impl Agreed {
    const FALLBACK: Agreed = Agreed {
        style: Style::PLAIN,
        escaping_named: false,
    };

    /// The answer's Content-Type.
    pub fn content_type(&self) -> String {
        let base = match self.style.format {
            Format::Text => TEXT_CONTENT_TYPE,
            Format::OpenMetrics => OPENMETRICS_CONTENT_TYPE,
        };
        let escaping = match self.style.escaping {
            _ if !self.escaping_named => "",
            Escaping::Underscores => "; escaping=underscores",
            Escaping::AllowUtf8 => "; escaping=allow-utf-8",
        };
        format!("{base}{escaping}")
    }
}

/// Reads an Accept header. Of the media ranges that name something spoken here, the one
/// with the highest `q` wins, among equals the first.
pub fn style(accept: &str) -> Agreed {
    let mut best = (0.0, Agreed::FALLBACK);
    for item in Item::all(accept) {
        if item.quality > best.0
            && let Some(agreed) = spoken(&item)
        {
            best = (item.quality, agreed);
        }
    }
    best.1
}

/// Whether an Accept-Encoding header prefers gzip, or likes it as much, over a plain body.
pub fn gzip(accept_encoding: &str) -> bool {
    let quality = |name: &str| {
        let mut items = Item::all(accept_encoding);
        items.find(|item| item.is(name)).map(|item| item.quality)
    };
    let gzip = quality("gzip").or_else(|| quality("*")).unwrap_or(0.0);
    gzip > 0.0 && gzip >= quality("identity").unwrap_or(0.0)
}

/// What a media range asks for, if it is spoken here.
fn spoken(item: &Item<'_>) -> Option<Agreed> {
    let format = if item.is("*/*") || item.is("text/*") {
        return Some(Agreed::FALLBACK);
    } else if item.is("text/plain") {
        matches!(item.parameter("version"), None | Some("0.0.4")).then_some(Format::Text)
    } else if item.is("application/openmetrics-text") {
        matches!(item.parameter("version"), None | Some("1.0.0")).then_some(Format::OpenMetrics)
    } else {
        None
    }?;
    // A scheme that is not spoken here is like none: the answer then names none either.
    let escaping = match item.parameter("escaping") {
        Some("underscores") => Some(Escaping::Underscores),
        Some("allow-utf-8") => Some(Escaping::AllowUtf8),
        _ => None,
    };
    Some(Agreed {
        style: Style {
            format,
            escaping: escaping.unwrap_or(Escaping::Underscores),
        },
        escaping_named: escaping.is_some(),
    })
}

/// One element of a header such as Accept: `value;parameter=value;q=0.5`.
struct Item<'a> {
    value: &'a str,
    parameters: &'a str,
    quality: f32,
}

impl<'a> Item<'a> {
    fn all(header: &'a str) -> impl Iterator<Item = Item<'a>> {
        header.split(',').map(|element| {
            let (value, parameters) = element.split_once(';').unwrap_or((element, ""));
            let mut item = Item {
                value: value.trim(),
                parameters,
                quality: 1.0,
            };
            if let Some(quality) = item.parameter("q") {
                // A weight that is no number is taken for none, as Go's servers do.
                item.quality = quality.parse().unwrap_or(1.0_f32).clamp(0.0, 1.0);
            }
            item
        })
    }

    fn is(&self, value: &str) -> bool {
        self.value.eq_ignore_ascii_case(value)
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut parameters = self.parameters.split(';');
        parameters.find_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            let found = key.trim().eq_ignore_ascii_case(name);
            found.then(|| value.trim().trim_matches('"'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMETHEUS_2_42: &str = "application/openmetrics-text;version=1.0.0,\
        application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const PROMETHEUS_3_5: &str = "application/openmetrics-text;version=1.0.0;\
        escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,\
        text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    const VICTORIA_METRICS: &str = "text/plain;version=0.0.4;q=1,*/*;q=0.1";
    const FIREFOX: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    fn content_type(accept: &str) -> String {
        style(accept).content_type()
    }

    #[test]
    fn real_scrapers() {
        assert_eq!(content_type(PROMETHEUS_2_42), OPEN_METRICS);
        assert_eq!(
            content_type(PROMETHEUS_3_5),
            format!("{OPEN_METRICS}; escaping=allow-utf-8")
        );
        assert_eq!(content_type(VICTORIA_METRICS), TEXT);
        let protobuf_first = format!(
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
            encoding=delimited,{}",
            PROMETHEUS_2_42.replace("1.0.0,", "1.0.0;q=0.8,")
        );
        assert_eq!(content_type(&protobuf_first), OPEN_METRICS);
    }

    #[test]
    fn whoever_asks_for_nothing_we_speak_gets_text() {
        for accept in [
            "",
            "*/*",
            FIREFOX,
            "text/html",
            "application/json",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;q=0",
            "text/plain;q=0",
            ",;,=",
        ] {
            assert_eq!(content_type(accept), TEXT, "{accept}");
        }
    }

    #[test]
    fn weights_decide_and_then_the_order() {
        let both =
            "text/plain;version=0.0.4;q=0.4, Application/OpenMetrics-Text ; Version=1.0.0 ; Q=0.5";
        assert_eq!(content_type(both), OPEN_METRICS);
        assert_eq!(
            content_type("text/plain,application/openmetrics-text"),
            TEXT
        );
        assert_eq!(
            content_type("application/openmetrics-text,text/plain"),
            OPEN_METRICS
        );
    }

    #[test]
    fn an_escaping_is_named_only_when_it_is_honoured() {
        assert_eq!(
            content_type("text/plain;version=0.0.4;escaping=underscores"),
            format!("{TEXT}; escaping=underscores")
        );
        assert_eq!(
            content_type("text/plain;version=0.0.4;escaping=\"allow-utf-8\""),
            format!("{TEXT}; escaping=allow-utf-8")
        );
        let unknown = style("application/openmetrics-text;escaping=later");
        assert_eq!(unknown.content_type(), OPEN_METRICS);
        assert_eq!(unknown.style.escaping, Escaping::Underscores);
    }

    #[test]
    fn gzip_when_it_is_welcome() {
        for header in [
            "gzip",
            "deflate, gzip;q=0.5",
            "*",
            "GZIP;q=1, identity;q=0.5",
        ] {
            assert!(gzip(header), "{header}");
        }
        for header in [
            "",
            "identity",
            "gzip;q=0",
            "*;q=0",
            "identity, gzip;q=0.5",
            "br",
        ] {
            assert!(!gzip(header), "{header}");
        }
        assert!(!gzip("gzip;q=0, *"), "an exclusion by name counts");
    }
}
