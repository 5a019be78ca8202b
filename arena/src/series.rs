//! What a handle keeps: its family, its label values, and which slot carries them.

use crate::board::Attached;
use crate::builder::Binding;
use crate::error::{RefusedReason, RegisterError};
use crate::family::{Definition, Kind, put_text};
use crate::index::Lost;
use crate::planes::Cell;
use crate::record::{Draft, Key, SERIES};
use crate::register::Bound;
use crate::segment::hash_prefix;
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

impl FamilyBinding {
    #[inline]
    fn key<'a>(&self, text: &'a KeyText) -> Key<'a> {
        let prefixed = text.prefixed();
        Key {
            hash: self.attached.segment.hash(prefixed),
            kind: SERIES,
            family: self.bound.tag(),
            text: &prefixed[PREFIX..],
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

/// A series' key: the word that is hashed before the text, and the label values in canonical
/// bytes. Short ones, which most are, without an allocation.
#[derive(Clone)]
pub(crate) enum KeyText {
    Inline(u8, [u8; KeyText::INLINE]),
    Heap(Box<[u8]>),
}

/// Length of the hashed word before the text.
const PREFIX: usize = 8;

impl KeyText {
    const INLINE: usize = 54;

    /// The values in canonical order. `None`: one is longer than 65,535 bytes.
    #[inline]
    fn encode<'v>(family: u64, values: impl Iterator<Item = &'v str> + Clone) -> Option<KeyText> {
        let prefix = hash_prefix(SERIES, family);
        let mut inline = [0; Self::INLINE];
        inline[..PREFIX].copy_from_slice(&prefix);
        let mut len = PREFIX;
        for value in values.clone() {
            let end = len + 2 + value.len();
            let Some(field) = inline.get_mut(len..end) else {
                let mut text = prefix.to_vec();
                for value in values {
                    put_text(&mut text, value)?;
                }
                return Some(KeyText::Heap(text.into()));
            };
            let (prefix, text) = field.split_first_chunk_mut::<2>()?;
            *prefix = (value.len() as u16).to_le_bytes();
            copy(text, value.as_bytes());
            len = end;
        }
        Some(KeyText::Inline(len as u8, inline))
    }

    /// What is hashed.
    #[inline]
    fn prefixed(&self) -> &[u8] {
        match self {
            KeyText::Inline(len, bytes) => &bytes[..usize::from(*len)],
            KeyText::Heap(bytes) => bytes,
        }
    }
}

/// Copies `from` into `into`, which is as long. Most label values are short, and a call of
/// memcpy costs more than they are worth: two overlapping words do it.
#[inline]
fn copy(into: &mut [u8], from: &[u8]) {
    if from.len() > 16 {
        into.copy_from_slice(from);
    } else if !copy_ends::<8>(into, from) && !copy_ends::<4>(into, from) {
        // At most three bytes.
        copy_ends::<2>(into, from);
        copy_ends::<1>(into, from);
    }
}

/// Copies the first and the last `N` bytes, if there are as many.
#[inline]
fn copy_ends<const N: usize>(into: &mut [u8], from: &[u8]) -> bool {
    let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) else {
        return false;
    };
    if let Some(into) = into.first_chunk_mut() {
        *into = *first;
    }
    if let Some(into) = into.last_chunk_mut() {
        *into = *last;
    }
    true
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

    /// Finds the series of these label values, given in the family's order. Lock-free; no
    /// allocation for short values.
    #[inline]
    pub(crate) fn find<'v>(
        family: &Arc<FamilyBinding>,
        values: impl Iterator<Item = &'v str> + Clone,
    ) -> Option<Binding> {
        let text = KeyText::encode(family.bound.tag(), values)?;
        let segment = &family.attached.segment;
        let bound = segment.lookup(&family.key(&text))?;
        Some(Series::bind(family, bound, text))
    }

    /// Finds the series of these label values or makes it.
    #[cold]
    pub(crate) fn register<'v>(
        family: &Arc<FamilyBinding>,
        values: impl Iterator<Item = &'v str> + Clone,
    ) -> Result<Binding, RegisterError> {
        let refused = |lost| refuse(&family.attached, &family.definition, lost);
        let text = KeyText::encode(family.bound.tag(), values)
            .ok_or_else(|| refused(Lost::Refused(RefusedReason::TooLong)))?;
        let key = family.key(&text);
        let draft = Draft {
            key,
            text: key.text,
            metric: family.definition.kind.code(),
            aggregation: 0,
            cells: family.definition.cells(),
            family_slot: family.bound.slot.index(),
        };
        let bound = family.attached.segment.register(&draft).map_err(refused)?;
        Ok(Series::bind(family, bound, text))
    }

    #[inline]
    fn bind(family: &Arc<FamilyBinding>, bound: Bound, text: KeyText) -> Binding {
        Binding {
            series: Series {
                family: Some(family.clone()),
                slot: AtomicU32::new(bound.slot.index()),
                tag: AtomicU64::new(bound.tag()),
                text,
            },
            bound: Some(bound),
        }
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

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_length_are_their_canonical_bytes() {
        let text = "abcdefghijklmnopqrstuvwxyz".repeat(4);
        for len in 0..text.len() {
            let values = [&text[..len], &text[len..]];
            let key = KeyText::encode(8 << 22, values.into_iter()).unwrap();
            let mut expected = (8_u64 << 22 | 2).to_le_bytes().to_vec();
            for value in values {
                put_text(&mut expected, value).unwrap();
            }
            assert_eq!(key.prefixed(), expected, "{len}");
        }
        for len in 0..=20 {
            let key = KeyText::encode(0, [&text[..len]].into_iter()).unwrap();
            assert_eq!(key.prefixed()[10..], text.as_bytes()[..len]);
        }
    }
}
