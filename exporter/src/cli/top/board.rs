//! The board that is watched, and what is to be shown of it.

use std::time::{Duration, Instant};

use tallyboard::{Kind, Location, Stats};

use super::detail::{Detail, Window};
use super::distribution::Distribution;
use super::held::Held;
use super::history::{History, Line};
use super::roster::Roster;
use super::view::{Page, View};
use crate::boards::{BoardSet, BoardSpec};
use crate::cli::failure::Failure;

/// The board and the last look at it.
pub(super) struct Watched {
    boards: BoardSet,
    pub(super) location: Location,
    /// Whose history it is.
    uuid: Option<[u8; 16]>,
    history: History,
    /// All families, as of the last look.
    pub(super) lines: Vec<Line>,
    /// `None` while the board is not there.
    pub(super) stats: Option<Stats>,
    pub(super) damaged: u64,
    /// The families that the page shows.
    pub(super) shown: Vec<Line>,
    pub(super) detail: Option<Detail>,
    /// Of the family whose page is shown, filtered as it is.
    window: (String, Window),
    /// What came lately, and in how long.
    pub(super) recent: Option<(Duration, Distribution)>,
    /// As the window.
    held: (String, Held),
    /// For which share of what time each state held lately.
    pub(super) recently_held: Option<(Duration, Vec<f64>)>,
    pub(super) roster: Roster,
}

impl Watched {
    pub(super) fn new(location: Location) -> Result<Self, Failure> {
        let spec = BoardSpec::one(location.clone()).map_err(Failure::Usage)?;
        Ok(Self {
            boards: BoardSet::new(vec![spec], None),
            location,
            uuid: None,
            history: History::default(),
            lines: Vec::new(),
            stats: None,
            damaged: 0,
            shown: Vec::new(),
            detail: None,
            window: <(String, Window)>::default(),
            recent: None,
            held: <(String, Held)>::default(),
            recently_held: None,
            roster: Roster::default(),
        })
    }

    /// Reads the board. An error if it is not there.
    pub(super) fn look(&mut self, now: Instant) -> Result<(), Failure> {
        self.boards.refresh();
        self.stats = None;
        self.lines.clear();
        let target = self.boards.targets().first();
        if let Some((board, reader)) = target.and_then(|target| target.mapped()) {
            if self.uuid != board.uuid() {
                self.uuid = board.uuid();
                self.history = History::default();
                self.window = <(String, Window)>::default();
                self.held = <(String, Held)>::default();
            }
            self.lines = self.history.look(reader, now);
            self.stats = target.and_then(|target| target.stats()).cloned();
            self.damaged = reader.damaged();
        }
        // What was read of it is worth nothing then.
        if self.boards.drop_broken() {
            self.stats = None;
            self.lines.clear();
            self.uuid = None;
        }
        if self.stats.is_some() {
            return Ok(());
        }
        Err(Failure::Failed(format!(
            "the board {} is not there any more",
            self.location
        )))
    }

    /// Makes what the page shows of the last look.
    pub(super) fn arrange(&mut self, view: &mut View, now: Instant) {
        self.detail = None;
        self.recent = None;
        self.recently_held = None;
        let target = self.boards.targets().first();
        let mapped = target.and_then(|target| target.mapped());
        let len = match &view.page {
            Page::Families => {
                self.shown = view.arrangement.apply(&self.lines);
                self.shown.len()
            }
            Page::Family(name) => {
                self.detail = mapped.and_then(|(_, reader)| {
                    Detail::read(reader, &self.history, name, &view.arrangement)
                });
                self.detail.as_ref().map_or(0, |detail| detail.series.len())
            }
            Page::Processes => {
                let processes = mapped.map_or(Vec::new(), |(board, _)| board.processes());
                self.roster.look(processes, now, &view.arrangement);
                self.roster.entries.len()
            }
            Page::Board => 0,
        };
        if self.boards.drop_broken() {
            self.detail = None;
            self.stats = None;
        }
        self.note(&view.arrangement.filter, now);
        view.set_len(len);
    }

    /// The family under the cursor, if families are shown.
    pub(super) fn chosen(&self, view: &View) -> Option<String> {
        let line = self.shown.get(view.cursor)?;
        (view.page == Page::Families).then(|| line.name.clone())
    }

    /// Notes what changes on a family's page.
    fn note(&mut self, filter: &str, now: Instant) {
        let Some(detail) = &self.detail else {
            return;
        };
        let whose = format!("{}\n{filter}", detail.name);
        if let Some(distribution) = &detail.distribution {
            if self.window.0 != whose {
                self.window = (whose, Window::default());
            }
            self.window.1.note(now, distribution);
            self.recent = self.window.1.recent(now);
        } else if detail.kind == Kind::StateSet {
            if self.held.0 != whose {
                self.held = (whose, Held::default());
            }
            self.held.1.note(now, &detail.held);
            self.recently_held = self.held.1.recent();
        }
    }
}
