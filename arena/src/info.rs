//! Infos: pairs of names and values that describe something, such as a version.
//!
//! An info has no cells. What it says is a record of its own, see [`annex`](crate::annex).

use crate::annex::{ANNEX_KEY, Site};
use crate::builder::Metric;
use crate::error::RefusedReason;
use crate::error::RegisterError;
use crate::family::{Cursor, Kind, put_text};
use crate::index::Lost;
use crate::planes::Ended;
use crate::record::INFO;
use crate::register::Bound;
use crate::segment::Segment;
use crate::series::Series;
use core::fmt;

/// An info on a board.
#[derive(Clone)]
pub struct Info {
    series: Series<()>,
}

impl Metric for Info {
    const KIND: Kind = Kind::Info;
    type Places = ();

    #[inline]
    fn of(series: Series<()>) -> Self {
        Info { series }
    }

    #[inline]
    fn series(&self) -> &Series<()> {
        &self.series
    }
}

impl Info {
    /// An info that says nothing to nobody.
    pub fn sink() -> Info {
        Metric::sink()
    }

    /// Says `pairs`, and no more what was said before by any process: the last one holds.
    /// Lock-free; a few microseconds, and two lookups where it says that already. A process
    /// that dies meanwhile leaves the one or the other. Allocates: not for signal handlers.
    ///
    /// # Errors
    /// A name that is empty, begins with `__`, is there twice or is a label of the metric, and
    /// whatever a registration can be refused for. What was said before stays.
    pub fn set(&self, pairs: &[(&str, &str)]) -> Result<(), RegisterError> {
        let Some(definition) = self.series.definition() else {
            return Ok(());
        };
        let metric = || definition.name.clone();
        let mut sorted = pairs.to_vec();
        sorted.sort_unstable();
        for (place, (name, _)) in sorted.iter().enumerate() {
            let (metric, label) = (metric(), (*name).to_owned());
            if name.is_empty() || name.starts_with("__") {
                return Err(RegisterError::LabelName { metric, label });
            }
            let is_twin = place > 0 && sorted[place - 1].0 == *name;
            if is_twin || definition.label_names.contains(&label) {
                return Err(RegisterError::DuplicateLabel { metric, label });
            }
        }
        let mut text = vec![0; ANNEX_KEY];
        let refused = |reason| RegisterError::Refused {
            metric: metric(),
            reason,
        };
        for (name, value) in sorted {
            put_text(&mut text, name)
                .and_then(|()| put_text(&mut text, value))
                .ok_or_else(|| refused(RefusedReason::TooLong))?;
        }
        let mut outcome = None;
        self.series.update(|series, segment| {
            let (_, life) = series.life().ok_or(Ended)?;
            match segment.replace_info(life, &mut text) {
                // Of a board that is given up it ends, too: to be said on the next one.
                Err(Lost::Orphaned | Lost::Refused(RefusedReason::Retired)) => return Err(Ended),
                Err(lost) => {
                    segment.count_refusal(lost.reason());
                    outcome = Some(Err(refused(lost.reason())));
                }
                Ok(()) => outcome = Some(Ok(())),
            }
            Ok(())
        });
        // Where it could not be registered again, that was counted.
        outcome.unwrap_or_else(|| Err(refused(RefusedReason::Overrun)))
    }

    /// Whether it goes nowhere, because the board is off or refused the registration.
    pub fn is_sink(&self) -> bool {
        self.series.is_sink()
    }
}

impl fmt::Debug for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Info").finish_non_exhaustive()
    }
}

impl Segment {
    fn replace_info(&self, series: Bound, text: &mut [u8]) -> Result<(), Lost> {
        let site = Site {
            series,
            kind: INFO,
            place: 0,
        };
        // Each of many short-lived processes may say the same.
        if self.is_annexed(site, text)? {
            return Ok(());
        }
        self.replace_annex(site, text)
    }
}

/// The inverse of what [`Info::set`] writes behind the key.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<(String, String)>> {
    let mut rest = Cursor(text);
    let mut pairs: Vec<(String, String)> = Vec::new();
    while !rest.0.is_empty() {
        let (name, value) = (rest.text()?, rest.text()?);
        let ascends = pairs.last().is_none_or(|(before, _)| **before < *name);
        if name.is_empty() || name.starts_with("__") || !ascends {
            return None;
        }
        pairs.push((name.to_owned(), value.to_owned()));
    }
    Some(pairs)
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use crate::layout::Header;
    use crate::sync::Ordering;
    use crate::{Board, Location, Reader};
    use core::mem::offset_of;

    /// Its series is still there, and what would be said of it is refused: that was an error, and
    /// counted as one.
    #[test]
    fn what_is_said_on_a_board_that_is_just_given_up_is_said_on_the_next() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let at = Location::Path(directory.path().join("infos.board"));
        let board = Board::options().slots(64).create(&at).unwrap();
        let info = board.info("build", "").register().unwrap();
        info.set(&[("version", "1")]).unwrap();
        let segment = &board.attached().unwrap().segment;
        let retired = segment.region.word(offset_of!(Header, retired) as u64);
        retired.store(1, Ordering::Relaxed);
        info.set(&[("version", "2")]).unwrap();
        let refused = board.stats().refused;
        assert!(refused.iter().all(|(_, times)| *times == 0), "{refused:?}");
        let next = Board::options().attach(&at).unwrap();
        let mut reader = Reader::new(&next);
        reader.refresh();
        let series = reader.families()[0].series.first().unwrap();
        let said = reader.info(series).unwrap();
        assert_eq!(said, [("version".to_owned(), "2".to_owned())]);
    }
}
