//! Gauges that are put together from what processes contribute.

use super::process::Owner;
use std::collections::BTreeMap;
use tallyboard::Aggregation;

/// A gauge of another aggregation than `last`.
#[derive(Clone, Debug, Default)]
pub struct Split {
    /// What those who left have contributed.
    pub(super) folded: Option<f64>,
    pub(super) parts: Vec<Part>,
}

#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) owner: Owner,
    pub(super) lives: bool,
    pub(super) value: Option<f64>,
    /// When it was set last, counted in updates.
    pub(super) turn: u64,
}

impl Split {
    /// As a reader puts it together; `None` leaves it out.
    pub fn combined(&self, how: Aggregation) -> Option<f64> {
        let parts = self.parts.iter().filter(|part| part.lives);
        if how == Aggregation::LiveLast {
            let set = parts.filter_map(|part| Some((part.turn, part.value?)));
            return set.max_by_key(|(turn, _)| *turn).map(|(_, value)| value);
        }
        let fold = fold(how)?;
        let values = parts.filter_map(|part| part.value);
        match how {
            Aggregation::Sum | Aggregation::LiveSum => {
                Some(self.folded.into_iter().chain(values).sum())
            }
            _ => self.folded.into_iter().chain(values).reduce(fold),
        }
    }

    /// By pid, of all that are shown for themselves.
    pub fn by_process(&self) -> BTreeMap<String, f64> {
        // A process that left and came back is shown as it is now.
        let parts = self.parts.iter();
        let set = parts.filter_map(|part| Some((part.owner.pid.to_string(), part.value?)));
        set.collect()
    }
}

pub(super) fn fold(how: Aggregation) -> Option<fn(f64, f64) -> f64> {
    match how {
        Aggregation::Sum | Aggregation::LiveSum => Some(|a, b| a + b),
        Aggregation::Min | Aggregation::LiveMin => Some(f64::min),
        Aggregation::Max | Aggregation::LiveMax => Some(f64::max),
        _ => None,
    }
}
