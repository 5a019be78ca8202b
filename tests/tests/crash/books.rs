//! What processes say they did, held against the boards.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::said;
use tallyboard::{
    Aggregation, Board, FamilyView, Kind, Number, Reader, RefusedReason, RegisterError, SeriesView,
};
use tallyboard_tests::{Ledger, Metric, OTHER_GAUGES, key};

/// Where a process keeps its ledger.
pub(crate) fn path(folder: &Path, actor: usize) -> PathBuf {
    folder.join(format!("ledger-{actor}"))
}

/// The ledgers of the processes of one case.
#[derive(Default)]
pub(crate) struct Books(Vec<(usize, usize, Ledger)>);

impl Books {
    /// A ledger for so many pieces of this process.
    pub(crate) fn open_for(&mut self, folder: &Path, actor: usize, pieces: usize) {
        let ledger = Ledger::create(path(folder, actor), pieces);
        self.0.push((actor, pieces, ledger));
    }

    /// Pieces that the process has begun and not done.
    pub(crate) fn unfinished(&self, actor: usize) -> u64 {
        let (_, pieces, ledger) = self
            .0
            .iter()
            .find(|(owner, ..)| *owner == actor)
            .expect("it was opened");
        let entries = ledger.entries(*pieces);
        entries.iter().map(|(begun, done)| begun - done).sum()
    }

    /// For each key the pieces begun and done, by all processes.
    pub(crate) fn bounds(&self) -> BTreeMap<String, (u64, u64)> {
        let mut bounds = BTreeMap::new();
        for (actor, pieces, ledger) in &self.0 {
            for (number, (begun, done)) in ledger.entries(*pieces).into_iter().enumerate() {
                let total: &mut (u64, u64) = bounds.entry(key(*actor, number)).or_default();
                *total = (total.0 + begun, total.1 + done);
            }
        }
        bounds
    }
}

/// A reader that has read the board.
pub(crate) fn read(board: &Board) -> Reader {
    let mut reader = Reader::new(board);
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    reader
}

/// What the series of a metric have counted, by label value: how often, and the sum of a histogram.
type Counted = HashMap<String, (u64, Option<f64>)>;

fn counted(reader: &Reader, metric: Metric) -> Counted {
    let mut counted = HashMap::new();
    let families = reader.families().iter();
    for family in families.filter(|family| family.name == metric.name()) {
        let mut buckets = vec![0; family.bounds.len() + 1];
        for series in &family.series {
            let labels = reader.label_values(series).expect("it lives");
            let label_value = labels[0].clone();
            let value = match family.kind {
                Kind::Histogram => {
                    let sum = reader.histogram(series, &mut buckets).expect("it lives");
                    (buckets.iter().sum(), Some(sum))
                }
                Kind::Gauge => {
                    let sum = reader.gauge(series).expect("a sum of nothing is 0");
                    assert_eq!(sum, sum.trunc(), "{label_value} was only ever counted up");
                    (sum as u64, None)
                }
                _ => match reader.counter(series) {
                    Some(Number::Int(value)) => (value, None),
                    other => panic!("{label_value} has counted {other:?}"),
                },
            };
            let twin = counted.insert(label_value, value);
            assert!(twin.is_none(), "two series have the same label: {series:?}");
        }
    }
    counted
}

/// What was begun and done with each key is what the board has counted.
pub(crate) fn assert_counted(
    board: &Board,
    metric: Metric,
    bounds: &BTreeMap<String, (u64, u64)>,
    case: &impl Display,
) {
    let reader = read(board);
    said::assert_said(&reader, metric, bounds, case);
    if matches!(metric, Metric::Info | Metric::States) {
        return;
    }
    let counted = counted(&reader, metric);
    for (key, (begun, done)) in bounds {
        let told = counted.get(&metric.label_value(key));
        let (count, sum) = told.copied().unwrap_or_default();
        assert!(
            *done <= count && count <= *begun,
            "{case}: {key}: done {done}, counted {count}, begun {begun}"
        );
        // A death between a histogram's two updates leaves the sum one observation short.
        if let Some(sum) = sum {
            assert!(
                *done as f64 <= sum && sum <= count as f64,
                "{case}: {key}: done {done}, sum {sum}, counted {count}"
            );
        }
    }
}

/// When all are dead: the gauges that they set to 1, as their aggregations say.
pub(crate) fn assert_other_gauges(board: &Board, case: &impl Display) {
    let reader = read(board);
    for how in OTHER_GAUGES {
        let name = format!("level_{how}");
        let families = reader.families().iter();
        let series = families.filter(|family| family.name == name);
        for series in series.flat_map(|family| &family.series) {
            let value = reader.gauge(series);
            match how {
                Aggregation::LiveSum => assert_eq!(value, Some(0.0), "{case}: {series:?}"),
                // Its setter may have died before it set it.
                Aggregation::Min | Aggregation::Max => {
                    assert!(matches!(value, None | Some(1.0)), "{case}: {value:?}");
                }
                _ => assert_eq!(value, None, "{case}: {series:?}"),
            }
            let by_process = reader.by_process(series);
            assert!(
                by_process.iter().all(|(_, value)| *value == 1.0),
                "{case}: {by_process:?}"
            );
        }
    }
}

/// The slots that a chain takes (LAYOUT.md, section 8).
fn chain(text_len: usize, cells: usize) -> u32 {
    let for_text = 1 + text_len.saturating_sub(192).div_ceil(248);
    for_text.max(cells.div_ceil(3)) as u32
}

/// The length of a text field (LAYOUT.md, section 9).
fn field(text: &str) -> usize {
    2 + text.len()
}

fn chain_of_family(family: &FamilyView) -> u32 {
    let texts = [&family.name, &family.unit, &family.help];
    let texts = texts.into_iter().chain(&family.label_names);
    let texts = texts.chain(&family.states);
    let numbers = match family.native {
        Some(_) => 1,
        None => family.bounds.len(),
    };
    let text_len = 6 + texts.map(|text| field(text)).sum::<usize>() + 8 * numbers;
    chain(text_len, 0)
}

fn cells(family: &FamilyView) -> usize {
    match (family.kind, family.native) {
        (Kind::Histogram, Some(window)) => {
            (window.last_index() - window.first_index()) as usize + 1 + 4
        }
        (Kind::Histogram, None) => family.bounds.len() + 2,
        (Kind::Info, _) => 0,
        (Kind::StateSet, _) => 1,
        _ => 2,
    }
}

/// What holds of what was said of a series, if anything was.
fn chain_of_annex(reader: &Reader, series: SeriesView<'_>) -> Option<u32> {
    const KEY: usize = 8;
    let (pairs, fixed) = match (reader.exemplar(series, 0), reader.info(series)) {
        (Some(exemplar), _) => (&exemplar.labels[..], KEY + 8),
        (None, None | Some([])) => return None,
        (None, Some(pairs)) => (pairs, KEY),
    };
    let fields = pairs.iter().map(|(name, value)| field(name) + field(value));
    Some(chain(fixed + fields.sum::<usize>(), 0))
}

fn chains_of_series(reader: &Reader, family: &FamilyView) -> Vec<u32> {
    let cells = cells(family);
    let series = family.series.iter().flat_map(|series| {
        let labels = reader.label_values(series).expect("it lives");
        let text_len = labels.iter().map(|value| field(value)).sum();
        [Some(chain(text_len, cells)), chain_of_annex(reader, series)]
    });
    series.flatten().collect()
}

fn chains(reader: &Reader) -> Vec<u32> {
    let families = reader.families().iter();
    families
        .flat_map(|family| {
            let mut chains = chains_of_series(reader, family);
            chains.push(chain_of_family(family));
            chains
        })
        .collect()
}

/// Slots that are not free and belong to nothing that a reader sees. Of a board that nobody changes.
pub(crate) fn leaked(board: &Board) -> u32 {
    let chains: u32 = chains(&read(board)).iter().sum();
    let stats = board.stats();
    let (seen, used) = (chains + stats.parts, stats.slots_used);
    assert!(seen <= used, "{seen} slots are seen, {used} are in use");
    assert!(
        stats.leaked <= used - seen,
        "a slot in use is called leaked"
    );
    used - seen
}

/// The longest chain that this case's processes make: of what is on the board, since each kind is there.
pub(crate) fn longest_chain(board: &Board) -> u32 {
    chains(&read(board)).into_iter().max().unwrap_or(1)
}

/// Nothing is wrong with the board, nothing has leaked, and nothing was refused.
pub(crate) fn assert_sound(board: &Board, case: &impl Display) {
    let faults: Vec<String> = board.check().iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{case}: {faults:#?}");
    assert_eq!(leaked(board), 0, "{case}: slots leaked");
    let stats = board.stats();
    assert_eq!(stats.leaked, 0, "{case}: slots leaked");
    // Who counts on a board that is given up and has not lost its name has nowhere to go.
    let is_due = |reason: &RefusedReason| board.is_retired() && *reason == RefusedReason::Retired;
    let refused = stats.refused.iter();
    let refused = refused.filter(|(reason, times)| *times > 0 && !is_due(reason));
    assert_eq!(refused.count(), 0, "{case}: {:?}", stats.refused);
}

/// Registers until the board is full: every slot that nothing uses can be had.
pub(crate) fn fill(board: &Board, case: &impl Display) {
    let before = board.stats();
    let builder = board.counter("fill_total", "").labels(&["slot"]);
    let family = builder
        .family()
        .unwrap_or_else(|error| panic!("{case}: {error}"));
    for slot in before.slots_used + 1..before.slots {
        let series = family.try_with(&[&slot.to_string()]);
        series.unwrap_or_else(|error| panic!("{case}: {slot} slots are in use: {error}"));
    }
    match family.try_with(&["one too many"]) {
        Err(RegisterError::Refused {
            reason: RefusedReason::BoardFull,
            ..
        }) => {}
        outcome => panic!("{case}: a full board answered {outcome:?}"),
    }
    assert_eq!(board.stats().slots_used, before.slots);
    assert_eq!(leaked(board), 0, "{case}: slots leaked");
    let faults: Vec<String> = board.check().iter().map(ToString::to_string).collect();
    let [full] = &faults[..] else {
        panic!("{case}: {faults:#?}");
    };
    assert!(full.contains("has no free slot"), "{case}: {full}");
}
