//! What a handle keeps: its family, its labels, and which slot carries its series now.
//!
//! A binding is a slot and a tag in two words. Threads that update while another binds the
//! handle anew may read one of each: such a pair fails the check of the state that every
//! update makes. What else belongs to a binding ([`Places`]) is read between two looks at the
//! tag. When the series has ended, the update registers it again and goes on there; when the
//! board was given up, on the board that came after it. Nothing is allocated by that and no
//! lock is waited for, since it may happen in a signal handler.

use crate::binding::{FamilyBinding, MAX_ROUNDS};
use crate::error::{RefusedReason, RegisterError};
use crate::family::Definition;
use crate::index::{Lost, Walk};
use crate::kept::{self, Place};
use crate::labels::Labels;
use crate::planes::{Cell, Ended};
use crate::recent::Recent;
use crate::record::{Cap, Draft, Key, SERIES};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::sync::plain::{AtomicU32, AtomicU64};
use crate::sync::{Ordering, fence};

/// No state word: a handle that is just being bound.
pub(crate) const UNBOUND: u64 = u64::MAX;

/// What a type of metric keeps of a binding besides the head's slot.
#[expect(private_interfaces, reason = "nobody outside can name it, or call it")]
pub trait Places: Sized + Sync + 'static {
    /// For a sink.
    fn none() -> Self;
    /// For series of this definition, not bound yet.
    fn of(definition: &'static Definition) -> Self;
    /// As [`of`](Self::of), without an allocation.
    fn kept(definition: &'static Definition) -> Option<Self>;
    /// Binds to a life of the series. Readers are kept out meanwhile, see [`Series::bind`].
    fn bind(&self, segment: &Segment, definition: &Definition, bound: Bound) -> Result<(), Lost>;
    /// As it is now, for a copy of the handle.
    fn copy(&self, definition: &'static Definition) -> Self;
}

/// A series of which the head has all cells.
#[expect(private_interfaces, reason = "nobody outside can name it, or call it")]
impl Places for () {
    fn none() -> Self {}

    fn of(_: &'static Definition) -> Self {}

    fn kept(_: &'static Definition) -> Option<Self> {
        Some(())
    }

    fn bind(&self, _: &Segment, _: &Definition, _: Bound) -> Result<(), Lost> {
        Ok(())
    }

    fn copy(&self, _: &'static Definition) -> Self {}
}

/// One series, as a handle holds it. In a sink there is neither segment nor family: updates
/// go nowhere.
#[repr(C)] // What an update reads lies together.
pub struct Series<P: Places> {
    /// The family's, at hand: the update path follows one pointer less.
    segment: Option<&'static Segment>,
    // Relaxed: see above.
    tag: AtomicU64,
    slot: AtomicU32,
    family: Option<&'static FamilyBinding>,
    pub(crate) places: P,
    labels: Labels,
    /// The same series on the board that came after this one.
    moved: Place<Series<P>>,
}

impl<P: Places> Clone for Series<P> {
    fn clone(&self) -> Self {
        let tag = self.tag();
        let places = match self.family {
            Some(family) => self.places.copy(family.definition()),
            None => P::none(),
        };
        // Bound anew meanwhile: the copy will be, at its first update.
        let tag = if self.tag() == tag { tag } else { UNBOUND };
        let moved = Place::new();
        if let Some(to) = self.moved.get() {
            moved.set(to);
        }
        Series {
            segment: self.segment,
            family: self.family,
            slot: AtomicU32::new(self.slot.load(Ordering::Relaxed)),
            tag: AtomicU64::new(tag),
            places,
            labels: self.labels.clone(),
            moved,
        }
    }
}

impl<P: Places> Series<P> {
    /// A series whose updates go nowhere.
    pub(crate) fn sink() -> Self {
        Series {
            segment: None,
            family: None,
            slot: AtomicU32::new(0),
            tag: AtomicU64::new(UNBOUND),
            places: P::none(),
            labels: Labels::empty(),
            moved: Place::new(),
        }
    }

    /// Finds the series of these label values, given in the family's order. Lock-free; no
    /// allocation but for many buckets. `None` says nothing: ask [`register`](Self::register).
    #[inline]
    pub(crate) fn find<'v>(
        family: &'static FamilyBinding,
        values: impl Iterator<Item = &'v str> + Clone,
    ) -> Option<Self> {
        let mut labels = Labels::empty();
        if !labels.pack(values) {
            return None;
        }
        let tag = family.tag();
        let segment = family.segment();
        let (len, words) = labels.words()?;
        let place = family.attached.recent.place(tag, words);
        let slot = segment.slot(Recent::index(place)?)?;
        // It does not matter how the slot was come by: READY before and after the
        // comparison, and the record the key's, it is the one.
        // ORDERING: [S1] Acquire; pairs with the Release of `complete`.
        let State::Ready { serial } = State::of(segment.state(slot).load(Ordering::Acquire)) else {
            return None;
        };
        let bound = Bound { slot, serial };
        if !segment.is_series(slot, tag, len, words) || !segment.still_lives(bound) {
            return None;
        }
        Series::bound(family, labels, bound).ok()
    }

    /// Finds the series of these label values or makes it. No allocation for short values.
    #[inline(never)]
    pub(crate) fn register<'v>(
        family: &'static FamilyBinding,
        values: impl Iterator<Item = &'v str> + Clone,
    ) -> Result<Self, RegisterError> {
        let refused = |lost| family.current().refuse(lost);
        let labels =
            Labels::encode(values).ok_or_else(|| refused(Lost::Refused(RefusedReason::TooLong)))?;
        for _ in 0..MAX_ROUNDS {
            let (family, bound) = register(family, &labels).map_err(refused)?;
            match Series::bound(family, labels.clone(), bound) {
                // The series has ended again.
                Err(Lost::Orphaned) => {}
                series => return series.map_err(refused),
            }
        }
        Err(refused(Lost::Refused(RefusedReason::Overrun)))
    }

    #[inline]
    fn bound(family: &'static FamilyBinding, labels: Labels, bound: Bound) -> Result<Self, Lost> {
        let places = P::of(family.definition());
        places.bind(family.segment(), family.definition(), bound)?;
        Ok(Series {
            segment: Some(family.segment()),
            family: Some(family),
            slot: AtomicU32::new(bound.slot.index()),
            tag: AtomicU64::new(bound.tag()),
            places,
            labels,
            moved: Place::new(),
        })
    }

    /// The board, if this is not a sink.
    #[inline(always)]
    pub(crate) fn segment(&self) -> Option<&'static Segment> {
        self.segment
    }

    /// A cell of the head's own unit.
    #[inline(always)]
    pub(crate) fn cell(&self, index: u32) -> Cell {
        let slot = Slot(self.slot.load(Ordering::Relaxed));
        Cell::of_head(slot, index, self.tag.load(Ordering::Relaxed))
    }

    /// The tag, to be compared with a second look after the places were read.
    #[inline(always)]
    pub(crate) fn tag(&self) -> u64 {
        // ORDERING: [H1] Acquire; pairs with the Release of `bind`: the places are those of
        // this life, or the second look finds another tag.
        self.tag.load(Ordering::Acquire)
    }

    /// The definition of the series' family; `None` for a sink.
    #[inline(always)]
    pub(crate) fn definition(&self) -> Option<&'static Definition> {
        Some(self.family?.definition())
    }

    /// Whether updates go nowhere.
    pub(crate) fn is_sink(&self) -> bool {
        self.family.is_none()
    }

    /// The series where it is now.
    pub(crate) fn latest(&self) -> &Self {
        let mut series = self;
        // As many as an update follows: on a board of an enemy they may lead in a ring.
        for _ in 0..MAX_ROUNDS {
            match series.moved.get() {
                Some(next) => series = next,
                None => break,
            }
        }
        series
    }

    /// The board's segment and this life of the series; registers nothing.
    pub(crate) fn life(&self) -> Option<(&'static Segment, Bound)> {
        let latest = self.latest();
        let cell = latest.cell(0);
        match State::of(cell.tag) {
            State::Ready { serial } => {
                let slot = cell.head;
                Some((latest.segment?, Bound { slot, serial }))
            }
            _ => None,
        }
    }

    /// Makes an update that the quick way could not: where the series is now, registering it
    /// again if it has ended. What cannot be done is counted on the board and goes nowhere.
    #[cold]
    #[inline(never)]
    pub(crate) fn update(
        &self,
        mut apply: impl FnMut(&Self, &'static Segment) -> Result<(), Ended>,
    ) {
        let mut series = self.latest();
        for _ in 0..MAX_ROUNDS {
            let Some(segment) = series.segment else {
                return;
            };
            if apply(series, segment).is_ok() {
                return;
            }
            match series.rebind() {
                Ok(now) => series = now,
                Err(lost) => return segment.count_refusal(lost.reason()),
            }
        }
        if let Some(segment) = series.segment {
            segment.count_refusal(RefusedReason::Overrun);
        }
    }

    /// Finds or registers the series again, where it is to be found now.
    fn rebind(&self) -> Result<&Self, Lost> {
        let nowhere = Lost::Refused(RefusedReason::Unlockable);
        let known = self.family.ok_or(nowhere.clone())?;
        let (family, bound) = register(known, &self.labels)?;
        if core::ptr::eq(known, family) {
            return match self.bind(family, bound) {
                Err(Lost::Orphaned) | Ok(()) => Ok(self),
                Err(lost) => Err(lost),
            };
        }
        let series = Series {
            segment: Some(family.segment()),
            family: Some(family),
            slot: AtomicU32::new(0),
            tag: AtomicU64::new(UNBOUND),
            places: P::kept(family.definition()).ok_or(nowhere.clone())?,
            labels: self.labels.clone(),
            moved: Place::new(),
        };
        match series.bind(family, bound) {
            Err(Lost::Orphaned) | Ok(()) => {}
            Err(lost) => return Err(lost),
        }
        let series = kept::keep(series).ok_or(nowhere)?;
        self.moved.set(series);
        Ok(series)
    }

    /// Binds to a life. Several threads may do so at once: of two lives of one key the older
    /// has ended, so whatever mixture is left fails the check of the state.
    fn bind(&self, family: &FamilyBinding, bound: Bound) -> Result<(), Lost> {
        self.tag.store(UNBOUND, Ordering::Relaxed);
        // ORDERING: [H1] Release fence: whoever reads a place of the new life finds the tag
        // gone when it looks again.
        fence(Ordering::Release);
        self.slot.store(bound.slot.index(), Ordering::Relaxed);
        let bind = self
            .places
            .bind(family.segment(), family.definition(), bound);
        // ORDERING: [H1] Release; pairs with the Acquire of `tag`.
        self.tag.store(bound.tag(), Ordering::Release);
        bind
    }
}

/// Finds or makes the series on the board that the family is on now. No allocation.
fn register(
    family: &'static FamilyBinding,
    labels: &Labels,
) -> Result<(&'static FamilyBinding, Bound), Lost> {
    for _ in 0..MAX_ROUNDS {
        let (family, home) = family.live()?;
        let cap = match family.cap() {
            0 => Cap::None,
            cap => Cap::AtMost(cap),
        };
        match register_in(family, home, labels, cap) {
            Ok(bound) => {
                if let Some((_, words)) = labels.words() {
                    let recent = &family.attached.recent;
                    Recent::remember(recent.place(home.tag(), words), bound.slot);
                }
                return Ok((family, bound));
            }
            // The family ended, or the board was given up: to be looked at again.
            Err(Lost::Orphaned | Lost::Refused(RefusedReason::Retired)) => {}
            Err(Lost::Capped) => {
                if let Some(bound) = overflow(family, home)? {
                    return Ok((family, bound));
                }
            }
            Err(lost) => return Err(lost),
        }
    }
    Err(Lost::Refused(RefusedReason::Overrun))
}

fn register_in(
    family: &FamilyBinding,
    home: Bound,
    labels: &Labels,
    cap: Cap,
) -> Result<Bound, Lost> {
    let segment = family.segment();
    let definition = family.definition();
    labels.with_hash(segment, home.tag(), |text, hash| {
        segment.register(&Draft {
            key: Key {
                hash,
                kind: SERIES,
                parent: home.tag(),
                text,
            },
            text,
            metric: definition.kind.code(),
            // How the parts of a gauge become one; nothing else is put together.
            aggregation: definition.aggregation.code(),
            cells: definition.cells(),
            parent_slot: home.slot.index(),
            note: 0,
            cap,
        })
    })
}

/// The series of a family that counts what goes beyond its cap; `None` if the family ended.
/// Where values make no sense together, as a gauge's, it is refused.
#[cold]
fn overflow(family: &FamilyBinding, home: Bound) -> Result<Option<Bound>, Lost> {
    family.segment().count_overflow(home.slot, home.tag());
    if !family.definition().kind.adds_up() {
        return Err(Lost::Capped);
    }
    match register_in(family, home, &family.declared.overflow, Cap::Overflow) {
        Ok(bound) => Ok(Some(bound)),
        Err(Lost::Orphaned) => Ok(None),
        Err(lost) => Err(lost),
    }
}

/// Ends the series of these label values; whether there was one.
pub(crate) fn remove<'v>(
    family: &'static FamilyBinding,
    values: impl Iterator<Item = &'v str> + Clone,
) -> Result<bool, RegisterError> {
    let refused = |lost| family.current().refuse(lost);
    let Some(labels) = Labels::encode(values) else {
        return Ok(false);
    };
    let (family, home) = family.live().map_err(refused)?;
    let segment = family.segment();
    let found = labels.with_hash(segment, home.tag(), |text, hash| {
        segment.find(&Key {
            hash,
            kind: SERIES,
            parent: home.tag(),
            text,
        })
    });
    match found.map_err(refused)? {
        Walk::Live { slot, serial } => segment
            .remove(Bound { slot, serial })
            .map_err(|died| refused(died.into())),
        Walk::Absent { .. } => Ok(false),
    }
}

/// Ends all series of a family; how many there were.
pub(crate) fn clear(family: &'static FamilyBinding) -> Result<u64, RegisterError> {
    let refused = |lost| family.current().refuse(lost);
    let (family, home) = family.live().map_err(refused)?;
    family
        .segment()
        .remove_series_of(home.tag())
        .map_err(|died| refused(died.into()))
}
