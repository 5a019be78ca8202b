//! A family as this process knows it: its definition and its place on the board.

use crate::attached::{Attached, Hold};
use crate::cap::OVERFLOW;
use crate::error::{RefusedReason, RegisterError};
use crate::family::{Definition, Kind};
use crate::index::Lost;
use crate::kept::{self, Place};
use crate::labels::Labels;
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::sync::Ordering;
use crate::sync::plain::{AtomicU32, AtomicU64};
use core::ops::Deref;

/// What a program declared, and its canonical bytes.
pub(crate) struct Declared {
    pub(crate) definition: Definition,
    text: Box<[u8]>,
    key_len: usize,
    /// The labels of the series that counts what goes beyond the family's cap.
    pub(crate) overflow: Labels,
}

/// A declaration on its way to a binding. One that the board refuses is dropped: a program that
/// asks again and again does not grow.
enum Held {
    Kept(&'static Declared),
    New(Box<Declared>),
}

impl Held {
    fn keep(self) -> &'static Declared {
        match self {
            Held::Kept(declared) => declared,
            Held::New(declared) => Box::leak(declared),
        }
    }
}

impl Deref for Held {
    type Target = Declared;

    fn deref(&self) -> &Declared {
        match self {
            Held::Kept(declared) => declared,
            Held::New(declared) => declared,
        }
    }
}

/// A family on one board.
///
/// Bindings live for ever, and with them the mapping of their board: a handle then holds
/// plain references, which cost nothing to copy, and can never outlive what it updates. What
/// is kept is bounded by the metrics that a program defines, times the boards it counts on.
pub(crate) struct FamilyBinding {
    pub(crate) attached: &'static Attached,
    pub(crate) declared: &'static Declared,
    /// Series that the family may have, as this process has it; 0: what the board says.
    cap: AtomicU64,
    // Where the family is. Two words that are not read together: a torn pair fails the check
    // of the state. Relaxed for the same reason.
    slot: AtomicU32,
    tag: AtomicU64,
    /// Its rank when it was first met: when it has to be made anew it is no newer for that.
    first_life: u64,
    /// The same family on the board that came after this one.
    successor: Place<FamilyBinding>,
}

/// How often a registration goes after a family or a board that ends under it.
pub(crate) const MAX_ROUNDS: u32 = 100;

impl FamilyBinding {
    /// Finds the family on the board or makes it, and sees to it that its help is shown.
    pub(crate) fn register(
        attached: &Hold,
        definition: Definition,
        cap: u64,
    ) -> Result<&'static FamilyBinding, RegisterError> {
        let refused = |lost| refuse(&attached.segment, &definition, lost);
        if !attached.segment.region.is_writable() {
            // A handle on a mapping that may not be written would be one that faults.
            return Err(refused(Lost::Refused(RefusedReason::ReadOnly)));
        }
        // So that the list of who writes is true; what needs the row says if it is not to be had.
        let _ = attached.segment.own();
        let too_long = || refused(Lost::Refused(RefusedReason::TooLong));
        let (text, key_len) = definition.encode().ok_or_else(too_long)?;
        let known = attached.known(|known| known.definition().is_same(&definition));
        let declared = match known {
            Some(known) => Held::Kept(known.declared),
            None => Held::New(Box::new(Declared {
                overflow: Labels::encode(definition.label_names.iter().map(|_| OVERFLOW))
                    .ok_or_else(too_long)?,
                definition: definition.clone(),
                text: text.clone().into(),
                key_len,
            })),
        };
        let binding = FamilyBinding::on(Attached::keep(attached), declared).map_err(refused)?;
        let (binding, family) = binding.live().map_err(refused)?;
        if cap != 0 {
            // Relaxed: a setting.
            binding.cap.store(cap, Ordering::Relaxed);
        }
        let segment = binding.segment();
        match segment.declare_help(family, &text[key_len..]) {
            // On a board that is given up meanwhile nobody misses them, and of a family that ended,
            // if only to make room for them, they are said when it is registered again.
            Ok(()) | Err(Lost::Orphaned | Lost::Refused(RefusedReason::Retired)) => {}
            // The metric is as good with the words that are there.
            Err(lost) => segment.count_refusal(lost.reason()),
        }
        Ok(binding)
    }

    /// The binding for this board, made if there is none. No allocation.
    fn on(attached: &'static Attached, declared: Held) -> Result<&'static FamilyBinding, Lost> {
        if let Some(known) = attached.known(|known| core::ptr::eq(known.declared, &*declared)) {
            return Ok(known);
        }
        let bound = register(&attached.segment, &declared, 0);
        let bound = match bound {
            Err(Lost::Refused(RefusedReason::Retired)) => {
                return match attached.successor() {
                    Some(next) => FamilyBinding::on(next, declared),
                    None => Err(Lost::Refused(RefusedReason::Retired)),
                };
            }
            bound => bound?,
        };
        let declared = declared.keep();
        let binding = kept::keep(FamilyBinding {
            attached,
            declared,
            cap: AtomicU64::new(0),
            slot: AtomicU32::new(bound.slot.index()),
            tag: AtomicU64::new(bound.tag()),
            first_life: attached.segment.rank(bound),
            successor: Place::new(),
        })
        .ok_or(Lost::Refused(RefusedReason::Unlockable))?;
        let same = |known: &FamilyBinding| core::ptr::eq(known.declared, declared);
        // Without memory for a place in the list it is made again next time.
        Ok(attached.families.add(binding, same).unwrap_or(binding))
    }

    pub(crate) fn definition(&self) -> &'static Definition {
        &self.declared.definition
    }

    pub(crate) fn segment(&self) -> &'static Segment {
        &self.attached.segment
    }

    /// The family on the board that has this one's place now. A load, as long as that is it.
    #[inline]
    pub(crate) fn current(&'static self) -> &'static FamilyBinding {
        let mut binding = self;
        // As many as an update follows: on a board of an enemy they may lead in a ring.
        for _ in 0..MAX_ROUNDS {
            match binding.successor.get() {
                Some(next) => binding = next,
                None => break,
            }
        }
        binding
    }

    /// The tag that the series of the family are found under.
    #[inline]
    pub(crate) fn tag(&self) -> u64 {
        self.tag.load(Ordering::Relaxed)
    }

    /// Where the family is, on this board or the one that came after it; registers it again if
    /// it has ended. Some syscalls when a board has been given up.
    pub(crate) fn live(&'static self) -> Result<(&'static FamilyBinding, Bound), Lost> {
        let mut binding = self.current();
        for _ in 0..MAX_ROUNDS {
            let segment = binding.segment();
            if segment.is_retired() {
                let next = binding.attached.successor();
                let next = next.ok_or(Lost::Refused(RefusedReason::Retired))?;
                let on_next = FamilyBinding::on(next, Held::Kept(binding.declared))?;
                on_next
                    .cap
                    .store(binding.cap.load(Ordering::Relaxed), Ordering::Relaxed);
                binding.successor.set(on_next);
                binding = on_next.current();
                continue;
            }
            if let Some(bound) = binding.bound() {
                return Ok((binding, bound));
            }
            match register(segment, binding.declared, binding.first_life) {
                Ok(bound) => {
                    binding.slot.store(bound.slot.index(), Ordering::Relaxed);
                    binding.tag.store(bound.tag(), Ordering::Relaxed);
                    return Ok((binding, bound));
                }
                Err(Lost::Refused(RefusedReason::Retired)) => {}
                Err(lost) => return Err(lost),
            }
        }
        Err(Lost::Refused(RefusedReason::Overrun))
    }

    /// Where the family is, if it has not ended.
    fn bound(&self) -> Option<Bound> {
        let slot = Slot(self.slot.load(Ordering::Relaxed));
        let tag = self.tag();
        let State::Ready { serial } = State::of(tag) else {
            return None;
        };
        // ORDERING: [S5] Acquire, as in an update.
        let lives = self.segment().state(slot).load(Ordering::Acquire) == tag;
        lives.then_some(Bound { slot, serial })
    }

    /// Series that the family may have, 0 for any number.
    pub(crate) fn cap(&self) -> u64 {
        match self.cap.load(Ordering::Relaxed) {
            0 => self.segment().series_cap,
            cap => cap,
        }
    }

    /// Counts a refusal on the board and puts it into words.
    #[cold]
    pub(crate) fn refuse(&self, lost: Lost) -> RegisterError {
        refuse(self.segment(), self.definition(), lost)
    }
}

fn register(segment: &Segment, declared: &Declared, first_life: u64) -> Result<Bound, Lost> {
    let Declared {
        definition,
        text,
        key_len,
        ..
    } = declared;
    segment.register(&segment.family_draft(definition, text, *key_len, first_life))
}

fn refuse(segment: &Segment, definition: &Definition, lost: Lost) -> RegisterError {
    let metric = definition.name.clone();
    let reason = match lost {
        Lost::Clash { slot, serial } => match kind_on_board(segment, slot, serial) {
            Some(on_board) => {
                return RegisterError::Clash {
                    metric,
                    on_board,
                    wanted: definition.kind,
                };
            }
            None => RefusedReason::Overrun,
        },
        lost => lost.reason(),
    };
    segment.count_refusal(reason);
    RegisterError::Refused { metric, reason }
}

fn kind_on_board(segment: &Segment, slot: u32, serial: u64) -> Option<Kind> {
    let slot = segment.slot(slot)?;
    segment.kind_of(Bound { slot, serial })
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use crate::tests::allocations;
    use crate::{Board, Location, RegisterError};

    /// A program that goes on without the metric may ask for it at each request.
    #[test]
    fn a_definition_that_is_refused_leaves_nothing_behind() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let at = Location::Path(directory.path().join("refused.board"));
        let board = Board::options().slots(96).create(&at).unwrap();
        board.counter("x", "A counter.").register().unwrap();
        let ask = || {
            let refused = board.gauge("x", "A gauge.").register();
            assert!(matches!(refused, Err(RegisterError::Clash { .. })));
        };
        assert_eq!(allocations::left_by(ask), 0);
    }
}
