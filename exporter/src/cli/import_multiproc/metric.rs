//! What all files say together, as prometheus_client's `MultiProcessCollector` puts them
//! together.

use std::collections::BTreeMap;
use std::fmt;

use tallyboard::{Aggregation, Kind};

use super::db_file::Entry;
use super::sample::{FileKind, Said, Sample, Strange};

/// What all series of a metric have in common.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Definition {
    pub(super) kind: Kind,
    pub(super) aggregation: Aggregation,
    /// Ascending.
    pub(super) label_names: Vec<String>,
    /// A histogram's, ascending, without +Inf.
    pub(super) bounds: Vec<f64>,
}

/// Tells two definitions of one name apart.
impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if self.kind == Kind::Gauge {
            write!(f, " ({})", self.aggregation)?;
        }
        write!(f, " with the labels [{}]", self.label_names.join(", "))?;
        if self.kind == Kind::Histogram {
            let bounds = self.bounds.iter().map(f64::to_string);
            write!(
                f,
                " and the buckets [{}]",
                bounds.collect::<Vec<_>>().join(", ")
            )?;
        }
        Ok(())
    }
}

/// A series, as one file has it.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) metric: String,
    help: String,
    definition: Definition,
    values: Vec<String>,
    value: Value,
}

/// What a series counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A counter's.
    Counted(f64),
    /// A gauge's; the time matters where the last one counts.
    Is { value: f64, unix_seconds: f64 },
    /// One number for each bucket, not cumulative.
    Buckets { counts: Vec<u64>, sum: f64 },
    /// A summary's.
    Summed { count: u64, sum: f64 },
}

/// All metrics, by name.
#[derive(Debug, Default)]
pub(super) struct Metrics(BTreeMap<String, Metric>);

/// What the files say of one name.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) help: String,
    /// More than one if programs did not agree.
    pub(super) definitions: Vec<(Definition, SeriesByLabels)>,
}

/// Series by their label values, in the order of the label names.
pub(super) type SeriesByLabels = BTreeMap<Vec<String>, Value>;

impl Metrics {
    /// Adds a series of another file.
    pub(super) fn add(&mut self, series: Series) {
        let metric = self.0.entry(series.metric).or_insert_with(|| Metric {
            help: series.help,
            definitions: Vec::new(),
        });
        let mut definitions = metric.definitions.iter();
        let place = definitions.position(|(known, _)| *known == series.definition);
        let place = place.unwrap_or_else(|| {
            let definition = series.definition.clone();
            metric.definitions.push((definition, BTreeMap::new()));
            metric.definitions.len() - 1
        });
        let (definition, all) = &mut metric.definitions[place];
        match all.get_mut(&series.values) {
            Some(value) => value.combine(series.value, definition.aggregation),
            None => {
                all.insert(series.values, series.value);
            }
        }
    }

    /// How many metrics and series there are.
    pub(super) fn count(&self) -> (usize, usize) {
        let definitions = self.0.values().flat_map(|metric| &metric.definitions);
        (self.0.len(), definitions.map(|(_, all)| all.len()).sum())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Metric)> {
        self.0.iter().map(|(name, metric)| (&**name, metric))
    }
}

impl Value {
    fn combine(&mut self, other: Value, how: Aggregation) {
        match (self, other) {
            (Self::Counted(value), Self::Counted(other)) => *value += other,
            (
                Self::Is {
                    value,
                    unix_seconds,
                },
                Self::Is {
                    value: other,
                    unix_seconds: other_seconds,
                },
            ) => {
                let is_other = match how {
                    Aggregation::Min => other < *value,
                    Aggregation::Max => other > *value,
                    Aggregation::Last => other_seconds > *unix_seconds,
                    _ => false,
                };
                if is_other {
                    (*value, *unix_seconds) = (other, other_seconds);
                }
                if how == Aggregation::Sum {
                    *value += other;
                }
            }
            (
                Self::Buckets { counts, sum },
                Self::Buckets {
                    counts: others,
                    sum: other_sum,
                },
            ) => {
                for (count, other) in counts.iter_mut().zip(others) {
                    *count += other;
                }
                *sum += other_sum;
            }
            (
                Self::Summed { count, sum },
                Self::Summed {
                    count: other,
                    sum: other_sum,
                },
            ) => {
                *count += other;
                *sum += other_sum;
            }
            // Of one definition, so of one type.
            _ => {}
        }
    }
}

/// A series' metric and labels.
type Id = (String, BTreeMap<String, String>);

/// The series of one file.
///
/// # Errors
///
/// The first entry that has no place in a file of this kind; nothing of the file is used then.
pub(super) fn series_of(
    kind: FileKind,
    entries: impl Iterator<Item = Entry>,
) -> Result<Vec<Series>, Strange> {
    let mut by_labels: BTreeMap<Id, (String, Vec<Said>)> = BTreeMap::new();
    for entry in entries {
        let Sample {
            metric,
            help,
            labels,
            said,
        } = kind.sample(entry)?;
        let series = by_labels.entry((metric, labels));
        series.or_insert_with(|| (help, Vec::new())).1.push(said);
    }
    let series = by_labels.into_iter();
    Ok(series
        .filter_map(|((metric, labels), (help, said))| {
            let (bounds, value) = value_of(kind, &said)?;
            let (label_names, values) = labels.into_iter().unzip();
            Some(Series {
                metric,
                help,
                definition: Definition {
                    kind: kind.metric(),
                    aggregation: kind.aggregation(),
                    label_names,
                    bounds,
                },
                values,
                value,
            })
        })
        .collect())
}

/// A series' bounds and value. `None`: it has none yet.
fn value_of(kind: FileKind, said: &[Said]) -> Option<(Vec<f64>, Value)> {
    let mut is = (0.0, 0.0);
    let mut counted = 0.0;
    let mut buckets = Vec::new();
    let (mut count, mut sum) = (0, 0.0);
    for said in said {
        match *said {
            Said::Counted(value) => counted += value,
            Said::Is {
                value,
                unix_seconds,
            } => is = (value, unix_seconds),
            Said::Bucket { bound, count } => buckets.push((bound, count)),
            Said::Count(value) => count += value,
            Said::Sum(value) => sum += value,
        }
    }
    let (value, unix_seconds) = is;
    match kind {
        FileKind::Counter => Some((Vec::new(), Value::Counted(counted))),
        // It was made and never set.
        FileKind::Gauge(Aggregation::Last) if unix_seconds == 0.0 => None,
        FileKind::Gauge(_) => Some((
            Vec::new(),
            Value::Is {
                value,
                unix_seconds,
            },
        )),
        FileKind::Histogram => {
            buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            let counts = buckets.iter().map(|(_, count)| *count).collect();
            let mut bounds: Vec<f64> = buckets.into_iter().map(|(bound, _)| bound).collect();
            // The bucket up to +Inf is the last that is written. Without it the process was
            // killed while it made the series, and what bounds that was to have is not known;
            // but nothing was observed yet.
            let is_whole = bounds.pop() == Some(f64::INFINITY);
            is_whole.then_some((bounds, Value::Buckets { counts, sum }))
        }
        FileKind::Summary => Some((Vec::new(), Value::Summed { count, sum })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::import_multiproc::db_file::Key;

    fn entry(sample: &str, label: (&str, &str), value: f64, unix_seconds: f64) -> Entry {
        let (name, text) = label;
        Entry {
            key: Key {
                metric: "m".to_owned(),
                sample: sample.to_owned(),
                labels: [(name.to_owned(), text.to_owned())].into(),
                help: "Help.".to_owned(),
            },
            value,
            unix_seconds,
        }
    }

    /// What the files become together, each with one gauge that was set at a time.
    fn together(how: Aggregation, files: &[(f64, f64)]) -> Option<f64> {
        let mut metrics = Metrics::default();
        for (value, at) in files {
            let entries = [entry("m", ("l", "x"), *value, *at)];
            let series = series_of(FileKind::Gauge(how), entries.into_iter());
            series.unwrap().into_iter().for_each(|one| metrics.add(one));
        }
        let (_, metric) = metrics.iter().next()?;
        let [(_, all)] = &metric.definitions[..] else {
            panic!("one definition: {metric:?}");
        };
        match all[&vec!["x".to_owned()]] {
            Value::Is { value, .. } => Some(value),
            ref other => panic!("a number: {other:?}"),
        }
    }

    #[test]
    fn gauges_come_together_as_their_mode_says() {
        let files = [(2.0, 5.0), (-3.0, 7.0), (9.0, 6.0)];
        assert_eq!(together(Aggregation::Sum, &files), Some(8.0));
        assert_eq!(together(Aggregation::Min, &files), Some(-3.0));
        assert_eq!(together(Aggregation::Max, &files), Some(9.0));
        assert_eq!(together(Aggregation::Last, &files), Some(-3.0));
        assert_eq!(together(Aggregation::Last, &[(0.0, 0.0)]), None);
        assert_eq!(together(Aggregation::Max, &[(0.0, 0.0)]), Some(0.0));
    }

    #[test]
    fn a_histogram_whose_process_was_killed_as_it_made_it_is_left_out() {
        let series = |bounds: &[&str]| {
            let buckets = bounds.iter();
            let buckets = buckets.map(|le| entry("m_bucket", ("le", le), 0.0, 0.0));
            series_of(FileKind::Histogram, buckets).unwrap()
        };
        assert!(series(&["0.5", "1.0"]).is_empty());
        let whole = series(&["0.5", "1.0", "+Inf"]);
        assert_eq!(whole[0].definition.bounds, [0.5, 1.0]);
    }

    #[test]
    fn definitions_are_told_apart() {
        let mut metrics = Metrics::default();
        for (label, value) in [("a", 1.0), ("b", 2.0), ("a", 4.0)] {
            let entries = [entry("m_total", (label, "x"), value, 0.0)];
            let series = series_of(FileKind::Counter, entries.into_iter());
            series.unwrap().into_iter().for_each(|one| metrics.add(one));
        }
        assert_eq!(metrics.count(), (1, 2));
        let (name, metric) = metrics.iter().next().unwrap();
        assert_eq!((name, &*metric.help), ("m_total", "Help."));
        let shown = metric.definitions.iter().map(|(one, _)| one.to_string());
        let wanted = ["counter with the labels [a]", "counter with the labels [b]"];
        assert_eq!(shown.collect::<Vec<_>>(), wanted);
        let five = Value::Counted(5.0);
        assert_eq!(metric.definitions[0].1[&vec!["x".to_owned()]], five);
    }
}
