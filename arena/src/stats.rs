//! How full a board is, and what it refused.

use crate::error::RefusedReason;
use crate::layout::{
    CONTINUATION_TEXT_LEN, Control, HeadRecord, MAX_TEXT_LEN, PLANE_READY, PLANE_REFUSED,
    REFUSED_REASONS, Row, UNIT_CELLS,
};
use crate::liveness::LockFile;
use crate::process::RowWord;
use crate::record::{EXEMPLAR, FAMILY, HELP, INFO, PART, SERIES, Shape, lengths};
use crate::segment::Segment;
use crate::slot::State;
use crate::sync::Ordering;
use core::mem::offset_of;
use std::collections::HashMap;

/// A board's occupancy and its sticky counters, read without stopping anyone: numbers that
/// change at the same moment may be one apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes that have memory behind them.
    pub bytes_reserved: u64,
    /// Length of the board's file, with the planes of CPUs that were never used.
    pub bytes_total: u64,
    /// Slots of the board.
    pub slots: u32,
    /// Slots that are not free.
    pub slots_used: u32,
    /// Series alive.
    pub series: u32,
    /// Families alive, old definitions included.
    pub families: u32,
    /// What single processes contribute to gauges.
    pub parts: u32,
    /// Process rows of the board.
    pub processes: u32,
    /// Rows in use; a row whose process died counts until it is reaped.
    pub processes_used: u32,
    /// CPU planes that the board could have.
    pub planes: u32,
    /// CPU planes that are used.
    pub planes_ready: u32,
    /// CPU planes that could not be reserved: those CPUs use the shared plane.
    pub planes_refused: u32,
    /// How often a registration was refused, or an exemplar, by reason.
    pub refused: [(RefusedReason, u64); REFUSED_REASONS],
    /// Slots given back after their series ended or their builder died.
    pub reclaimed: u64,
    /// Process rows given back after their process died, or when it left.
    pub reaped: u64,
    /// What dead processes contributed to gauges and was folded into them.
    pub folded: u64,
    /// Lookups and registrations that went beyond the cap of a family, those among them that were
    /// refused for it.
    pub overflowed: u64,
    /// Series that were ended because they did not change for long.
    pub expired: u64,
    /// Living slots whose record is none of the things that a board holds.
    pub damaged: u64,
    /// Cells of the board: three a slot.
    pub cells: u64,
    /// Cells that living series and parts hold values in.
    pub cells_used: u64,
    /// Bytes of text that all slots together have room for, at most: the first of a chain has
    /// less than the others.
    pub text_bytes: u64,
    /// Bytes of names, label values and help on the board, with what stands between them.
    pub text_bytes_used: u64,
    /// Slots that hold nothing and are not free, because a process died while it made or removed
    /// something; the next sweep gives them back. What is being removed at this moment is among
    /// them.
    pub leaked: u32,
}

impl Default for Stats {
    fn default() -> Stats {
        Stats {
            bytes_reserved: 0,
            bytes_total: 0,
            slots: 0,
            slots_used: 0,
            series: 0,
            families: 0,
            parts: 0,
            processes: 0,
            processes_used: 0,
            planes: 0,
            planes_ready: 0,
            planes_refused: 0,
            refused: RefusedReason::ALL.map(|reason| (reason, 0)),
            reclaimed: 0,
            reaped: 0,
            folded: 0,
            overflowed: 0,
            expired: 0,
            damaged: 0,
            cells: 0,
            cells_used: 0,
            text_bytes: 0,
            text_bytes_used: 0,
            leaked: 0,
        }
    }
}

impl Stats {
    pub(crate) fn of(segment: &Segment) -> Stats {
        let geometry = &segment.geometry;
        // Relaxed all along: statistics.
        let control = |field| segment.control(field).load(Ordering::Relaxed);
        let mut stats = Stats {
            bytes_total: geometry.total_len,
            slots: geometry.slots,
            processes: geometry.processes,
            planes: geometry.planes,
            reclaimed: control(offset_of!(Control, reclaimed)),
            reaped: control(offset_of!(Control, reaped)),
            folded: control(offset_of!(Control, folded)),
            overflowed: control(offset_of!(Control, overflowed)),
            expired: control(offset_of!(Control, expired)),
            cells: u64::from(geometry.slots) * UNIT_CELLS as u64,
            text_bytes: u64::from(geometry.slots) * CONTINUATION_TEXT_LEN as u64,
            ..Stats::default()
        };
        let mut builders = Builders::new(segment);
        for (place, (_, count)) in stats.refused.iter_mut().enumerate() {
            *count = control(offset_of!(Control, refused) + place * 8);
        }
        for index in 0..geometry.slots {
            let Some(slot) = segment.slot(index) else {
                break;
            };
            match State::of(segment.state(slot).load(Ordering::Relaxed)) {
                State::Free => continue,
                State::Ready { .. } => {
                    let word = |field| segment.record(slot, field).load(Ordering::Relaxed);
                    let shape = Shape::of(word(offset_of!(HeadRecord, shape)));
                    match shape.kind {
                        FAMILY => stats.families += 1,
                        SERIES => stats.series += 1,
                        PART => stats.parts += 1,
                        HELP | EXEMPLAR | INFO => {}
                        _ => stats.damaged += 1,
                    }
                    let (_, text_len) = lengths(word(offset_of!(HeadRecord, lengths)));
                    stats.text_bytes_used += text_len.min(MAX_TEXT_LEN) as u64;
                    stats.cells_used += u64::from(shape.cells);
                }
                State::Building { row, .. } => stats.leaked += u32::from(builders.is_dead(row)),
                State::Removed { .. } => stats.leaked += 1,
                State::Continuation { head, serial } => {
                    let alive = segment.slot(head).is_some_and(|head| {
                        match State::of(segment.state(head).load(Ordering::Relaxed)) {
                            State::Ready { serial: now } => now == serial,
                            State::Building { row, serial: now } if now == serial => {
                                stats.leaked += u32::from(builders.is_dead(row));
                                true
                            }
                            _ => false,
                        }
                    });
                    if !alive {
                        continue;
                    }
                }
                _ => {}
            }
            stats.slots_used += 1;
        }
        for row in 0..geometry.processes {
            let word = segment.row(row, offset_of!(Row, word));
            if RowWord::of(word.load(Ordering::Relaxed)).in_use {
                stats.processes_used += 1;
            }
        }
        for cpu in 0..geometry.planes {
            match segment.plane_entry(cpu).load(Ordering::Relaxed) {
                PLANE_READY => stats.planes_ready += 1,
                PLANE_REFUSED => stats.planes_refused += 1,
                _ => {}
            }
        }
        stats.bytes_reserved =
            geometry.reserved_len() + u64::from(stats.planes_ready) * geometry.plane_stride;
        stats
    }
}

/// Which processes that make something are dead. Asked for hardly ever, and each only once.
struct Builders<'s> {
    segment: &'s Segment,
    locks: Option<LockFile>,
    dead: HashMap<u32, bool>,
}

impl<'s> Builders<'s> {
    fn new(segment: &'s Segment) -> Self {
        Builders {
            segment,
            locks: None,
            dead: HashMap::new(),
        }
    }

    /// Nobody is called dead on a guess.
    fn is_dead(&mut self, row: u32) -> bool {
        if row >= self.segment.geometry.processes {
            return false;
        }
        if self.locks.is_none() {
            self.locks = self.segment.process.probe().ok();
        }
        let life = self.segment.geometry.life_byte(row);
        let locks = self.locks.as_ref();
        *(self.dead.entry(row)).or_insert_with(|| locks.is_some_and(|locks| !locks.is_held(life)))
    }
}

impl Segment {
    /// Adds one to the board's counter of this reason.
    pub(crate) fn count_refusal(&self, reason: RefusedReason) {
        let place = RefusedReason::ALL.iter().position(|r| *r == reason);
        self.count(offset_of!(Control, refused) + place.unwrap_or(0) * 8);
    }
}
