//! The text of one family's series, kept between scrapes, and the lines it becomes.
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

use std::collections::HashMap;
use std::sync::Arc;

use tallyboard::{BoardView, FamilyView, Kind, NativeCounts, SeriesView};

use super::exemplar::Exemplars;
use super::labels::Labels;
use super::name::Frame;
use super::number::{write_f64, write_number, write_seconds, write_u64};
use super::plan::Identity;
use super::shape::{Shape, created_frame};
use super::{Format, Style, exemplar, native, openmetrics, protobuf};

/// The kept text of a family on one board. A clone shares it; it is never changed, only replaced.
#[derive(Clone)]
pub(super) struct Rendered {
    pub(super) lines: Arc<Lines>,
    pub(super) runs: Arc<Runs>,
}

/// The runs of all series, one after the other, in the family's order.
#[derive(Default)]
pub(super) struct Runs {
    text: Vec<u8>,
    series: Vec<Run>,
}

/// Where a series' run ends; it begins where the one before it ends.
#[derive(Clone, Copy)]
struct Run {
    slot: u32,
    tag: u64,
    end: usize,
}

impl Run {
    fn is_of(&self, series: &SeriesView) -> bool {
        (self.slot, self.tag) == (series.slot, series.tag)
    }
}

impl Runs {
    pub(super) fn len(&self) -> usize {
        self.series.len()
    }

    /// The run that begins at `start`, and where it ends.
    fn run(&self, place: usize, start: usize) -> (&[u8], usize) {
        let end = self.series[place].end;
        (&self.text[start..end], end)
    }
}

/// What a family's lines have in common.
pub(super) struct Lines {
    identity: Identity,
    style: Style,
    /// What comes before a label's value, for each label.
    labels: Labels,
    shape: Shape,
    /// Of a `_created` line, where there is one for each series.
    created: Option<Frame>,
}

/// How far the writing of a family has come.
#[derive(Default)]
pub(super) struct Walk {
    /// The next series, and where its run begins.
    series: usize,
    start: usize,
    /// Series written so far, of all families.
    pub(super) written: u64,
    /// One histogram's buckets, reused.
    buckets: Vec<u64>,
}

impl Walk {
    /// Goes to the beginning of another family.
    pub(super) fn restart(&mut self) {
        (self.series, self.start) = (0, 0);
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
        let lines = Lines {
            identity,
            style,
            labels: Labels::new(family, board, style),
            shape: Shape::new(family, family_name, board.is_some(), style),
            created: created_frame(family, family_name, board.is_some(), style),
        };
        Self {
            lines: Arc::new(lines),
            runs: Arc::default(),
        }
    }

    /// Whose text this is.
    pub(super) fn identity(&self) -> &Identity {
        &self.lines.identity
    }

    /// Makes the runs those of `family`, in its order. Renders only what is new.
    pub(super) fn follow(&mut self, family: &FamilyView) {
        let before = &*self.runs;
        let same = before.series.len() == family.series.len()
            && (before.series.iter().zip(&family.series)).all(|(run, series)| run.is_of(series));
        if same {
            return;
        }
        let mut kept = HashMap::with_capacity(before.series.len());
        let mut start = 0;
        for run in &before.series {
            kept.insert((run.slot, run.tag), start..run.end);
            start = run.end;
        }
        let mut text = Vec::with_capacity(before.text.len());
        let mut runs = Vec::with_capacity(family.series.len());
        for series in &family.series {
            match kept.get(&(series.slot, series.tag)) {
                Some(range) => text.extend_from_slice(&before.text[range.clone()]),
                None => self.lines.render(series, &mut text),
            }
            runs.push(Run {
                slot: series.slot,
                tag: series.tag,
                end: text.len(),
            });
        }
        self.runs = Arc::new(Runs { text, series: runs });
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
        while walk.series < self.runs.len() {
            let (text, end) = self.runs.run(walk.series, walk.start);
            let series = &family.series[walk.series];
            let there = (self.lines).write(view, family, series, text, &mut walk.buckets, out);
            walk.written += u64::from(there.is_some());
            (walk.series, walk.start) = (walk.series + 1, end);
            // Not before the first: a head alone would be taken back, again and again.
            if out.len() >= until {
                return true;
            }
        }
        false
    }

    /// The length of all messages of the family, whatever their values; `None` if it depends on
    /// them. O(series): each may have an exemplar, which is the same for all that `view` is asked.
    pub(super) fn message_len(&self, view: &BoardView, family: &FamilyView) -> Option<usize> {
        let Shape::Message { values_len } = self.lines.shape else {
            return None;
        };
        let mut len = self.runs.text.len() + self.runs.len() * values_len;
        let mut start = 0;
        let mut message = Vec::new();
        for (place, series) in family.series.iter().enumerate().take(self.runs.len()) {
            let (text, end) = self.runs.run(place, start);
            start = end;
            let exemplars = Exemplars::new(view, family, series);
            if !exemplars.is_empty() {
                message.clear();
                let longer = self.lines.render_message(series, &exemplars, &mut message);
                len = len - text.len() - values_len + message.len() + longer;
            }
        }
        Some(len)
    }
}

impl Lines {
    fn render(&self, series: &SeriesView, out: &mut Vec<u8>) {
        match &self.shape {
            Shape::Message { .. } => {
                self.render_message(series, &Exemplars::default(), out);
            }
            Shape::MessageByProcess | Shape::MessageNative(_) | Shape::MessageStates { .. } => {
                self.labels.write_messages(series, out);
            }
            // All of it may be another each time.
            Shape::Info { .. } | Shape::MessageInfo => {}
            Shape::One(frame) => {
                out.extend_from_slice(&frame.open);
                self.labels.write_text(series, out);
                out.extend_from_slice(&frame.close);
            }
            _ => self.labels.write_text(series, out),
        }
    }

    /// Appends the message of a series up to its values, and says how long these are.
    fn render_message(
        &self,
        series: &SeriesView,
        exemplars: &Exemplars,
        out: &mut Vec<u8>,
    ) -> usize {
        let mut labels = Vec::new();
        self.labels.write_messages(series, &mut labels);
        let (kind, created) = (self.identity.kind(), series.created_unix_nanos);
        let values_len = protobuf::values_len(kind, self.identity.bounds().len(), exemplars);
        protobuf::write_metric(kind, &labels, created, values_len, out);
        values_len
    }

    /// Appends all lines of a series; `None` if it has no value now. Most have one line, and most
    /// of a scrape's time goes into these: they are apart from all others.
    #[inline]
    fn write(
        &self,
        view: &BoardView,
        family: &FamilyView,
        series: &SeriesView,
        text: &[u8],
        buckets: &mut [u64],
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let Shape::One(frame) = &self.shape else {
            return self.write_many(view, family, series, text, buckets, out);
        };
        match family.kind {
            Kind::Counter => {
                let value = view.counter(series)?;
                out.extend_from_slice(text);
                write_number(value, out);
                self.end_line(view, series, 0, out);
            }
            _ => {
                let value = view.gauge(series)?;
                out.extend_from_slice(text);
                write_f64(value, out);
                out.push(b'\n');
            }
        }
        if self.created.is_some() {
            let labels = &text[frame.open.len()..text.len() - frame.close.len()];
            self.write_created(series, labels, out);
        }
        Some(())
    }

    /// The same, for what is not one line.
    #[inline(never)]
    fn write_many(
        &self,
        view: &BoardView,
        family: &FamilyView,
        series: &SeriesView,
        text: &[u8],
        buckets: &mut [u64],
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let labels = match &self.shape {
            // Has been written.
            Shape::One(_) => return Some(()),
            Shape::ByProcess { open, pid_open } => {
                let values = view.by_process(series);
                for (pid, value) in &values {
                    out.extend_from_slice(open);
                    out.extend_from_slice(text);
                    out.extend_from_slice(pid_open);
                    out.extend_from_slice(pid.as_bytes());
                    out.extend_from_slice(b"\"} ");
                    write_f64(*value, out);
                    out.push(b'\n');
                }
                return (!values.is_empty()).then_some(());
            }
            Shape::Summary { sum, count } => {
                let (events, total) = view.summary(series)?;
                if self.shows_sum(family, total) {
                    write_line(sum, text, out, |out| write_f64(total, out));
                }
                write_line(count, text, out, |out| write_u64(events, out));
                text
            }
            Shape::Histogram {
                bucket_open,
                bucket_closes,
                sum,
                count,
            } => {
                let total = view.histogram(series, buckets)?;
                let mut events = 0_u64;
                for (place, (bucket, close)) in buckets.iter().zip(bucket_closes).enumerate() {
                    events = events.wrapping_add(*bucket);
                    out.extend_from_slice(bucket_open);
                    out.extend_from_slice(text);
                    out.extend_from_slice(close);
                    write_u64(events, out);
                    self.end_line(view, series, place, out);
                }
                // OpenMetrics allows a count only together with a sum.
                if self.shows_sum(family, total) {
                    write_line(sum, text, out, |out| write_f64(total, out));
                    write_line(count, text, out, |out| write_u64(events, out));
                }
                text
            }
            Shape::Info { bare, labelled } => {
                let pairs = view.info(series)?;
                let start = out.len();
                out.extend_from_slice(&labelled.open);
                let labels_at = out.len();
                (self.labels).write_info_text(family, series, pairs, self.style, out);
                let close = if out.len() == labels_at {
                    out.truncate(start);
                    out.extend_from_slice(&bare.open);
                    &bare.close
                } else {
                    &labelled.close
                };
                out.extend_from_slice(close);
                out.extend_from_slice(b"1\n");
                return Some(());
            }
            Shape::StateSet { open, states } => {
                let holds = view.state(family, series)?;
                for (place, state) in states.iter().enumerate() {
                    out.extend_from_slice(open);
                    out.extend_from_slice(text);
                    out.extend_from_slice(state);
                    out.extend_from_slice(if place == holds { b"1\n" } else { b"0\n" });
                }
                return Some(());
            }
            Shape::Message { values_len } => {
                let start = out.len();
                let exemplars = Exemplars::new(view, family, series);
                let values_len = if exemplars.is_empty() {
                    out.extend_from_slice(text);
                    *values_len
                } else {
                    self.render_message(series, &exemplars, out)
                };
                let len = out.len() - start + values_len;
                let there = self.write_values(view, family, series, buckets, &exemplars, out);
                if there.is_none() {
                    out.truncate(start);
                    protobuf::write_nothing(len, out);
                }
                debug_assert_eq!(out.len() - start, len, "the length that was said");
                return there;
            }
            Shape::MessageNative(window) => {
                let mut counts = NativeCounts::default();
                let sum = view.native(series, &mut counts)?;
                counts.classic(buckets);
                let mut values = Vec::new();
                let exemplars = Exemplars::new(view, family, series);
                protobuf::write_histogram(&family.bounds, buckets, sum, &exemplars, &mut values);
                native::write(window, &counts, &mut values);
                exemplar::write_native(view, family, series, &mut values);
                let created = series.created_unix_nanos;
                protobuf::write_metric(Kind::Histogram, text, created, values.len(), out);
                out.extend_from_slice(&values);
                return Some(());
            }
            Shape::MessageByProcess => {
                let values = view.by_process(series);
                let mut labels = text.to_vec();
                for (pid, value) in &values {
                    protobuf::write_label(b"pid", pid, &mut labels);
                    protobuf::write_gauge(&labels, *value, out);
                    labels.truncate(text.len());
                }
                return (!values.is_empty()).then_some(());
            }
            Shape::MessageInfo => {
                let pairs = view.info(series)?;
                let mut labels = Vec::new();
                (self.labels).write_info_messages(family, series, pairs, self.style, &mut labels);
                protobuf::write_gauge(&labels, 1.0, out);
                return Some(());
            }
            Shape::MessageStates { told_apart } => {
                let holds = view.state(family, series)?;
                let mut labels = text.to_vec();
                for (place, state) in family.states.iter().enumerate() {
                    protobuf::write_label(told_apart.as_bytes(), state, &mut labels);
                    let value = if place == holds { 1.0 } else { 0.0 };
                    protobuf::write_gauge(&labels, value, out);
                    labels.truncate(text.len());
                }
                return Some(());
            }
        };
        self.write_created(series, labels, out);
        Some(())
    }

    #[inline(never)]
    fn write_created(&self, series: &SeriesView, labels: &[u8], out: &mut Vec<u8>) {
        if let Some(created) = &self.created {
            let nanos = series.created_unix_nanos;
            write_line(created, labels, out, |out| write_seconds(nanos, out));
        }
    }

    fn write_values(
        &self,
        view: &BoardView,
        family: &FamilyView,
        series: &SeriesView,
        buckets: &mut [u64],
        exemplars: &Exemplars,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        match family.kind {
            Kind::Summary => {
                let (count, sum) = view.summary(series)?;
                protobuf::write_summary(count, sum, out);
            }
            Kind::Histogram => {
                let sum = view.histogram(series, buckets)?;
                protobuf::write_histogram(&family.bounds, buckets, sum, exemplars, out);
            }
            Kind::Gauge => protobuf::write_value(view.gauge(series)?, out),
            _ => {
                protobuf::write_value(view.counter(series)?.as_f64(), out);
                out.extend_from_slice(exemplars.at(0));
            }
        }
        Some(())
    }

    /// Ends a line that may have an exemplar, which only one of the text formats has room for.
    #[inline]
    fn end_line(&self, view: &BoardView, series: &SeriesView, place: usize, out: &mut Vec<u8>) {
        if self.style.format == Format::OpenMetrics {
            write_exemplar(view, series, place, out);
        }
        out.push(b'\n');
    }

    fn shows_sum(&self, family: &FamilyView, sum: f64) -> bool {
        self.style.format == Format::Text || openmetrics::may_show_sum(&family.bounds, sum)
    }
}

#[inline(never)]
fn write_exemplar(view: &BoardView, series: &SeriesView, place: usize, out: &mut Vec<u8>) {
    if let Some(exemplar) = view.exemplar(series, place) {
        exemplar::write(exemplar, out);
    }
}

fn write_line(frame: &Frame, text: &[u8], out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&frame.open);
    out.extend_from_slice(text);
    out.extend_from_slice(&frame.close);
    value(out);
    out.push(b'\n');
}
