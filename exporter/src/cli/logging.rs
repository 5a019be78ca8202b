//! The log of `serve` and `textfile`, on stderr: one line for each event, as Prometheus's programs
//! write it.

use std::fmt::{self, Write};
use std::io;

use clap::{Args, ValueEnum};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// What is logged and how.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Logging {
    /// How much to log, to stderr
    #[arg(long = "log.level", value_enum, default_value_t = LogLevel::Info)]
    level: LogLevel,

    /// How log lines are written
    #[arg(long = "log.format", value_enum, default_value_t = LogFormat::Logfmt)]
    format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Logfmt,
    Json,
}

impl Logging {
    /// Logs from now on.
    pub(super) fn begin(self) {
        tracing_subscriber::fmt()
            .with_writer(io::stderr)
            .with_max_level(match self.level {
                LogLevel::Debug => LevelFilter::DEBUG,
                LogLevel::Info => LevelFilter::INFO,
                LogLevel::Warn => LevelFilter::WARN,
                LogLevel::Error => LevelFilter::ERROR,
            })
            .event_format(self.format)
            .init();
    }
}

impl<S, N> FormatEvent<S, N> for LogFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            _ => "debug",
        };
        writeln!(writer, "{}", self.line(&time, level, &fields))
    }
}

impl LogFormat {
    fn line(self, time: &str, level: &str, fields: &Fields) -> String {
        let first = [("ts", time), ("level", level), ("msg", &fields.message)];
        let others = fields.others.iter().map(|(key, value)| (*key, &**value));
        let mut line = String::new();
        for (key, value) in first.into_iter().chain(others) {
            let (begin, separator) = match self {
                Self::Logfmt => ("", ' '),
                Self::Json => ("{", ','),
            };
            if line.is_empty() {
                line.push_str(begin);
            } else {
                line.push(separator);
            }
            match self {
                Self::Logfmt => {
                    line.push_str(key);
                    line.push('=');
                    push_bare_or_quoted(&mut line, value);
                }
                Self::Json => {
                    push_quoted(&mut line, key);
                    line.push(':');
                    push_quoted(&mut line, value);
                }
            }
        }
        if self == Self::Json {
            line.push('}');
        }
        line
    }
}

/// What an event says, as text.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}");
        match field.name() {
            "message" => self.message = value,
            name => self.others.push((name, value)),
        }
    }
}

/// As it is, unless that would not be one value.
fn push_bare_or_quoted(line: &mut String, value: &str) {
    let is_plain =
        |c: char| !c.is_control() && !c.is_whitespace() && !['"', '=', '\\'].contains(&c);
    if !value.is_empty() && value.chars().all(is_plain) {
        line.push_str(value);
    } else {
        push_quoted(line, value);
    }
}

/// Quoted as in JSON, and whatever a terminal or a reader of lines might act on escaped.
fn push_quoted(line: &mut String, value: &str) {
    line.push('"');
    for c in value.chars() {
        match c {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c if c.is_control() || ['\u{2028}', '\u{2029}'].contains(&c) => {
                let _ = write!(line, "\\u{:04x}", u32::from(c));
            }
            c => line.push(c),
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: LogFormat, message: &str) -> String {
        let fields = Fields {
            message: message.to_owned(),
            others: vec![("http2", "true".to_owned())],
        };
        format.line("2026-01-02T03:04:05.678901Z", "info", &fields)
    }

    #[test]
    fn logfmt() {
        assert_eq!(
            line(LogFormat::Logfmt, "listening on x"),
            "ts=2026-01-02T03:04:05.678901Z level=info msg=\"listening on x\" http2=true"
        );
        assert!(line(LogFormat::Logfmt, "stopping").contains(" msg=stopping "));
        assert!(line(LogFormat::Logfmt, "").contains(" msg=\"\" "));
    }

    #[test]
    fn nothing_breaks_a_line_or_forges_one() {
        let hostile = "a\nts=0 level=error msg=\"b\"\u{1b}[2J\u{9b}\u{2028}\\";
        for format in [LogFormat::Logfmt, LogFormat::Json] {
            let line = line(format, hostile);
            assert!(
                !line.contains(char::is_control) && !line.contains('\u{2028}'),
                "{line}"
            );
            assert!(line.contains(r#"a\nts=0 level=error msg=\"b\"\u001b[2J\u009b\u2028\\""#));
        }
        let read: serde_json::Value =
            serde_json::from_str(&line(LogFormat::Json, hostile)).unwrap();
        assert_eq!(
            (&read["msg"], &read["http2"]),
            (&hostile.into(), &"true".into())
        );
    }
}
