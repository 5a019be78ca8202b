//! Which format and which encoding a request gets.
//!
//! Prometheus's rules rather than HTTP's: whoever asks for nothing that is spoken here,
//! browsers included, gets text 0.0.4, never 406; `*/*` is text 0.0.4, whatever else is named.
//! Names are escaped with underscores where the media range does not say otherwise, in every
//! format: Prometheus 2 fails a whole scrape for one name that it cannot read.

use crate::encode::{Escaping, Format, Style};

/// What a request and this exporter agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// How the body is written.
    pub style: Style,
    /// The media type and its version, without the escaping.
    media_type: &'static str,
}

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The same body: the version says that the client can read names in quotes.
const TEXT_1: &str = "text/plain; version=1.0.0; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROTOBUF: &str = "application/vnd.google.protobuf; \
    proto=io.prometheus.client.MetricFamily; encoding=delimited";

impl Agreed {
    const FALLBACK: Agreed = Agreed {
        style: Style::PLAIN,
        media_type: TEXT,
    };

    /// The answer's Content-Type.
    pub fn content_type(&self) -> String {
        let escaping = match self.style.escaping {
            Escaping::Underscores => "underscores",
            Escaping::Dots => "dots",
            Escaping::Values => "values",
            Escaping::AllowUtf8 => "allow-utf-8",
        };
        format!("{}; escaping={escaping}", self.media_type)
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
    let version = item.parameter("version");
    let (format, media_type) = if item.is("*/*") || item.is("text/*") {
        (Format::Text, TEXT)
    } else if item.is("text/plain") {
        match version {
            None | Some("0.0.4") => (Format::Text, TEXT),
            Some("1.0.0") => (Format::Text, TEXT_1),
            Some(_) => return None,
        }
    } else if item.is("application/openmetrics-text") {
        match version {
            None | Some("1.0.0") => (Format::OpenMetrics, OPENMETRICS),
            Some(_) => return None,
        }
    } else if item.is("application/vnd.google.protobuf")
        && item.parameter("proto") == Some("io.prometheus.client.MetricFamily")
        && item.parameter("encoding") == Some("delimited")
    {
        (Format::Protobuf, PROTOBUF)
    } else {
        return None;
    };
    let escaping = match item.parameter("escaping") {
        Some("allow-utf-8") => Escaping::AllowUtf8,
        Some("dots") => Escaping::Dots,
        Some("values") => Escaping::Values,
        // A scheme that is not spoken here is like none.
        _ => Escaping::Underscores,
    };
    Some(Agreed {
        style: Style {
            format,
            escaping,
            ..Style::PLAIN
        },
        media_type,
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
        split(header, ',').map(|element| {
            let (value, parameters) = element.split_once(';').unwrap_or((element, ""));
            let mut item = Item {
                value: value.trim(),
                parameters,
                quality: 1.0,
            };
            if let Some(quality) = item.parameter("q") {
                // A weight that is no number is taken for none, as Go's servers do.
                let weight = quality.parse().ok().filter(|weight: &f32| !weight.is_nan());
                item.quality = weight.unwrap_or(1.0).clamp(0.0, 1.0);
            }
            item
        })
    }

    fn is(&self, value: &str) -> bool {
        self.value.eq_ignore_ascii_case(value)
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        split(self.parameters, ';').find_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            let found = key.trim().eq_ignore_ascii_case(name);
            found.then(|| value.trim().trim_matches('"'))
        })
    }
}

/// The pieces between separators that stand outside quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut after_backslash = false;
    text.split(move |c| {
        let escaped = after_backslash;
        after_backslash = quoted && c == '\\' && !escaped;
        quoted ^= c == '"' && !escaped;
        c == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROTOBUF_ASKED: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    const PROMETHEUS_2_42: &str = "application/openmetrics-text;version=1.0.0,\
        application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const PROMETHEUS_3_5: &str = "application/openmetrics-text;version=1.0.0;\
        escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,\
        text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    const VICTORIA_METRICS: &str = "text/plain;version=0.0.4;q=1,*/*;q=0.1";
    const FIREFOX: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    fn content_type(accept: &str) -> String {
        style(accept).content_type()
    }

    fn plain() -> String {
        format!("{TEXT}; escaping=underscores")
    }

    #[test]
    fn real_scrapers() {
        let with_native_histograms_2_42 = format!(
            "{PROTOBUF_ASKED},application/openmetrics-text;version=1.0.0;q=0.8,\
            application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
        );
        let with_protobuf_3_5 = format!(
            "{PROTOBUF_ASKED};q=0.6,application/openmetrics-text;version=1.0.0;\
            escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
            text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
        );
        let text_only_3_5 = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, media_type, escaping) in [
            (PROMETHEUS_2_42, OPENMETRICS, "underscores"),
            (&with_native_histograms_2_42, PROTOBUF, "underscores"),
            (PROMETHEUS_3_5, OPENMETRICS, "allow-utf-8"),
            (&with_protobuf_3_5, PROTOBUF, "underscores"),
            (text_only_3_5, TEXT_1, "allow-utf-8"),
            (VICTORIA_METRICS, TEXT, "underscores"),
            (FIREFOX, TEXT, "underscores"),
            ("*/*", TEXT, "underscores"),
        ] {
            assert_eq!(
                content_type(accept),
                format!("{media_type}; escaping={escaping}"),
                "{accept}"
            );
        }
    }

    #[test]
    fn content_types_to_the_letter() {
        assert_eq!(
            content_type(&format!("{PROTOBUF_ASKED};escaping=values")),
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
             encoding=delimited; escaping=values"
        );
        assert_eq!(
            content_type("text/plain;version=1.0.0;escaping=\"dots\""),
            "text/plain; version=1.0.0; charset=utf-8; escaping=dots"
        );
        assert_eq!(
            content_type("application/openmetrics-text;escaping=later"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
        );
    }

    #[test]
    fn whoever_asks_for_nothing_we_speak_gets_text() {
        for accept in [
            "",
            "text/html",
            "application/json",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;q=0",
            "application/vnd.google.protobuf",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
            "text/plain;version=2.0.0",
            "text/plain;q=0",
            ",;,=",
        ] {
            assert_eq!(content_type(accept), plain(), "{accept}");
        }
    }

    #[test]
    fn weights_decide_and_then_the_order() {
        let openmetrics = format!("{OPENMETRICS}; escaping=underscores");
        for accept in [
            "text/plain;version=0.0.4;q=0.4, Application/OpenMetrics-Text ; Version=1.0.0 ; Q=0.5",
            "application/openmetrics-text,text/plain",
            "text/plain;q=0.999,application/openmetrics-text;q=1.000",
            "text/plain;note=\"a,b;q=1\\\";q=1\";q=0.1, application/openmetrics-text;q=0.2",
        ] {
            assert_eq!(content_type(accept), openmetrics, "{accept}");
        }
        for accept in [
            "text/plain,application/openmetrics-text",
            "text/plain;q=2,application/openmetrics-text",
            "text/plain;q=NaN,application/openmetrics-text;q=0.9",
        ] {
            assert_eq!(content_type(accept), plain(), "{accept}");
        }
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
