//! What a handle keeps: its family, its label values, and which slot carries them.

use crate::board::Attached;
use crate::builder::Binding;
use crate::error::{RefusedReason, RegisterError};
use crate::family::{Definition, Kind};
use crate::index::{Lost, Walk};
use crate::planes::Cell;
use crate::record::{Draft, Key, SERIES};
use crate::register::Bound;
use crate::slot::{Slot, State};
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

/// A family as this process knows it: its definition and its place on the board.
pub(crate) struct FamilyBinding {
    pub(crate) attached: Arc<Attached>,
    pub(crate) definition: Definition,
    bound: Bound,
}

impl FamilyBinding {
    /// Finds the family on the board or makes it.
    pub(crate) fn register(
        attached: &Arc<Attached>,
        definition: Definition,
    ) -> Result<FamilyBinding, RegisterError> {
        let segment = &attached.segment;
        let registered = match definition.encode() {
            Some((text, key_len)) => {
                segment.register(&segment.family_draft(&definition, &text, key_len))
            }
            None => Err(Lost::Refused(RefusedReason::TooLong)),
        };
        match registered {
            Ok(bound) => Ok(FamilyBinding {
                attached: attached.clone(),
                definition,
                bound,
            }),
            Err(lost) => Err(refuse(attached, &definition, lost)),
        }
    }
}

/// Counts a refusal on the board and puts it into words.
fn refuse(attached: &Attached, definition: &Definition, lost: Lost) -> RegisterError {
    let segment = &attached.segment;
    let metric = definition.name.clone();
    let reason = match lost {
        Lost::Refused(reason) => reason,
        Lost::Clash { slot, serial } => match kind_on_board(attached, slot, serial) {
            Some(on_board) => {
                return RegisterError::Clash {
                    metric,
                    on_board,
                    wanted: definition.kind,
                };
            }
            None => RefusedReason::Overrun,
        },
        Lost::Died => RefusedReason::Overrun,
    };
    segment.count_refusal(reason);
    RegisterError::Refused { metric, reason }
}

fn kind_on_board(attached: &Attached, slot: u32, serial: u64) -> Option<Kind> {
    let slot = attached.segment.slot(slot)?;
    attached.segment.kind_of(Bound { slot, serial })
}

/// Label values in canonical bytes; short ones, which most are, without an allocation.
#[derive(Clone)]
pub(crate) enum KeyText {
    Inline(u8, [u8; KeyText::INLINE]),
    Heap(Box<[u8]>),
}

impl KeyText {
    const INLINE: usize = 62;

    /// The values in the order that `places` gives. `None`: a value is longer than 65,535
    /// bytes.
    #[inline]
    pub(crate) fn encode<'v>(values: impl Iterator<Item = &'v str> + Clone) -> Option<KeyText> {
        let len: usize = values.clone().map(|value| 2 + value.len()).sum();
        let mut inline = [0; Self::INLINE];
        if len <= Self::INLINE {
            let mut rest = &mut inline[..];
            for value in values {
                let (prefix, tail) = rest.split_first_chunk_mut::<2>()?;
                *prefix = (value.len() as u16).to_le_bytes();
                let (text, tail) = tail.split_at_mut(value.len());
                text.copy_from_slice(value.as_bytes());
                rest = tail;
            }
            return Some(KeyText::Inline(len as u8, inline));
        }
        let mut text = Vec::with_capacity(len);
        for value in values {
            crate::family::put_text(&mut text, value)?;
        }
        Some(KeyText::Heap(text.into()))
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            KeyText::Inline(len, bytes) => &bytes[..usize::from(*len)],
            KeyText::Heap(bytes) => bytes,
        }
    }
}

/// One series, as a handle holds it. `family` is `None` in a sink: updates go nowhere.
pub(crate) struct Series {
    pub(crate) family: Option<Arc<FamilyBinding>>,
    /// The binding: two words that may be read torn, since the state check tells.
    slot: AtomicU32,
    tag: AtomicU64,
    text: KeyText,
}

impl Clone for Series {
    fn clone(&self) -> Self {
        Series {
            family: self.family.clone(),
            // Relaxed: see the fields.
            slot: AtomicU32::new(self.slot.load(Ordering::Relaxed)),
            tag: AtomicU64::new(self.tag.load(Ordering::Relaxed)),
            text: self.text.clone(),
        }
    }
}

impl Series {
    /// A series whose updates go nowhere.
    pub(crate) fn sink() -> Series {
        Series {
            family: None,
            slot: AtomicU32::new(0),
            tag: AtomicU64::new(0),
            text: KeyText::Inline(0, [0; KeyText::INLINE]),
        }
    }

    /// Finds the series of these label values (in the family's order) or makes it.
    /// Lock-free; no allocation for short values.
    #[inline]
    pub(crate) fn register(
        family: &Arc<FamilyBinding>,
        text: Option<KeyText>,
    ) -> Result<Binding, RegisterError> {
        let refused = |lost| refuse(&family.attached, &family.definition, lost);
        let Some(text) = text else {
            return Err(refused(Lost::Refused(RefusedReason::TooLong)));
        };
        let segment = &family.attached.segment;
        let tag = family.bound.tag();
        let key = Key {
            hash: segment.hash(SERIES, tag, text.bytes()),
            kind: SERIES,
            family: tag,
            text: text.bytes(),
        };
        let bound = match segment.find(&key) {
            Ok(Walk::Live { slot, serial }) => Bound { slot, serial },
            _ => segment
                .register(&Draft {
                    key,
                    text: key.text,
                    metric: family.definition.kind.code(),
                    aggregation: 0,
                    cells: family.definition.cells(),
                    family_slot: family.bound.slot.index(),
                })
                .map_err(refused)?,
        };
        let series = Series {
            family: Some(family.clone()),
            slot: AtomicU32::new(bound.slot.index()),
            tag: AtomicU64::new(bound.tag()),
            text,
        };
        Ok(Binding {
            series,
            bound: Some(bound),
        })
    }

    /// The board and a cell of the head's own unit, if this is not a sink.
    #[inline(always)]
    pub(crate) fn cell(&self, index: u32) -> Option<(&crate::segment::Segment, Cell)> {
        let family = self.family.as_deref()?;
        // Relaxed: see the fields.
        let slot = Slot(self.slot.load(Ordering::Relaxed));
        let tag = self.tag.load(Ordering::Relaxed);
        Some((&family.attached.segment, Cell::of_head(slot, index, tag)))
    }

    /// The binding as a life of the slot.
    pub(crate) fn bound(&self) -> Option<Bound> {
        let (_, cell) = self.cell(0)?;
        match State::of(cell.tag) {
            State::Ready { serial } => Some(Bound {
                slot: cell.head,
                serial,
            }),
            _ => None,
        }
    }
}
