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
use crate::family::Kind;
use crate::fold::VALUE;
use crate::layout::{Control, HeadRecord, UNIT_CELLS};
use crate::record::{PART, SERIES, Shape};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::step::Died;
use crate::sync::Ordering;
use core::hash::Hasher;
use core::mem::offset_of;
use siphasher::sip::SipHasher13;
use std::collections::HashMap;

const SECONDS: u64 = (1 << 40) - 1;

impl Segment {
    /// Ends the series whose values have been the same for `ttl_seconds`; says how many. A pass
    /// over all cells, and one over the state words.
    pub(crate) fn expire(&self, ttl_seconds: u64) -> Result<u64, Died> {
        let planes: Vec<u32> = self.ready_planes().collect();
        let now = (clock::unix_nanos() / 1_000_000_000) & SECONDS;
        // What processes contribute to a gauge counts as the gauge's own.
        let mut parts: HashMap<u64, Vec<Bound>> = HashMap::new();
        for part in self.living(PART) {
            let parent = self.head_word(part.slot, offset_of!(HeadRecord, parent));
            parts.entry(parent).or_default().push(part);
        }
        let mut expired = 0;
        for series in self.living(SERIES) {
            let shape = Shape::of(self.head_word(series.slot, offset_of!(HeadRecord, shape)));
            if Kind::of(shape.metric) == Some(Kind::Info) {
                // What it says is not meant to change.
                continue;
            }
            let parts = parts.get(&series.tag()).map_or(&[][..], Vec::as_slice);
            let digest = || {
                let parts = parts.iter().map(|part| self.digest(&planes, *part));
                parts.fold(self.digest(&planes, series), |all, part| all ^ part) & !SECONDS
            };
            let seen = digest();
            if self.has_expired(series, seen, now, ttl_seconds)
                // Once more: what was counted since is not to be lost.
                && digest() == seen
                && self.end(series)?.is_some()
            {
                self.count(offset_of!(Control, expired));
                expired += 1;
            }
        }
        self.remove_orphans()?;
        Ok(expired)
    }

    /// The living records of a kind.
    fn living(&self, kind: u8) -> impl Iterator<Item = Bound> + '_ {
        (0..self.geometry.slots).filter_map(move |index| {
            let slot = self.slot(index)?;
            // ORDERING: [S1] Acquire: the record behind it.
            let state = State::of(self.state(slot).load(Ordering::Acquire));
            let State::Ready { serial } = state else {
                return None;
            };
            let shape = self.head_word(slot, offset_of!(HeadRecord, shape));
            (Shape::of(shape).kind == kind).then_some(Bound { slot, serial })
        })
    }

    fn has_expired(&self, bound: Bound, digest: u64, now: u64, ttl_seconds: u64) -> bool {
        let note = self.record(bound.slot, offset_of!(HeadRecord, note));
        // Relaxed: whoever looks may note. In another life the word may mean something else.
        let seen = note.load(Ordering::Relaxed);
        if !self.still_lives(bound) {
            return false;
        }
        if seen & SECONDS == 0 || seen & !SECONDS != digest {
            let _ = note.compare_exchange(seen, digest | now, Ordering::Relaxed, Ordering::Relaxed);
            return false;
        }
        now.saturating_sub(seen & SECONDS) >= ttl_seconds
    }

    /// A number that is another when a cell of the series is.
    fn digest(&self, planes: &[u32], bound: Bound) -> u64 {
        // By a good hash: cells repeat each other, and floats differ in few bits.
        let hashed = |mut hasher: SipHasher13, word: u64| {
            hasher.write_u64(word);
            hasher
        };
        // What was folded into a gauge stands under another tag. A mixture of two is a change.
        let accumulator = self.pair(bound.slot, VALUE);
        let words = [bound.tag(), accumulator.tag(), accumulator.value()];
        let mut digest = words.into_iter().fold(SipHasher13::new(), hashed);
        let mut add = |slot: Slot| {
            for index in 0..UNIT_CELLS as u32 {
                digest = self.fold_cell(planes, slot, index, bound.tag(), digest, hashed);
            }
        };
        add(bound.slot);
        // A chain that is damaged counts as far as it goes.
        let _ = self.chain(bound.slot, bound.serial, add);
        digest.finish()
    }
}
