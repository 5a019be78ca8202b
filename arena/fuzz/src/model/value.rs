//! What a series says, and the cells that it says it in.

use super::buckets::Buckets;
use super::split::Split;
use tallyboard::{Aggregation, Kind};

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
    /// A gauge that is put together from what processes contribute.
    Split(Split),
    /// Observed.
    Histogram {
        /// Whose cells they are, if it is a native one.
        native: Option<&'static Buckets>,
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
    /// Says what its annex says.
    Info,
    /// The number of the state that holds.
    State(usize),
}

impl Value {
    /// Of a metric of this type, to be thrown away.
    pub fn nothing(kind: Kind) -> Value {
        Value::zero(kind, Aggregation::Last, 0, None).1
    }

    /// Of a new series and its number of cells: LAYOUT.md §10.
    pub(super) fn zero(
        kind: Kind,
        aggregation: Aggregation,
        bounds: usize,
        native: Option<&'static Buckets>,
    ) -> (usize, Value) {
        match kind {
            Kind::Counter => {
                let (integers, floats) = (0, 0.0);
                (2, Value::Counter { integers, floats })
            }
            Kind::Gauge if aggregation == Aggregation::Last => (1, Value::Gauge(0.0)),
            Kind::Gauge => (1, Value::Split(Split::default())),
            Kind::Histogram => {
                let buckets = vec![0; native.map_or(bounds + 1, Buckets::cells)];
                let cells = buckets.len() + 1;
                let value = Value::Histogram {
                    native,
                    buckets,
                    sum: 0.0,
                };
                (cells, value)
            }
            Kind::Info => (0, Value::Info),
            Kind::StateSet => (1, Value::State(0)),
            _ => (2, Value::Summary { count: 0, sum: 0.0 }),
        }
    }

    /// To be compared, where NaN is like NaN.
    pub(super) fn bits(&self) -> Vec<u64> {
        match self {
            Value::Counter { integers, floats } => vec![*integers, floats.to_bits()],
            Value::Gauge(value) => vec![value.to_bits()],
            Value::Split(split) => split.bits(),
            Value::Histogram { buckets, sum, .. } => {
                buckets.iter().copied().chain([sum.to_bits()]).collect()
            }
            Value::Summary { count, sum } => vec![*count, sum.to_bits()],
            Value::Info => Vec::new(),
            Value::State(state) => vec![*state as u64],
        }
    }

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
            Value::Histogram {
                native,
                buckets,
                sum,
            } => {
                let bucket = match native {
                    Some(native) => native.cell(x),
                    None => classic_bucket(bounds, x),
                };
                // Of what is thrown away there is one.
                let bucket = bucket.min(buckets.len() - 1);
                buckets[bucket] += 1;
                *sum += x;
            }
            Value::Summary { count, sum } => {
                *count += 1;
                *sum += x;
            }
            Value::Counter { .. }
            | Value::Gauge(_)
            | Value::Split(_)
            | Value::Info
            | Value::State(_) => unreachable!("nothing to observe"),
        }
    }
}

/// The place of the bucket that an observation is in: NaN is in no bucket but the last.
pub(super) fn classic_bucket(bounds: &[f64], x: f64) -> usize {
    let place = bounds.iter().position(|bound| x <= *bound);
    place.unwrap_or(bounds.len())
}
