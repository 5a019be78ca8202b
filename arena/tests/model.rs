//! Any sequence of registrations and updates against a plain map, on both update paths, on
//! boards so small that some of it is refused.

use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use tallyboard::{
    Board, Counter, FamilyView, Gauge, Histogram, Kind, Location, Number, Reader, RegisterError,
    Summary, UpdatePath,
};

const BOUNDS: [f64; 4] = [-1.0, 0.25, 1.0, 8.0];

/// What a metric of the map has come to.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Counter { integers: u64, floats: f64 },
    Gauge(f64),
    Histogram { buckets: [u64; 5], sum: f64 },
    Summary { count: u64, sum: f64 },
}

/// A handle of any type.
enum Handle {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
    Summary(Summary),
}

/// One step of a sequence. `amount` is a multiple of 1/4 of a size that sums exactly.
#[derive(Clone, Debug)]
struct Update {
    metric: usize,
    values: Vec<String>,
    what: u8,
    amount: f64,
}

/// A family that a sequence uses.
#[derive(Clone, Debug)]
struct Metric {
    name: String,
    kind: u8,
    labels: Vec<String>,
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{0,12}",
        4 => any::<String>(),
        1 => "\\PC{100,400}",
        // Longer than the longest chain: refused whole.
        1 => Just("x".repeat(20_000)),
    ]
}

fn metric() -> impl Strategy<Value = Metric> {
    let labels = prop::collection::vec(
        prop_oneof!["[a-c]{0,2}", "__[a-z]", "le", any::<String>()],
        0..3,
    );
    let name = prop_oneof![3 => "[a-d]{1,2}", 1 => any::<String>()];
    (name, 0..4_u8, labels).prop_map(|(name, kind, labels)| Metric { name, kind, labels })
}

fn update() -> impl Strategy<Value = Update> {
    let values = prop::collection::vec(text(), 0..3);
    (0..8_usize, values, 0..4_u8, -64..64_i32).prop_map(|(metric, values, what, quarters)| Update {
        metric,
        values,
        what,
        amount: f64::from(quarters) / 4.0,
    })
}

/// Whether the map would take this definition, by the rules of Prometheus.
fn is_allowed(metric: &Metric) -> bool {
    let reserved = match metric.kind {
        2 => Some("le"),
        3 => Some("quantile"),
        _ => None,
    };
    let mut sorted = metric.labels.clone();
    sorted.sort();
    sorted.dedup();
    !metric.name.is_empty()
        && sorted.len() == metric.labels.len()
        && metric.labels.iter().all(|label| {
            !label.is_empty() && !label.starts_with("__") && Some(label.as_str()) != reserved
        })
}

fn kind(code: u8) -> Kind {
    [Kind::Counter, Kind::Gauge, Kind::Histogram, Kind::Summary][usize::from(code)]
}

fn register(board: &Board, metric: &Metric, values: &[String]) -> Result<Handle, RegisterError> {
    let labels: Vec<&str> = metric.labels.iter().map(String::as_str).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let name = &metric.name;
    Ok(match metric.kind {
        0 => Handle::Counter(
            board
                .counter(name, "Help.")
                .labels(&labels)
                .family()?
                .try_with(&values)?,
        ),
        1 => Handle::Gauge(
            board
                .gauge(name, "Help.")
                .labels(&labels)
                .family()?
                .try_with(&values)?,
        ),
        2 => {
            let builder = board.histogram(name, "Help.").buckets(&BOUNDS);
            Handle::Histogram(builder.labels(&labels).family()?.try_with(&values)?)
        }
        _ => Handle::Summary(
            board
                .summary(name, "Help.")
                .labels(&labels)
                .family()?
                .try_with(&values)?,
        ),
    })
}

fn apply(handle: &Handle, value: &mut Value, update: &Update) {
    let amount = update.amount;
    match (handle, value) {
        (Handle::Counter(counter), Value::Counter { integers, floats }) => match update.what {
            0 => {
                counter.inc();
                *integers += 1;
            }
            1 => {
                counter.add(amount.abs() as u64);
                *integers += amount.abs() as u64;
            }
            _ => {
                assert_eq!(counter.add_f64(amount), amount >= 0.0);
                *floats += amount.max(0.0);
            }
        },
        (Handle::Gauge(gauge), Value::Gauge(value)) => match update.what {
            0 => {
                gauge.set(amount);
                *value = amount;
            }
            1 => {
                gauge.inc();
                *value += 1.0;
            }
            2 => {
                gauge.dec();
                *value -= 1.0;
            }
            _ => {
                gauge.sub(amount);
                *value -= amount;
            }
        },
        (Handle::Histogram(histogram), Value::Histogram { buckets, sum }) => {
            histogram.observe(amount);
            buckets[BOUNDS.iter().filter(|bound| amount > **bound).count()] += 1;
            *sum += amount;
        }
        (Handle::Summary(summary), Value::Summary { count, sum }) => {
            summary.observe(amount);
            *count += 1;
            *sum += amount;
        }
        _ => unreachable!("a handle and its value are of one type"),
    }
}

fn zero(kind: u8) -> Value {
    match kind {
        0 => Value::Counter {
            integers: 0,
            floats: 0.0,
        },
        1 => Value::Gauge(0.0),
        2 => Value::Histogram {
            buckets: [0; 5],
            sum: 0.0,
        },
        _ => Value::Summary { count: 0, sum: 0.0 },
    }
}

/// What a handle says of itself; `None` for types that have no `get`.
fn own_word(handle: &Handle) -> Option<f64> {
    match handle {
        Handle::Counter(counter) => Some(counter.get().as_f64()),
        Handle::Gauge(gauge) => Some(gauge.get()),
        _ => None,
    }
}

fn read(reader: &Reader, kind: Kind, series: tallyboard::SeriesView<'_>) -> Value {
    match kind {
        Kind::Counter => match reader.counter(series).unwrap() {
            Number::Int(integers) => Value::Counter {
                integers,
                floats: 0.0,
            },
            Number::Float(sum) => Value::Counter {
                integers: 0,
                floats: sum,
            },
        },
        Kind::Gauge => Value::Gauge(reader.gauge(series).unwrap()),
        Kind::Histogram => {
            let mut buckets = [0; 5];
            let sum = reader.histogram(series, &mut buckets).unwrap();
            Value::Histogram { buckets, sum }
        }
        Kind::Summary => {
            let (count, sum) = reader.summary(series).unwrap();
            Value::Summary { count, sum }
        }
        _ => unreachable!("four types"),
    }
}

/// A series of the map: name, and label names with values in the order of the names.
type Series = (String, BTreeMap<String, String>);

fn run(metrics: &[Metric], updates: &[Update]) {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let at = Location::Path(directory.path().join("model.board"));
    let board = Board::options().slots(64).processes(1).open(&at).unwrap();
    // The kind that a name has on the board, and what was counted.
    let mut kinds: HashMap<String, u8> = HashMap::new();
    let mut map: HashMap<Series, (u8, Value, Handle)> = HashMap::new();
    let mut refused = 0;
    for update in updates {
        let metric = &metrics[update.metric % metrics.len()];
        // Too few values are errors, too many are cut here so that most updates count.
        let values = &update.values[..update.values.len().min(metric.labels.len())];
        let outcome = register(&board, metric, values);
        let handle = match outcome {
            Ok(handle) => handle,
            Err(RegisterError::Refused { .. }) => {
                // The family may have found room, and only the series not.
                refused += 1;
                let mut reader = Reader::new(&board);
                reader.refresh();
                let same = |family: &&FamilyView| family.name == metric.name;
                if let Some(family) = reader.families().iter().find(same) {
                    assert_eq!(family.kind, kind(metric.kind));
                    kinds.entry(metric.name.clone()).or_insert(metric.kind);
                }
                continue;
            }
            Err(RegisterError::Clash {
                on_board, wanted, ..
            }) => {
                assert_eq!(
                    kinds.get(&metric.name).map(|code| kind(*code)),
                    Some(on_board)
                );
                assert_eq!(wanted, kind(metric.kind));
                assert_ne!(on_board, wanted);
                continue;
            }
            Err(RegisterError::LabelCount { .. }) => {
                assert_ne!(values.len(), metric.labels.len());
                kinds.entry(metric.name.clone()).or_insert(metric.kind);
                continue;
            }
            Err(error) => {
                assert!(!is_allowed(metric), "{error}");
                continue;
            }
        };
        assert!(is_allowed(metric));
        assert_eq!(
            *kinds.entry(metric.name.clone()).or_insert(metric.kind),
            metric.kind
        );
        let labels = metric
            .labels
            .iter()
            .cloned()
            .zip(values.iter().cloned())
            .collect();
        let known = map.entry((metric.name.clone(), labels)).or_insert_with(|| {
            (
                metric.kind,
                zero(metric.kind),
                register(&board, metric, values).unwrap(),
            )
        });
        apply(&handle, &mut known.1, update);
        // The handle of the first registration means the same series.
        if let (Some(one), Some(two)) = (own_word(&handle), own_word(&known.2)) {
            assert_eq!(one, two);
        }
    }
    let counted: u64 = board.stats().refused.iter().map(|(_, count)| count).sum();
    assert_eq!(counted, refused, "each refusal is counted once");
    let mut faults = board.check();
    // That it is full is no damage.
    faults.retain(|fault| fault.place != "board");
    assert_eq!(faults, []);
    compare(&board, &map);
}

/// A family of one name may have been defined with several sets of labels: a reader shows
/// the newest, and all of that one.
fn compare(board: &Board, map: &HashMap<Series, (u8, Value, Handle)>) {
    let mut reader = Reader::new(board);
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    let mut shown = 0;
    for family in reader.families() {
        for series in &family.series {
            let labels = family
                .label_names
                .iter()
                .cloned()
                .zip(reader.label_values(series).unwrap());
            let name = (family.name.clone(), labels.collect());
            let (code, expected, handle) = &map[&name];
            assert_eq!(kind(*code), family.kind);
            let mut value = read(&reader, family.kind, series);
            if let (
                Value::Counter { integers, floats },
                Value::Counter {
                    integers: i,
                    floats: f,
                },
            ) = (expected, &mut value)
            {
                // Multiples of 1/4 that are small enough sum exactly.
                assert_eq!(*integers as f64 + floats, *i as f64 + *f, "{name:?}");
                value = expected.clone();
            }
            assert_eq!(value, *expected, "{name:?}");
            if let Some(own) = own_word(handle) {
                let expected = match expected {
                    Value::Counter { integers, floats } => *integers as f64 + floats,
                    Value::Gauge(value) => *value,
                    _ => unreachable!("only these say"),
                };
                assert_eq!(own, expected, "{name:?}");
            }
            shown += 1;
        }
        let newest = |(name, labels): &&Series| {
            *name == family.name && labels.keys().eq(family.label_names.iter())
        };
        assert_eq!(
            map.keys().filter(newest).count(),
            family.series.len(),
            "{}",
            family.name
        );
    }
    assert!(shown <= map.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_board_is_a_map(
        metrics in prop::collection::vec(metric(), 1..8),
        updates in prop::collection::vec(update(), 0..160),
    ) {
        run(&metrics, &updates);
    }
}

/// The same on the shared plane, in a process of its own: the path is chosen when a board is
/// mapped.
#[test]
fn a_board_is_a_map_on_the_shared_plane_too() {
    const MARK: &str = "TALLYBOARD_TEST_SHARED";
    if std::env::var_os(MARK).is_some() {
        let board = Board::open(&Location::Private).unwrap();
        assert_eq!(board.update_path(), UpdatePath::Shared);
        return;
    }
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .env("TALLYBOARD_RSEQ", "off")
        .env(MARK, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{text}");
    assert!(text.contains("3 passed"), "{text}");
}

#[test]
fn a_full_board_keeps_what_it_has() {
    let metrics = [Metric {
        name: "n".into(),
        kind: 2,
        labels: vec!["v".into()],
    }];
    let updates: Vec<Update> = (0..200)
        .map(|n| Update {
            metric: 0,
            values: vec![(n % 50).to_string()],
            what: 0,
            amount: f64::from(n) / 4.0,
        })
        .collect();
    run(&metrics, &updates);
}
