//! What a reader knows of annexes: which of them hold, by series and place.
//!
//! Kept apart from the series, since exemplars come and go all the time and series do not: what
//! is put together anew when an exemplar has come is this alone.

use crate::annex::Said;
use crate::exemplar::Exemplar;
use crate::record::{EXEMPLAR, INFO};
use core::ops::RangeInclusive;
use std::collections::HashMap;
use std::sync::Arc;

/// One annex, as its record says.
#[derive(Debug)]
pub(crate) struct Annex {
    pub tag: u64,
    pub series: u64,
    /// Whatever the record says: not checked.
    pub series_slot: u64,
    pub place: u32,
    pub said: Said,
}

/// A series, the kind, and the place.
type Site = (u64, u8, u32);

impl Annex {
    fn site(&self) -> Site {
        let kind = match self.said {
            Said::Exemplar(_) => EXEMPLAR,
            Said::Info(_) => INFO,
        };
        (self.series, kind, self.place)
    }
}

/// All annexes of a board.
#[derive(Debug, Default)]
pub(crate) struct Annexes {
    by_slot: HashMap<u32, Arc<Annex>>,
    /// What an info's annex said that has gone, by the series' tag: until another is found. There
    /// always is one, but it may be in a slot that a pass had just left behind.
    last: HashMap<u64, Arc<Annex>>,
    changed: bool,
}

impl Annexes {
    pub(crate) fn insert(&mut self, slot: u32, annex: Annex) {
        self.remove(slot);
        self.changed = true;
        self.by_slot.insert(slot, Arc::new(annex));
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        let Some(gone) = self.by_slot.remove(&slot) else {
            return;
        };
        self.changed = true;
        if let Said::Info(_) = gone.said {
            let last = self.last.entry(gone.series).or_insert_with(|| gone.clone());
            if last.tag < gone.tag {
                *last = gone;
            }
        }
    }

    /// Those that hold, if anything changed. `lives` says of a slot and a number, whatever they
    /// are, whether the number was the slot's state word when all of the board's `slots` were read.
    pub(crate) fn settle(
        &mut self,
        slots: usize,
        lives: impl Fn(u64, u64) -> bool,
    ) -> Option<Holding> {
        if !core::mem::take(&mut self.changed) {
            return None;
        }
        self.last
            .retain(|series, annex| lives(annex.series_slot, *series));
        let mut holding = Holding {
            by_site: HashMap::with_capacity(self.by_slot.len()),
            marks: vec![0; slots.div_ceil(64)],
        };
        for annex in self.by_slot.values().chain(self.last.values()) {
            holding.take(annex);
        }
        self.last
            .retain(|_, annex| Arc::ptr_eq(annex, &holding.by_site[&annex.site()]));
        Some(holding)
    }
}

/// The annexes that hold.
#[derive(Debug, Default)]
pub(crate) struct Holding {
    by_site: HashMap<Site, Arc<Annex>>,
    /// A bit for each slot: whether something is annexed to the series there. Most have nothing,
    /// and are to be told so by one load.
    marks: Vec<u64>,
}

impl Holding {
    fn take(&mut self, annex: &Arc<Annex>) {
        let holds = self
            .by_site
            .entry(annex.site())
            .or_insert_with(|| annex.clone());
        if holds.tag < annex.tag {
            *holds = annex.clone();
        }
        let mark = usize::try_from(annex.series_slot / 64).ok();
        if let Some(mark) = mark.and_then(|at| self.marks.get_mut(at)) {
            *mark |= 1 << (annex.series_slot % 64);
        }
    }

    /// Whether something is annexed to the series in `slot`, of whatever life of the slot.
    #[inline]
    pub(crate) fn has_annexes(&self, slot: u32) -> bool {
        let mark = self.marks.get(slot as usize / 64);
        mark.is_some_and(|mark| mark >> (slot % 64) & 1 == 1)
    }

    /// Whether something is annexed to a series in one of these slots, of whatever life.
    pub(crate) fn has_annexes_among(&self, slots: RangeInclusive<u32>) -> bool {
        let (first, last) = (*slots.start() as usize, *slots.end() as usize);
        let last = last.min((64 * self.marks.len()).saturating_sub(1));
        let words = self.marks.get(first / 64..=last / 64).unwrap_or(&[]);
        words.iter().enumerate().any(|(place, word)| {
            let base = (first / 64 + place) * 64;
            // Cut to the slots that are asked for.
            let from = u64::MAX << first.saturating_sub(base);
            let until = u64::MAX >> (base + 63).saturating_sub(last);
            word & from & until != 0
        })
    }

    /// What is annexed to the series in `slot` whose tag is `series`.
    #[inline]
    fn at(&self, slot: u32, series: u64, kind: u8, place: u32) -> Option<&Said> {
        if !self.has_annexes(slot) {
            return None;
        }
        Some(&self.by_site.get(&(series, kind, place))?.said)
    }

    #[inline]
    pub(crate) fn exemplar(&self, slot: u32, series: u64, place: usize) -> Option<&Exemplar> {
        let place = u32::try_from(place).ok()?;
        match self.at(slot, series, EXEMPLAR, place)? {
            Said::Exemplar(exemplar) => Some(exemplar),
            Said::Info(_) => None,
        }
    }

    pub(crate) fn info(&self, slot: u32, series: u64) -> Option<&[(String, String)]> {
        match self.at(slot, series, INFO, 0)? {
            Said::Info(pairs) => Some(pairs),
            Said::Exemplar(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_slots_is_asked_at_once() {
        let mut holding = Holding {
            marks: vec![0; 4],
            ..Holding::default()
        };
        holding.marks[1] = 1 << 6;
        for first in 0..=70 {
            assert!(holding.has_annexes_among(first..=70));
            assert!(holding.has_annexes_among(first..=255));
            assert!(first == 70 || !holding.has_annexes_among(first..=69));
        }
        assert!(!holding.has_annexes_among(71..=255));
        assert!(!holding.has_annexes_among(256..=300));
        assert!(!Holding::default().has_annexes_among(0..=u32::MAX));
    }
}
