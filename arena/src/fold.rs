//! What a dead process leaves in a gauge: folded into its series, in constant space.
//!
//! A process's contribution to a gauge is a *part*: a slot of its own under the series, whose
//! key is the process's row and incarnation. When the process is dead, its reaper settles the
//! part: `live…` parts are removed, parts of `all` get the time of death, and the others are
//! folded into the series' accumulator, the pair of cell 0:
//!
//! ```text
//! {value, the series' tag}      nothing was folded yet
//! {value, name of a part}       that part was the last; its value is in
//! ```
//!
//! A part is frozen (READY → FOLDING), then one CAS of the accumulator makes it count there
//! and no longer by itself, since readers pass over the part that the accumulator names; then
//! it is freed. Before another part is folded, the one that is named is freed. Every step can
//! be done by anyone and done twice. The loom models in
//! `tests/model/fold.rs` run this code, with deaths.

use crate::aggregation::{Aggregation, Fold};
use crate::clock;
use crate::family::Kind;
use crate::index::Lost;
use crate::layout::{Control, HeadRecord, Row};
use crate::mutation::{self, Mutation};
use crate::planes::Cell;
use crate::process::Own;
use crate::record::{Cap, Draft, Key, PART, Shape};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::{State, fold_name, of_fold_name};
use crate::step::{self, Died, Step};
use crate::sync::{Ordering, fence};
use core::mem::offset_of;

/// The accumulator in a series, the value in a part.
pub(crate) const VALUE: u32 = 0;
/// In a part: when it was set last (`livemostrecent`), or when its process was found dead
/// (`all`); nanoseconds since 1970.
pub(crate) const MOMENT: u32 = 1;
/// Bytes of a part's key: the owner's row + 1, and its incarnation.
pub(crate) const PART_KEY: usize = 16;

/// Folds that lose their CAS, each to another fold of the same series that succeeded.
const MAX_RACES: u32 = 10_000;
/// Reads that meet another fold each time.
const MAX_READS: u32 = 1_000;

/// A process's own share of a series, as its record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartRecord {
    pub owner: Own,
    /// The series.
    pub parent: u64,
    pub parent_slot: u32,
    pub how: Option<Aggregation>,
}

/// A part that a reader knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub bound: Bound,
    pub owner: Own,
    /// In the owner's own PID namespace.
    pub pid: u64,
    pub pid_namespace: u64,
}

/// Two values as bits, under how they are combined.
#[cfg(not(all(test, arena_loom)))]
fn combined(how: Fold, a: u64, b: u64) -> u64 {
    how(f64::from_bits(a), f64::from_bits(b)).to_bits()
}

/// A model's values are small integers.
#[cfg(all(test, arena_loom))]
fn combined(_: Fold, a: u64, b: u64) -> u64 {
    a + b
}

impl Segment {
    /// Makes the accumulator of a series that is being built empty, whatever the life before
    /// left there. A fold into that life fails from then on: it changes the pair that it read.
    pub(crate) fn begin_accumulator(&self, series: Bound) {
        if mutation::is(Mutation::AccumulatorKept) {
            return;
        }
        let pair = self.pair(series.slot, VALUE);
        for _ in 0..MAX_RACES {
            let tag = pair.tag();
            if pair.compare_exchange((pair.value(), tag), (0, series.tag())) {
                return;
            }
            core::hint::spin_loop();
        }
    }

    /// Finds or makes this process's part of a series. The first of a process claims its row.
    pub(crate) fn register_part(
        &self,
        series: Bound,
        how: Aggregation,
    ) -> Result<(Bound, Own), Lost> {
        let own = self.own()?;
        // Relaxed: this process wrote them.
        let of_row = |field| self.row(own.row, field).load(Ordering::Relaxed);
        let mut text = [0; 2 * PART_KEY];
        text[..PART_KEY].copy_from_slice(&own.key());
        text[PART_KEY..][..8].copy_from_slice(&of_row(offset_of!(Row, pid)).to_le_bytes());
        text[PART_KEY + 8..].copy_from_slice(&of_row(offset_of!(Row, pid_namespace)).to_le_bytes());
        let key = &text[..PART_KEY];
        let part = self.register(&Draft {
            key: Key {
                hash: self.hash_of(PART, series.tag(), key),
                kind: PART,
                parent: series.tag(),
                text: key,
            },
            text: &text,
            metric: Kind::Gauge.code(),
            aggregation: how.code(),
            cells: 2,
            parent_slot: series.slot.index(),
            note: 0,
            cap: Cap::None,
        })?;
        Ok((part, own))
    }

    /// The record of a part that is READY or FOLDING; `None` if it is something else.
    fn part_record(&self, part: Bound, state: u64) -> Option<PartRecord> {
        let word = |field| self.head_word(part.slot, field);
        let shape = Shape::of(word(offset_of!(HeadRecord, shape)));
        let text = |at: usize| word(offset_of!(HeadRecord, text) + at);
        let record = PartRecord {
            owner: Own::of_key(text(0), text(8)),
            parent: word(offset_of!(HeadRecord, parent)),
            parent_slot: word(offset_of!(HeadRecord, parent_slot)) as u32,
            how: Aggregation::of(shape.aggregation),
        };
        // ORDERING: [S2] Acquire fence, as in `still_lives`.
        fence(Ordering::Acquire);
        // Relaxed: the fence orders it.
        (shape.kind == PART && self.state(part.slot).load(Ordering::Relaxed) == state)
            .then_some(record)
    }

    /// Under the owner's `R(row)` with its `L(row)` free: settles all parts of a dead process.
    /// One pass over the state words.
    pub(crate) fn settle(&self, owner: Own) -> Result<(), Lost> {
        for index in 0..self.geometry.slots {
            let Some(slot) = self.slot(index) else { break };
            // ORDERING: [S1] Acquire: the record behind it.
            let state = self.state(slot).load(Ordering::Acquire);
            let (State::Ready { serial } | State::Folding { serial }) = State::of(state) else {
                continue;
            };
            let part = Bound { slot, serial };
            if let Some(record) = self.part_record(part, state)
                && record.owner == owner
            {
                self.settle_part(part, record)?;
            }
        }
        step::at(Step::Settled)?;
        Ok(())
    }

    /// Settles a part whose owner's row has gone to another process before it was settled, as
    /// only damage makes them.
    pub(crate) fn settle_stray(&self, part: Bound) -> Result<(), Died> {
        // Relaxed: `part_record` compares it again behind a fence.
        let state = self.state(part.slot).load(Ordering::Relaxed);
        match self.part_record(part, state) {
            Some(record) if self.is_gone(record.owner) => self.settle_part(part, record),
            _ => Ok(()),
        }
    }

    fn settle_part(&self, part: Bound, record: PartRecord) -> Result<(), Died> {
        let is_set = self.read_shared(part.slot, VALUE, part.tag()).is_some();
        match record.how {
            Some(Aggregation::All) if is_set => {
                let moment = Cell::of_head(part.slot, MOMENT, part.tag());
                let now = clock::unix_nanos();
                // Who noticed first is right; a part that has ended needs no time.
                let _ = self.add_shared(moment, |before| if before == 0 { now } else { before });
                Ok(())
            }
            Some(how) if let Some(fold) = how.fold() => self.fold(part, record, fold),
            // Nothing is kept of the others.
            Some(_) => self.remove(part).map(|_| ()),
            // A later library's, which will know.
            None => Ok(()),
        }
    }

    /// Folds a dead process's part into its series and frees it. Lock-free.
    fn fold(&self, part: Bound, record: PartRecord, how: Fold) -> Result<(), Died> {
        let Bound { slot, serial } = part;
        let frozen = State::Folding { serial };
        // ORDERING: [F1] AcqRel: the value was complete when its owner died; who sees FOLDING
        // sees that it does not change any more.
        let _ = self.state(slot).compare_exchange(
            part.tag(),
            frozen.word(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        step::at(Step::Frozen)?;
        let Some(series) = self.slot(record.parent_slot) else {
            return self.free_folded(part);
        };
        let accumulator = self.pair(series, VALUE);
        for _ in 0..MAX_RACES {
            let name = accumulator.tag();
            let value = accumulator.value();
            // ORDERING: [S5] Acquire, after the pair as in an update: if the series lives, the
            // pair is of this life or an older one, and the CAS below fails in a later one.
            let series_lives = self.state(series).load(Ordering::Acquire) == record.parent;
            // ORDERING: [F1] Acquire: another may have folded it; then it is not to be added to
            // what was read.
            let is_frozen = self.state(slot).load(Ordering::Acquire) == frozen.word()
                || mutation::is(Mutation::FoldTwice);
            if !is_frozen {
                return Ok(());
            }
            let ours = fold_name(slot, serial);
            let Some(contribution) = self.read_shared(slot, VALUE, part.tag()) else {
                return self.free_folded(part);
            };
            if !series_lives || name == ours {
                return self.free_folded(part);
            }
            // What the accumulator names counts there only as long as it does: free it first.
            if let Some((last, serial)) = of_fold_name(name)
                && let Some(last) = self.slot(last)
                && !mutation::is(Mutation::FoldOverNamed)
            {
                self.free_folded(Bound { slot: last, serial })?;
            }
            let sum = if name == record.parent {
                contribution
            } else {
                combined(how, value, contribution)
            };
            if accumulator.compare_exchange((value, name), (sum, ours)) {
                step::at(Step::Folded)?;
                self.count(offset_of!(Control, folded));
                return self.free_folded(part);
            }
            core::hint::spin_loop();
        }
        // A damaged board; `check` tells.
        Ok(())
    }

    /// Frees a part that is FOLDING and counts elsewhere, or nowhere.
    fn free_folded(&self, part: Bound) -> Result<(), Died> {
        let Bound { slot, serial } = part;
        // ORDERING: [F1] [S4] AcqRel: who finds it ended finds the accumulator that has it.
        let freed = self.state(slot).compare_exchange(
            State::Folding { serial }.word(),
            State::Removed { serial }.word(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        if freed.is_ok() {
            step::at(Step::Removed)?;
            self.unlink(slot, serial)?;
        }
        Ok(())
    }

    /// Whether this is the part of a process that has been dead for longer than it is to be
    /// shown.
    pub(crate) fn is_forgotten(&self, part: Bound) -> bool {
        let Some(record) = self.part_record(part, part.tag()) else {
            return false;
        };
        let died = self.read_shared(part.slot, MOMENT, part.tag()).unwrap_or(0);
        record.how == Some(Aggregation::All)
            && died != 0
            && clock::unix_nanos().saturating_sub(died) > self.keep_dead_nanos()
    }

    /// A split gauge's value as bits: `None` leaves the series out, `Some(None)` says that
    /// nobody has set it. `counts` says whose parts do.
    pub(crate) fn read_split(
        &self,
        series: Bound,
        how: Aggregation,
        parts: &[Part],
        counts: impl Fn(&Part) -> bool,
    ) -> Option<Option<u64>> {
        let combine = how.combine()?;
        let accumulator = self.pair(series.slot, VALUE);
        for _ in 0..MAX_READS {
            // ORDERING: [U2] Acquire, in `tag` and `value`: what follows is read after it.
            let (name, value) = (accumulator.tag(), accumulator.value());
            let mut sum = (how.fold().is_some() && name != series.tag()).then_some(value);
            for part in parts.iter().filter(|part| counts(part)) {
                if fold_name(part.bound.slot, part.bound.serial) == name {
                    continue;
                }
                if let Some(value) = self.read_part(part.bound) {
                    sum = Some(sum.map_or(value, |sum| combined(combine, sum, value)));
                }
            }
            if (accumulator.tag(), accumulator.value()) == (name, value)
                || mutation::is(Mutation::ReadOnce)
            {
                return self.still_lives(series).then_some(sum);
            }
        }
        None
    }

    /// What a part says, if it was set and has not ended: FOLDING counts until it is freed.
    pub(crate) fn read_part(&self, part: Bound) -> Option<u64> {
        let Bound { slot, serial } = part;
        // ORDERING: [F1] Acquire; pairs with the Release of `free_folded`: if it has not ended
        // here, the accumulator that was read did not have it, or names it.
        match State::of(self.state(slot).load(Ordering::Acquire)) {
            State::Ready { serial: now } | State::Folding { serial: now } if now == serial => {
                self.read_shared(slot, VALUE, part.tag())
            }
            _ => None,
        }
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use crate::{Board, Location, Reader};

    /// Who folds may die between the two: the part counts until the accumulator names it.
    #[test]
    fn a_part_that_was_frozen_and_not_yet_folded_is_still_read() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let at = Location::Path(directory.path().join("frozen.board"));
        let board = Board::options().slots(64).create(&at).unwrap();
        let gauge = board.gauge("g", "").aggregation(Aggregation::Sum);
        gauge.register().unwrap().set(4.0);
        let mut kept = Reader::new(&board);
        kept.refresh();
        let segment = &board.attached().unwrap().segment;
        let mut slots = (0..64).filter_map(|index| segment.slot(index));
        let (part, serial) = slots
            .find_map(|slot| {
                let state = segment.state(slot).load(Ordering::Relaxed);
                match State::of(state) {
                    State::Ready { serial } => {
                        let part = Bound { slot, serial };
                        segment.part_record(part, state).map(|_| (slot, serial))
                    }
                    _ => None,
                }
            })
            .unwrap();
        segment
            .state(part)
            .store(State::Folding { serial }.word(), Ordering::Relaxed);
        let mut new = Reader::new(&board);
        for reader in [&mut kept, &mut new] {
            reader.refresh();
            assert_eq!(reader.damaged(), 0);
            assert_eq!(
                reader.gauge(reader.families()[0].series.first().unwrap()),
                Some(4.0)
            );
        }
    }
}
