//! Unit and help of a family: those that were declared last.
//!
//! They are no part of what a family is found by, so a program may better its words without
//! beginning a new metric. A family's own record holds the first; others stand in one record
//! under it, which a declaration with still other words replaces.

use crate::binding::MAX_ROUNDS;
use crate::index::{Lost, Walk};
use crate::layout::{HeadRecord, MAX_TEXT_LEN};
use crate::record::{Cap, Draft, HELP, Key, lengths};
use crate::register::Bound;
use crate::segment::Segment;
use core::mem::offset_of;

impl Segment {
    /// Sees to it that `words`, a unit and a help in canonical bytes, are those of the family.
    pub(crate) fn declare_help(&self, family: Bound, words: &[u8]) -> Result<(), Lost> {
        let key = Key {
            hash: self.hash_of(HELP, family.tag(), &[]),
            kind: HELP,
            parent: family.tag(),
            text: &[],
        };
        // Each turn loses to another process that declares other words just then.
        for _ in 0..MAX_ROUNDS {
            match self.find(&key)? {
                Walk::Live { slot, serial } => {
                    let help = Bound { slot, serial };
                    if self.says(help, words) {
                        return Ok(());
                    }
                    self.remove(help)?;
                }
                Walk::Absent { .. } if self.says(family, words) => return Ok(()),
                Walk::Absent { .. } => {
                    self.register(&Draft {
                        key,
                        text: words,
                        metric: 0,
                        aggregation: 0,
                        cells: 0,
                        parent_slot: family.slot.index(),
                        note: 0,
                        cap: Cap::None,
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Whether what a record says beyond its key is `words`.
    fn says(&self, bound: Bound, words: &[u8]) -> bool {
        let (key_len, text_len) =
            lengths(self.head_word(bound.slot, offset_of!(HeadRecord, lengths)));
        let mut text = [0; MAX_TEXT_LEN];
        let theirs = self.read_text(bound.slot, text_len, &mut text);
        let says = theirs.and_then(|text| text.get(key_len..)) == Some(words);
        says && self.still_lives(bound)
    }
}
