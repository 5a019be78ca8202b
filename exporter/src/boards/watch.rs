//! What goes on on a board that somebody should do something about, for the log: a line when it
//! begins, and no other as long as it goes on.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use tallyboard::{FamilyView, Reader, RefusedReason, Stats};

/// What has not been seen for so long begins anew when it is seen again.
const QUIET: Duration = Duration::from_secs(600);

/// What was said about one board.
#[derive(Default)]
pub(super) struct Watch {
    is_damaged: bool,
    refused: HashMap<RefusedReason, Count>,
    planes: Count,
    /// By the family's name.
    overflows: HashMap<String, Count>,
    /// Families with older definitions, by name.
    hidden: HashSet<String>,
}

/// A count that should stand still.
#[derive(Default)]
struct Count {
    seen: u64,
    grew: Option<Instant>,
}

impl Count {
    /// Whether it has grown after it stood still.
    fn begins(&mut self, count: u64, now: Instant) -> bool {
        let before = std::mem::replace(&mut self.seen, count);
        if count <= before {
            return false;
        }
        let last = self.grew.replace(now);
        last.is_none_or(|last| now.saturating_duration_since(last) >= QUIET)
    }
}

impl Watch {
    /// The lines about what has begun since the last call.
    pub(super) fn look(&mut self, reader: &Reader, stats: &Stats, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        let damaged = reader.damaged();
        if damaged > 0 && !std::mem::replace(&mut self.is_damaged, true) {
            lines.push(format!(
                "{damaged} damaged records are left out; `tallyboard check` names them"
            ));
        }
        for (reason, count) in &stats.refused {
            let begins = self.refused.entry(*reason).or_default();
            if !begins.begins(*count, now) || self.is_told_otherwise(*reason) {
                continue;
            }
            lines.push(format!(
                "{count} registrations were refused so far: {}",
                reason.advice()
            ));
        }
        let planes = u64::from(stats.planes_refused);
        if self.planes.begins(planes, now) {
            lines.push(format!(
                "there was no memory for the planes of {planes} CPUs, which count on the slower \
                 shared plane: make the filesystem larger, then the board anew (`tallyboard rm`)"
            ));
        }
        for family in reader.families() {
            lines.extend(self.overflow(family, reader.overflows(family), now));
        }
        lines.extend(self.hide(reader.families()));
        lines
    }

    /// Whether there is another line for it, which says more.
    fn is_told_otherwise(&self, reason: RefusedReason) -> bool {
        match reason {
            RefusedReason::Damaged => self.is_damaged,
            RefusedReason::FamilyFull => true,
            _ => false,
        }
    }

    fn overflow(&mut self, family: &FamilyView, count: u64, now: Instant) -> Option<String> {
        let name = &family.name;
        if count == 0 {
            self.overflows.remove(name);
            return None;
        }
        let begins = self.overflows.entry(name.clone()).or_default();
        begins.begins(count, now).then(|| {
            format!(
                "{name} has as many series as it may have, and {count} registrations went beyond \
                 that: look for a label with too many values, or raise the metric's cap"
            )
        })
    }

    fn hide(&mut self, families: &[FamilyView]) -> Vec<String> {
        let hidden = families.iter().filter(|family| family.hidden_series > 0);
        let hidden: HashMap<&str, u64> = hidden
            .map(|family| (family.name.as_str(), family.hidden_series))
            .collect();
        self.hidden.retain(|name| hidden.contains_key(&**name));
        let mut lines = Vec::new();
        for (name, series) in hidden {
            if self.hidden.insert(name.to_owned()) {
                lines.push(format!(
                    "there is more than one definition of {name}; the newest is shown, and \
                     {series} series of older ones are not: end the programs that still count \
                     by those, then their series (`tallyboard expire`)"
                ));
            }
        }
        lines.sort();
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_goes_on_growing_is_said_once() {
        let start = Instant::now();
        let mut count = Count::default();
        let mut begins = |value, seconds| count.begins(value, start + Duration::from_secs(seconds));
        assert!(!begins(0, 0));
        assert!(begins(5, 1));
        assert!(!begins(5, 2));
        assert!(!begins(6, 500));
        assert!(!begins(7, 1000));
        assert!(begins(8, 1600));
        // Another board's, or damage.
        assert!(!begins(2, 5000));
        assert!(begins(3, 5001));
    }
}
