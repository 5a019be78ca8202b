//! Operations on a board, as an input of `operations` says them: numbers are places in pools of
//! what a caller may give, the usual and the forbidden.

use crate::model::{Buckets, Definition};
use arbitrary::Arbitrary;
use std::sync::LazyLock;
use tallyboard::{Aggregation, Kind, Native};

/// One operation.
#[derive(Arbitrary, Debug)]
pub enum Operation {
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
    Refresh {
        /// The one of the mapping that is written to.
        writable: bool,
    },
    /// The rest happens in a child process.
    Fork,
}

/// What is registered, declared or ended.
#[derive(Arbitrary, Debug)]
pub struct Metric {
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

/// What is added, set or observed.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Amount {
    /// Sums of these are exact in any order.
    Quarters(i16),
    /// What is no number to most.
    Special(u8),
}

impl Amount {
    /// The number.
    pub fn value(self) -> f64 {
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
pub const PAIRS: [&[(&str, &str)]; 10] = [
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
pub static TEXTS: LazyLock<[String; 8]> = LazyLock::new(|| {
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

/// What is at that place of a pool.
pub fn of<T: Copy>(pool: &[T], place: u8) -> T {
    pool[usize::from(place) % pool.len()]
}

fn text(place: u8) -> &'static str {
    &TEXTS[usize::from(place) % TEXTS.len()]
}

impl Metric {
    /// Its definition.
    pub fn definition(&self) -> Definition<'static> {
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

    /// Values for as many labels.
    pub fn values(&self, labels: usize) -> Vec<&'static str> {
        let len = match (self.miscounted, labels) {
            (false, right) => right,
            (true, 2) => 1,
            (true, few) => few + 1,
        };
        let texts = self.values.iter().map(|place| text(*place));
        texts.take(len).collect()
    }
}
