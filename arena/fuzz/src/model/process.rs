//! Who writes: processes that fork, and leave.

use super::Model;
use super::split::fold;
use super::value::Value;
use tallyboard::Aggregation;

/// A process, from its first registration until it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) number: u64,
    pub(super) pid: u32,
}

impl Model {
    /// This process goes on as another, with rows and parts of its own.
    pub fn fork(&mut self) {
        self.owners += 1;
        self.me = Owner {
            number: self.owners,
            pid: std::process::id(),
        };
    }

    /// This process takes itself off the list; what it registers later is another's.
    pub fn leave(&mut self) {
        let me = self.me;
        let mut freed = 0;
        for family in self.families.values_mut().flatten() {
            let aggregation = family.aggregation;
            for series in family.series.values_mut() {
                let Value::Split(split) = &mut series.value else {
                    continue;
                };
                let Some(at) = split.parts.iter().position(|part| part.owner == me) else {
                    continue;
                };
                series.was_touched = true;
                let value = split.parts[at].value;
                if aggregation == Aggregation::All && value.is_some() {
                    split.parts[at].lives = false;
                    continue;
                }
                split.parts.remove(at);
                freed += 1;
                if let (false, Some(fold), Some(value)) =
                    (aggregation.is_live(), fold(aggregation), value)
                {
                    split.folded = Some(split.folded.map_or(value, |sum| fold(sum, value)));
                }
            }
        }
        self.used -= freed;
        self.fork();
    }
}
