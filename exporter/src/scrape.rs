//! Scrapes: look for boards and series, and say what they share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::boards::BoardSet;
use crate::encode::{Encoder, Exposition, Pass, Selection, Style};
use crate::failures::Failures;
use crate::maintenance::Duties;
use crate::self_metrics::{self, Findings};
use crate::workers::Workers;

/// Styles whose rendered names are kept. A name is kept once in each, there are two dozen, and
/// anybody can ask for them all; scrapers of one board seldom want more than these.
const STYLES: usize = 4;

/// Boards and what was rendered of them, in the styles that were asked for last.
pub struct Scraper {
    boards: BoardSet,
    /// Each with the number of the last exposition that needed it.
    encoders: HashMap<Style, (u64, Encoder)>,
    expositions: u64,
    workers: Workers,
    /// Whether the exporter tells about itself, too, and not only about the boards.
    exporter_metrics: bool,
    scrapes: u64,
    /// Those that whoever serves was not able to answer.
    failures: Arc<Failures>,
}

impl Scraper {
    /// A scraper of these boards.
    pub fn new(boards: BoardSet) -> Self {
        Self {
            boards,
            encoders: HashMap::new(),
            expositions: 0,
            workers: Workers::default(),
            exporter_metrics: true,
            scrapes: 0,
            failures: Arc::default(),
        }
    }

    /// Where scrapes that are not answered are to be counted.
    pub(crate) fn failures(&self) -> Arc<Failures> {
        self.failures.clone()
    }

    /// The same scraper, which tells nothing about the exporter itself.
    pub fn without_exporter_metrics(mut self) -> Self {
        self.exporter_metrics = false;
        self
    }

    /// Looks for boards that came, went or were made again, and for the series on them: all that is
    /// on a large board is not left to its first scrape.
    pub fn follow(&mut self) -> &BoardSet {
        self.boards.refresh_series();
        &self.boards
    }

    /// What there is to do on the boards, as last looked at. Notes what the processes on them use,
    /// before the dead are taken off.
    pub fn duties(&mut self) -> Duties {
        self.workers.sample(self.boards.process_identities());
        let unlinked = self.boards.take_unlinked();
        Duties::new(&self.boards, unlinked)
    }

    /// Counts a scrape. One that begins again, because a board broke, is the same.
    pub fn begin(&mut self) {
        self.scrapes += 1;
    }

    /// What there is to be scraped now. Looks for boards and for series that came or went; reads
    /// the boards only, and no value: that is done as the body is written, without this.
    pub fn expose(&mut self, style: Style) -> Exposition {
        self.expositions += 1;
        self.boards.refresh_series();
        self.workers
            .sample_if_old(|| self.boards.process_identities());
        let exporter_metrics = self.exporter_metrics;
        if self.encoders.len() == STYLES && !self.encoders.contains_key(&style) {
            let oldest = self.encoders.iter().min_by_key(|(_, (last, _))| *last);
            if let Some(oldest) = oldest.map(|(style, _)| *style) {
                self.encoders.remove(&oldest);
            }
        }
        let (last, encoder) = self.encoders.entry(style).or_insert_with(|| {
            let reserved = self_metrics::reserved(exporter_metrics);
            (0, Encoder::with_reserved(style, &reserved))
        });
        *last = self.expositions;
        encoder.expose(&self.boards.sources())
    }

    /// Appends what follows the families of the boards: what the exporter says about itself and
    /// the boards, and the end. `clashes` is the exposition's.
    pub fn conclude(
        &mut self,
        style: Style,
        selection: &Selection,
        clashes: u64,
        begun: Instant,
        out: &mut Vec<u8>,
    ) {
        let mut own = Vec::new();
        loop {
            self.boards.look();
            let found = Findings {
                clashes,
                scrapes: self.scrapes,
                failures: &self.failures,
                took: begun.elapsed(),
                workers: &self.workers,
                exporter_metrics: self.exporter_metrics,
            };
            self_metrics::write(&self.boards, &found, style, &mut own);
            // A board may have lost its memory at any moment up to here. Each turn has one
            // board less.
            if !self.boards.drop_broken() {
                break;
            }
            own.clear();
        }
        selection.append_own(style, &own, out);
        out.extend_from_slice(style.end());
    }

    /// Appends a whole body to `out`, for whoever needs it in memory.
    pub fn scrape(&mut self, style: Style, out: &mut Vec<u8>) {
        let begun = Instant::now();
        let start = out.len();
        self.begin();
        loop {
            let exposition = Arc::new(self.expose(style));
            let clashes = exposition.clashes();
            let mut pass = Pass::new(exposition.clone(), Arc::default());
            while pass.fill(usize::MAX, out) {}
            self.conclude(style, &Selection::default(), clashes, begun, out);
            if !exposition.is_broken() {
                return;
            }
            self.boards.drop_broken();
            out.truncate(start);
        }
    }

    /// Lets go of boards that have lost their memory; whether there was one.
    pub fn drop_broken(&mut self) -> bool {
        self.boards.drop_broken()
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

#[cfg(test)]
mod tests {
    use tallyboard::{BoardOptions, Location};

    use super::*;
    use crate::boards::BoardSpec;
    use crate::encode::{Escaping, Format};

    #[test]
    fn the_styles_that_were_asked_for_last_are_kept() {
        let mut scraper = Scraper::new(BoardSet::new(Vec::new(), None));
        for escaping in [Escaping::Dots, Escaping::Values, Escaping::AllowUtf8] {
            for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
                for created in [false, true] {
                    scraper.expose(Style {
                        format,
                        escaping,
                        created,
                    });
                    scraper.expose(Style::PLAIN);
                }
            }
        }
        assert_eq!(scraper.encoders.len(), STYLES);
        assert!(scraper.encoders.contains_key(&Style::PLAIN));
    }

    #[test]
    fn a_scrape_that_begins_again_without_a_broken_board_is_counted_once() {
        tallyboard::guard_readers().unwrap();
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let path = directory.path().join("a.v1.board");
        let at = Location::Path(path.clone());
        let options = BoardOptions::new().slots(64);
        options.create(&at).unwrap();
        let mut scraper = Scraper::new(BoardSet::new(vec![BoardSpec::one(at).unwrap()], None));
        let mut scrapes = || {
            let mut body = Vec::new();
            scraper.scrape(Style::PLAIN, &mut body);
            let body = String::from_utf8(body).unwrap();
            let line = |name: &str| {
                let mut lines = body.lines();
                let line = lines.find(|line| line.starts_with(name));
                line.map(|line| line.rsplit(' ').next().unwrap().to_owned())
            };
            let mapped = line("tallyboard_board_mapped").unwrap();
            (mapped, line("tallyboard_scrapes_total ").unwrap())
        };
        let said = |mapped: &str, scrapes: &str| (mapped.to_owned(), scrapes.to_owned());
        assert_eq!(scrapes(), said("1", "1"));
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len(0).unwrap();
        assert_eq!(scrapes(), said("0", "2"));
        assert_eq!(scrapes(), said("0", "3"));
    }
}
