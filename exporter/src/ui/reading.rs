//! Values as JSON: of one series, and of a family together.

use serde_json::{Map, Value, json};
use tallyboard::{FamilyView, Kind, NativeCounts, Number, Reader, SeriesView};

use crate::encode::canonical_float;
use crate::said::{self, Said};

/// Values of one series that is split by process that are given, the rest only counted.
const MOST_PROCESSES: usize = 100;

/// Values that infos say of one name that are given, the rest only counted.
const MOST_VALUES: usize = 20;

/// About how many words of the board an info says.
const CELLS_OF_INFO: usize = 16;

/// A value, or what several come to together.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reading {
    Counter(Number),
    Gauge {
        low: f64,
        high: f64,
    },
    Summary {
        count: u64,
        sum: f64,
    },
    /// Of a native one its own cells.
    Histogram {
        buckets: Vec<u64>,
        sum: f64,
    },
    Info(Said),
    /// How many series are in each of the states.
    StateSet(Vec<u64>),
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
            Kind::Histogram if family.native.is_some() => {
                let mut counts = NativeCounts::default();
                let sum = reader.native(series, &mut counts)?;
                let buckets = counts.cells().to_vec();
                Some(Self::Histogram { buckets, sum })
            }
            Kind::Histogram => {
                let mut buckets = vec![0; family.bounds.len() + 1];
                let sum = reader.histogram(series, &mut buckets)?;
                Some(Self::Histogram { buckets, sum })
            }
            Kind::Info => {
                let mut said = Said::default();
                said.note(said::pairs(reader, family, series)?);
                Some(Self::Info(said))
            }
            Kind::StateSet => {
                let mut held = vec![0; family.states.len()];
                held[reader.state(family, series)?] = 1;
                Some(Self::StateSet(held))
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
            (Self::Info(mut said), Self::Info(other)) => {
                said.add(other);
                Self::Info(said)
            }
            (Self::StateSet(mut held), Self::StateSet(others)) => {
                for (held, other) in held.iter_mut().zip(others) {
                    *held += other;
                }
                Self::StateSet(held)
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
            // In the order of their labels.
            Self::Info(_) | Self::StateSet(_) => 0.0,
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
            Self::Info(said) => put("said", said.names().map(said_of_name).collect()),
            Self::StateSet(held) => put("held", held.as_slice().into()),
        };
    }
}

fn said_of_name((name, values): (&str, Vec<(&str, u64)>)) -> Value {
    let shown = values.iter().take(MOST_VALUES);
    let shown = shown.map(|(value, series)| json!({"value": value, "series": series}));
    json!({"name": name, "total": values.len(), "values": shown.collect::<Vec<_>>()})
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
        Kind::Histogram => family.native.map_or(family.bounds.len() + 2, |window| {
            let buckets = usize::try_from(window.last_index() - window.first_index());
            (buckets.unwrap_or(0) + 1) * (1 + usize::from(window.is_signed())) + 4
        }),
        Kind::Info => CELLS_OF_INFO,
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
    use tallyboard::{Aggregation, Board, Location, Native};

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
    fn what_infos_say_and_which_states_hold() {
        let (_directory, board) = board();
        for (part, version, state) in [("a", "1.2", "idle"), ("b", "1.1", "busy")] {
            let info = board.info("a_build", "").label("part", part);
            let info = info.register().unwrap();
            info.set(&[("version", version), ("os", "linux")]).unwrap();
            let phase = board.state_set("b_phase", "", &["busy", "idle", "done"]);
            phase.label("part", part).register().unwrap().set(state);
        }
        let expected = [
            json!({"said": [
                {"name": "os", "total": 1, "values": [{"value": "linux", "series": 2}]},
                {"name": "version", "total": 2,
                 "values": [{"value": "1.1", "series": 1}, {"value": "1.2", "series": 1}]},
            ]}),
            json!({"held": [1, 1, 0]}),
        ];
        let found = together(&board).into_iter().map(Value::Object);
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_native_histogram_has_its_own_buckets() {
        let (_directory, board) = board();
        // Below, zero up to 1, up to 2 and 4, above.
        let native = Native::new().schema(0).range(1.5, 4.0);
        let histogram = board.histogram("a_seconds", "").native(native);
        let histogram = histogram.register().unwrap();
        for value in [-1.5, 0.0, 1.5, 3.0, 4.0, 9.0] {
            histogram.observe(value);
        }
        let expected = json!({"count": 6, "sum": 16.0, "buckets": [1, 1, 1, 2, 1]});
        let found = together(&board).into_iter().map(Value::Object);
        assert_eq!(found.collect::<Vec<_>>(), [expected]);
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
