//! Exemplars: one update of a counter, or one observation in a bucket, and where it came from.
//!
//! The last one stays. It is a record of its own, see [`annex`](crate::annex), whose time of
//! creation is its time. An update is made first and never fails for its exemplar.

use crate::annex::{ANNEX_KEY, Site};
use crate::clock;
use crate::error::RefusedReason;
use crate::family::Cursor;
use crate::index::Lost;
use crate::layout::{Control, HeadRecord};
use crate::record::EXEMPLAR;
use crate::register::Bound;
use crate::segment::Segment;
use crate::series::{Places, Series};
use crate::slot::MAX_SERIAL;
use crate::sync::Ordering;
use core::mem::offset_of;

/// Of all names and values together, as OpenMetrics has it.
const MAX_CHARS: usize = 128;
/// The longest text: the key, the value, and labels of one character each, of four bytes.
const MAX_TEXT: usize = ANNEX_KEY + 8 + MAX_CHARS * (2 * 2 + 4);
/// Each exemplar takes a serial of those that the whole board has. They may take half of them as
/// they come; beyond that one stays for so long, which a scraper does not notice.
const FREE_SERIALS: u64 = MAX_SERIAL / 2;
const STAY_NANOS: u64 = 1_000_000_000;

/// One update of a series and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Names and values, in the order in which they were given: 128 characters together at most,
    /// the names not empty, none twice.
    pub labels: Vec<(String, String)>,
    /// What was added or observed.
    pub value: f64,
    /// When, in nanoseconds since 1970.
    pub unix_nanos: u64,
}

/// Whether these can be an exemplar's labels.
fn fit<'l>(labels: impl Iterator<Item = (&'l str, &'l str)> + Clone) -> bool {
    let mut chars = 0;
    for (place, (name, value)) in labels.clone().enumerate() {
        chars += name.chars().count() + value.chars().count();
        // First of all: it bounds the number of labels, and with it the next look.
        if chars > MAX_CHARS
            || name.is_empty()
            || name.starts_with("__")
            || labels.clone().take(place).any(|(before, _)| before == name)
        {
            return false;
        }
    }
    true
}

/// The inverse of what [`Series::exemplify`] writes behind the key.
pub(crate) fn decode(text: &[u8], unix_nanos: u64) -> Option<Exemplar> {
    let mut rest = Cursor(text);
    let value = rest.float()?;
    let mut labels = Vec::new();
    while !rest.0.is_empty() {
        labels.push((rest.text()?.to_owned(), rest.text()?.to_owned()));
    }
    let given = labels.iter().map(|(name, value)| (&**name, &**value));
    fit(given).then_some(Exemplar {
        labels,
        value,
        unix_nanos,
    })
}

/// Puts canonical bytes together where nothing may be allocated.
struct Text {
    bytes: [u8; MAX_TEXT],
    len: usize,
}

impl Text {
    /// Room for the key, and what follows it. `None`: longer than what fits.
    fn of(value: f64, labels: &[(&str, &str)]) -> Option<Text> {
        let mut text = Text {
            bytes: [0; MAX_TEXT],
            len: ANNEX_KEY,
        };
        text.put(&value.to_bits().to_le_bytes())?;
        for (name, value) in labels {
            text.put_text(name)?;
            text.put_text(value)?;
        }
        Some(text)
    }

    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let into = self.bytes.get_mut(self.len..)?.get_mut(..bytes.len())?;
        into.copy_from_slice(bytes);
        self.len += bytes.len();
        Some(())
    }

    fn put_text(&mut self, text: &str) -> Option<()> {
        self.put(&u16::try_from(text.len()).ok()?.to_le_bytes())?;
        self.put(text.as_bytes())
    }
}

impl<P: Places> Series<P> {
    /// Makes an update just made the exemplar at `place`. What stands in the way is counted on
    /// the board, by its reason.
    #[cold]
    #[inline(never)]
    pub(crate) fn exemplify(&self, place: usize, value: f64, labels: &[(&str, &str)]) {
        let Some((segment, series)) = self.life() else {
            return;
        };
        match segment.replace_exemplar(series, place, value, labels) {
            // What has ended since needs none, nor does what is about to.
            Ok(()) | Err(Lost::Orphaned | Lost::Refused(RefusedReason::Retired)) => {}
            Err(lost) => segment.count_refusal(lost.reason()),
        }
    }
}

impl Segment {
    fn replace_exemplar(
        &self,
        series: Bound,
        place: usize,
        value: f64,
        labels: &[(&str, &str)],
    ) -> Result<(), Lost> {
        let bad = Lost::Refused(RefusedReason::BadExemplar);
        if !fit(labels.iter().copied()) {
            return Err(bad);
        }
        let mut text = Text::of(value, labels).ok_or(bad)?;
        let site = Site {
            series,
            kind: EXEMPLAR,
            place: place as u32,
        };
        if self.is_to_stay(site)? {
            return Ok(());
        }
        self.replace_annex(site, &mut text.bytes[..text.len])
    }

    /// Whether the exemplar that is there is too young to be replaced on this board.
    fn is_to_stay(&self, site: Site) -> Result<bool, Lost> {
        // Relaxed: how many they are, about.
        let serials = self.control(offset_of!(Control, serial));
        if serials.load(Ordering::Relaxed) <= FREE_SERIALS {
            return Ok(false);
        }
        let Some(there) = self.annex_at(site)? else {
            return Ok(false);
        };
        let made = self.head_word(there.slot, offset_of!(HeadRecord, created_unix_nanos));
        let age = clock::unix_nanos().checked_sub(made);
        // Made in the future: by a clock that was set back since.
        Ok(age.is_some_and(|age| age < STAY_NANOS))
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use crate::{Board, Counter, Location, Reader};

    fn board() -> (tempfile::TempDir, Board, Counter) {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let at = Location::Path(directory.path().join("exemplars.board"));
        let board = Board::options().slots(64).create(&at).unwrap();
        let counter = board.counter("c_total", "").register().unwrap();
        (directory, board, counter)
    }

    fn trace(board: &Board) -> Option<String> {
        let mut reader = Reader::new(board);
        reader.refresh();
        assert_eq!(reader.damaged(), 0);
        let exemplar = reader.exemplar(reader.families()[0].series.first().unwrap(), 0)?;
        assert_eq!(exemplar.labels[0].0, "trace");
        Some(exemplar.labels[0].1.clone())
    }

    #[test]
    fn labels_are_counted_in_characters_and_checked() {
        let fits = |labels: &[(&str, &str)]| fit(labels.iter().copied());
        let long = "\u{1f600}".repeat(127);
        assert!(fits(&[("a", &long)]));
        assert!(!fits(&[("ab", &long)]));
        assert!(!fits(&[("a", &long), ("b", "")]));
        assert!(fits(&[]) && fits(&[("a", ""), ("b", "")]));
        assert!(!fits(&[("", "x")]) && !fits(&[("__a", "x")]));
        assert!(!fits(&[("a", "x"), ("b", ""), ("a", "y")]));
    }

    #[test]
    fn the_longest_labels_that_fit_are_kept_whole() {
        let (_directory, board, counter) = board();
        let names: Vec<String> = (0..MAX_CHARS as u32)
            .map(|n| char::from_u32(0x1f300 + n).unwrap().to_string())
            .collect();
        let labels: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "")).collect();
        counter.inc_with_exemplar(&labels);
        let mut reader = Reader::new(&board);
        reader.refresh();
        let exemplar = reader
            .exemplar(reader.families()[0].series.first().unwrap(), 0)
            .unwrap();
        assert_eq!(exemplar.labels.len(), MAX_CHARS);
        assert_eq!(exemplar.labels[127].0, names[127]);
        assert!(board.check().is_empty());
    }

    /// A service that gives one to each request would take all of them in weeks.
    #[test]
    fn exemplars_leave_half_of_the_serials_to_series() {
        let (_directory, board, counter) = board();
        let segment = &board.attached().unwrap().segment;
        let serials = segment.control(offset_of!(Control, serial));
        counter.inc_with_exemplar(&[("trace", "a")]);
        counter.inc_with_exemplar(&[("trace", "b")]);
        assert_eq!(trace(&board).as_deref(), Some("b"));
        serials.store(FREE_SERIALS + 1, Ordering::Relaxed);
        counter.inc_with_exemplar(&[("trace", "c")]);
        assert_eq!(trace(&board).as_deref(), Some("b"));
        assert_eq!(serials.load(Ordering::Relaxed), FREE_SERIALS + 1);
        // As if a second had passed.
        let (_, series) = counter.series.life().unwrap();
        let (kind, place) = (EXEMPLAR, 0);
        let site = Site {
            series,
            kind,
            place,
        };
        let there = segment.annex_at(site).unwrap().unwrap();
        let made = segment.record(there.slot, offset_of!(HeadRecord, created_unix_nanos));
        made.fetch_sub(STAY_NANOS, Ordering::Relaxed);
        counter.inc_with_exemplar(&[("trace", "d")]);
        assert_eq!(trace(&board).as_deref(), Some("d"));
    }
}
