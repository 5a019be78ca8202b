//! What was counted, as JSON. Floating-point numbers are their bits in hexadecimal: nothing else could err less.

use serde::Serialize;
use tallyboard::Kind;

#[derive(Serialize)]
pub struct CaseTruth {
    pub seed: u64,
    pub pid: u32,
    pub boards: Vec<BoardTruth>,
    pub bodies: Vec<Body>,
}

#[derive(Serialize)]
pub struct Body {
    pub format: &'static str,
    pub escaping: &'static str,
    pub created: bool,
    /// In base 64.
    pub bytes: String,
    /// Families that the encoder says it left out.
    pub clashes: u64,
}

#[derive(Serialize)]
pub struct BoardTruth {
    pub label: Option<String>,
    /// All definitions, in the order in which they came.
    pub families: Vec<FamilyTruth>,
}

#[derive(Clone, Serialize)]
pub struct FamilyTruth {
    pub kind: String,
    pub name: String,
    pub help: String,
    pub unit: String,
    pub aggregation: String,
    /// Sorted.
    pub labels: Vec<String>,
    pub bounds: Vec<String>,
    pub native: Option<NativeTruth>,
    pub states: Vec<String>,
    pub series: Vec<SeriesTruth>,
}

#[derive(Clone, PartialEq, Serialize)]
pub struct NativeTruth {
    pub schema: i8,
    pub first: i32,
    pub last: i32,
    pub signed: bool,
}

#[derive(Clone, Serialize)]
pub struct SeriesTruth {
    pub labels: Vec<String>,
    pub created_unix_nanos: u64,
    pub counted: Counted,
    pub exemplars: Vec<ExemplarTruth>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// What was added in whole numbers, and what otherwise.
    Counter { whole: String, float: String },
    /// `None`: never set.
    Gauge { set: Option<String> },
    /// All observations, of a histogram or a summary.
    Observed(Vec<String>),
    /// What it says.
    Info(Vec<(String, String)>),
    /// The place of the state that holds.
    State(usize),
}

#[derive(Clone, Serialize)]
pub struct ExemplarTruth {
    /// Among the bounds; 0 of a counter.
    pub place: usize,
    pub labels: Vec<(String, String)>,
    pub value: String,
    pub unix_nanos: u64,
}

/// A number's bits.
pub fn bits(value: f64) -> String {
    format!("{:016x}", value.to_bits())
}

impl FamilyTruth {
    pub fn is_same(&self, other: &FamilyTruth) -> bool {
        let key = |family: &FamilyTruth| {
            (
                family.kind.clone(),
                family.name.clone(),
                family.aggregation.clone(),
                family.labels.clone(),
                family.bounds.clone(),
                family.native.clone(),
                family.states.clone(),
            )
        };
        key(self) == key(other)
    }
}

pub const KINDS: &[Kind] = &[
    Kind::Counter,
    Kind::Gauge,
    Kind::Histogram,
    Kind::Summary,
    Kind::Info,
    Kind::StateSet,
];
