//! What a handle keeps: its family, and which slot carries its series.

use crate::attached::{Attached, Hold};
use crate::builder::Binding;
use crate::error::{RefusedReason, RegisterError};
use crate::family::{Definition, Kind, put_text};
use crate::index::Lost;
use crate::planes::Cell;
use crate::recent::Recent;
use crate::record::{Draft, Key, SERIES, word_of};
use crate::register::Bound;
use crate::segment::{Segment, hash_prefix};
use crate::slot::{Slot, State};
use crate::sync::Ordering;
use std::sync::OnceLock;

/// A family as this process knows it: its definition and its place on the board.
///
/// Bindings live for ever, and with them the mapping of their board: a handle then holds
/// plain references, which cost nothing to copy, and can never outlive what it updates. What
/// is kept is bounded by the metrics that a program defines, times the boards it counts on.
pub(crate) struct FamilyBinding {
    attached: &'static Attached,
    pub(crate) definition: Definition,
    bound: Bound,
    /// The next in the list of what this process has registered on the board.
    next: OnceLock<&'static FamilyBinding>,
}

impl FamilyBinding {
    /// Finds the family on the board or makes it.
    pub(crate) fn register(
        attached: &Hold,
        definition: Definition,
    ) -> Result<&'static FamilyBinding, RegisterError> {
        let segment = &attached.segment;
        let same = |known: &&FamilyBinding| {
            known.definition.is_same(&definition)
                // Relaxed: a family that has ended is registered again below.
                && segment.state(known.bound.slot).load(Ordering::Relaxed) == known.bound.tag()
        };
        let first = attached.families.get().copied();
        let mut known = core::iter::successors(first, |known| known.next.get().copied());
        if let Some(known) = known.find(same) {
            return Ok(known);
        }
        let registered = match definition.encode() {
            // A handle on a mapping that may not be written would be one that faults.
            _ if !segment.region.is_writable() => Err(Lost::Refused(RefusedReason::ReadOnly)),
            Some((text, key_len)) => {
                segment.register(&segment.family_draft(&definition, &text, key_len))
            }
            None => Err(Lost::Refused(RefusedReason::TooLong)),
        };
        let bound = registered.map_err(|lost| refuse(attached, &definition, lost))?;
        let binding: &FamilyBinding = Box::leak(Box::new(FamilyBinding {
            attached: Attached::keep(attached),
            definition,
            bound,
            next: OnceLock::new(),
        }));
        // Without a lock, which a fork could leave locked: whoever finds a place taken goes on.
        let mut place = &attached.families;
        while place.set(binding).is_err() {
            match place.get() {
                Some(taken) => place = &taken.next,
                None => break,
            }
        }
        Ok(binding)
    }

    /// What a handle whose cells cannot be found is refused with.
    #[cold]
    pub(crate) fn damaged(&self) -> RegisterError {
        let lost = Lost::Refused(RefusedReason::Damaged);
        refuse(self.attached, &self.definition, lost)
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
pub(crate) struct KeyText {
    /// Little-endian words, zero-padded. Each is put together in a register and stored once:
    /// a load that spans several stores would have to wait for them.
    words: [u64; KeyText::INLINE],
    /// Bytes of text in `words`, without the hashed word; meaningless if there is a `heap`.
    len: u32,
    /// Prefix and text of a long key.
    heap: Option<Box<[u8]>>,
}

/// Length of the hashed word before the text.
const PREFIX: usize = 8;

impl KeyText {
    /// Words, the hashed one among them: 48 bytes of text.
    const INLINE: usize = 7;

    #[inline(always)]
    fn empty(family: u64) -> KeyText {
        let mut words = [0; Self::INLINE];
        words[0] = u64::from_le_bytes(hash_prefix(SERIES, family));
        KeyText {
            words,
            len: 0,
            heap: None,
        }
    }

    /// The values in canonical order. `None`: one is longer than 65,535 bytes.
    fn encode<'v>(family: u64, values: impl Iterator<Item = &'v str> + Clone) -> Option<KeyText> {
        let mut key = KeyText::empty(family);
        if !key.pack(values.clone()) {
            let mut text = hash_prefix(SERIES, family).to_vec();
            for value in values {
                put_text(&mut text, value)?;
            }
            key.heap = Some(text.into());
        }
        Some(key)
    }

    /// Puts the values into an empty key; false if they are too long for its words. In place:
    /// a key that was moved would be loaded before its stores have settled.
    #[inline(always)]
    fn pack<'v>(&mut self, values: impl Iterator<Item = &'v str>) -> bool {
        let mut packer = Packer {
            word: 0,
            filled: 0,
            at: 1,
        };
        for value in values {
            let value = value.as_bytes();
            let room = 8 * (Self::INLINE - packer.at) - packer.filled as usize;
            if 2 + value.len() > room {
                return false;
            }
            // The length and the first six bytes make one word.
            let head = value.len() as u64 | word_of(value, 0) << 16;
            packer.put(&mut self.words, head, 2 + value.len().min(6) as u32);
            let mut at = 6;
            while at < value.len() {
                let len = (value.len() - at).min(8) as u32;
                packer.put(&mut self.words, word_of(value, at), len);
                at += 8;
            }
        }
        self.len = packer.finish(&mut self.words);
        true
    }

    /// The words in use, the hashed one first; `None` for a long key.
    #[inline]
    fn words(&self) -> Option<&[u64]> {
        match self.heap {
            None => self.words.get(..1 + (self.len as usize).div_ceil(8)),
            Some(_) => None,
        }
    }

    /// Gives the bytes that are hashed to `work`.
    fn prefixed<R>(&self, work: impl FnOnce(&[u8]) -> R) -> R {
        if let Some(bytes) = &self.heap {
            return work(bytes);
        }
        let mut bytes = [0; 8 * Self::INLINE];
        for (into, word) in bytes.as_chunks_mut().0.iter_mut().zip(&self.words) {
            *into = word.to_le_bytes();
        }
        work(&bytes[..PREFIX + self.len as usize])
    }
}

/// Puts bytes together to words.
struct Packer {
    word: u64,
    /// Bytes of `word` in use, below 8.
    filled: u32,
    /// Where `word` goes.
    at: usize,
}

impl Packer {
    /// Appends the `len` (1 to 8) low bytes of `bytes`, whose other bytes may be anything.
    #[inline(always)]
    fn put(&mut self, words: &mut [u64; KeyText::INLINE], bytes: u64, len: u32) {
        let bytes = bytes & u64::MAX >> (64 - 8 * len);
        let both = u128::from(bytes) << (8 * self.filled);
        self.word |= both as u64;
        self.filled += len;
        if self.filled >= 8 {
            if let Some(into) = words.get_mut(self.at) {
                *into = self.word;
            }
            self.word = (both >> 64) as u64;
            self.filled -= 8;
            self.at += 1;
        }
    }

    /// Stores the last word; the number of bytes put together.
    #[inline(always)]
    fn finish(self, words: &mut [u64; KeyText::INLINE]) -> u32 {
        if let Some(into) = words.get_mut(self.at) {
            *into = self.word;
        }
        8 * (self.at as u32 - 1) + self.filled
    }
}

/// One series, as a handle holds it. In a sink there is neither segment nor family: updates
/// go nowhere.
#[derive(Clone)]
pub(crate) struct Series {
    /// The family's, at hand: the update path follows one pointer less.
    segment: Option<&'static Segment>,
    family: Option<&'static FamilyBinding>,
    slot: u32,
    tag: u64,
}

impl Series {
    /// A series whose updates go nowhere.
    pub(crate) fn sink() -> Series {
        Series {
            segment: None,
            family: None,
            slot: 0,
            tag: 0,
        }
    }

    /// Finds the series of these label values, given in the family's order. Lock-free; no
    /// allocation. `None` says nothing: ask [`register`](Self::register).
    #[inline]
    pub(crate) fn find<'v>(
        family: &'static FamilyBinding,
        values: impl Iterator<Item = &'v str> + Clone,
    ) -> Option<Binding> {
        let tag = family.bound.tag();
        let mut text = KeyText::empty(tag);
        if !text.pack(values) {
            return None;
        }
        let Attached {
            segment, recent, ..
        } = family.attached;
        let words = text.words()?;
        let slot = segment.slot(Recent::index(recent.place(words))?)?;
        // It does not matter how the slot was come by: READY before and after the
        // comparison, and the record the key's, it is the one.
        // ORDERING: [S1] Acquire; pairs with the Release of `complete`.
        let State::Ready { serial } = State::of(segment.state(slot).load(Ordering::Acquire)) else {
            return None;
        };
        let bound = Bound { slot, serial };
        (segment.is_series(slot, tag, text.len as usize, &words[1..]) && segment.still_lives(bound))
            .then(|| Series::bind(family, bound))
    }

    /// Finds the series of these label values or makes it. No allocation for short values.
    #[inline(never)]
    pub(crate) fn register<'v>(
        family: &'static FamilyBinding,
        values: impl Iterator<Item = &'v str> + Clone,
    ) -> Result<Binding, RegisterError> {
        let refused = |lost| refuse(family.attached, &family.definition, lost);
        let tag = family.bound.tag();
        let text = KeyText::encode(tag, values)
            .ok_or_else(|| refused(Lost::Refused(RefusedReason::TooLong)))?;
        let Attached {
            segment, recent, ..
        } = family.attached;
        let register = |prefixed: &[u8]| {
            let text = &prefixed[PREFIX..];
            segment.register(&Draft {
                key: Key {
                    hash: segment.hash(prefixed),
                    kind: SERIES,
                    family: tag,
                    text,
                },
                text,
                metric: family.definition.kind.code(),
                aggregation: 0,
                cells: family.definition.cells(),
                family_slot: family.bound.slot.index(),
            })
        };
        let bound = text.prefixed(register).map_err(refused)?;
        if let Some(words) = text.words() {
            Recent::remember(recent.place(words), bound.slot);
        }
        Ok(Series::bind(family, bound))
    }

    #[inline]
    fn bind(family: &'static FamilyBinding, bound: Bound) -> Binding {
        Binding {
            series: Series {
                segment: Some(&family.attached.segment),
                family: Some(family),
                slot: bound.slot.index(),
                tag: bound.tag(),
            },
            bound,
        }
    }

    /// The board and a cell of the head's own unit, if this is not a sink.
    #[inline(always)]
    pub(crate) fn cell(&self, index: u32) -> Option<(&'static Segment, Cell)> {
        let segment = self.segment?;
        Some((segment, Cell::of_head(Slot(self.slot), index, self.tag)))
    }

    /// The definition of the series' family; `None` for a sink.
    #[inline(always)]
    pub(crate) fn definition(&self) -> Option<&'static Definition> {
        Some(&self.family?.definition)
    }

    /// Whether updates go nowhere.
    pub(crate) fn is_sink(&self) -> bool {
        self.family.is_none()
    }

    /// The board's segment and this life of the series.
    pub(crate) fn life(&self) -> Option<(&'static Segment, Bound)> {
        Some((self.segment?, self.bound()?))
    }

    /// The binding as a life of the slot.
    fn bound(&self) -> Option<Bound> {
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
            for cut in 0..=len {
                let values = [&text[..cut], "", &text[cut..len]];
                let key = KeyText::encode(8 << 22, values.into_iter()).unwrap();
                let mut expected = (8_u64 << 22 | 2).to_le_bytes().to_vec();
                for value in values {
                    put_text(&mut expected, value).unwrap();
                }
                assert_eq!(
                    key.words().is_some(),
                    expected.len() <= 8 * KeyText::INLINE,
                    "{len} {cut}"
                );
                key.prefixed(|bytes| assert_eq!(bytes, expected, "{len} {cut}"));
            }
        }
    }
}
