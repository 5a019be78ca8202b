//! The text of one family's series, kept between scrapes.
//!
//! What is kept for a series is one run of bytes. For a counter or a gauge it is the whole
//! line up to the value. A histogram has too many lines for that, so it is the labels
//! alone, and the rest of each line is kept once for the family:
//!
//! ```text
//! http_seconds_bucket{path="/",le="0.005"} 17
//! family: open        series  family: close  value
//! ```
//!
//! In protobuf it is the series' message up to its values, of whatever type it is.
//!
//! The runs of a batch of the board's series are one text, kept as long as the batch is. So a
//! series that comes makes a few tens of KiB anew, whatever else there is; all expositions share
//! all other texts; and there never are two of the whole. A batch of which nothing is known yet is
//! rendered by the first body that comes to it: the first scrape of a large board begins at once,
//! too. The order is the batches': that of the
//! slots. By label values would mean to keep these, or the order, for each series, and to read the
//! board's values in an order in which they do not lie.

use std::sync::{Arc, OnceLock};

use tallyboard::{BoardView, FamilyView, LabelValues, SeriesBatch, SeriesView};

use super::exemplar::Exemplars;
use super::lines::Lines;
use super::plan::Identity;
use super::shape::Shape;
use super::{Style, protobuf};

/// The kept text of a family on one board. A clone shares it; it is never changed, only replaced.
#[derive(Clone)]
pub(super) struct Rendered {
    lines: Arc<Lines>,
    /// For each of the family's batches.
    runs: Arc<Vec<Arc<Runs>>>,
}

/// A batch of series, and their runs once they are rendered.
struct Runs {
    of: Arc<SeriesBatch>,
    text: OnceLock<Text>,
}

/// The runs of a batch.
struct Text {
    bytes: Box<[u8]>,
    /// Where each series' run ends; it begins where the one before it ends.
    ends: Ends,
    /// Places of series that had ended before they were rendered. What is there is no series' text.
    gone: Vec<usize>,
}

/// Two bytes each where that is enough, and it mostly is.
enum Ends {
    Short(Box<[u16]>),
    Long(Box<[u32]>),
}

/// How far the writing of a family has come.
#[derive(Default)]
pub(super) struct Walk {
    /// The batch, the next series in it, and where its run begins.
    batch: usize,
    series: usize,
    start: usize,
    /// Series written so far, of all families.
    pub(super) written: u64,
    /// One histogram's buckets, reused.
    buckets: Vec<u64>,
}

impl Walk {
    /// Goes to the next batch.
    fn go_on(&mut self) {
        (self.batch, self.series, self.start) = (self.batch + 1, 0, 0);
    }

    /// Goes to the beginning of another family.
    pub(super) fn restart(&mut self) {
        (self.batch, self.series, self.start) = (0, 0, 0);
    }
}

impl Ends {
    fn new(ends: &[u32]) -> Self {
        let short: Result<Vec<u16>, _> = ends.iter().map(|end| u16::try_from(*end)).collect();
        match short {
            Ok(short) => Self::Short(short.into()),
            Err(_) => Self::Long(ends.into()),
        }
    }

    #[inline]
    fn at(&self, place: usize) -> usize {
        match self {
            Self::Short(ends) => usize::from(ends[place]),
            Self::Long(ends) => ends[place] as usize,
        }
    }
}

impl Runs {
    /// The run of a series, if it is of this batch and was rendered.
    fn of_series(&self, series: SeriesView<'_>) -> Option<&[u8]> {
        self.text.get()?.of_series(self.of.find(series)?)
    }

    /// Whether a slot of `batch` may be one of this, whose text is there.
    fn may_know_of(&self, batch: &SeriesBatch) -> bool {
        let slots = self.of.slots().zip(batch.slots());
        let meet =
            slots.is_some_and(|(own, its)| own.start() <= its.end() && its.start() <= own.end());
        meet && self.text.get().is_some()
    }
}

impl Text {
    fn of_series(&self, place: usize) -> Option<&[u8]> {
        let start = place
            .checked_sub(1)
            .map_or(0, |before| self.ends.at(before));
        (!self.gone.contains(&place)).then(|| &self.bytes[start..self.ends.at(place)])
    }
}

impl Rendered {
    /// The family's own parts. Its series come with [`follow`](Self::follow).
    pub(super) fn new(
        identity: Identity,
        family: &FamilyView,
        family_name: &str,
        board: Option<&str>,
        style: Style,
    ) -> Self {
        Self {
            lines: Arc::new(Lines::new(identity, family, family_name, board, style)),
            runs: Arc::default(),
        }
    }

    /// Whose text this is.
    pub(super) fn identity(&self) -> &Identity {
        self.lines.identity()
    }

    /// Makes the runs those of `family`, in its order. O(batches); of those in which something is
    /// known, renders what is new.
    pub(super) fn follow(&mut self, view: &BoardView, family: &FamilyView) {
        let batches = family.series.batches();
        let is_of = |runs: &Arc<Runs>, batch: &Arc<SeriesBatch>| Arc::ptr_eq(&runs.of, batch);
        let mut both = self.runs.iter().zip(batches);
        if self.runs.len() == batches.len() && both.all(|(runs, batch)| is_of(runs, batch)) {
            return;
        }
        let mut scratch = Scratch::default();
        let runs = batches.iter().map(|batch| {
            let first = batch.slots().map(|slots| *slots.start());
            // In the order of their slots, as the batches are.
            let from = |runs: &Arc<Runs>| runs.of.slots().map(|slots| *slots.start()) <= first;
            let after = self.runs.partition_point(from);
            match after.checked_sub(1).map(|near| &self.runs[near]) {
                Some(runs) if is_of(runs, batch) => return runs.clone(),
                _ => {}
            }
            let near = &self.runs[after.saturating_sub(1)..];
            let text = OnceLock::new();
            if near.iter().take(2).any(|runs| runs.may_know_of(batch)) {
                let _ = text.set(self.render(view, family, batch, &mut scratch));
            }
            Arc::new(Runs {
                of: batch.clone(),
                text,
            })
        });
        self.runs = Arc::new(runs.collect());
    }

    fn render(
        &self,
        view: &BoardView,
        family: &FamilyView,
        batch: &SeriesBatch,
        scratch: &mut Scratch,
    ) -> Text {
        let Scratch { text, ends, labels } = scratch;
        text.clear();
        ends.clear();
        let mut gone = Vec::new();
        for place in 0..batch.len() {
            let series = family.series.at(batch, place);
            let from = |runs: &Arc<Runs>| {
                let slots = runs.of.slots();
                slots.is_some_and(|slots| *slots.start() <= series.slot)
            };
            let near = self.runs.partition_point(from).checked_sub(1);
            let known = near.and_then(|near| self.runs[near].of_series(series));
            let start = text.len();
            match known {
                Some(run) => text.extend_from_slice(run),
                None if (self.lines.render(view, series, labels, text)).is_none() => {
                    text.truncate(start);
                    gone.push(place);
                }
                None => {}
            }
            ends.push(text.len() as u32);
        }
        Text {
            bytes: text.as_slice().into(),
            ends: Ends::new(ends),
            gone,
        }
    }

    /// The text of a batch, rendered now if nobody has come to it yet. Two that come at the same
    /// time both render, and one of the two is kept: nobody waits for the other's work.
    #[inline]
    fn text<'r>(&self, runs: &'r Runs, view: &BoardView, family: &FamilyView) -> &'r Text {
        match runs.text.get() {
            Some(text) => text,
            None => self.render_first(runs, view, family),
        }
    }

    #[cold]
    fn render_first<'r>(&self, runs: &'r Runs, view: &BoardView, family: &FamilyView) -> &'r Text {
        let text = self.render(view, family, &runs.of, &mut Scratch::default());
        runs.text.get_or_init(|| text)
    }

    /// Appends lines of the family from where `walk` is until `out` has `until` bytes; whether
    /// there may be more.
    pub(super) fn write(
        &self,
        view: &BoardView,
        family: &FamilyView,
        walk: &mut Walk,
        until: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        walk.buckets.clear();
        walk.buckets.resize(family.bounds.len() + 1, 0);
        while let Some(runs) = self.runs.get(walk.batch) {
            let text = self.text(runs, view, family);
            let nothing = match self.messages_len(runs, view) {
                Some(said) => (self.nothing_after(text, runs, said)).unwrap_or_else(|| {
                    // It was changed on the board after it was found, without a new life.
                    walk.series = runs.of.len();
                    said
                }),
                None => 0,
            };
            while walk.series < runs.of.len() {
                let (place, start) = (walk.series, walk.start);
                (walk.series, walk.start) = (place + 1, text.ends.at(place));
                if !text.gone.is_empty() && text.gone.contains(&place) {
                    continue;
                }
                let run = &text.bytes[start..walk.start];
                let series = family.series.at(&runs.of, place);
                let there = (self.lines).write(view, family, series, run, &mut walk.buckets, out);
                walk.written += u64::from(there.is_some());
                // Not before the first: a head alone would be taken back, again and again.
                if out.len() >= until {
                    return true;
                }
            }
            walk.go_on();
            if nothing > 0 {
                protobuf::write_nothing(nothing, out);
                if out.len() >= until {
                    return true;
                }
            }
        }
        false
    }

    /// The length of the messages of a batch, if it can be told without rendering them. The same
    /// for all that `view` is asked.
    fn messages_len(&self, runs: &Runs, view: &BoardView) -> Option<usize> {
        let Shape::Message { values_len } = *self.lines.shape() else {
            return None;
        };
        let len = self.lines.text_len(&runs.of)? + runs.of.len() * values_len;
        // These make messages longer.
        (!view.may_have_exemplars(&runs.of)).then_some(len)
    }

    /// How much is to be said of nothing after the messages of a batch, so that they are as long as
    /// was said before it was rendered: series may have ended in between. `None`: that cannot be.
    fn nothing_after(&self, text: &Text, runs: &Runs, said: usize) -> Option<usize> {
        let Shape::Message { values_len } = *self.lines.shape() else {
            return None;
        };
        let there = text.bytes.len() + (runs.of.len() - text.gone.len()) * values_len;
        let rest = said.checked_sub(there)?;
        (rest == 0 || rest >= protobuf::NOTHING_LEN).then_some(rest)
    }

    /// The length of all messages of the family, whatever their values; `None` if it depends on
    /// them. Two bytes of each series are read; batches that may have an exemplar, which is the
    /// same for all that `view` is asked, and those of which it cannot be told otherwise, are
    /// rendered.
    pub(super) fn message_len(&self, view: &BoardView, family: &FamilyView) -> Option<usize> {
        let Shape::Message { values_len } = *self.lines.shape() else {
            return None;
        };
        let mut len = 0;
        let mut message = Vec::new();
        for runs in self.runs.iter() {
            if let Some(known) = self.messages_len(runs, view) {
                len += known;
                continue;
            }
            let text = self.text(runs, view, family);
            len += text.bytes.len() + (runs.of.len() - text.gone.len()) * values_len;
            if !view.may_have_exemplars(&runs.of) {
                continue;
            }
            for place in 0..runs.of.len() {
                let Some(run) = text.of_series(place) else {
                    continue;
                };
                let exemplars = Exemplars::new(view, family, family.series.at(&runs.of, place));
                if !exemplars.is_empty() {
                    message.clear();
                    let longer = self.lines.lengthen(run, &exemplars, &mut message);
                    len = len - run.len() - values_len + message.len() + longer;
                }
            }
        }
        Some(len)
    }
}

/// What is used for one batch after the other.
#[derive(Default)]
struct Scratch {
    text: Vec<u8>,
    ends: Vec<u32>,
    labels: LabelValues,
}
