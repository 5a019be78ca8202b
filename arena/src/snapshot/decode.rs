//! What the record of a slot says.

use crate::annex;
use crate::annexes::Annex;
use crate::family::{Cursor, Definition};
use crate::fold::{PART_KEY, Part};
use crate::layout::{HeadRecord, MAX_TEXT_LEN};
use crate::process::Own;
use crate::record::{EXEMPLAR, FAMILY, HELP, INFO, PART, SERIES, Shape, lengths};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::Slot;
use crate::sync::{Ordering, fence};
use crate::versions::rank_of;
use core::mem::offset_of;
use std::sync::Arc;

/// What a record says that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) tag: u64,
    pub(super) slot: u64,
}

/// What is read into again and again.
pub(super) struct Scratch {
    text: Box<[u8; MAX_TEXT_LEN]>,
    /// Bytes of a series' text.
    len: usize,
    /// The slots of the chain after the head.
    pub(super) chain: Vec<Slot>,
}

impl Scratch {
    /// The text of the series that was read last.
    pub(super) fn series(&self) -> &[u8] {
        &self.text[..self.len]
    }
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch {
            text: Box::new([0; MAX_TEXT_LEN]),
            len: 0,
            chain: Vec::new(),
        }
    }
}

/// What a record is of.
#[derive(Debug)]
pub(super) enum Said {
    Family {
        definition: Arc<Definition>,
        /// Of two definitions of one name the greater is the newer.
        rank: u64,
    },
    Help {
        parent: Parent,
        unit: String,
        help: String,
    },
    Series {
        parent: Parent,
        hash: u64,
        /// How many label values.
        labels: usize,
        /// Their bytes, together.
        label_bytes: u16,
    },
    Part {
        parent: Parent,
        part: Part,
    },
    Annex(Annex),
    /// Its bytes make no sense: those of its record, or its state word.
    Damage,
}

/// Copies and decodes the record of a slot whose state word is `state`: READY, or FOLDING, which
/// only parts are and count in. `None`: it has ended meanwhile.
pub(super) fn decode(
    segment: &Segment,
    bound: Bound,
    state: u64,
    scratch: &mut Scratch,
) -> Option<Said> {
    let said = read(segment, bound, scratch);
    // ORDERING: [S2] Acquire fence, as in `still_lives`.
    fence(Ordering::Acquire);
    // Nothing is believed, damage neither, before this says that it was one life.
    // Relaxed: the fence orders it.
    if segment.state(bound.slot).load(Ordering::Relaxed) != state {
        return None;
    }
    let fits = |said: &Said| state == bound.tag() || matches!(said, Said::Part { .. });
    Some(said.filter(fits).unwrap_or(Said::Damage))
}

fn read(segment: &Segment, bound: Bound, scratch: &mut Scratch) -> Option<Said> {
    // Relaxed: ordered by the state words around.
    let word = |field| segment.record(bound.slot, field).load(Ordering::Relaxed);
    let shape = Shape::of(word(offset_of!(HeadRecord, shape)));
    let chain = &mut scratch.chain;
    chain.clear();
    segment.chain(bound.slot, bound.serial, |slot| chain.push(slot))?;
    if shape.kind == SERIES {
        let read = series(segment, bound, &mut scratch.text)?;
        let mut rest = Cursor(read.text);
        let (mut labels, mut label_bytes) = (0, 0);
        while !rest.0.is_empty() {
            label_bytes += rest.text()?.len();
            labels += 1;
        }
        scratch.len = read.text.len();
        return Some(Said::Series {
            parent: read.parent,
            hash: read.hash,
            labels,
            label_bytes: u16::try_from(label_bytes).ok()?,
        });
    }
    let (key_len, text_len) = lengths(word(offset_of!(HeadRecord, lengths)));
    // A chain longer than its text could say much with few bytes.
    if key_len > text_len
        || Shape::slots_for(usize::from(shape.cells), text_len) != Some(shape.slots)
    {
        return None;
    }
    let text = segment.read_text(bound.slot, text_len, &mut scratch.text)?;
    let parent = parent_of(segment, bound.slot);
    match shape.kind {
        FAMILY => Definition::decode(text).map(|definition| Said::Family {
            definition: Arc::new(definition),
            rank: rank_of(word(offset_of!(HeadRecord, note)), bound.tag()),
        }),
        HELP => {
            let mut rest = Cursor(text);
            let (unit, help) = (rest.text()?.to_owned(), rest.text()?.to_owned());
            rest.0
                .is_empty()
                .then_some(Said::Help { parent, unit, help })
        }
        EXEMPLAR | INFO => {
            let created = word(offset_of!(HeadRecord, created_unix_nanos));
            let (place, said) = annex::decode(shape.kind, text, key_len, created)?;
            Some(Said::Annex(Annex {
                tag: bound.tag(),
                series: parent.tag,
                series_slot: parent.slot,
                place,
                said,
            }))
        }
        PART => {
            let (&[row, incarnation, pid, pid_namespace], []) = text.as_chunks::<8>() else {
                return None;
            };
            let [row, incarnation, pid, pid_namespace] =
                [row, incarnation, pid, pid_namespace].map(u64::from_le_bytes);
            let part = Part {
                bound,
                owner: Own::of_key(row, incarnation),
                pid,
                pid_namespace,
            };
            (key_len == PART_KEY).then_some(Said::Part { parent, part })
        }
        _ => None,
    }
}

fn parent_of(segment: &Segment, slot: Slot) -> Parent {
    // Relaxed: ordered by the state words around.
    let word = |field| segment.record(slot, field).load(Ordering::Relaxed);
    Parent {
        tag: word(offset_of!(HeadRecord, parent)),
        slot: word(offset_of!(HeadRecord, parent_slot)),
    }
}

/// What the record of a series says, not yet known to be of one life.
pub(super) struct SeriesRecord<'t> {
    pub(super) parent: Parent,
    pub(super) hash: u64,
    pub(super) text: &'t [u8],
}

/// Reads the record of a series. Its text must be what its hash says: then two records of one
/// family with different hashes are not of one key, whatever happens to their bytes between two
/// reads.
pub(super) fn series<'t>(
    segment: &Segment,
    bound: Bound,
    text: &'t mut [u8; MAX_TEXT_LEN],
) -> Option<SeriesRecord<'t>> {
    // Relaxed: ordered by the state words around.
    let word = |field| segment.record(bound.slot, field).load(Ordering::Relaxed);
    let shape = Shape::of(word(offset_of!(HeadRecord, shape)));
    let (key_len, text_len) = lengths(word(offset_of!(HeadRecord, lengths)));
    // A chain longer than its text could say much with few bytes.
    if shape.kind != SERIES
        || key_len != text_len
        || Shape::slots_for(usize::from(shape.cells), text_len) != Some(shape.slots)
    {
        return None;
    }
    let text = segment.read_text(bound.slot, text_len, text)?;
    let parent = parent_of(segment, bound.slot);
    let hash = word(offset_of!(HeadRecord, hash));
    (segment.hash_of(SERIES, parent.tag, text) == hash).then_some(SeriesRecord {
        parent,
        hash,
        text,
    })
}
