//! What keeps boards in order while the exporter runs: done once a second, on a mapping of its
//! own, where the exporter may write. What is served comes from other mappings, which cannot
//! write; so nothing of this is needed for a scrape, and none waits for it.
//!
//! A board is never made here, and no process row is claimed.

use std::time::{Duration, Instant};

use tallyboard::{Board, BoardOptions, Location};

use crate::boards::{BoardSet, Unlinked};

/// How often a ttl is looked at while it passes.
const LOOKS_A_TTL: u32 = 8;

/// The boards that are to be kept in order.
pub struct Duties {
    /// Where they are, and their uuids.
    mapped: Vec<(Location, [u8; 16])>,
    /// Boards that were there at one of the last calls, and were unlinked.
    unlinked: Vec<Unlinked>,
}

impl Duties {
    /// Those that are served, and those that were and are `unlinked`.
    pub fn new(boards: &BoardSet, unlinked: Vec<Unlinked>) -> Self {
        let mapped = boards.targets().iter().filter_map(|target| {
            let (board, _) = target.mapped()?;
            Some((target.location().clone(), board.uuid()?))
        });
        Self {
            mapped: mapped.collect(),
            unlinked,
        }
    }
}

/// The boards that are kept in order.
pub struct Maintenance {
    ttl: Option<Duration>,
    kept: Vec<Kept>,
}

/// A board that was tried to be opened for writing.
struct Kept {
    uuid: [u8; 16],
    state: State,
    expired_at: Option<Instant>,
}

enum State {
    Writable(Board),
    /// It may not be written to, and the log says so.
    Left,
}

impl Maintenance {
    /// Of no board yet. With `ttl`, series expire.
    pub fn new(ttl: Option<Duration>) -> Self {
        Self {
            ttl,
            kept: Vec::new(),
        }
    }

    /// Does what is to be done now.
    pub fn attend(&mut self, duties: Duties, now: Instant) {
        for kept in &self.kept {
            if let State::Writable(board) = &kept.state
                && duties.unlinked.contains(&kept.uuid)
            {
                // Its writers move at their next update.
                board.retire();
            }
        }
        let is_due = |kept: &Kept| {
            let is_there = duties.mapped.iter().any(|(_, uuid)| *uuid == kept.uuid);
            let is_sound = match &kept.state {
                // One that was given up and still has its name is opened anew: that completes
                // the removal.
                State::Writable(board) => !board.is_broken() && !board.is_retired(),
                State::Left => true,
            };
            is_there && is_sound
        };
        self.kept.retain(is_due);
        for (location, uuid) in duties.mapped {
            if self.kept.iter().any(|kept| kept.uuid == uuid) {
                continue;
            }
            if let Some(state) = open(&location, uuid) {
                self.kept.push(Kept {
                    uuid,
                    state,
                    expired_at: None,
                });
            }
        }
        for kept in &mut self.kept {
            kept.attend(self.ttl, now);
        }
    }
}

impl Kept {
    fn attend(&mut self, ttl: Option<Duration>, now: Instant) {
        let State::Writable(board) = &self.state else {
            return;
        };
        board.reap();
        let Some(ttl) = ttl else {
            return;
        };
        let looked = self.expired_at;
        if looked.is_none_or(|at| now.saturating_duration_since(at) >= ttl / LOOKS_A_TTL) {
            self.expired_at = Some(now);
            let expired = board.expire(ttl);
            if expired > 0 {
                tracing::debug!(board = %board.location(), "{expired} series expired");
            }
        }
    }
}

/// Opens the board for writing if it is the one that is served. `None` if it is another by now.
fn open(location: &Location, uuid: [u8; 16]) -> Option<State> {
    // Where the board lies was accepted when it was made.
    let options = BoardOptions::new().allow_any_filesystem(true);
    match options.attach(location) {
        Ok(board) if board.uuid() == Some(uuid) => Some(State::Writable(board)),
        Ok(_) => None,
        Err(tallyboard::OpenError::NotFound { .. } | tallyboard::OpenError::Replaced { .. }) => {
            None
        }
        Err(error) => {
            tracing::info!(
                board = %location,
                "the programs that count keep the board in order themselves: {error}"
            );
            Some(State::Left)
        }
    }
}
