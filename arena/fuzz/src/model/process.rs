//! Who writes: processes that fork, and leave.

use super::Model;
use super::value::Value;

/// A process, from its first registration until it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) number: u64,
    pub(super) pid: u32,
}

impl Owner {
    /// This process, as it is from now on.
    pub(super) fn new(number: u64) -> Owner {
        let pid = std::process::id();
        Owner { number, pid }
    }
}

impl Model {
    /// This process goes on as another, with rows and parts of its own.
    pub fn fork(&mut self) {
        self.me = Owner::new(self.me.number + 1);
    }

    /// This process takes itself off the list; what it registers later is another's.
    pub fn leave(&mut self) {
        let me = self.me;
        let mut freed = 0;
        for family in self.families.values_mut().flatten() {
            let aggregation = family.aggregation;
            for series in family.series.values_mut() {
                if let Value::Split(split) = &mut series.value
                    && let Some(slots) = split.leave(me, aggregation)
                {
                    series.was_touched = true;
                    freed += slots;
                }
            }
        }
        self.used -= freed;
        self.fork();
    }
}
