//! One scrape: look for boards, read, encode.

use std::collections::HashMap;
use std::time::Instant;

use crate::boards::BoardSet;
use crate::encode::{Encoder, Style};
use crate::maintenance::Duties;
use crate::self_metrics::{self, Scrape};
use crate::workers::Workers;

/// Boards and what was rendered of them, in each style that was asked for so far.
pub struct Scraper {
    boards: BoardSet,
    encoders: HashMap<Style, Encoder>,
    workers: Workers,
    /// Whether the exporter tells about itself, too, and not only about the boards.
    exporter_metrics: bool,
    scrapes: u64,
}

impl Scraper {
    /// A scraper of these boards.
    pub fn new(boards: BoardSet) -> Self {
        Self {
            boards,
            encoders: HashMap::new(),
            workers: Workers::default(),
            exporter_metrics: true,
            scrapes: 0,
        }
    }

    /// The same scraper, which tells nothing about the exporter itself.
    pub fn without_exporter_metrics(mut self) -> Self {
        self.exporter_metrics = false;
        self
    }

    /// Looks for boards that came, went or were made again.
    pub fn follow(&mut self) -> &BoardSet {
        self.boards.follow();
        &self.boards
    }

    /// What there is to do on the boards, as last looked at. Notes what the processes on them use,
    /// before the dead are taken off.
    pub fn duties(&mut self) -> Duties {
        self.workers.sample(self.boards.process_identities());
        let unlinked = self.boards.take_unlinked();
        Duties::new(&self.boards, unlinked)
    }

    /// Appends a whole body to `out`. Reads the boards only; no writer ever waits for it.
    pub fn scrape(&mut self, style: Style, out: &mut Vec<u8>) {
        let begun = Instant::now();
        self.scrapes += 1;
        self.boards.refresh();
        self.workers
            .sample_if_old(|| self.boards.process_identities());
        let encoder = self
            .encoders
            .entry(style)
            .or_insert_with(|| Encoder::with_reserved(style, &self_metrics::reserved()));
        let start = out.len();
        loop {
            let encoded = encoder.encode(&self.boards.sources(), out);
            let scrape = Scrape {
                clashes: encoded.clashes,
                scrapes: self.scrapes,
                took: begun.elapsed(),
                workers: &self.workers,
                exporter_metrics: self.exporter_metrics,
            };
            self_metrics::write(&self.boards, &scrape, style, out);
            // A board may have lost its memory at any moment up to here. Each turn has one
            // board less.
            if !self.boards.drop_broken() {
                break;
            }
            out.truncate(start);
        }
        encoder.finish(out);
    }

    /// Gives the boards, as they are now, to `show`, which may read them.
    pub fn show<T>(&mut self, show: impl Fn(&BoardSet) -> T) -> T {
        self.boards.refresh();
        loop {
            let shown = show(&self.boards);
            if !self.boards.drop_broken() {
                return shown;
            }
        }
    }

    /// Forgets everything rendered: after a panic in the middle of a scrape it may be half done.
    pub fn forget(&mut self) {
        self.encoders.clear();
    }
}
