//! How full a board is, and what it refused.

use crate::error::RefusedReason;
use crate::layout::{Control, HeadRecord, PLANE_READY, PLANE_REFUSED, REFUSED_REASONS, Row};
use crate::process::RowWord;
use crate::record::{FAMILY, HELP, PART, SERIES, Shape};
use crate::segment::Segment;
use crate::slot::State;
use crate::sync::Ordering;
use core::mem::offset_of;

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
    /// How often a registration was refused, by reason.
    pub refused: [(RefusedReason, u64); REFUSED_REASONS],
    /// Slots given back after their series ended or their builder died.
    pub reclaimed: u64,
    /// Process rows given back after their process died.
    pub reaped: u64,
    /// What dead processes contributed to gauges and was folded into them.
    pub folded: u64,
    /// Registrations that went beyond the cap of a family.
    pub overflowed: u64,
    /// Series that were ended because they did not change for long.
    pub expired: u64,
    /// Living slots whose record is none of the things that a board holds.
    pub damaged: u64,
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
            ..Stats::default()
        };
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
                    let shape = segment.record(slot, offset_of!(HeadRecord, shape));
                    match Shape::of(shape.load(Ordering::Relaxed)).kind {
                        FAMILY => stats.families += 1,
                        SERIES => stats.series += 1,
                        PART => stats.parts += 1,
                        HELP => {}
                        _ => stats.damaged += 1,
                    }
                }
                State::Continuation { head, serial } => {
                    let alive = segment.slot(head).is_some_and(|head| {
                        match State::of(segment.state(head).load(Ordering::Relaxed)) {
                            State::Ready { serial: now } => now == serial,
                            State::Building { serial: now, .. } => now == serial,
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

impl Segment {
    /// Adds one to the board's counter of this reason.
    pub(crate) fn count_refusal(&self, reason: RefusedReason) {
        let place = RefusedReason::ALL.iter().position(|r| *r == reason);
        self.count(offset_of!(Control, refused) + place.unwrap_or(0) * 8);
    }
}
