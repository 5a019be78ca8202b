//! Series that have not changed for long.
//!
//! Updates leave no time behind, so the board is looked at again and again: each series' `note`
//! holds a digest of its cells and the second in which that was first seen. It lies on the
//! board, so that it does not matter who looks: an exporter that runs, or a command from cron.
//!
//! ```text
//! note: 63        40 39                                    0
//!       ┌───────────┬───────────────────────────────────────┐
//!       │ digest    │ seconds since 1970, 0: never looked at │
//!       └───────────┴───────────────────────────────────────┘
//! ```

use crate::clock;
use crate::layout::{Control, HeadRecord, UNIT_CELLS};
use crate::record::{PART, SERIES, Shape};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::step::Died;
use crate::sync::Ordering;
use core::mem::offset_of;
use std::collections::HashMap;

const SECONDS: u64 = (1 << 40) - 1;

impl Segment {
    /// Ends the series whose values have been the same for `ttl_seconds`; says how many. One
    /// pass over all cells.
    pub(crate) fn expire(&self, ttl_seconds: u64) -> Result<u64, Died> {
        let planes: Vec<u32> = self.ready_planes().collect();
        let now = (clock::unix_nanos() / 1_000_000_000) & SECONDS;
        let mut series: Vec<(Bound, u64)> = Vec::new();
        // What processes contribute to a gauge counts as the gauge's own.
        let mut parts: HashMap<u64, u64> = HashMap::new();
        for index in 0..self.geometry.slots {
            let Some(slot) = self.slot(index) else { break };
            // ORDERING: [S1] Acquire: the record behind it.
            let state = State::of(self.state(slot).load(Ordering::Acquire));
            let State::Ready { serial } = state else {
                continue;
            };
            let bound = Bound { slot, serial };
            let word = |field| self.head_word(slot, field);
            match Shape::of(word(offset_of!(HeadRecord, shape))).kind {
                SERIES => series.push((bound, self.digest(&planes, bound))),
                PART => {
                    let of_series = parts
                        .entry(word(offset_of!(HeadRecord, parent)))
                        .or_default();
                    *of_series ^= self.digest(&planes, bound);
                }
                _ => {}
            }
        }
        let mut expired = 0;
        for (bound, digest) in series {
            let digest = digest ^ parts.get(&bound.tag()).copied().unwrap_or(0);
            if self.has_expired(bound, digest & !SECONDS, now, ttl_seconds) && self.remove(bound)? {
                self.count(offset_of!(Control, expired));
                expired += 1;
            }
        }
        Ok(expired)
    }

    fn has_expired(&self, bound: Bound, digest: u64, now: u64, ttl_seconds: u64) -> bool {
        let note = self.record(bound.slot, offset_of!(HeadRecord, note));
        // Relaxed: whoever looks may note; a series of the next life is looked at anew, because
        // its builder wrote 0.
        let seen = note.load(Ordering::Relaxed);
        if seen & SECONDS == 0 || seen & !SECONDS != digest {
            let _ = note.compare_exchange(seen, digest | now, Ordering::Relaxed, Ordering::Relaxed);
            return false;
        }
        now.saturating_sub(seen & SECONDS) >= ttl_seconds && self.still_lives(bound)
    }

    /// A number that is another when a cell of the series is.
    fn digest(&self, planes: &[u32], bound: Bound) -> u64 {
        let mut digest = bound.tag();
        let mut add = |slot: Slot| {
            for index in 0..UNIT_CELLS as u32 {
                let mix = |sum: u64, cell: u64| (sum ^ cell).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                digest = self.fold_cell(planes, slot, index, bound.tag(), digest, mix);
            }
        };
        add(bound.slot);
        // A chain that is damaged counts as far as it goes.
        let _ = self.chain(bound.slot, bound.serial, add);
        digest ^ digest >> 29
    }
}
