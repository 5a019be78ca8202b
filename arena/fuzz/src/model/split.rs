//! Gauges that are put together from what processes contribute.

use super::process::Owner;
use std::collections::BTreeMap;
use tallyboard::Aggregation;

/// A gauge of another aggregation than `last`.
#[derive(Clone, Debug, Default)]
pub struct Split {
    /// What those who left have contributed.
    folded: Option<f64>,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
pub(super) struct Part {
    owner: Owner,
    lives: bool,
    pub(super) value: Option<f64>,
    /// When it was set last, counted in updates.
    pub(super) turn: u64,
}

impl Split {
    /// The part of a process, if it has one.
    pub(super) fn part(&mut self, owner: Owner) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.owner == owner)
    }

    /// Makes a part for one who has none.
    pub(super) fn join(&mut self, owner: Owner) {
        self.parts.push(Part {
            owner,
            lives: true,
            value: None,
            turn: 0,
        });
    }

    /// Ends the part of one who leaves, if there is one; how many slots that gives back.
    pub(super) fn leave(&mut self, owner: Owner, how: Aggregation) -> Option<usize> {
        let at = self.parts.iter().position(|part| part.owner == owner)?;
        let value = self.parts[at].value;
        if how == Aggregation::All && value.is_some() {
            self.parts[at].lives = false;
            return Some(0);
        }
        self.parts.remove(at);
        if let (false, Some(fold), Some(value)) = (how.is_live(), fold(how), value) {
            self.folded = Some(self.folded.map_or(value, |sum| fold(sum, value)));
        }
        Some(1)
    }

    /// One a part.
    pub(super) fn slots(&self) -> usize {
        self.parts.len()
    }

    /// As [`Value::bits`](super::Value::bits).
    pub(super) fn bits(&self) -> Vec<u64> {
        let of = |value: Option<f64>| value.map_or(u64::MAX, f64::to_bits);
        let parts = self.parts.iter();
        let parts = parts.flat_map(|p| [p.owner.number, u64::from(p.lives), of(p.value)]);
        parts.chain([of(self.folded)]).collect()
    }

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

fn fold(how: Aggregation) -> Option<fn(f64, f64) -> f64> {
    match how {
        Aggregation::Sum | Aggregation::LiveSum => Some(|a, b| a + b),
        Aggregation::Min | Aggregation::LiveMin => Some(f64::min),
        Aggregation::Max | Aggregation::LiveMax => Some(f64::max),
        _ => None,
    }
}
