//! Any sequence of operations on a small board against a model: values and refusals agree
//! after each.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;
use std::time::Duration;
use tallyboard::{
    Aggregation, Board, BoardOptions, Counter, Family, Gauge, Histogram, Info, Kind, Location,
    Native, NativeCounts, Number, Reader, RegisterError, SeriesView, StateSet, Summary,
};
use tallyboard_fuzz::model::{
    self, Bound, Buckets, Definition, Model, Outcome, SLOTS, Value, is_same,
};
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
    /// `add_f64_with_exemplar` or `observe_with_exemplar`.
    Trace(u8, Amount, u8),
    /// `set`, of an info or a state set.
    Say(u8, u8),
    /// Ends a series.
    Remove(Metric),
    /// Ends all series of a family.
    Clear(Metric),
    /// Finishes what is left to be done, which is to give up definitions that nobody uses.
    Reap,
    /// Ends what has not changed since the last time.
    Expire,
    /// This process takes itself off the list, and may come back.
    Leave,
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
    aggregation: u8,
    cap: u8,
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
const KINDS: [Kind; 6] = [
    Kind::Counter,
    Kind::Gauge,
    Kind::Histogram,
    Kind::Summary,
    Kind::Info,
    Kind::StateSet,
];
/// Most often the one that is most often meant.
const AGGREGATIONS: [Aggregation; 12] = [
    Aggregation::Last,
    Aggregation::Last,
    Aggregation::Last,
    Aggregation::Sum,
    Aggregation::Min,
    Aggregation::Max,
    Aggregation::All,
    Aggregation::LiveSum,
    Aggregation::LiveMin,
    Aggregation::LiveMax,
    Aggregation::LiveAll,
    Aggregation::LiveLast,
];
const CAPS: [u64; 4] = [0, 0, 1, 3];
const LABELS: [&[&str]; 10] = [
    &[],
    &["x"],
    &["x", "y"],
    // The same family as the one before.
    &["y", "x"],
    &["le"],
    &["quantile"],
    &["__x"],
    &["pid"],
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

static NATIVE: [Buckets; 3] = [
    Buckets {
        native: Native::new().schema(0).range(1.0, 8.0),
        first: 0,
        count: 4,
        is_signed: false,
    },
    Buckets {
        native: Native::new().schema(0).range(0.5, 2.0).with_negative(),
        first: -1,
        count: 3,
        is_signed: true,
    },
    Buckets {
        native: Native::new().schema(0).range(0.25, 4096.0),
        first: -2,
        count: 15,
        is_signed: false,
    },
];
const STATES: [&[&str]; 6] = [
    &["off", "on"],
    &["a"],
    &["x", "y", "z"],
    &[],
    &["a", "a"],
    &["a", ""],
];

/// Of an exemplar, or what an info says.
const PAIRS: [&[(&str, &str)]; 10] = [
    &[],
    &[("version", "1")],
    &[("version", "2")],
    &[("b", "1"), ("a", "2")],
    &[("a", ""), ("a", "")],
    &[("__a", "1")],
    &[("", "1")],
    &[("x", "a label of some")],
    &[(
        "long",
        "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123",
    )],
    &[(
        "too long",
        "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 012345678 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789",
    )],
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
            bounds: match (kind, self.native()) {
                (Kind::Histogram, None) => of(&BOUNDS, self.bounds),
                _ => &[],
            },
            native: match kind {
                Kind::Histogram => self.native(),
                _ => None,
            },
            states: match kind {
                Kind::StateSet => of(&STATES, self.bounds),
                _ => &[],
            },
            aggregation: match kind {
                Kind::Gauge => of(&AGGREGATIONS, self.aggregation),
                _ => Aggregation::Last,
            },
            cap: of(&CAPS, self.cap),
        }
    }

    /// Every third one.
    fn native(&self) -> Option<&'static Buckets> {
        let place = usize::from(self.bounds) % (BOUNDS.len() + NATIVE.len());
        NATIVE.get(place.checked_sub(BOUNDS.len())?)
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
    Info(Info),
    StateSet(StateSet),
}

struct Run {
    at: Location,
    board: Board,
    /// Readers of the writer's mapping, and of one of their own.
    readers: [Reader; 2],
    model: Model,
    handles: Vec<(Bound, Handle)>,
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
                let expected = self.model.register(&definition, &values);
                let outcome = register(&self.board, &definition, &values);
                agree(&outcome, &expected);
                if let (Ok(handle), Ok(bound)) = (outcome, expected) {
                    assert_own_value(&handle, &bound, &mut self.model);
                    self.handles.push((bound, handle));
                }
            }
            Operation::Declare(ref metric) => {
                let definition = metric.definition();
                let expected = self.model.family(&definition);
                agree(&declare(&self.board, &definition), &expected);
            }
            Operation::Inc(place) => {
                self.update(place, Handle::counts, |handle, value, _| match handle {
                    Handle::Counter(counter) => {
                        counter.inc();
                        value.add(1);
                    }
                    Handle::Gauge(gauge) => {
                        gauge.inc();
                        change_gauge(value, |now| now + 1.0);
                    }
                    _ => {}
                })
            }
            Operation::AddInteger(place, n) => {
                self.update(place, Handle::counts, |handle, value, _| match handle {
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
                let takes = |handle: &Handle| match handle {
                    Handle::Counter(_) => (0.0..=f64::MAX).contains(&amount),
                    Handle::Info(_) | Handle::StateSet(_) => false,
                    _ => true,
                };
                self.update(place, takes, |handle, value, bounds| match handle {
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
                    _ => {}
                });
            }
            Operation::Trace(place, amount, labels) => self.trace(place, amount.value(), labels),
            Operation::Say(place, what) => self.say(place, what),
            Operation::Set(place, amount) => {
                let amount = amount.value();
                let takes = |handle: &Handle| matches!(handle, Handle::Gauge(_));
                self.update(place, takes, |handle, value, _| {
                    if let Handle::Gauge(gauge) = handle {
                        gauge.set(amount);
                        change_gauge(value, |_| amount);
                    }
                });
            }
            Operation::Remove(ref metric) => {
                let definition = metric.definition();
                let values = metric.values(definition.labels.len());
                let expected = self.model.remove(&definition, &values);
                same(
                    end(&self.board, &definition, Some(&values)),
                    expected.map(u64::from),
                );
            }
            Operation::Clear(ref metric) => {
                let definition = metric.definition();
                let expected = self.model.clear(&definition);
                same(end(&self.board, &definition, None), expected);
            }
            Operation::Reap => {
                self.board.reap();
                self.model.sweep();
            }
            Operation::Expire => {
                if self.model.knows_what_expires() {
                    assert_eq!(self.board.expire(Duration::ZERO), self.model.expire());
                }
            }
            Operation::Leave => {
                self.board.leave();
                self.model.leave();
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
                    self.model.fork();
                }
            }
        }
    }

    /// Updates through a handle, if it `takes` such an update, and in the model; then compares.
    fn update(
        &mut self,
        place: u8,
        takes: impl Fn(&Handle) -> bool,
        update: impl Fn(&Handle, &mut Value, &[f64]),
    ) {
        if self.handles.is_empty() {
            return;
        }
        let place = usize::from(place) % self.handles.len();
        let (bound, handle) = &mut self.handles[place];
        if !takes(handle) {
            // Not even a series that has ended begins again.
            update(handle, &mut Value::nothing(handle.kind()), &[]);
            return assert_own_value(handle, bound, &mut self.model);
        }
        let mut was_made = false;
        self.model.update(bound, |value, bounds| {
            was_made = true;
            update(handle, value, bounds);
        });
        if !was_made {
            // Nothing says which update it is that goes nowhere.
            update(handle, &mut Value::nothing(handle.kind()), &[]);
        }
        assert_own_value(handle, bound, &mut self.model);
    }

    fn trace(&mut self, place: u8, amount: f64, labels: u8) {
        if self.handles.is_empty() {
            return;
        }
        let labels = of(&PAIRS, labels);
        let at = usize::from(place) % self.handles.len();
        // It is the same update with or without an exemplar, which comes behind it.
        let takes = |handle: &Handle| match handle {
            Handle::Counter(_) => (0.0..=f64::MAX).contains(&amount),
            handle => matches!(handle, Handle::Histogram(_)),
        };
        let is_taken = takes(&self.handles[at].1);
        self.update(place, takes, |handle, value, bounds| match handle {
            Handle::Counter(counter) => {
                let taken = counter.add_f64_with_exemplar(amount, labels);
                assert_eq!(taken, value.add_f64(amount));
            }
            Handle::Histogram(histogram) => {
                histogram.observe_with_exemplar(amount, labels);
                value.observe(bounds, amount);
            }
            _ => {}
        });
        if is_taken {
            self.model.exemplify(&self.handles[at].0, amount, labels);
        }
    }

    fn say(&mut self, place: u8, what: u8) {
        if self.handles.is_empty() {
            return;
        }
        let at = usize::from(place) % self.handles.len();
        let (bound, handle) = &mut self.handles[at];
        match handle {
            Handle::Info(info) => {
                let pairs = of(&PAIRS, what);
                agree(&info.set(pairs), &self.model.say(bound, pairs));
            }
            Handle::StateSet(_) => {
                let state = usize::from(what % 4);
                let states = self.model.states(bound);
                let takes = |_: &Handle| state < states;
                self.update(place, takes, |handle, value, _| {
                    if let Handle::StateSet(set) = handle {
                        assert_eq!(set.set_place(state), state < states);
                        if let Value::State(now) = value {
                            *now = state;
                        }
                    }
                });
            }
            _ => {}
        }
    }

    fn finish(mut self) {
        let stats = self.board.stats();
        assert_eq!(stats.slots_used as usize, self.model.used());
        for (reason, count) in stats.refused {
            assert_eq!(count, self.model.refused(reason), "{reason}");
        }
        assert_eq!(stats.overflowed, self.model.overflowed());
        assert_eq!(stats.expired, self.model.expired());
        assert!(stats.processes_used as usize <= 1 + self.forks);
        // A full board is told of as soon as it has refused something.
        let faults = self.board.check().into_iter();
        let faults: Vec<_> = faults.filter(|fault| fault.place != "board").collect();
        assert_eq!(faults, []);
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

fn same(outcome: Result<u64, RegisterError>, expected: Result<u64, Outcome>) {
    agree(&outcome, &expected);
    assert_eq!(outcome.ok(), expected.ok());
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
        $builder
            .labels($definition.labels)
            .series_cap($definition.cap)
            .family()?
    };
}

/// The family of a definition, of its type.
enum AnyFamily {
    Counter(Family<Counter>),
    Gauge(Family<Gauge>),
    Histogram(Family<Histogram>),
    Summary(Family<Summary>),
    Info(Family<Info>),
    StateSet(Family<StateSet>),
}

fn declare(board: &Board, definition: &Definition<'_>) -> Result<AnyFamily, RegisterError> {
    let Definition { name, help, .. } = *definition;
    Ok(match definition.kind {
        Kind::Counter => AnyFamily::Counter(family!(board.counter(name, help), definition)),
        Kind::Gauge => {
            let builder = board.gauge(name, help);
            AnyFamily::Gauge(family!(
                builder.aggregation(definition.aggregation),
                definition
            ))
        }
        Kind::Histogram => {
            let builder = board.histogram(name, help);
            let builder = match definition.native {
                Some(buckets) => builder.native(buckets.native),
                None => builder.buckets(definition.bounds),
            };
            AnyFamily::Histogram(family!(builder, definition))
        }
        Kind::Info => AnyFamily::Info(family!(board.info(name, help), definition)),
        Kind::StateSet => {
            let builder = board.state_set(name, help, definition.states);
            AnyFamily::StateSet(family!(builder, definition))
        }
        _ => AnyFamily::Summary(family!(board.summary(name, help), definition)),
    })
}

fn register(
    board: &Board,
    definition: &Definition<'_>,
    values: &[&str],
) -> Result<Handle, RegisterError> {
    Ok(match declare(board, definition)? {
        AnyFamily::Counter(family) => Handle::Counter(family.try_with(values)?),
        AnyFamily::Gauge(family) => Handle::Gauge(family.try_with(values)?),
        AnyFamily::Histogram(family) => Handle::Histogram(family.try_with(values)?),
        AnyFamily::Summary(family) => Handle::Summary(family.try_with(values)?),
        AnyFamily::Info(family) => Handle::Info(family.try_with(values)?),
        AnyFamily::StateSet(family) => Handle::StateSet(family.try_with(values)?),
    })
}

/// Ends the series with these values, or all; how many there were.
fn end(
    board: &Board,
    definition: &Definition<'_>,
    values: Option<&[&str]>,
) -> Result<u64, RegisterError> {
    fn of<M>(family: &Family<M>, values: Option<&[&str]>) -> Result<u64, RegisterError>
    where
        Family<M>: Ends,
    {
        match values {
            Some(values) => family.end_one(values).map(u64::from),
            None => family.end_all(),
        }
    }
    match declare(board, definition)? {
        AnyFamily::Counter(family) => of(&family, values),
        AnyFamily::Gauge(family) => of(&family, values),
        AnyFamily::Histogram(family) => of(&family, values),
        AnyFamily::Summary(family) => of(&family, values),
        AnyFamily::Info(family) => of(&family, values),
        AnyFamily::StateSet(family) => of(&family, values),
    }
}

/// What families of all types can do, which has no public name.
trait Ends {
    fn end_one(&self, values: &[&str]) -> Result<bool, RegisterError>;
    fn end_all(&self) -> Result<u64, RegisterError>;
}

macro_rules! ends {
    ($($metric:ty),*) => {
        $(impl Ends for Family<$metric> {
            fn end_one(&self, values: &[&str]) -> Result<bool, RegisterError> {
                self.remove(values)
            }

            fn end_all(&self) -> Result<u64, RegisterError> {
                self.clear()
            }
        })*
    };
}
ends!(Counter, Gauge, Histogram, Summary, Info, StateSet);

impl Handle {
    /// Whether it goes up and down by whole numbers.
    fn counts(&self) -> bool {
        matches!(self, Handle::Counter(_) | Handle::Gauge(_))
    }

    fn kind(&self) -> Kind {
        match self {
            Handle::Counter(_) => Kind::Counter,
            Handle::Gauge(_) => Kind::Gauge,
            Handle::Histogram(_) => Kind::Histogram,
            Handle::Summary(_) => Kind::Summary,
            Handle::Info(_) => Kind::Info,
            Handle::StateSet(_) => Kind::StateSet,
        }
    }
}

/// What a handle says of itself, where it does.
fn assert_own_value(handle: &Handle, bound: &Bound, model: &mut Model) {
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
fn compare(reader: &mut Reader, model: &Model) {
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
