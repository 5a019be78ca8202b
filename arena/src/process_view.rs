//! Who is on a board, for people to look at.

use crate::fold::PART_KEY;
use crate::layout::{HeadRecord, Row};
use crate::process::{Own, RowWord};
use crate::record::{PART, Shape};
use crate::segment::Segment;
use crate::slot::State;
use crate::sync::{Ordering, fence};
use core::mem::offset_of;
use std::collections::HashMap;

/// A process that has registered something on a board.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessView {
    /// Its row on the board.
    pub row: u32,
    /// In its own PID namespace.
    pub pid: u64,
    /// The inode of that namespace; 0 where it could not be found out.
    pub pid_namespace: u64,
    /// When it was started, in clock ticks after the boot, as field 22 of `/proc/PID/stat` has
    /// it.
    pub start_ticks: u64,
    /// The first 16 bytes of its command's name.
    pub name: String,
    /// The version of the library that it uses: major, minor, patch.
    pub version: (u32, u16, u16),
    /// When it came to the board, in nanoseconds since 1970.
    pub claimed_unix_nanos: u64,
    /// Whether it lives. One that does not is there until somebody reaps it.
    pub is_alive: bool,
    /// Gauges of which it has a part.
    pub gauges: u64,
}

/// A process by what it said of itself when it came to a board, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ProcessIdentity {
    /// In its own PID namespace.
    pub pid: u64,
    /// The inode of that namespace; 0 where it could not be found out.
    pub pid_namespace: u64,
    /// As [`ProcessView::start_ticks`].
    pub start_ticks: u64,
    /// The first 16 bytes of its command's name.
    pub name: String,
}

pub(crate) fn list(segment: &Segment) -> Vec<ProcessView> {
    let gauges = parts_by_owner(segment);
    let locks = segment.process.probe().ok();
    rows(segment, |own, identity| {
        // Relaxed: between two looks at the word.
        let get = |field| segment.row(own.row, field).load(Ordering::Relaxed);
        let version = get(offset_of!(Row, version));
        ProcessView {
            row: own.row,
            pid: identity.pid,
            pid_namespace: identity.pid_namespace,
            start_ticks: identity.start_ticks,
            name: identity.name,
            version: (
                (version >> 32) as u32,
                (version >> 16) as u16,
                version as u16,
            ),
            claimed_unix_nanos: get(offset_of!(Row, claimed_unix_nanos)),
            is_alive: locks
                .as_ref()
                .is_none_or(|locks| segment.is_alive(own, locks)),
            gauges: gauges.get(&own).copied().unwrap_or(0),
        }
    })
}

pub(crate) fn identities(segment: &Segment) -> Vec<ProcessIdentity> {
    rows(segment, |_, identity| identity)
}

/// What `view` makes of each row in use; it may read more of the row.
fn rows<T>(segment: &Segment, view: impl Fn(Own, ProcessIdentity) -> T) -> Vec<T> {
    let rows = 0..segment.geometry.processes;
    rows.filter_map(|row| {
        let word = segment.row(row, offset_of!(Row, word));
        // ORDERING: [R1] Acquire: the description is that of this incarnation.
        let before = word.load(Ordering::Acquire);
        let RowWord {
            in_use,
            incarnation,
        } = RowWord::of(before);
        if !in_use {
            return None;
        }
        // Relaxed: between two looks at the word.
        let get = |field| segment.row(row, field).load(Ordering::Relaxed);
        let name = [0, 8]
            .map(|at| get(offset_of!(Row, name) + at).to_le_bytes())
            .concat();
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let identity = ProcessIdentity {
            pid: get(offset_of!(Row, pid)),
            pid_namespace: get(offset_of!(Row, pid_namespace)),
            start_ticks: get(offset_of!(Row, start_ticks)),
            name: String::from_utf8_lossy(name).into_owned(),
        };
        let view = view(Own { row, incarnation }, identity);
        // ORDERING: [R1] Acquire fence: what was read of a later incarnation brings its word.
        fence(Ordering::Acquire);
        (word.load(Ordering::Relaxed) == before).then_some(view)
    })
    .collect()
}

fn parts_by_owner(segment: &Segment) -> HashMap<Own, u64> {
    let mut parts = HashMap::new();
    for index in 0..segment.geometry.slots {
        let Some(slot) = segment.slot(index) else {
            break;
        };
        // ORDERING: [S1] Acquire: the record behind it.
        let state = segment.state(slot).load(Ordering::Acquire);
        let word = |field| segment.head_word(slot, field);
        if matches!(State::of(state), State::Ready { .. })
            && Shape::of(word(offset_of!(HeadRecord, shape))).kind == PART
        {
            let text = offset_of!(HeadRecord, text);
            let owner = Own::of_key(word(text), word(text + PART_KEY / 2));
            *parts.entry(owner).or_default() += 1;
        }
    }
    parts
}
