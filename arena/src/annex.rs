//! What is said of a series and said anew: exemplars, and what an info says.
//!
//! An *annex* is a record under a series, at a *place*: of a histogram the bucket, else 0. It is
//! never changed but replaced, so that a writer's death leaves nothing locked, and replaced by
//! one under the other *turn*, so that there always is one once there was one:
//!
//! ```text
//! turn 0 ──register──▶ turn 0 and turn 1 ──remove──▶ turn 1 ──register──▶ …
//! ```
//!
//! Of two, the one of the greater serial holds. One is removed only by who has found another of
//! a greater serial READY at the same place, so the greatest stays as long as its series lives.
//! Who dies in between leaves two; who replaces them removes the lesser first, and so does a
//! sweep. Two who replace at once may both find the same turn free: one registers it, and the
//! other's is as good as written just before.

use crate::binding::MAX_ROUNDS;
use crate::error::RefusedReason;
use crate::exemplar::{self, Exemplar};
use crate::index::{Lost, Walk};
use crate::info;
use crate::layout::HeadRecord;
use crate::mutation::{self, Mutation};
use crate::record::{Cap, Draft, EXEMPLAR, INFO, Key, Shape, lengths};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::State;
use crate::step::Died;
use core::mem::offset_of;

/// Bytes of a key: place and turn, 4 bytes each, little-endian.
pub(crate) const ANNEX_KEY: usize = 8;
const TURNS: u32 = 2;

/// Where something is annexed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub series: Bound,
    pub kind: u8,
    pub place: u32,
}

/// A turn of a place, and who has it.
type Turn = (u32, Bound);

/// The key of a place's turn.
fn key_text(place: u32, turn: u32) -> [u8; ANNEX_KEY] {
    (u64::from(turn) << 32 | u64::from(place)).to_le_bytes()
}

impl Site {
    fn key<'a>(&self, segment: &Segment, text: &'a [u8]) -> Key<'a> {
        let parent = self.series.tag();
        Key {
            hash: segment.hash_of(self.kind, parent, text),
            kind: self.kind,
            parent,
            text,
        }
    }
}

impl Segment {
    /// Puts `text` in place of what is annexed at `site`. Its first [`ANNEX_KEY`] bytes are room
    /// for the key. Lock-free; some lookups, a registration and a removal. No allocation.
    pub(crate) fn replace_annex(&self, site: Site, text: &mut [u8]) -> Result<(), Lost> {
        for _ in 0..MAX_ROUNDS {
            let (newest, older) = self.annexes_at(site)?;
            if let Some((_, older)) = older
                && !mutation::is(Mutation::AnnexOlderKept)
            {
                self.remove(older)?;
            }
            let turn = newest.map_or(0, |(turn, _)| (turn + 1) % TURNS);
            if let Some((_, before)) = newest
                && mutation::is(Mutation::AnnexRemovedFirst)
            {
                self.remove(before)?;
            }
            let made = self.register_annex(site, turn, text)?;
            match newest {
                None => return self.remove_outdated(site),
                Some((_, before))
                    if before.serial < made.serial || mutation::is(Mutation::AnnexOverLesser) =>
                {
                    if !self.remove(before)? {
                        // Another was quicker, and what was made here may be older than his.
                        self.remove_outdated(site)?;
                    }
                    return Ok(());
                }
                // Another's, who took his serial before that of the newest and was slower.
                Some(_) => {}
            }
        }
        Err(RefusedReason::Overrun.into())
    }

    /// Removes what does not hold.
    fn remove_outdated(&self, site: Site) -> Result<(), Lost> {
        if let (_, Some((_, older))) = self.annexes_at(site)? {
            self.remove(older)?;
        }
        Ok(())
    }

    /// Registers an annex under `turn`, beside what is there under the other.
    fn register_annex(&self, site: Site, turn: u32, text: &mut [u8]) -> Result<Bound, Lost> {
        self.register(&self.annex_draft(site, turn, text))
    }

    pub(crate) fn annex_draft<'t>(&self, site: Site, turn: u32, text: &'t mut [u8]) -> Draft<'t> {
        text[..ANNEX_KEY].copy_from_slice(&key_text(site.place, turn));
        Draft {
            key: site.key(self, &text[..ANNEX_KEY]),
            text,
            metric: 0,
            aggregation: 0,
            cells: 0,
            parent_slot: site.series.slot.index(),
            note: 0,
            cap: Cap::None,
        }
    }

    /// What is annexed at `site`: the one that holds, and one that does not.
    fn annexes_at(&self, site: Site) -> Result<(Option<Turn>, Option<Turn>), Lost> {
        let find = |turn| {
            let text = key_text(site.place, turn);
            Ok::<_, Lost>(match self.find(&site.key(self, &text))? {
                Walk::Live { slot, serial } => Some((turn, Bound { slot, serial })),
                Walk::Absent { .. } => None,
            })
        };
        let (first, second) = (find(0)?, find(1)?);
        let serial = |found: Option<Turn>| found.map(|(_, bound)| bound.serial);
        // None is less than any.
        let is_second_newer =
            serial(first) < serial(second) && !mutation::is(Mutation::AnnexesUnsorted);
        Ok(if is_second_newer {
            (second, first)
        } else {
            (first, second)
        })
    }

    /// What holds at `site`.
    pub(crate) fn annex_at(&self, site: Site) -> Result<Option<Bound>, Lost> {
        Ok(self.annexes_at(site)?.0.map(|(_, bound)| bound))
    }

    /// Whether what holds at `site` says `text` behind its key.
    pub(crate) fn is_annexed(&self, site: Site, text: &mut [u8]) -> Result<bool, Lost> {
        let Some((turn, bound)) = self.annexes_at(site)?.0 else {
            return Ok(false);
        };
        text[..ANNEX_KEY].copy_from_slice(&key_text(site.place, turn));
        let (_, text_len) = lengths(self.head_word(bound.slot, offset_of!(HeadRecord, lengths)));
        let same = text_len == text.len() && self.text_begins_with(bound.slot, text);
        Ok(same && self.still_lives(bound))
    }

    /// Whether this is an annex beside which a newer one has come to hold, and whoever made that
    /// has died, or is about to remove this one. Two lookups for an annex.
    pub(crate) fn is_outdated(&self, bound: Bound) -> bool {
        let word = |field| self.head_word(bound.slot, field);
        let kind = Shape::of(word(offset_of!(HeadRecord, shape))).kind;
        if (kind != EXEMPLAR && kind != INFO) || mutation::is(Mutation::AnnexKeptBySweep) {
            return false;
        }
        let place = word(offset_of!(HeadRecord, text)) as u32;
        let parent = State::of(word(offset_of!(HeadRecord, parent)));
        let parent_slot = u32::try_from(word(offset_of!(HeadRecord, parent_slot)));
        let parent_slot = parent_slot.ok().and_then(|at| self.slot(at));
        let (Some(slot), State::Ready { serial }) = (parent_slot, parent) else {
            return false;
        };
        if !self.still_lives(bound) {
            return false;
        }
        let site = Site {
            series: Bound { slot, serial },
            kind,
            place,
        };
        let older = self.annexes_at(site).map(|(_, older)| older);
        matches!(older, Ok(Some((_, older))) if older == bound)
    }

    /// Removes what was annexed to a series that has ended, at `places` places. Finds each by
    /// its key; what is registered later finds the end of the series ([S6]).
    pub(crate) fn remove_annexes(&self, series: Bound, kind: u8, places: u32) -> Result<(), Died> {
        for place in 0..places {
            let site = Site {
                series,
                kind,
                place,
            };
            match self.annexes_at(site) {
                Ok((newest, older)) => {
                    for (_, annex) in [newest, older].into_iter().flatten() {
                        self.end(annex)?;
                    }
                }
                #[cfg(all(test, arena_loom))]
                Err(Lost::Died) => return Err(Died),
                // What is left is an orphan: passed over, and removed by the next sweep.
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }
}

/// What an annex says.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    Exemplar(Exemplar),
    Info(Vec<(String, String)>),
}

/// Place and words of an annex; `None` for bytes that no writer makes.
pub(crate) fn decode(
    kind: u8,
    text: &[u8],
    key_len: usize,
    created_unix_nanos: u64,
) -> Option<(u32, Said)> {
    let (key, rest) = text.split_first_chunk::<ANNEX_KEY>()?;
    let key = u64::from_le_bytes(*key);
    let (place, turn) = (key as u32, (key >> 32) as u32);
    if key_len != ANNEX_KEY || turn >= TURNS {
        return None;
    }
    let said = match kind {
        EXEMPLAR => Said::Exemplar(exemplar::decode(rest, created_unix_nanos)?),
        INFO if place == 0 => Said::Info(info::decode(rest)?),
        _ => return None,
    };
    Some((place, said))
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use crate::sync::Ordering;
    use crate::{Board, Location, Reader};

    fn living(segment: &Segment) -> usize {
        let slots = (0..64).filter_map(|index| segment.slot(index));
        let states = slots.map(|slot| State::of(segment.state(slot).load(Ordering::Relaxed)));
        states
            .filter(|state| matches!(state, State::Ready { .. }))
            .count()
    }

    /// Whoever dies between the two leaves both.
    #[test]
    fn of_two_at_one_place_the_newer_holds_and_the_older_goes_with_the_next() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let at = Location::Path(directory.path().join("annexes.board"));
        let board = Board::options().slots(64).create(&at).unwrap();
        let family = board.info("build", "").labels(&["side"]).family().unwrap();
        let info = family.with(&["left"]);
        let says = || {
            let mut reader = Reader::new(&board);
            reader.refresh();
            assert_eq!(reader.damaged(), 0);
            let said = reader
                .info(reader.families()[0].series.first().unwrap())
                .unwrap();
            said.first().map(|(_, value)| value.clone())
        };
        assert_eq!(says(), None);
        info.set(&[("version", "1")]).unwrap();
        let segment = &board.attached().unwrap().segment;
        let slots = (0..64).filter_map(|index| segment.slot(index));
        let series = slots
            .filter_map(
                |slot| match State::of(segment.state(slot).load(Ordering::Relaxed)) {
                    State::Ready { serial } => Some(Bound { slot, serial }),
                    _ => None,
                },
            )
            .find(|bound| {
                let shape = segment.head_word(bound.slot, offset_of!(HeadRecord, shape));
                crate::record::Shape::of(shape).kind == crate::record::SERIES
            })
            .unwrap();
        // Family, series, and what it says.
        assert_eq!((living(segment), says().as_deref()), (3, Some("1")));
        let mut text = vec![0; ANNEX_KEY];
        for word in ["version", "2"] {
            crate::family::put_text(&mut text, word).unwrap();
        }
        let (kind, place) = (INFO, 0);
        let site = Site {
            series,
            kind,
            place,
        };
        segment.register_annex(site, 1, &mut text).unwrap();
        assert_eq!((living(segment), says().as_deref()), (4, Some("2")));
        assert_eq!(board.check(), []);
        board.reap();
        assert_eq!((living(segment), says().as_deref()), (3, Some("2")));
        segment.register_annex(site, 0, &mut text).unwrap();
        assert_eq!((living(segment), says().as_deref()), (4, Some("2")));
        info.set(&[("version", "3")]).unwrap();
        assert_eq!((living(segment), says().as_deref()), (3, Some("3")));
        assert!(family.remove(&["left"]).unwrap());
        assert_eq!(living(segment), 1);
    }
}
