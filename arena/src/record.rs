//! What a slot says: the fixed words of its record and the text that runs along its chain.
//!
//! ```text
//! family ◀── series ◀── part     a process's own share of a gauge
//!        ◀── help                other words for the same definition
//!            series ◀── exemplar of a counter or a bucket, pairs of an info: see `annex`
//! ```
//!
//! Each names its parent by slot and tag, and is nothing without it: what is left of a parent
//! that has ended is an orphan, which readers pass over and the next sweep removes.
//!
//! A record is written by its builder alone, before the slot is linked, and but for `note`
//! never changes in that life. Readers may meet the words of a later life; each of them looks at the
//! state word again before it believes what it read. Text is copied word by word.

use crate::family::{self, Aggregation, Kind};
use crate::layout::{
    CONTINUATION_TEXT_LEN, ContinuationRecord, HEAD_TEXT_LEN, HeadRecord, MAX_CHAIN, MAX_TEXT_LEN,
    UNIT_CELLS,
};
use crate::segment::Segment;
use crate::slot::{Slot, State};
use crate::sync::Ordering;
use core::mem::offset_of;

/// What a chain holds.
pub(crate) const FAMILY: u8 = 1;
pub(crate) const SERIES: u8 = 2;
/// What one process contributes to a gauge.
pub(crate) const PART: u8 = 3;
/// Unit and help of a family, where they are not those that it was registered with.
pub(crate) const HELP: u8 = 4;
/// An update of a counter, or an observation in a bucket, and where it came from.
pub(crate) const EXEMPLAR: u8 = 5;
/// What an info says.
pub(crate) const INFO: u8 = 6;

/// The longest chain's.
const MAX_CELLS: u16 = (UNIT_CELLS * MAX_CHAIN) as u16;

/// What is looked up. The text is a family's definition, a series' label values or a part's
/// owner, in the canonical bytes of `LAYOUT.md` §9.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub hash: u64,
    pub kind: u8,
    /// The tag of what it belongs to, 0 for a family.
    pub parent: u64,
    pub text: &'a [u8],
}

/// How a record of equal hash compares with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    Same,
    Other,
    /// A family of the same name whose type is another.
    Clash,
}

impl Key<'_> {
    /// Whether the record of `slot` is this key's; the caller makes sure afterwards that it
    /// was one life that was read.
    #[inline]
    pub(crate) fn is_of(&self, segment: &Segment, slot: Slot) -> bool {
        let words = segment.words(slot);
        // Relaxed: as in `head_word`.
        let word = |field| words.at(field).load(Ordering::Relaxed);
        Shape::of(word(offset_of!(HeadRecord, shape))).kind == self.kind
            && word(offset_of!(HeadRecord, lengths)) as u32 as usize == self.text.len()
            && word(offset_of!(HeadRecord, parent)) == self.parent
            && segment.text_begins_with(slot, self.text)
    }

    /// Compares with the record of `slot`, as [`is_of`](Self::is_of).
    #[inline]
    pub(crate) fn judge(&self, segment: &Segment, slot: Slot) -> Judgement {
        if self.is_of(segment, slot) {
            return Judgement::Same;
        }
        if self.kind == FAMILY && self.clashes(segment, slot) {
            return Judgement::Clash;
        }
        Judgement::Other
    }

    #[cold]
    fn clashes(&self, segment: &Segment, slot: Slot) -> bool {
        let shape = Shape::of(segment.head_word(slot, offset_of!(HeadRecord, shape)));
        if shape.kind != FAMILY {
            return false;
        }
        let (key_len, _) = lengths(segment.head_word(slot, offset_of!(HeadRecord, lengths)));
        let mut theirs = [0; MAX_TEXT_LEN];
        let Some(theirs) = segment.read_text(slot, key_len, &mut theirs) else {
            return false;
        };
        let (ours, theirs) = (
            family::name_and_kind(self.text),
            family::name_and_kind(theirs),
        );
        match (ours, theirs) {
            (Some((our_name, our_kind)), Some((their_name, their_kind))) => {
                our_name == their_name && our_kind != their_kind
            }
            _ => false,
        }
    }
}

/// The `shape` word of a record, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub kind: u8,
    pub metric: u8,
    pub aggregation: u8,
    /// Whether this series counts what goes beyond its family's cap.
    pub is_overflow: bool,
    pub cells: u16,
    pub slots: u16,
}

impl Shape {
    #[inline]
    pub(crate) fn of(word: u64) -> Shape {
        Shape {
            kind: word as u8,
            metric: (word >> 8) as u8,
            aggregation: (word >> 16) as u8,
            is_overflow: (word >> 24) & 1 != 0,
            cells: (word >> 32) as u16,
            slots: (word >> 48) as u16,
        }
    }

    pub(crate) fn word(self) -> u64 {
        u64::from(self.kind)
            | u64::from(self.metric) << 8
            | u64::from(self.aggregation) << 16
            | u64::from(self.is_overflow) << 24
            | u64::from(self.cells) << 32
            | u64::from(self.slots) << 48
    }

    /// Whether something may belong to it: series and a help to a family, parts to a gauge.
    pub(crate) fn has_children(self) -> bool {
        self.kind == FAMILY || self.is_split()
    }

    /// Whether it is a series whose value is put together from the parts of processes.
    pub(crate) fn is_split(self) -> bool {
        self.kind == SERIES
            && Kind::of(self.metric) == Some(Kind::Gauge)
            && Aggregation::of(self.aggregation).is_some_and(Aggregation::is_split)
    }

    /// What may be annexed to a series, and at how many places: see `annex`.
    pub(crate) fn annexes(self) -> Option<(u8, u32)> {
        // Whatever a damaged word says, there are no more buckets than fit a chain.
        let buckets = self.cells.saturating_sub(1).min(MAX_CELLS);
        match Kind::of(self.metric) {
            _ if self.kind != SERIES => None,
            Some(Kind::Counter) => Some((EXEMPLAR, 1)),
            Some(Kind::Histogram) => Some((EXEMPLAR, buckets.into())),
            Some(Kind::Info) => Some((INFO, 1)),
            _ => None,
        }
    }

    /// Slots that a record of this many cells and text bytes takes; `None` if they are
    /// more than the longest chain.
    pub(crate) fn slots_for(cells: usize, text_len: usize) -> Option<u16> {
        let beyond_head = text_len.saturating_sub(HEAD_TEXT_LEN);
        let for_text = 1 + beyond_head.div_ceil(CONTINUATION_TEXT_LEN);
        let slots = for_text.max(cells.div_ceil(UNIT_CELLS));
        (slots <= MAX_CHAIN).then_some(slots as u16)
    }
}

/// Key length and text length in bytes, from the `lengths` word.
#[inline]
pub(crate) fn lengths(word: u64) -> (usize, usize) {
    (word as u32 as usize, (word >> 32) as usize)
}

/// What `register` writes into a new chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'a> {
    pub key: Key<'a>,
    /// Begins with the key's text; what follows is said but not compared.
    pub text: &'a [u8],
    pub metric: u8,
    pub aggregation: u8,
    pub cells: u16,
    /// Where the parent is.
    pub parent_slot: u32,
    pub note: u64,
    pub cap: Cap,
}

/// What a new series has to do with the cap of its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cap {
    /// Nothing, or it has no cap.
    None,
    /// It may be one of so many.
    AtMost(u64),
    /// It counts what goes beyond, and is none of those that are counted.
    Overflow,
}

impl Draft<'_> {
    /// Whether the dead are folded into it.
    pub(crate) fn accumulates(&self) -> bool {
        self.key.kind == SERIES
            && Kind::of(self.metric) == Some(Kind::Gauge)
            && Aggregation::of(self.aggregation).is_some_and(|how| how.fold().is_some())
    }
}

/// Where a word of text lies: in the head's record, then in each continuation's.
const HEAD_TEXT: usize = offset_of!(HeadRecord, text);
const CONTINUATION_TEXT: usize = offset_of!(ContinuationRecord, text);

/// Eight bytes of `text` from `at` as a little-endian word, zeros past its end.
#[inline]
pub(crate) fn word_of(text: &[u8], at: usize) -> u64 {
    let rest = &text[at..];
    if let Some(whole) = rest.first_chunk() {
        return u64::from_le_bytes(*whole);
    }
    // Overlapping loads, where there is enough before: byte by byte is slow for what most
    // label values are.
    let len = rest.len() as u32;
    if let Some(last) = text.last_chunk() {
        // `len` is below 8 here, and a shift by 64 is to give 0.
        return u64::from_le_bytes(*last)
            .checked_shr(8 * (8 - len))
            .unwrap_or(0);
    }
    match (rest.first_chunk(), rest.last_chunk()) {
        (Some(first), Some(last)) => {
            let last = u64::from(u32::from_le_bytes(*last));
            u64::from(u32::from_le_bytes(*first)) | last << (8 * (len - 4))
        }
        _ => rest
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

impl Segment {
    /// Whether the record of `slot` is that of the series of `family` with this text of `len`
    /// bytes, zero-padded to words. It fits the head.
    #[inline]
    pub(crate) fn is_series(&self, slot: Slot, family: u64, len: usize, text: &[u64]) -> bool {
        let words = self.words(slot);
        // Relaxed: as in `head_word`.
        let word = |field: usize| words.at(field).load(Ordering::Relaxed);
        let same = |(place, text): (usize, &u64)| word(HEAD_TEXT + 8 * place) == *text;
        Shape::of(word(offset_of!(HeadRecord, shape))).kind == SERIES
            && word(offset_of!(HeadRecord, lengths)) as u32 as usize == len
            && word(offset_of!(HeadRecord, parent)) == family
            && text.iter().enumerate().all(same)
    }

    #[inline]
    pub(crate) fn head_word(&self, slot: Slot, field: usize) -> u64 {
        // Relaxed: record words are ordered by the link or the state word that led here.
        self.record(slot, field).load(Ordering::Relaxed)
    }

    /// The continuation that a chain word leads to.
    #[inline]
    fn chain_at(&self, slot: Slot, field: usize) -> Option<Slot> {
        let word = self.head_word(slot, field);
        u32::try_from(word)
            .ok()?
            .checked_sub(1)
            .and_then(|index| self.slot(index))
    }

    /// Calls `each` with the place of every text word of the chain, up to `len` bytes;
    /// stops when it says false. False if it did, or if the chain ends too soon.
    #[inline]
    fn each_text_word(
        &self,
        head: Slot,
        len: usize,
        mut each: impl FnMut(usize, &crate::sync::AtomicU64) -> bool,
    ) -> bool {
        let mut at = 0;
        let (mut slot, mut field, mut room) = (head, HEAD_TEXT, HEAD_TEXT_LEN);
        let mut chain = offset_of!(HeadRecord, chain);
        loop {
            let words = self.words(slot);
            let end = len.min(at + room);
            let mut word = field;
            while at < end {
                if !each(at, words.at(word)) {
                    return false;
                }
                at += 8;
                word += 8;
            }
            if at >= len {
                return true;
            }
            let Some(continuation) = self.chain_at(slot, chain) else {
                return false;
            };
            slot = continuation;
            (field, room) = (CONTINUATION_TEXT, CONTINUATION_TEXT_LEN);
            chain = offset_of!(ContinuationRecord, chain);
        }
    }

    #[inline]
    pub(crate) fn text_begins_with(&self, slot: Slot, text: &[u8]) -> bool {
        if text.len() > HEAD_TEXT_LEN {
            return self.long_text_begins_with(slot, text);
        }
        let words = self.words(slot);
        // Relaxed: as in `head_word`.
        let word = |place: usize| words.at(HEAD_TEXT + 8 * place).load(Ordering::Relaxed);
        let (whole, rest) = text.as_chunks::<8>();
        let same = |(place, bytes): (usize, &[u8; 8])| word(place) == u64::from_le_bytes(*bytes);
        // A record's text is zero-padded, but what follows the key in a family is not: the
        // last word is compared under a mask.
        whole.iter().enumerate().all(same)
            && (rest.is_empty()
                || word(whole.len()) & ((1 << (8 * rest.len())) - 1) == word_of(rest, 0))
    }

    #[cold]
    fn long_text_begins_with(&self, slot: Slot, text: &[u8]) -> bool {
        self.each_text_word(slot, text.len(), |at, word| {
            let left = text.len() - at;
            let mask = if left < 8 {
                (1 << (8 * left)) - 1
            } else {
                u64::MAX
            };
            // Relaxed: as in `head_word`.
            word.load(Ordering::Relaxed) & mask == word_of(text, at)
        })
    }

    /// Copies the first `len` bytes of a chain's text; `None` if it is not that long.
    pub(crate) fn read_text<'b>(
        &self,
        slot: Slot,
        len: usize,
        into: &'b mut [u8; MAX_TEXT_LEN],
    ) -> Option<&'b [u8]> {
        if len > MAX_TEXT_LEN {
            return None;
        }
        self.each_text_word(slot, len, |at, word| {
            // Relaxed: as in `head_word`.
            let bytes = word.load(Ordering::Relaxed).to_le_bytes();
            let end = len.min(at + 8);
            into[at..end].copy_from_slice(&bytes[..end - at]);
            true
        })
        .then_some(&into[..len])
    }

    /// Writes the record of `head`, whose continuations are `chain`. Only its builder may,
    /// and only before the slot is linked.
    pub(crate) fn write_record(&self, head: Slot, chain: &[Slot], draft: &Draft<'_>, now: u64) {
        // Relaxed stores all along: the link publishes them ([L1]).
        let put = |field, value| self.record(head, field).store(value, Ordering::Relaxed);
        let shape = Shape {
            kind: draft.key.kind,
            metric: draft.metric,
            aggregation: draft.aggregation,
            is_overflow: draft.cap == Cap::Overflow,
            cells: draft.cells,
            slots: chain.len() as u16 + 1,
        };
        put(offset_of!(HeadRecord, hash), draft.key.hash);
        put(offset_of!(HeadRecord, shape), shape.word());
        put(
            offset_of!(HeadRecord, lengths),
            draft.key.text.len() as u64 | (draft.text.len() as u64) << 32,
        );
        put(offset_of!(HeadRecord, created_unix_nanos), now);
        put(offset_of!(HeadRecord, parent), draft.key.parent);
        put(
            offset_of!(HeadRecord, parent_slot),
            u64::from(draft.parent_slot),
        );
        put(offset_of!(HeadRecord, note), draft.note);
        let leads_to = |next: Option<&Slot>| next.map_or(0, |slot| u64::from(slot.index()) + 1);
        put(offset_of!(HeadRecord, chain), leads_to(chain.first()));
        for (place, slot) in chain.iter().enumerate() {
            self.record(*slot, offset_of!(ContinuationRecord, chain))
                .store(leads_to(chain.get(place + 1)), Ordering::Relaxed);
        }
        // Stops early only where a stranger has overwritten the chain just written: a reader
        // finds that record damaged.
        self.each_text_word(head, draft.text.len(), |at, word| {
            word.store(word_of(draft.text, at), Ordering::Relaxed);
            true
        });
    }

    /// The chain of a head that carries `serial`: its continuations in order, each checked
    /// to be one. `None` where the board says something else.
    pub(crate) fn chain(&self, head: Slot, serial: u64, mut each: impl FnMut(Slot)) -> Option<()> {
        let slots = Shape::of(self.head_word(head, offset_of!(HeadRecord, shape))).slots;
        if usize::from(slots) > MAX_CHAIN {
            return None;
        }
        let (mut at, mut field) = (head, offset_of!(HeadRecord, chain));
        for _ in 1..slots {
            at = self.chain_at(at, field)?;
            field = offset_of!(ContinuationRecord, chain);
            let expected = State::Continuation {
                head: head.index(),
                serial,
            };
            // Relaxed: the caller looks at the head's state word afterwards.
            if self.state(at).load(Ordering::Relaxed) != expected.word() {
                return None;
            }
            each(at);
        }
        Some(())
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_as_long_as_its_text_or_its_cells_need() {
        assert_eq!(Shape::slots_for(2, 0), Some(1));
        assert_eq!(Shape::slots_for(2, HEAD_TEXT_LEN), Some(1));
        assert_eq!(Shape::slots_for(2, HEAD_TEXT_LEN + 1), Some(2));
        assert_eq!(Shape::slots_for(16, 10), Some(6));
        assert_eq!(Shape::slots_for(3 * MAX_CHAIN, MAX_TEXT_LEN), Some(64));
        assert_eq!(Shape::slots_for(3 * MAX_CHAIN + 1, 0), None);
        assert_eq!(Shape::slots_for(0, MAX_TEXT_LEN + 1), None);
    }

    #[test]
    fn a_word_of_a_text_is_its_bytes_and_zeros() {
        let text: Vec<u8> = (1..=40).collect();
        for len in 0..text.len() {
            for at in 0..=len {
                let mut bytes = [0; 8];
                let part = &text[at..len.min(at + 8)];
                bytes[..part.len()].copy_from_slice(part);
                assert_eq!(word_of(&text[..len], at), u64::from_le_bytes(bytes));
            }
        }
    }

    #[test]
    fn a_shape_survives_its_word() {
        let shape = Shape {
            kind: 2,
            metric: 3,
            aggregation: 1,
            is_overflow: true,
            cells: 16,
            slots: 6,
        };
        assert_eq!(Shape::of(shape.word()), shape);
    }
}
