//! The index: one sorted, lock-free list a hash bucket, threaded through the slots.
//!
//! Michael's list (*High Performance Dynamic Lock-Free Hash Tables and List-Based Sets*,
//! SPAA 2002) with change counts in the links instead of hazard pointers: a slot is used
//! again at once, and whoever still stands on it is told by the count. Lists are ordered by
//! hash; keys of equal hash stand in the order of their arrival, and a new one goes behind
//! the last of them, so that two registrations that race for one key, or for two
//! definitions of one name, change the same link and only one of them can succeed.
//!
//! A link is `change count:32 | mark:1 | slot + 1:31`. The mark in a slot's own link says
//! that the slot is on its way out; nothing is inserted behind it. Every write raises the
//! count, also across lives: 2^32 changes of one link would have to pass while a process
//! stands between a load and its CAS to fool it.

use crate::error::RefusedReason;
use crate::layout::{Control, HeadRecord};
use crate::mutation::{self, Mutation};
use crate::record::{Judgement, Key};
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::step::{self, Died, Step};
use crate::sync::{AtomicU64, Ordering, fence};
use core::mem::offset_of;

/// A link word, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    count: u32,
    pub(crate) marked: bool,
    /// `slot + 1`, or 0 at the end of a list.
    to: u32,
}

impl Link {
    const MARK: u32 = 1 << 31;

    #[inline]
    pub(crate) fn of(word: u64) -> Link {
        let low = word as u32;
        Link {
            count: (word >> 32) as u32,
            marked: low & Self::MARK != 0,
            to: low & !Self::MARK,
        }
    }

    #[inline]
    pub(crate) fn word(self) -> u64 {
        let mark = if self.marked { Self::MARK } else { 0 };
        u64::from(self.count) << 32 | u64::from(mark | self.to)
    }

    /// The index that the link leads to, as the board says it: not yet checked.
    #[inline]
    pub(crate) fn target(self) -> Option<u32> {
        self.to.checked_sub(1)
    }

    fn next_count(self) -> u32 {
        let step = if mutation::is(Mutation::CountStands) {
            0
        } else {
            1
        };
        self.count.wrapping_add(step)
    }

    /// The next value of this link, leading where `to` leads.
    #[inline]
    pub(crate) fn led_to(self, to: Link, marked: bool) -> Link {
        Link {
            count: self.next_count(),
            marked,
            to: to.to,
        }
    }

    /// The next value of this link, leading to `slot`.
    #[inline]
    pub(crate) fn to_slot(self, slot: Slot) -> Link {
        Link {
            count: self.next_count(),
            marked: false,
            to: slot.index() + 1,
        }
    }
}

/// The link that leads to a place in a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Head(u32),
    After(Slot),
}

/// What a walk found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Walk {
    /// The key's living series or family.
    Live { slot: Slot, serial: u64 },
    /// No such key; a new one is linked by a CAS of `place` from exactly `link`.
    Absent { place: Place, link: Link },
}

/// Why a walk ended without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Bounds exceeded, or a link out of bounds: a damaged board or a storm of changes.
    Refused(RefusedReason),
    /// A family of the same name and another type is there.
    Clash { slot: u32, serial: u64 },
    /// What it was to belong to has ended meanwhile.
    Orphaned,
    /// The family has as many series as it may have.
    Capped,
    /// The model's thread died.
    Died,
}

impl Lost {
    /// The reason that the board counts.
    pub(crate) fn reason(&self) -> RefusedReason {
        match self {
            Lost::Refused(reason) => *reason,
            Lost::Capped => RefusedReason::FamilyFull,
            // Something changes faster than it can be followed.
            Lost::Orphaned | Lost::Clash { .. } | Lost::Died => RefusedReason::Overrun,
        }
    }
}

impl From<Died> for Lost {
    fn from(_: Died) -> Lost {
        Lost::Died
    }
}

/// How often a walk may begin again. Each time some other process made progress in the
/// same list, so that a sound board needs a handful.
const MAX_RESTARTS: u32 = 10_000;

impl Segment {
    #[inline]
    pub(crate) fn link_at(&self, place: Place) -> &AtomicU64 {
        match place {
            Place::Head(list) => self.head(list),
            Place::After(slot) => self.next(slot),
        }
    }

    /// The list of a hash.
    #[inline]
    pub(crate) fn list_of(&self, hash: u64) -> u32 {
        // `heads` is a power of two by construction of the geometry.
        (hash as u32) & (self.geometry.heads - 1)
    }

    /// Looks `key` up; on the way unlinks what was removed and completes what it finds
    /// BUILDING. Lock-free; at most [`MAX_RESTARTS`] walks of at most 3 × (`slots` + 1) steps.
    #[inline]
    pub(crate) fn find(&self, key: &Key<'_>) -> Result<Walk, Lost> {
        for _ in 0..MAX_RESTARTS {
            if let Some(walk) = self.walk(key)? {
                return Ok(walk);
            }
        }
        Err(Lost::Refused(RefusedReason::Overrun))
    }

    /// One walk; `None`: something changed under it, begin again.
    #[inline]
    fn walk(&self, key: &Key<'_>) -> Result<Option<Walk>, Lost> {
        let mut place = Place::Head(self.list_of(key.hash));
        // ORDERING: [L1] Acquire; pairs with the Release of `publish`. Whoever follows this
        // link sees the record, the text, the chain and the `next` of the slot behind it.
        let mut link = Link::of(self.link_at(place).load(Ordering::Acquire));
        // A slot may be met three times: to mark it, to take it out, to pass it.
        for _ in 0..3 * (self.geometry.slots + 1) {
            let Some(target) = link.target() else {
                return Ok(Some(Walk::Absent { place, link }));
            };
            let Some(slot) = self.slot(target) else {
                return Err(Lost::Refused(RefusedReason::Damaged));
            };
            // ORDERING: [L1] as above.
            let next = Link::of(self.next(slot).load(Ordering::Acquire));
            // Relaxed: ordered after the link that led here, checked again below.
            let hash = self
                .record(slot, offset_of!(HeadRecord, hash))
                .load(Ordering::Relaxed);
            // ORDERING: [S1] Acquire: a READY that is used without the link's help.
            let state = State::of(self.state(slot).load(Ordering::Acquire));
            let judgement = if hash == key.hash && !next.marked {
                key.judge(self, slot)
            } else {
                Judgement::Other
            };
            // ORDERING: [S2] Acquire fence; pairs with the Release fence of `build`. If a word
            // of the record was of a later life, the look at the link below sees it changed.
            if !mutation::is(Mutation::NoWalkFence) {
                fence(Ordering::Acquire);
            }
            // The previous link is as it was, so `slot` was in the list all the while and
            // what was read belongs to one life.
            // ORDERING: [L1] Acquire, so that a changed link is followed rightly next time.
            if self.link_at(place).load(Ordering::Acquire) != link.word()
                && !mutation::is(Mutation::NoRecheck)
            {
                return Ok(None);
            }
            let unlink_unmarked =
                mutation::is(Mutation::UnlinkUnmarked) && matches!(state, State::Removed { .. });
            if next.marked || unlink_unmarked {
                let Some(past) = self.take_out(place, link, slot, next, state)? else {
                    return Ok(None);
                };
                link = past;
                continue;
            }
            if let State::Removed { .. } = state {
                // Whoever removed it died, or is slow: mark it, and meet it again here.
                if self.mark(slot, next) {
                    continue;
                }
                return Ok(None);
            }
            if hash > key.hash {
                return Ok(Some(Walk::Absent { place, link }));
            }
            match (judgement, state) {
                (Judgement::Same, State::Ready { serial }) => {
                    return Ok(Some(Walk::Live { slot, serial }));
                }
                (Judgement::Same, State::Building { row, serial }) => {
                    self.complete(slot, row, serial);
                    return Ok(Some(Walk::Live { slot, serial }));
                }
                (Judgement::Clash, State::Ready { serial } | State::Building { serial, .. }) => {
                    let slot = slot.index();
                    return Err(Lost::Clash { slot, serial });
                }
                _ => {}
            }
            place = Place::After(slot);
            link = next;
        }
        Err(Lost::Refused(RefusedReason::Damaged))
    }

    /// Takes a marked slot out of its list and frees it; the link that now leads past it, or
    /// `None` if the place has changed. `state` was loaded before the slot was known to be
    /// linked, so that it is of the life that is taken out.
    fn take_out(
        &self,
        place: Place,
        link: Link,
        slot: Slot,
        next: Link,
        state: State,
    ) -> Result<Option<Link>, Died> {
        let past = link.led_to(next, false);
        // ORDERING: [L2] Release: who follows the shortened link sees the slots behind it, as
        // we do by [L1].
        if self
            .link_at(place)
            .compare_exchange(
                link.word(),
                past.word(),
                Ordering::AcqRel,
                Ordering::Relaxed,
            )
            .is_err()
        {
            return Ok(None);
        }
        step::at(Step::Unlinked)?;
        if matches!(state, State::Removed { .. }) && self.release(slot, state) {
            self.count(offset_of!(Control, reclaimed));
        }
        Ok(Some(past))
    }

    /// Marks the link of a REMOVED slot, so that nothing can be inserted behind it.
    pub(crate) fn mark(&self, slot: Slot, next: Link) -> bool {
        // ORDERING: [L2] AcqRel: who unlinks by this mark also sees what it leads to, and
        // the REMOVED that came before it.
        self.next(slot)
            .compare_exchange(
                next.word(),
                next.led_to(next, true).word(),
                Ordering::AcqRel,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// Links `slot`, whose record is written, at the place that a walk found for it.
    pub(crate) fn publish(&self, slot: Slot, place: Place, link: Link) -> bool {
        // Relaxed: nobody can reach `slot` before the CAS below publishes it. Its count
        // goes on from the life before, so a late CAS from there fails.
        let own = Link::of(self.next(slot).load(Ordering::Relaxed));
        self.next(slot)
            .store(own.led_to(link, false).word(), Ordering::Relaxed);
        let from = if mutation::is(Mutation::LinkFromAnything) {
            self.link_at(place).load(Ordering::Relaxed)
        } else {
            link.word()
        };
        // ORDERING: [L1] Release; pairs with the Acquire in `walk`. Acquire is not needed:
        // the place was read with it.
        self.link_at(place)
            .compare_exchange(
                from,
                link.to_slot(slot).word(),
                mutation::ordering(Mutation::LinkRelaxed, Ordering::Release, Ordering::Relaxed),
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// Whether `slot` can be reached from the list of `hash`. For a reaper: the slot's
    /// builder is dead, so that an answer of no stays true. `None`: bounds exceeded.
    pub(crate) fn is_linked(&self, slot: Slot, hash: u64) -> Result<Option<bool>, Died> {
        'again: for _ in 0..MAX_RESTARTS {
            let mut place = Place::Head(self.list_of(hash));
            // ORDERING: [L1] Acquire, as in `walk`.
            let mut link = Link::of(self.link_at(place).load(Ordering::Acquire));
            for _ in 0..3 * (self.geometry.slots + 1) {
                let Some(target) = link.target() else {
                    return Ok(Some(false));
                };
                let Some(at) = self.slot(target) else {
                    return Ok(None);
                };
                if at == slot {
                    return Ok(Some(true));
                }
                // ORDERING: [L1] Acquire, as in `walk`.
                let next = Link::of(self.next(at).load(Ordering::Acquire));
                // ORDERING: [S1] Acquire, as in `walk`.
                let state = State::of(self.state(at).load(Ordering::Acquire));
                // ORDERING: [L1] Acquire, as in `walk`: `at` was in the list all the while.
                if self.link_at(place).load(Ordering::Acquire) != link.word() {
                    continue 'again;
                }
                // A marked link never changes again, so that a second look at it would not
                // tell that its slot has left the list: take it out, as a walk does.
                if next.marked && !mutation::is(Mutation::ReaperFollowsMark) {
                    match self.take_out(place, link, at, next, state)? {
                        Some(past) => link = past,
                        None => continue 'again,
                    }
                } else {
                    place = Place::After(at);
                    link = next;
                }
            }
            return Ok(None);
        }
        Ok(None)
    }
}
