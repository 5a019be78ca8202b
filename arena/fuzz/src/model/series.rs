//! A series, and what it takes of the board.

use super::annex::{Annexes, annex_len};
use super::room::slots_for;
use super::value::Value;

/// A series, from its registration to its end.
#[derive(Clone, Debug)]
pub struct Series {
    /// What it counts.
    pub value: Value,
    /// What is said of it.
    pub said: Annexes,
    /// Tells it from those of the same key.
    pub(super) life: u64,
    pub(super) slots: usize,
    /// Its value when expiry looked at it last.
    pub(super) noted: Option<Vec<u64>>,
    pub(super) was_touched: bool,
}

impl Series {
    /// With the parts of a gauge.
    pub(super) fn all_slots(&self) -> usize {
        let parts = match &self.value {
            Value::Split(split) => split.parts.len(),
            _ => 0,
        };
        let said = self.said.values().map(|said| slots_for(annex_len(said), 0));
        self.slots + parts + said.sum::<usize>()
    }

    /// Its value, where NaN is like NaN.
    pub(super) fn bits(&self) -> Vec<u64> {
        match &self.value {
            Value::Counter { integers, floats } => vec![*integers, floats.to_bits()],
            Value::Gauge(value) => vec![value.to_bits()],
            Value::Split(split) => {
                let of = |value: Option<f64>| value.map_or(u64::MAX, f64::to_bits);
                let parts = split.parts.iter();
                let parts = parts.flat_map(|p| [p.owner.number, u64::from(p.lives), of(p.value)]);
                parts.chain([of(split.folded)]).collect()
            }
            Value::Histogram { buckets, sum, .. } => {
                buckets.iter().copied().chain([sum.to_bits()]).collect()
            }
            Value::Summary { count, sum } => vec![*count, sum.to_bits()],
            Value::Info => Vec::new(),
            Value::State(state) => vec![*state as u64],
        }
    }
}
