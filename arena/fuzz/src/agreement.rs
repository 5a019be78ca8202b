//! That a board and the model say the same.

use crate::handle::Handle;
use crate::model::{self, Bound, Buckets, Model, Outcome, Value};
use std::collections::{BTreeMap, HashMap};
use tallyboard::{Aggregation, Kind, NativeCounts, Number, Reader, RegisterError, SeriesView};

/// The same number, or the same error.
///
/// # Panics
/// When they are not.
pub fn same(outcome: Result<u64, RegisterError>, expected: Result<u64, Outcome>) {
    agree(&outcome, &expected);
    assert_eq!(outcome.ok(), expected.ok());
}

/// The same outcome, or the same error.
///
/// # Panics
/// When they are not.
pub fn agree<T, U>(outcome: &Result<T, RegisterError>, expected: &Result<U, Outcome>) {
    let outcome = match outcome {
        Ok(_) => Outcome::Ok,
        Err(RegisterError::Clash { on_board, .. }) => Outcome::Clash(*on_board),
        Err(RegisterError::LabelCount { .. }) => Outcome::LabelCount,
        Err(RegisterError::Refused { reason, .. }) => Outcome::Refused(*reason),
        Err(_) => Outcome::Invalid,
    };
    let expected = expected.as_ref().err().copied();
    assert_eq!(outcome, expected.unwrap_or(Outcome::Ok));
}

/// What a handle says of itself, where it does.
///
/// # Panics
/// When it says something else.
pub fn assert_own_value(handle: &Handle, bound: &Bound, model: &mut Model) {
    match handle {
        Handle::Counter(counter) => match model.value(bound) {
            Some(Value::Counter { integers, floats }) => {
                assert_number(counter.get(), *integers, *floats);
            }
            Some(_) => unreachable!("a handle and its value are of one type"),
            None => assert_number(counter.get(), 0, 0.0),
        },
        Handle::Gauge(gauge) => {
            let value = model.own_value(bound);
            assert!(is_same(gauge.get(), value), "{gauge:?} {value}");
        }
        Handle::StateSet(set) => {
            let place = match model.value(bound) {
                Some(Value::State(state)) => *state,
                _ => 0,
            };
            assert_eq!(set.place(), place);
        }
        Handle::Histogram(_) | Handle::Summary(_) | Handle::Info(_) => {}
    }
}

fn assert_number(number: Number, integers: u64, floats: f64) {
    let expected = if floats == 0.0 {
        Number::Int(integers)
    } else {
        Number::Float(integers as f64 + floats)
    };
    assert_eq!(number, expected);
}

/// A reader sees one definition of each name, with all its series, and nothing else.
///
/// # Panics
/// When it sees anything else.
pub fn compare(reader: &mut Reader, model: &Model) {
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    let shown = model.shown();
    assert_eq!(reader.families().len(), shown.len());
    for family in reader.families() {
        let (newest, hidden) = shown[&*family.name];
        assert_eq!(family.kind, newest.kind);
        assert_eq!(family.aggregation, newest.aggregation);
        assert_eq!(family.help, newest.shown_help());
        assert_eq!(family.label_names, newest.labels);
        assert_eq!(family.bounds, newest.bounds);
        assert_eq!(family.states, newest.states);
        let window = family.native.map(|window| {
            (
                window.first_index(),
                window.last_index(),
                window.is_signed(),
            )
        });
        let buckets = newest
            .native
            .map(|own| (own.first, own.first + own.count as i32 - 1, own.is_signed));
        assert_eq!(window, buckets);
        assert_eq!(family.hidden_series, hidden);
        assert_eq!(reader.overflows(family), newest.overflows);
        let seen: HashMap<_, _> = family
            .series
            .iter()
            .map(|series| (reader.label_values(series).expect("alive"), series))
            .collect();
        assert_eq!(seen.len(), family.series.len());
        assert_eq!(seen.len(), newest.series.len());
        for (values, series) in &newest.series {
            let seen = seen[values];
            assert_read(reader, seen, &series.value, newest.aggregation);
            if let Value::State(state) = series.value {
                assert_eq!(reader.state(family, seen), Some(state));
            }
            assert_said(reader, seen, newest.kind, newest.bounds.len(), &series.said);
        }
    }
}

/// Exemplars, or what an info says.
fn assert_said(
    reader: &Reader,
    series: SeriesView<'_>,
    kind: Kind,
    bounds: usize,
    said: &model::Annexes,
) {
    if kind == Kind::Info {
        let expected = said.get(&0).map_or(&[][..], |(_, pairs)| pairs);
        return assert_eq!(reader.info(series), Some(expected));
    }
    for place in 0..=bounds {
        let seen = reader.exemplar(series, place);
        match (seen, said.get(&place)) {
            (None, None) => {}
            (Some(seen), Some((Some(value), pairs))) => {
                assert!(is_same(seen.value, *value), "{seen:?} {value}");
                assert_eq!(seen.labels, *pairs);
            }
            other => panic!("{place}: {other:?}"),
        }
    }
}

/// The cells of a native histogram as a reader has them: what lies outside is in the outermost
/// buckets, too.
fn assert_native(reader: &Reader, series: SeriesView<'_>, own: &Buckets, cells: &[u64], sum: f64) {
    let mut seen = NativeCounts::default();
    let seen_sum = reader.native(series, &mut seen).expect("alive");
    assert!(is_same(seen_sum, sum), "{seen_sum} {sum}");
    let side = |cells: Vec<u64>| {
        let mut cells = cells;
        let outside = cells.pop().unwrap_or(0);
        if let Some(last) = cells.last_mut() {
            *last += outside;
        }
        let indexed = cells.into_iter().enumerate();
        let indexed = indexed.map(|(at, count)| (own.first + at as i32, count));
        indexed.filter(|(_, count)| *count > 0).collect::<Vec<_>>()
    };
    let zero = 1 + if own.is_signed { own.count } else { 0 };
    assert_eq!(
        seen.positive().collect::<Vec<_>>(),
        side(cells[zero + 1..].to_vec())
    );
    let negative: Vec<u64> = cells[..zero].iter().rev().copied().collect();
    let (negative, below) = match own.is_signed {
        true => (side(negative), 0),
        false => (Vec::new(), cells[0]),
    };
    assert_eq!(seen.negative().collect::<Vec<_>>(), negative);
    assert_eq!(seen.zero(), cells[zero] + below);
    assert_eq!(
        (seen.below(), seen.above()),
        (cells[0], cells[cells.len() - 1])
    );
    assert_eq!(seen.count(), cells.iter().sum::<u64>());
}

fn assert_read(reader: &Reader, series: SeriesView<'_>, value: &Value, how: Aggregation) {
    match value {
        Value::Counter { integers, floats } => {
            let number = reader.counter(series).expect("alive");
            assert_number(number, *integers, *floats);
        }
        Value::Gauge(value) => {
            let seen = reader.gauge(series).expect("alive");
            assert!(is_same(seen, *value), "{seen} {value}");
        }
        Value::Split(split) => {
            let seen = reader.gauge(series);
            let expected = split.combined(how);
            let agrees = match (seen, expected) {
                (Some(seen), Some(expected)) => is_same(seen, expected),
                (seen, expected) => seen == expected,
            };
            assert!(agrees, "{how}: {seen:?} {expected:?}");
            let seen: BTreeMap<_, _> = reader.by_process(series).into_iter().collect();
            let expected = match how.is_by_process() {
                true => split.by_process(),
                false => BTreeMap::new(),
            };
            assert!(seen.keys().eq(expected.keys()), "{seen:?} {expected:?}");
            let mut values = seen.values().zip(expected.values());
            assert!(
                values.all(|(a, b)| is_same(*a, *b)),
                "{seen:?} {expected:?}"
            );
        }
        Value::Histogram {
            native: Some(native),
            buckets,
            sum,
        } => assert_native(reader, series, native, buckets, *sum),
        Value::Info | Value::State(_) => {}
        Value::Histogram { buckets, sum, .. } => {
            let mut seen = vec![0; buckets.len()];
            let seen_sum = reader.histogram(series, &mut seen).expect("alive");
            assert_eq!(seen, *buckets);
            assert!(is_same(seen_sum, *sum), "{seen_sum} {sum}");
        }
        Value::Summary { count, sum } => {
            let (seen, seen_sum) = reader.summary(series).expect("alive");
            assert_eq!(seen, *count);
            assert!(is_same(seen_sum, *sum), "{seen_sum} {sum}");
        }
    }
}

/// Whether two numbers are the same value; NaN is.
fn is_same(one: f64, two: f64) -> bool {
    one == two || (one.is_nan() && two.is_nan())
}
