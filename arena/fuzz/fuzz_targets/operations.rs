//! Any sequence of operations on a small board against a model: values and refusals agree
//! after each.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use std::collections::HashMap;
use std::sync::LazyLock;
use tallyboard::{
    Board, BoardOptions, Counter, Gauge, Histogram, Kind, Location, Number, Reader, RegisterError,
    SeriesView, Summary,
};
use tallyboard_fuzz::model::{Definition, Key, Model, Outcome, SLOTS, Value, is_same};
use tallyboard_fuzz::{File, child};

/// Operations of one input.
const MAX_OPERATIONS: usize = 200;
/// Each process takes a row: with more than the board has, registrations would be refused.
const MAX_FORKS: usize = 2;
const PROCESSES: u32 = 4;

/// Numbers are places in the pools below.
#[derive(Arbitrary, Debug)]
enum Operation {
    /// Registers a series, or finds it, and keeps its handle.
    Register(Metric),
    /// The same, only of the family.
    Declare(Metric),
    /// `inc`, of a counter or gauge.
    Inc(u8),
    /// `add` of a counter, `dec` of a gauge.
    AddInteger(u8, u64),
    /// `add_f64`, `add` or `observe`.
    Add(u8, Amount),
    /// `set`, or `observe`.
    Set(u8, Amount),
    /// Opens the board once more; what was registered before is found through it.
    Reattach,
    /// A reader that is kept, and has not seen what came since its last look, looks again.
    Refresh { writable: bool },
    /// The rest happens in a child process.
    Fork,
}

#[derive(Arbitrary, Debug)]
struct Metric {
    name: u8,
    kind: u8,
    labels: u8,
    bounds: u8,
    help: u8,
    values: [u8; 2],
    /// One value too many or too few.
    miscounted: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Amount {
    Quarters(i16),
    Special(u8),
}

impl Amount {
    fn value(self) -> f64 {
        const SPECIAL: [f64; 4] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0];
        match self {
            Amount::Quarters(quarters) => f64::from(quarters) / 4.0,
            Amount::Special(place) => of(&SPECIAL, place),
        }
    }
}

const NAMES: [&str; 6] = ["a", "b_total", "c_seconds", "mit Umlaut: ä", "e", ""];
const KINDS: [Kind; 4] = [Kind::Counter, Kind::Gauge, Kind::Histogram, Kind::Summary];
const LABELS: [&[&str]; 9] = [
    &[],
    &["x"],
    &["x", "y"],
    // The same family as the one before.
    &["y", "x"],
    &["le"],
    &["quantile"],
    &["__x"],
    &["x", "x"],
    &[""],
];
const BOUNDS: [&[f64]; 6] = [
    &[1.0],
    &[],
    &[-1.5, 0.25, 8.0],
    &[1.0, 0.5],
    &[0.0, f64::NAN],
    &[
        0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0,
    ],
];

/// Texts of each length that a record treats in its own way: in a handle's key, in a head, in
/// a chain, too long for any chain, too long for their own length.
static TEXTS: LazyLock<[String; 8]> = LazyLock::new(|| {
    [
        String::new(),
        "v".into(),
        "quoted \"\\\n".into(),
        "ü".repeat(30),
        "long".repeat(75),
        "longer".repeat(500),
        "too long".repeat(2_500),
        "no length".repeat(8_000),
    ]
});

static FILE: LazyLock<File> = LazyLock::new(File::new);

fn of<T: Copy>(pool: &[T], place: u8) -> T {
    pool[usize::from(place) % pool.len()]
}

fn text(place: u8) -> &'static str {
    &TEXTS[usize::from(place) % TEXTS.len()]
}

impl Metric {
    fn definition(&self) -> Definition<'static> {
        let kind = of(&KINDS, self.kind);
        Definition {
            name: of(&NAMES, self.name),
            // Without the last: what cannot be said at all is refused before the board is looked at.
            help: text(self.help % (TEXTS.len() as u8 - 1)),
            kind,
            labels: of(&LABELS, self.labels),
            bounds: match kind {
                Kind::Histogram => of(&BOUNDS, self.bounds),
                _ => &[],
            },
        }
    }

    fn values(&self, labels: usize) -> Vec<&'static str> {
        let len = match (self.miscounted, labels) {
            (false, right) => right,
            (true, 2) => 1,
            (true, few) => few + 1,
        };
        let texts = self.values.iter().map(|place| text(*place));
        texts.take(len).collect()
    }
}

fuzz_target!(|operations: Vec<Operation>| {
    // Both made here, once: a child's would be made again for each input.
    let file = &*FILE;
    LazyLock::force(&TEXTS);
    child::run(|| {
        let at = Location::Path(file.path().to_owned());
        let mut run = Run::new(at);
        for operation in operations.iter().take(MAX_OPERATIONS) {
            run.step(operation);
        }
        run.finish();
    });
    file.remove();
});

/// A handle of any type.
enum Handle {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
    Summary(Summary),
}

struct Run {
    at: Location,
    board: Board,
    /// Readers of the writer's mapping, and of one of their own.
    readers: [Reader; 2],
    model: Model,
    handles: Vec<(Key, Handle)>,
    forks: usize,
}

fn options() -> BoardOptions {
    // The file may be on any filesystem: what is proven does not depend on it.
    Board::options()
        .slots(SLOTS)
        .processes(PROCESSES)
        .allow_any_filesystem(true)
}

impl Run {
    fn new(at: Location) -> Run {
        let board = options().create(&at).expect("room for a board");
        let readable = options().attach_read_only(&at).expect("the same board");
        Run {
            readers: [Reader::new(&board), Reader::new(&readable)],
            at,
            board,
            model: Model::default(),
            handles: Vec::new(),
            forks: 0,
        }
    }

    fn step(&mut self, operation: &Operation) {
        match *operation {
            Operation::Register(ref metric) => {
                let definition = metric.definition();
                let values = metric.values(definition.labels.len());
                let expected = self.model.series(&definition, &values);
                let outcome = register(&self.board, &definition, &values);
                agree(&outcome, &expected);
                if let (Ok(handle), Ok(key)) = (outcome, expected) {
                    assert_own_value(&handle, self.model.value(&key));
                    self.handles.push((key, handle));
                }
            }
            Operation::Declare(ref metric) => {
                let definition = metric.definition();
                let expected = self.model.family(&definition);
                agree(&declare(&self.board, &definition), &expected);
            }
            Operation::Inc(place) => self.update(place, |handle, value, _| match handle {
                Handle::Counter(counter) => {
                    counter.inc();
                    value.add(1);
                }
                Handle::Gauge(gauge) => {
                    gauge.inc();
                    change_gauge(value, |now| now + 1.0);
                }
                _ => {}
            }),
            Operation::AddInteger(place, n) => {
                self.update(place, |handle, value, _| match handle {
                    Handle::Counter(counter) => {
                        counter.add(n);
                        value.add(n);
                    }
                    Handle::Gauge(gauge) => {
                        gauge.dec();
                        change_gauge(value, |now| now - 1.0);
                    }
                    _ => {}
                });
            }
            Operation::Add(place, amount) => {
                let amount = amount.value();
                self.update(place, |handle, value, bounds| match handle {
                    Handle::Counter(counter) => {
                        assert_eq!(counter.add_f64(amount), value.add_f64(amount));
                    }
                    Handle::Gauge(gauge) => {
                        gauge.add(amount);
                        change_gauge(value, |now| now + amount);
                    }
                    Handle::Histogram(histogram) => {
                        histogram.observe(amount);
                        value.observe(bounds, amount);
                    }
                    Handle::Summary(summary) => {
                        summary.observe(amount);
                        value.observe(bounds, amount);
                    }
                });
            }
            Operation::Set(place, amount) => {
                let amount = amount.value();
                self.update(place, |handle, value, _| {
                    if let Handle::Gauge(gauge) = handle {
                        gauge.set(amount);
                        change_gauge(value, |_| amount);
                    }
                });
            }
            Operation::Reattach => {
                self.board = options().attach(&self.at).expect("the board is there");
            }
            Operation::Refresh { writable } => {
                compare(&mut self.readers[usize::from(!writable)], &self.model);
            }
            Operation::Fork => {
                if self.forks < MAX_FORKS {
                    self.forks += 1;
                    child::go_on_in_child();
                }
            }
        }
    }

    /// Gives a handle, its value in the model and its bounds to `update`, then compares.
    fn update(&mut self, place: u8, update: impl FnOnce(&Handle, &mut Value, &[f64])) {
        if self.handles.is_empty() {
            return;
        }
        let (key, handle) = &self.handles[usize::from(place) % self.handles.len()];
        let bounds = self.model.families[&key.0][key.1].bounds.clone();
        let value = self.model.value(key);
        update(handle, value, &bounds);
        assert_own_value(handle, value);
    }

    fn finish(mut self) {
        let stats = self.board.stats();
        assert_eq!(stats.slots_used as usize, self.model.used());
        for (reason, count) in stats.refused {
            assert_eq!(count, self.model.refused(reason), "{reason}");
        }
        assert!(stats.processes_used as usize <= 1 + self.forks);
        assert_eq!(self.board.check(), []);
        for reader in &mut self.readers {
            compare(reader, &self.model);
        }
    }
}

fn change_gauge(value: &mut Value, change: impl FnOnce(f64) -> f64) {
    if let Value::Gauge(value) = value {
        *value = change(*value);
    }
}

/// The same outcome, or the same error.
fn agree<T, U>(outcome: &Result<T, RegisterError>, expected: &Result<U, Outcome>) {
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

macro_rules! family {
    ($builder:expr, $definition:expr) => {
        $builder.labels($definition.labels).family()?
    };
}

fn declare(board: &Board, definition: &Definition<'_>) -> Result<(), RegisterError> {
    let Definition { name, help, .. } = *definition;
    match definition.kind {
        Kind::Counter => drop(family!(board.counter(name, help), definition)),
        Kind::Gauge => drop(family!(board.gauge(name, help), definition)),
        Kind::Histogram => {
            let builder = board.histogram(name, help).buckets(definition.bounds);
            drop(family!(builder, definition));
        }
        _ => drop(family!(board.summary(name, help), definition)),
    }
    Ok(())
}

fn register(
    board: &Board,
    definition: &Definition<'_>,
    values: &[&str],
) -> Result<Handle, RegisterError> {
    let Definition { name, help, .. } = *definition;
    Ok(match definition.kind {
        Kind::Counter => {
            Handle::Counter(family!(board.counter(name, help), definition).try_with(values)?)
        }
        Kind::Gauge => {
            Handle::Gauge(family!(board.gauge(name, help), definition).try_with(values)?)
        }
        Kind::Histogram => {
            let builder = board.histogram(name, help).buckets(definition.bounds);
            Handle::Histogram(family!(builder, definition).try_with(values)?)
        }
        _ => Handle::Summary(family!(board.summary(name, help), definition).try_with(values)?),
    })
}

/// What a handle says of itself, where it does.
fn assert_own_value(handle: &Handle, value: &Value) {
    match (handle, value) {
        (Handle::Counter(counter), Value::Counter { integers, floats }) => {
            assert_number(counter.get(), *integers, *floats);
        }
        (Handle::Gauge(gauge), Value::Gauge(value)) => {
            assert!(is_same(gauge.get(), *value), "{gauge:?} {value}");
        }
        (Handle::Histogram(_), Value::Histogram { .. })
        | (Handle::Summary(_), Value::Summary { .. }) => {}
        _ => unreachable!("a handle and its value are of one type"),
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

/// A reader sees the newest definition of each name, with all its series, and nothing else.
fn compare(reader: &mut Reader, model: &Model) {
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    assert_eq!(reader.families().len(), model.families.len());
    for family in reader.families() {
        let newest = model.families[&family.name].last().expect("one at least");
        assert_eq!(family.kind, newest.kind);
        assert_eq!(family.label_names, newest.labels);
        assert_eq!(family.bounds, newest.bounds);
        let seen: HashMap<_, _> = family
            .series
            .iter()
            .map(|series| (&series.label_values, series))
            .collect();
        assert_eq!(seen.len(), family.series.len());
        assert_eq!(seen.len(), newest.series.len());
        for (values, value) in &newest.series {
            assert_read(reader, seen[values], value);
        }
    }
}

fn assert_read(reader: &Reader, series: &SeriesView, value: &Value) {
    match value {
        Value::Counter { integers, floats } => {
            let number = reader.counter(series).expect("alive");
            assert_number(number, *integers, *floats);
        }
        Value::Gauge(value) => {
            let seen = reader.gauge(series).expect("alive");
            assert!(is_same(seen, *value), "{seen} {value}");
        }
        Value::Histogram { buckets, sum } => {
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
