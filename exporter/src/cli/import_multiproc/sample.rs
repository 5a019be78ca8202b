//! What one entry says: a number of a series.

use std::collections::BTreeMap;
use std::fmt;

use tallyboard::{Aggregation, Kind};

use super::db_file::{Entry, Key};

/// Beyond, not every whole number is a float.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0;

/// What all values in a file are of. Its name says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Counter,
    Gauge(Aggregation),
    Histogram,
    Summary,
}

/// One number of a series.
#[derive(Debug)]
pub(super) struct Sample {
    /// As it is called on a board.
    pub(super) metric: String,
    pub(super) help: String,
    /// Those that the program gave it.
    pub(super) labels: BTreeMap<String, String>,
    pub(super) said: Said,
}

/// Which number it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Said {
    Counted(f64),
    Is { value: f64, unix_seconds: f64 },
    Bucket { bound: f64, count: u64 },
    Count(u64),
    Sum(f64),
}

/// Why an entry is none of its file.
#[derive(Debug, PartialEq)]
pub(super) enum Strange {
    /// No number that a metric of this type can have.
    Value { sample: String, value: f64 },
    /// No sample that a metric of this type has.
    Sample { sample: String },
}

impl fmt::Display for Strange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { sample, value } => write!(
                f,
                "{sample} is {value}, which cannot be added to; take the file out of the \
                 directory, or leave the metric out with --without"
            ),
            Self::Sample { sample } => write!(
                f,
                "{sample} does not belong into a file of this name; take the file out of the \
                 directory, or leave the metric out with --without"
            ),
        }
    }
}

impl FileKind {
    /// What a file of this name holds: `counter_PID.db`, `gauge_MODE_PID.db` and so on. Instead
    /// of the number of a process there may be any text.
    pub(super) fn of(name: &str) -> Option<Self> {
        let (kind, process) = name.strip_suffix(".db")?.split_once('_')?;
        match kind {
            "counter" => Some(Self::Counter),
            "histogram" => Some(Self::Histogram),
            "summary" => Some(Self::Summary),
            "gauge" => Some(Self::Gauge(process.split_once('_')?.0.parse().ok()?)),
            _ => None,
        }
    }

    pub(super) fn metric(self) -> Kind {
        match self {
            Self::Counter => Kind::Counter,
            Self::Gauge(_) => Kind::Gauge,
            Self::Histogram => Kind::Histogram,
            Self::Summary => Kind::Summary,
        }
    }

    pub(super) fn aggregation(self) -> Aggregation {
        match self {
            Self::Gauge(how) => how,
            Self::Counter | Self::Histogram | Self::Summary => Aggregation::Last,
        }
    }

    /// Reads an entry of such a file.
    pub(super) fn sample(self, entry: Entry) -> Result<Sample, Strange> {
        let (value, unix_seconds) = (entry.value, entry.unix_seconds);
        let Key {
            metric,
            sample,
            mut labels,
            help,
        } = entry.key;
        let suffix = sample.strip_prefix(&metric);
        let said = match (self, suffix) {
            (Self::Counter, Some("_total")) if (0.0..=f64::MAX).contains(&value) => {
                Some(Said::Counted(value))
            }
            (Self::Gauge(_), Some("")) => Some(Said::Is {
                value,
                unix_seconds,
            }),
            (Self::Histogram, Some("_bucket")) => {
                let bound = labels.remove("le").and_then(|bound| bound.parse().ok());
                let Some(bound) = bound.filter(|bound: &f64| !bound.is_nan()) else {
                    return Err(Strange::Sample { sample });
                };
                whole(value).map(|count| Said::Bucket { bound, count })
            }
            (Self::Summary, Some("_count")) => whole(value).map(Said::Count),
            (Self::Histogram | Self::Summary, Some("_sum")) => Some(Said::Sum(value)),
            (Self::Counter, Some("_total")) => None,
            _ => return Err(Strange::Sample { sample }),
        };
        let Some(said) = said else {
            return Err(Strange::Value { sample, value });
        };
        let metric = match self {
            Self::Counter => sample,
            Self::Gauge(_) | Self::Histogram | Self::Summary => metric,
        };
        Ok(Sample {
            metric,
            help,
            labels,
            said,
        })
    }
}

/// How many there are.
fn whole(value: f64) -> Option<u64> {
    let is_whole = (0.0..=EXACT).contains(&value) && value.fract() == 0.0;
    is_whole.then_some(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        let live_sum = FileKind::Gauge(Aggregation::LiveSum);
        for (name, kind) in [
            ("counter_12.db", Some(FileKind::Counter)),
            ("histogram_uwsgi_1.db", Some(FileKind::Histogram)),
            ("summary_12.db", Some(FileKind::Summary)),
            ("gauge_livesum_12.db", Some(live_sum)),
            (
                "gauge_mostrecent_12.db",
                Some(FileKind::Gauge(Aggregation::Last)),
            ),
            ("gauge_12.db", None),
            ("gauge_average_12.db", None),
            ("counter.db", None),
            ("counter_12.txt", None),
            ("cache_12.db", None),
        ] {
            assert_eq!(FileKind::of(name), kind, "{name}");
        }
    }

    fn said(kind: FileKind, sample: &str, le: Option<&str>, value: f64) -> Result<Said, Strange> {
        let labels = le.map(|le| ("le".to_owned(), le.to_owned()));
        let key = Key {
            metric: "m".to_owned(),
            sample: sample.to_owned(),
            labels: labels.into_iter().collect(),
            help: String::new(),
        };
        let entry = Entry {
            key,
            value,
            unix_seconds: 7.0,
        };
        let sample = kind.sample(entry)?;
        let is_counter = kind == FileKind::Counter;
        assert_eq!(sample.metric, if is_counter { "m_total" } else { "m" });
        assert_eq!(sample.labels.contains_key("le"), is_counter && le.is_some());
        Ok(sample.said)
    }

    #[test]
    fn what_a_file_of_a_type_may_say() {
        let (counter, histogram) = (FileKind::Counter, FileKind::Histogram);
        let counted = said(counter, "m_total", Some("x"), 0.5);
        assert_eq!(counted, Ok(Said::Counted(0.5)));
        let bucket = said(histogram, "m_bucket", Some("1e+06"), 3.0);
        let (bound, count) = (1e6, 3);
        assert_eq!(bucket, Ok(Said::Bucket { bound, count }));
        let last = said(histogram, "m_bucket", Some("+Inf"), 0.0);
        let (bound, count) = (f64::INFINITY, 0);
        assert_eq!(last, Ok(Said::Bucket { bound, count }));
        let sum = said(FileKind::Summary, "m_sum", None, -2.0);
        assert_eq!(sum, Ok(Said::Sum(-2.0)));
        let is = said(FileKind::Gauge(Aggregation::Sum), "m", None, f64::INFINITY);
        let (value, unix_seconds) = (f64::INFINITY, 7.0);
        assert_eq!(
            is,
            Ok(Said::Is {
                value,
                unix_seconds
            })
        );

        for value in [-1.0, f64::NAN, f64::INFINITY] {
            let counted = said(counter, "m_total", None, value);
            assert!(matches!(counted, Err(Strange::Value { .. })), "{value}");
            let bucket = said(histogram, "m_bucket", Some("1.0"), value);
            assert!(matches!(bucket, Err(Strange::Value { .. })), "{value}");
        }
        let half = said(FileKind::Summary, "m_count", None, 0.5);
        assert!(matches!(half, Err(Strange::Value { .. })));
        for (kind, sample, le) in [
            (counter, "m", None),
            (counter, "other_total", None),
            (histogram, "m_count", None),
            (histogram, "m_bucket", None),
            (histogram, "m_bucket", Some("NaN")),
            (histogram, "m_bucket", Some("high")),
            (FileKind::Gauge(Aggregation::Sum), "m_total", None),
        ] {
            let said = said(kind, sample, le, 1.0);
            assert!(matches!(said, Err(Strange::Sample { .. })), "{sample}");
        }
    }
}
