//! The slots that are left, and how often something was refused.

use super::Model;
use super::definition::Outcome;
use tallyboard::RefusedReason;

/// Slots of the boards that are compared with a model.
pub const SLOTS: u32 = 64;
/// LAYOUT.md §8
const MAX_CHAIN: usize = 64;

impl Model {
    /// How often a registration was refused for this reason.
    pub fn refused(&self, reason: RefusedReason) -> u64 {
        self.refused.get(&reason).copied().unwrap_or(0)
    }

    /// Slots in use.
    pub fn used(&self) -> usize {
        self.used
    }

    pub(super) fn refuse(&mut self, reason: RefusedReason) -> Outcome {
        *self.refused.entry(reason).or_default() += 1;
        Outcome::Refused(reason)
    }

    /// Takes the slots of a record, if there are so many.
    pub(super) fn take(&mut self, text_len: usize, cells: usize) -> Result<(), Outcome> {
        let slots = slots_for(text_len, cells);
        if slots > MAX_CHAIN {
            return Err(self.refuse(RefusedReason::TooLong));
        }
        if self.used + slots > SLOTS as usize {
            self.sweep();
        }
        if self.used + slots > SLOTS as usize {
            return Err(self.refuse(RefusedReason::BoardFull));
        }
        self.used += slots;
        Ok(())
    }
}

/// LAYOUT.md §8: 192 bytes in a head, 248 in a continuation; three cells in a unit.
pub(super) fn slots_for(text_len: usize, cells: usize) -> usize {
    let for_text = 1 + text_len.saturating_sub(192).div_ceil(248);
    for_text.max(cells.div_ceil(3))
}

/// LAYOUT.md §9: fields of text.
pub(super) fn text_len<'t>(texts: impl IntoIterator<Item = &'t str>) -> usize {
    texts.into_iter().map(|text| 2 + text.len()).sum()
}
