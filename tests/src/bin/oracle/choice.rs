//! What is declared on a board.

use tallyboard::{Aggregation, Kind, Native};

use crate::chance::Chance;
use crate::texts;
use crate::truth::{FamilyTruth, KINDS, NativeTruth, bits};

/// What chance has chosen for one declaration.
pub struct Choice {
    pub truth: FamilyTruth,
    /// In the order in which they are declared: the board has them sorted.
    pub labels: Vec<String>,
    pub kind: Kind,
    pub aggregation: Aggregation,
    pub bounds: Vec<f64>,
    pub native: Option<Native>,
}

impl Choice {
    /// A metric, often of one of these names.
    pub fn new(chance: &mut Chance, names: &[String]) -> Choice {
        let kind = *chance.one_of(KINDS);
        let name = match names {
            [_, ..] if chance.percent(70) => chance.one_of(names).clone(),
            _ => texts::name(chance),
        };
        let count = chance.below(4);
        let labels = (0..count).map(|_| texts::label(chance)).collect();
        Choice::of(chance, kind, name, labels)
    }

    /// Another version of a metric that is there: with other words, and sometimes with other labels.
    pub fn like(chance: &mut Chance, known: &FamilyTruth) -> Choice {
        let is_of = |kind: &&Kind| kind.to_string() == known.kind;
        let kind = *KINDS.iter().find(is_of).unwrap_or(&Kind::Counter);
        let mut labels = known.labels.clone();
        if chance.percent(30) {
            labels.push(texts::label(chance));
        }
        Choice::of(chance, kind, known.name.clone(), labels)
    }

    fn of(chance: &mut Chance, kind: Kind, name: String, labels: Vec<String>) -> Choice {
        let aggregation = match kind {
            Kind::Gauge if chance.percent(60) => {
                *chance.one_of(&Aggregation::all().collect::<Vec<_>>())
            }
            _ => Aggregation::Last,
        };
        let unit = match kind {
            Kind::Info | Kind::StateSet => String::new(),
            _ => texts::unit(chance, &name),
        };
        let native = (kind == Kind::Histogram && chance.percent(35)).then(|| native(chance));
        let bounds = match (kind, &native) {
            (Kind::Histogram, None) => bounds(chance),
            _ => Vec::new(),
        };
        let mut states: Vec<String> = Vec::new();
        if kind == Kind::StateSet {
            for _ in 0..=chance.below(3) {
                let state = texts::text(chance);
                if !state.is_empty() && !states.contains(&state) {
                    states.push(state);
                }
            }
            if states.is_empty() {
                states.push("only".to_owned());
            }
        }
        let mut sorted = labels.clone();
        sorted.sort();
        Choice {
            truth: FamilyTruth {
                kind: kind.to_string(),
                help: texts::text(chance),
                unit,
                aggregation: aggregation.to_string(),
                labels: sorted,
                bounds: bounds.iter().copied().map(bits).collect(),
                native: native.as_ref().map(|(_, truth)| truth.clone()),
                states,
                series: Vec::new(),
                name,
            },
            labels,
            kind,
            aggregation,
            bounds,
            native: native.map(|(native, _)| native),
        }
    }
}

fn bounds(chance: &mut Chance) -> Vec<f64> {
    let count = chance.below(5);
    let numbers = (0..count).map(|_| match chance.below(3) {
        0 => texts::number(chance),
        1 => texts::dyadic(chance),
        _ => 10_f64.powi(chance.below(24) as i32 - 8),
    });
    let mut bounds: Vec<f64> = numbers.filter(|bound| bound.is_finite()).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup_by(|a, b| a == b);
    bounds
}

/// From one power of two to the one two doublings above it, so that the window is known without asking a board.
fn native(chance: &mut Chance) -> (Native, NativeTruth) {
    let schema = chance.below(13) as i8 - 4;
    let exponent = chance.below(20) as i32 - 10;
    let index = |exponent: i32| match schema {
        0.. => exponent << schema,
        // The bucket holds several powers of two, the greatest of which is its bound.
        _ => (exponent + (1 << -schema) - 1) >> -schema,
    };
    // The finest have room for no more.
    let highest = if schema > 6 { exponent } else { exponent + 2 };
    let native = Native::new()
        .schema(schema)
        .range(2_f64.powi(exponent), 2_f64.powi(highest));
    let signed = schema < 5 && chance.percent(40);
    let truth = NativeTruth {
        schema,
        first: index(exponent),
        last: index(highest),
        signed,
    };
    (
        if signed {
            native.with_negative()
        } else {
            native
        },
        truth,
    )
}
