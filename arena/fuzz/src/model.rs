//! What a board must say after a sequence of operations: a map, and how many slots are left.

use std::collections::HashMap;
use tallyboard::{Kind, RefusedReason};

/// Slots of the boards that are compared with a model.
pub const SLOTS: u32 = 64;
/// LAYOUT.md §8
const MAX_CHAIN: usize = 64;

/// A definition, as a caller gives it. Its labels are in the caller's order.
#[derive(Clone, Debug)]
pub struct Definition<'t> {
    /// The metric.
    pub name: &'t str,
    /// Takes room, and is not compared.
    pub help: &'t str,
    /// The type.
    pub kind: Kind,
    /// Label names.
    pub labels: &'t [&'t str],
    /// Of a histogram.
    pub bounds: &'t [f64],
}

/// What a registration comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is there.
    Ok,
    /// The definition is not allowed.
    Invalid,
    /// A metric of the name and another type is there.
    Clash(Kind),
    /// More or fewer values than label names.
    LabelCount,
    /// The board has no room, or no chain is that long.
    Refused(RefusedReason),
}

/// A series' value. Amounts are multiples of 1/4 and small, so that sums are exact in any order.
#[derive(Clone, Debug)]
pub enum Value {
    /// The two cells.
    Counter {
        /// Added as integers.
        integers: u64,
        /// Added as floats.
        floats: f64,
    },
    /// Set and added to.
    Gauge(f64),
    /// Observed.
    Histogram {
        /// Observations in each, the one up to +Inf last.
        buckets: Vec<u64>,
        /// Of the observed values.
        sum: f64,
    },
    /// Observed.
    Summary {
        /// Observations.
        count: u64,
        /// Of the observed values.
        sum: f64,
    },
}

/// One definition of a name on the board.
#[derive(Clone, Debug)]
pub struct Family {
    /// The type.
    pub kind: Kind,
    /// Sorted.
    pub labels: Vec<String>,
    /// Ascending.
    pub bounds: Vec<f64>,
    /// By the values in the order of `labels`.
    pub series: HashMap<Vec<String>, Value>,
}

/// Names a series: the metric, the place of its definition among the name's, and the values.
pub type Key = (String, usize, Vec<String>);

/// Everything on a board, and what it refused.
#[derive(Debug, Default)]
pub struct Model {
    /// All definitions of a name, the newest last.
    pub families: HashMap<String, Vec<Family>>,
    used: usize,
    refused: HashMap<RefusedReason, u64>,
}

impl Model {
    /// How often a registration was refused for this reason.
    pub fn refused(&self, reason: RefusedReason) -> u64 {
        self.refused.get(&reason).copied().unwrap_or(0)
    }

    /// Slots in use.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Finds or makes the family: where it stands.
    pub fn family(&mut self, definition: &Definition<'_>) -> Result<usize, Outcome> {
        let mut labels: Vec<String> = definition.labels.iter().map(|l| (*l).into()).collect();
        labels.sort();
        if !is_allowed(definition, &labels) {
            return Err(Outcome::Invalid);
        }
        let known = self.families.get(definition.name);
        let known = known.map(Vec::as_slice).unwrap_or_default();
        if let Some(other) = known.iter().find(|family| family.kind != definition.kind) {
            return Err(Outcome::Clash(other.kind));
        }
        let same = |family: &Family| family.labels == labels && family.bounds == definition.bounds;
        if let Some(place) = known.iter().position(same) {
            return Ok(place);
        }
        let texts = labels.iter().map(String::as_str);
        let text_len = 6
            + text_len(texts.chain([definition.name, "", definition.help]))
            + 8 * definition.bounds.len();
        self.take(text_len, 0)?;
        let families = self.families.entry(definition.name.into()).or_default();
        families.push(Family {
            kind: definition.kind,
            labels,
            bounds: definition.bounds.to_vec(),
            series: HashMap::new(),
        });
        Ok(families.len() - 1)
    }

    /// Finds or makes the series with these values, in the order of the definition's labels.
    pub fn series(&mut self, definition: &Definition<'_>, values: &[&str]) -> Result<Key, Outcome> {
        let place = self.family(definition)?;
        if values.len() != definition.labels.len() {
            return Err(Outcome::LabelCount);
        }
        let mut pairs: Vec<_> = definition.labels.iter().zip(values).collect();
        pairs.sort();
        let values: Vec<String> = pairs.iter().map(|(_, value)| (**value).into()).collect();
        let name = definition.name;
        if !self.families[name][place].series.contains_key(&values) {
            let bounds = definition.bounds.len();
            let (cells, zero) = zero(definition.kind, bounds);
            self.take(text_len(values.iter().map(String::as_str)), cells)?;
            let families = self.families.get_mut(name).expect("found above");
            families[place].series.insert(values.clone(), zero);
        }
        Ok((name.into(), place, values))
    }

    /// The value of a series that is there.
    pub fn value(&mut self, (name, place, values): &Key) -> &mut Value {
        let families = self.families.get_mut(name).expect("registered");
        let value = families[*place].series.get_mut(values);
        value.expect("registered")
    }

    /// Takes the slots of a record, if there are so many.
    fn take(&mut self, text_len: usize, cells: usize) -> Result<(), Outcome> {
        // LAYOUT.md §8: 192 bytes in a head, 248 in a continuation; three cells in a unit.
        let for_text = 1 + text_len.saturating_sub(192).div_ceil(248);
        let slots = for_text.max(cells.div_ceil(3));
        let reason = if slots > MAX_CHAIN {
            RefusedReason::TooLong
        } else if self.used + slots > SLOTS as usize {
            RefusedReason::BoardFull
        } else {
            self.used += slots;
            return Ok(());
        };
        *self.refused.entry(reason).or_default() += 1;
        Err(Outcome::Refused(reason))
    }
}

impl Value {
    /// As `Counter::add`.
    pub fn add(&mut self, n: u64) {
        if let Value::Counter { integers, .. } = self {
            *integers = integers.wrapping_add(n);
        }
    }

    /// As `Counter::add_f64`.
    pub fn add_f64(&mut self, x: f64) -> bool {
        let is_taken = x >= 0.0 && x.is_finite();
        if let Value::Counter { floats, .. } = self
            && is_taken
        {
            *floats += x;
        }
        is_taken
    }

    /// As the `observe` of a histogram with these bounds, or of a summary.
    pub fn observe(&mut self, bounds: &[f64], x: f64) {
        match self {
            Value::Histogram { buckets, sum } => {
                // NaN is in no bucket but the last.
                let bucket = bounds.iter().position(|bound| x <= *bound);
                buckets[bucket.unwrap_or(bounds.len())] += 1;
                *sum += x;
            }
            Value::Summary { count, sum } => {
                *count += 1;
                *sum += x;
            }
            Value::Counter { .. } | Value::Gauge(_) => unreachable!("nothing to observe"),
        }
    }
}

/// A new series of this type and its number of cells: LAYOUT.md §10.
fn zero(kind: Kind, bounds: usize) -> (usize, Value) {
    match kind {
        Kind::Counter => {
            let (integers, floats) = (0, 0.0);
            (2, Value::Counter { integers, floats })
        }
        Kind::Gauge => (1, Value::Gauge(0.0)),
        Kind::Histogram => {
            let buckets = vec![0; bounds + 1];
            (bounds + 2, Value::Histogram { buckets, sum: 0.0 })
        }
        _ => (2, Value::Summary { count: 0, sum: 0.0 }),
    }
}

/// LAYOUT.md §9: fields of text.
fn text_len<'t>(texts: impl Iterator<Item = &'t str>) -> usize {
    texts.map(|text| 2 + text.len()).sum()
}

/// The rules of Prometheus; `labels` are the definition's, sorted.
fn is_allowed(definition: &Definition<'_>, labels: &[String]) -> bool {
    let reserved = match definition.kind {
        Kind::Histogram => "le",
        Kind::Summary => "quantile",
        _ => "",
    };
    let bounds = definition.bounds;
    !definition.name.is_empty()
        && labels.windows(2).all(|pair| pair[0] != pair[1])
        && labels
            .iter()
            .all(|l| !l.is_empty() && !l.starts_with("__") && l != reserved)
        && bounds.iter().all(|bound| bound.is_finite())
        && bounds.windows(2).all(|pair| pair[0] < pair[1])
}

/// Whether two numbers are the same value; NaN is.
pub fn is_same(one: f64, two: f64) -> bool {
    one == two || (one.is_nan() && two.is_nan())
}
