//! What the writers' books say that a board must hold.

use std::path::Path;

use tallyboard::{Aggregation, Board, Kind, Native, NativeCounts, Number, Reader};
use tallyboard_tests::books::{
    Books, COUNTERS, HISTOGRAMS, ITEMS, LAST, LEVELS, OBSERVATIONS, SIGNALS, SUM, VALUES,
};
use tallyboard_tests::{PASSING, PASSING_SECONDS, bucket, is_made_of};

/// All writers' books.
pub(crate) struct Truth(Vec<Books>);

/// The item that a sample of this name and series counts.
pub(crate) fn item_of(name: &str, series: Option<usize>) -> Option<usize> {
    match (name, series) {
        ("torture_total", Some(series)) if series < COUNTERS => Some(series),
        ("torture_signals_total", None) => Some(SIGNALS),
        ("torture_last", None) => Some(LAST),
        ("torture_sum", None) => Some(SUM),
        ("torture_seconds_count", Some(series)) if series < HISTOGRAMS => {
            Some(OBSERVATIONS + series)
        }
        _ => None,
    }
}

impl Truth {
    pub(crate) fn open(books: &[&Path]) -> Truth {
        Truth(books.iter().map(|path| Books::open(path)).collect())
    }

    /// Updates done, of each item: not fewer are on a board that is read afterwards.
    pub(crate) fn done(&self) -> Vec<u64> {
        let all = |item| self.0.iter().map(|books| books.done(item)).sum();
        (0..ITEMS).map(all).collect()
    }

    /// Updates begun, of each item: not more were on a board that was read before.
    pub(crate) fn begun(&self) -> Vec<u64> {
        let all = |item| self.0.iter().map(|books| books.begun(item)).sum();
        (0..ITEMS).map(all).collect()
    }

    /// Looks at everything on the board, on which nobody counts any more.
    pub(crate) fn assert_board(&self, board: &Board) {
        let (done, begun) = (self.done(), self.begun());
        let mut seen = [false; ITEMS];
        let mut assert_item = |item: usize, value: f64, what: &str| {
            seen[item] = true;
            assert!(
                done[item] as f64 <= value && value <= begun[item] as f64,
                "{what}: done {}, counted {value}, begun {}",
                done[item],
                begun[item]
            );
        };
        let mut reader = Reader::new(board);
        reader.refresh();
        assert_eq!(reader.damaged(), 0);
        for family in reader.families() {
            for series in &family.series {
                // One that has ended since has none.
                let Some(labels) = reader.label_values(series) else {
                    continue;
                };
                let label = labels.first();
                let number = label.map(|value| value.parse::<usize>().expect("a number"));
                let what = format!("{} {number:?}", family.name);
                match family.kind {
                    Kind::Counter => {
                        let Some(Number::Int(value)) = reader.counter(series) else {
                            panic!("{what} has no whole number");
                        };
                        if family.name == PASSING {
                            let number = number.expect("it has a label") as u64;
                            assert!(is_made_of(value, number), "{what} has the value {value}");
                        } else {
                            let item = item_of(&family.name, number).expect("a counter of ours");
                            assert_item(item, value as f64, &what);
                        }
                        if let Some(exemplar) = reader.exemplar(series, 0) {
                            let own = ("series".to_owned(), label.expect("it has one").clone());
                            assert_eq!(exemplar.labels, [own], "{what}");
                            assert_eq!(exemplar.value, 1.0, "{what}");
                        }
                    }
                    Kind::Histogram if family.native.is_some() => {
                        let mut counts = NativeCounts::default();
                        reader.native(series, &mut counts).expect("a living series");
                        // 2^0.
                        let buckets: Vec<(i32, u64)> = counts.positive().collect();
                        assert!(matches!(buckets[..], [] | [(0, _)]), "{what}: {buckets:?}");
                        assert_eq!(counts.count(), buckets.iter().map(|(_, count)| count).sum());
                    }
                    Kind::Info => {
                        let said = reader.info(series).expect("a living series");
                        let is_whole = match said {
                            [] => true,
                            [(one, word), (other, again)] => {
                                one == "one" && other == "other" && word == again
                            }
                            _ => false,
                        };
                        assert!(is_whole, "{what}: {said:?}");
                    }
                    Kind::StateSet => {
                        assert!(reader.state(family, series).is_some(), "{what}");
                    }
                    Kind::Histogram => {
                        let mut counts = vec![0; family.bounds.len() + 1];
                        reader
                            .histogram(series, &mut counts)
                            .expect("a living series");
                        let all: u64 = counts.iter().sum();
                        let number = number.expect("it has a label");
                        if family.name == PASSING_SECONDS {
                            assert_eq!(counts[bucket(number as u64)], all, "{what}: {counts:?}");
                        } else {
                            assert_item(OBSERVATIONS + number, all as f64, &what);
                        }
                    }
                    _ => {
                        let value = reader.gauge(series);
                        match family.aggregation {
                            Aggregation::Min | Aggregation::Max => {
                                assert_extreme(&done, &begun, family.aggregation, value);
                            }
                            Aggregation::LiveSum => assert_eq!(value, Some(0.0)),
                            Aggregation::LiveAll => {
                                assert!(reader.by_process(series).is_empty(), "{what}");
                            }
                            how if how.is_live() => assert_eq!(value, None, "{what}"),
                            Aggregation::All => {}
                            _ => {
                                let item = item_of(&family.name, None).expect("a gauge of ours");
                                assert_item(item, value.expect("it was set"), &what);
                            }
                        }
                    }
                }
            }
        }
        for item in (0..VALUES).filter(|item| done[*item] > 0) {
            assert!(seen[item], "item {item} is not on the board");
        }
    }
}

/// The least or greatest of the levels that were begun may be there or not; those that were done are.
fn assert_extreme(done: &[u64], begun: &[u64], how: Aggregation, value: Option<f64>) {
    let levels =
        |of: &[u64]| -> Vec<usize> { (0..LEVELS).filter(|level| of[VALUES + level] > 0).collect() };
    let (done, begun) = (levels(done), levels(begun));
    let (inner, outer) = match how {
        Aggregation::Min => (done.first(), begun.first()),
        _ => (done.last(), begun.last()),
    };
    let (Some(inner), Some(outer)) = (inner, outer) else {
        return;
    };
    let value = value.expect("it was set") as usize;
    assert!(
        (*inner.min(outer)..=*inner.max(outer)).contains(&value),
        "{how}: {value}, not from {inner} to {outer}"
    );
}

/// By whoever has such a family, under any definition.
pub(crate) fn remove_all_series(board: &Board) {
    let mut reader = Reader::new(board);
    reader.refresh();
    for family in reader.families() {
        let names: Vec<&str> = family.label_names.iter().map(String::as_str).collect();
        let (name, help) = (&family.name, &family.help);
        let removed = match family.kind {
            Kind::Counter => board
                .counter(name, help)
                .labels(&names)
                .family()
                .map(|family| family.clear()),
            Kind::Histogram => {
                let builder = board.histogram(name, help).labels(&names);
                let builder = match family.native {
                    Some(window) => builder.native(Native::from(window)),
                    None => builder.buckets(&family.bounds),
                };
                builder.family().map(|family| family.clear())
            }
            Kind::Info => {
                let builder = board.info(name, help).labels(&names);
                builder.family().map(|family| family.clear())
            }
            Kind::StateSet => {
                let states: Vec<&str> = family.states.iter().map(String::as_str).collect();
                let builder = board.state_set(name, help, &states).labels(&names);
                builder.family().map(|family| family.clear())
            }
            _ => {
                let builder = board
                    .gauge(name, help)
                    .labels(&names)
                    .aggregation(family.aggregation);
                builder.family().map(|family| family.clear())
            }
        };
        assert!(matches!(removed, Ok(Ok(_))), "{name}: {removed:?}");
    }
}
