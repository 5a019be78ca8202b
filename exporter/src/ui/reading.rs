//! Values as JSON: of one series, and of a family together.

use serde_json::{Map, Value, json};
use tallyboard::{FamilyView, Kind, Number, Reader, SeriesView};

use crate::encode::canonical_float;

/// Values of one series that is split by process that are given, the rest only counted.
const MOST_PROCESSES: usize = 100;

/// A value, or what several come to together.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reading {
    Counter(Number),
    Gauge { low: f64, high: f64 },
    Summary { count: u64, sum: f64 },
    Histogram { buckets: Vec<u64>, sum: f64 },
}

impl Reading {
    /// The value of a series now; `None`: it has none, or has ended.
    pub(super) fn of(reader: &Reader, family: &FamilyView, series: SeriesView<'_>) -> Option<Self> {
        match family.kind {
            Kind::Counter => Some(Self::Counter(reader.counter(series)?)),
            Kind::Gauge if family.aggregation.is_by_process() => {
                let values = reader.by_process(series).into_iter();
                let values = values.map(|(_, value)| Self::gauge(value));
                values.reduce(Self::and)
            }
            Kind::Gauge => Some(Self::gauge(reader.gauge(series)?)),
            Kind::Summary => {
                let (count, sum) = reader.summary(series)?;
                Some(Self::Summary { count, sum })
            }
            Kind::Histogram => {
                let mut buckets = vec![0; family.bounds.len() + 1];
                let sum = reader.histogram(series, &mut buckets)?;
                Some(Self::Histogram { buckets, sum })
            }
            // A type that a newer library has put there.
            _ => None,
        }
    }

    fn gauge(value: f64) -> Self {
        Self::Gauge {
            low: value,
            high: value,
        }
    }

    /// All series of a family together.
    pub(super) fn of_all(reader: &Reader, family: &FamilyView) -> Option<Self> {
        let series = family.series.iter();
        let values = series.filter_map(|series| Self::of(reader, family, series));
        values.reduce(Self::and)
    }

    /// Two of one family together.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Counter(a), Self::Counter(b)) => Self::Counter(match (a, b) {
                (Number::Int(a), Number::Int(b)) => Number::Int(a.wrapping_add(b)),
                (a, b) => Number::Float(as_float(a) + as_float(b)),
            }),
            // `min` and `max` leave out what is not a number.
            (Self::Gauge { low, high }, Self::Gauge { low: l, high: h }) => Self::Gauge {
                low: low.min(l),
                high: high.max(h),
            },
            (Self::Summary { count, sum }, Self::Summary { count: c, sum: s }) => Self::Summary {
                count: count.wrapping_add(c),
                sum: sum + s,
            },
            (
                Self::Histogram { mut buckets, sum },
                Self::Histogram {
                    buckets: others,
                    sum: s,
                },
            ) => {
                for (bucket, other) in buckets.iter_mut().zip(others) {
                    *bucket = bucket.wrapping_add(other);
                }
                Self::Histogram {
                    buckets,
                    sum: sum + s,
                }
            }
            // Values of one family are of one type.
            (first, _) => first,
        }
    }

    /// What decides which of many series are shown: the greatest.
    pub(super) fn rank(&self) -> f64 {
        match self {
            Self::Counter(value) => as_float(*value),
            Self::Gauge { high, .. } => *high,
            Self::Summary { count, .. } => *count as f64,
            Self::Histogram { buckets, .. } => count_of(buckets) as f64,
        }
    }

    /// Puts it into an object.
    pub(super) fn write(&self, object: &mut Map<String, Value>) {
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        match self {
            Self::Counter(Number::Int(value)) => put("value", (*value).into()),
            Self::Counter(Number::Float(value)) => put("value", float(*value)),
            Self::Gauge { low, high } => {
                put("low", float(*low));
                put("high", float(*high))
            }
            Self::Summary { count, sum } => {
                put("count", (*count).into());
                put("sum", float(*sum))
            }
            Self::Histogram { buckets, sum } => {
                put("count", count_of(buckets).into());
                put("sum", float(*sum));
                put("buckets", buckets.as_slice().into())
            }
        };
    }
}

/// Puts a series' values by process into an object, where there are such.
pub(super) fn write_processes(
    reader: &Reader,
    family: &FamilyView,
    series: SeriesView<'_>,
    object: &mut Map<String, Value>,
) {
    if family.kind != Kind::Gauge || !family.aggregation.is_by_process() {
        return;
    }
    let values = reader.by_process(series);
    object.insert("processes_total".to_owned(), values.len().into());
    let values = values.into_iter().take(MOST_PROCESSES);
    let values = values.map(|(pid, value)| json!({"pid": pid, "value": float(value)}));
    object.insert("processes".to_owned(), values.collect());
}

/// How many words of the board it takes to read a family, about.
pub(super) fn cells_of(family: &FamilyView) -> usize {
    let cells = match family.kind {
        Kind::Histogram => family.bounds.len() + 2,
        _ => 2,
    };
    cells.saturating_mul(family.series.len())
}

fn count_of(buckets: &[u64]) -> u64 {
    buckets
        .iter()
        .fold(0, |count, events| count.wrapping_add(*events))
}

fn as_float(number: Number) -> f64 {
    match number {
        Number::Int(value) => value as f64,
        Number::Float(value) => value,
    }
}

/// JSON has no word for what is not finite.
pub(super) fn float(value: f64) -> Value {
    if value.is_finite() {
        value.into()
    } else {
        canonical_float(value).into()
    }
}

#[cfg(test)]
mod tests {
    use tallyboard::{Aggregation, Board, Location};

    use super::*;

    /// A board of its own, which no other test of this process sees.
    fn board() -> (tempfile::TempDir, Board) {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let path = directory.path().join("test.v1.board");
        let board = Board::open(&Location::Path(path)).unwrap();
        (directory, board)
    }

    fn together(board: &Board) -> Vec<Map<String, Value>> {
        let mut reader = Reader::new(board);
        reader.refresh();
        let families = reader.families().iter();
        let objects = families.map(|family| {
            let mut object = Map::new();
            if let Some(reading) = Reading::of_all(&reader, family) {
                reading.write(&mut object);
            }
            object
        });
        objects.collect()
    }

    #[test]
    fn a_familys_series_are_put_together_as_its_type_wants() {
        let (_directory, board) = board();
        for (label, value) in [("a", 2.0), ("b", f64::NAN), ("c", -3.0)] {
            let gauge = board.gauge("a_gauge", "").label("x", label);
            gauge.register().unwrap().set(value);
            let counter = board.counter("b_total", "").label("x", label);
            counter.register().unwrap().add(2);
            let histogram = board
                .histogram("c_seconds", "")
                .buckets(&[1.0])
                .label("x", label);
            let histogram = histogram.register().unwrap();
            histogram.observe(0.5);
            histogram.observe(4.0);
            let summary = board.summary("d_seconds", "").label("x", label);
            summary.register().unwrap().observe(0.25);
        }
        let expected = [
            json!({"low": -3.0, "high": 2.0}),
            json!({"value": 6}),
            json!({"count": 6, "sum": 13.5, "buckets": [3, 3]}),
            json!({"count": 3, "sum": 0.75}),
        ];
        let found = together(&board).into_iter().map(Value::Object);
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_gauge_that_nobody_set_has_no_value() {
        let (_directory, board) = board();
        let gauge = board.gauge("a_gauge", "").aggregation(Aggregation::All);
        let _gauge = gauge.register().unwrap();
        assert_eq!(together(&board), [Map::new()]);
    }

    #[test]
    fn what_json_does_not_know_is_text() {
        assert_eq!(float(f64::NEG_INFINITY), json!("-Inf"));
        assert_eq!(float(0.5), json!(0.5));
    }
}
