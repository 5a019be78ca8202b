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
            Value::Split(split) => split.slots(),
            _ => 0,
        };
        let said = self.said.values().map(|said| slots_for(annex_len(said), 0));
        self.slots + parts + said.sum::<usize>()
    }
}
