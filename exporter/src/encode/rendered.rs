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

use tallyboard::{BoardView, FamilyView, Kind, NativeCounts, SeriesView, Window};

use super::name::{self, Frame};
use super::number::{canonical_float, write_f64, write_number, write_seconds, write_u64};
use super::plan::Identity;
use super::{Format, Style, escape, native, openmetrics, protobuf};

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

/// How the labels of a series begin, and each of them.
struct Labels {
    /// The board's label with its value.
    board: Vec<u8>,
    /// `name="`; in protobuf the name alone.
    opens: Vec<Vec<u8>>,
}

enum Shape {
    /// One line a series, in this frame.
    One(Frame),
    /// A line for each process, told apart by the label `pid`.
    ByProcess { open: Vec<u8>, pid_open: Vec<u8> },
    /// Count and sum.
    Summary { sum: Frame, count: Frame },
    /// A line for each bucket, the last one `+Inf`; then sum and count.
    Histogram {
        bucket_open: Vec<u8>,
        bucket_closes: Vec<Vec<u8>>,
        sum: Frame,
        count: Frame,
    },
    /// A message of a known length.
    Message { values_len: usize },
    /// A message for each process.
    MessageByProcess,
    /// A message whose length depends on the buckets that are not empty.
    MessageNative(Window),
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
    /// them.
    pub(super) fn message_len(&self) -> Option<usize> {
        match self.lines.shape {
            Shape::Message { values_len } => {
                Some(self.runs.text.len() + self.runs.len() * values_len)
            }
            _ => None,
        }
    }
}

impl Lines {
    fn render(&self, series: &SeriesView, out: &mut Vec<u8>) {
        match &self.shape {
            Shape::Message { values_len } => {
                let mut labels = Vec::new();
                self.labels.write_messages(series, &mut labels);
                let (kind, created) = (self.identity.kind(), series.created_unix_nanos);
                protobuf::write_metric(kind, &labels, created, *values_len, out);
            }
            Shape::MessageByProcess | Shape::MessageNative(_) => {
                self.labels.write_messages(series, out);
            }
            Shape::One(frame) => {
                out.extend_from_slice(&frame.open);
                self.labels.write_text(series, out);
                out.extend_from_slice(&frame.close);
            }
            _ => self.labels.write_text(series, out),
        }
    }

    /// Appends all lines of a series; `None` if it has no value now.
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
        let labels = match &self.shape {
            Shape::One(frame) => {
                match family.kind {
                    Kind::Counter => {
                        let value = view.counter(series)?;
                        out.extend_from_slice(text);
                        write_number(value, out);
                    }
                    _ => {
                        let value = view.gauge(series)?;
                        out.extend_from_slice(text);
                        write_f64(value, out);
                    }
                }
                out.push(b'\n');
                &text[frame.open.len()..text.len() - frame.close.len()]
            }
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
                for (bucket, close) in buckets.iter().zip(bucket_closes) {
                    events = events.wrapping_add(*bucket);
                    out.extend_from_slice(bucket_open);
                    out.extend_from_slice(text);
                    out.extend_from_slice(close);
                    write_u64(events, out);
                    out.push(b'\n');
                }
                // OpenMetrics allows a count only together with a sum.
                if self.shows_sum(family, total) {
                    write_line(sum, text, out, |out| write_f64(total, out));
                    write_line(count, text, out, |out| write_u64(events, out));
                }
                text
            }
            Shape::Message { values_len } => {
                let start = out.len();
                out.extend_from_slice(text);
                let there = self.write_values(view, family, series, buckets, out);
                if there.is_none() {
                    out.truncate(start);
                    protobuf::write_nothing(text.len() + values_len, out);
                }
                return there;
            }
            Shape::MessageNative(window) => {
                let mut counts = NativeCounts::default();
                let sum = view.native(series, &mut counts)?;
                counts.classic(buckets);
                let mut values = Vec::new();
                protobuf::write_histogram(&family.bounds, buckets, sum, &mut values);
                native::write(window, &counts, &mut values);
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
                    let values_len = protobuf::values_len(Kind::Gauge, 0);
                    protobuf::write_metric(Kind::Gauge, &labels, 0, values_len, out);
                    protobuf::write_value(*value, out);
                    labels.truncate(text.len());
                }
                return (!values.is_empty()).then_some(());
            }
        };
        if let Some(created) = &self.created {
            let nanos = series.created_unix_nanos;
            write_line(created, labels, out, |out| write_seconds(nanos, out));
        }
        Some(())
    }

    fn write_values(
        &self,
        view: &BoardView,
        family: &FamilyView,
        series: &SeriesView,
        buckets: &mut [u64],
        out: &mut Vec<u8>,
    ) -> Option<()> {
        match family.kind {
            Kind::Summary => {
                let (count, sum) = view.summary(series)?;
                protobuf::write_summary(count, sum, out);
            }
            Kind::Histogram => {
                let sum = view.histogram(series, buckets)?;
                protobuf::write_histogram(&family.bounds, buckets, sum, out);
            }
            Kind::Gauge => protobuf::write_value(view.gauge(series)?, out),
            _ => protobuf::write_value(view.counter(series)?.as_f64(), out),
        }
        Some(())
    }

    fn shows_sum(&self, family: &FamilyView, sum: f64) -> bool {
        self.style.format == Format::Text || openmetrics::may_show_sum(&family.bounds, sum)
    }
}

impl Shape {
    fn new(family: &FamilyView, family_name: &str, has_board: bool, style: Style) -> Self {
        let has_labels = has_board || !family.label_names.is_empty();
        let frame = |suffix: &str| Frame::new(&format!("{family_name}{suffix}"), has_labels);
        let by_process = family.kind == Kind::Gauge && family.aggregation.is_by_process();
        match family.kind {
            _ if style.format == Format::Protobuf => match (family.native, by_process) {
                (Some(window), _) => Shape::MessageNative(window),
                (None, true) => Shape::MessageByProcess,
                (None, false) => Shape::Message {
                    values_len: protobuf::values_len(family.kind, family.bounds.len()),
                },
            },
            Kind::Histogram => Shape::Histogram {
                bucket_open: Frame::new(&format!("{family_name}_bucket"), true).open,
                bucket_closes: bucket_closes(&family.bounds, has_labels),
                sum: frame("_sum"),
                count: frame("_count"),
            },
            Kind::Summary => Shape::Summary {
                sum: frame("_sum"),
                count: frame("_count"),
            },
            Kind::Gauge if by_process => Shape::ByProcess {
                open: Frame::new(family_name, true).open,
                pid_open: if has_labels {
                    b",pid=\""
                } else {
                    &b"pid=\""[..]
                }
                .to_vec(),
            },
            // A counter or a gauge: the plan admits no kind that it does not know.
            _ => Shape::One(frame(style.sample_suffix(family.kind))),
        }
    }
}

impl Labels {
    fn new(family: &FamilyView, board: Option<&str>, style: Style) -> Self {
        let is_text = style.format != Format::Protobuf;
        let mut taken = Vec::new();
        let mut board_label = Vec::new();
        if let Some(board) = board {
            taken.push("board");
            if is_text {
                board_label.extend_from_slice(b"board=\"");
                escape::write_quoted(board, &mut board_label);
                board_label.push(b'"');
            } else {
                protobuf::write_label(b"board", board, &mut board_label);
            }
        }
        if family.kind == Kind::Histogram {
            taken.push("le");
        }
        if family.aggregation.is_by_process() {
            taken.push("pid");
        }
        let names = name::label_names(&family.label_names, &taken, style.escaping);
        let opens = names.into_iter().map(|name| {
            if !is_text {
                return name.into_bytes();
            }
            let mut open = Vec::new();
            name::write_label_open(&name, &mut open);
            open
        });
        Self {
            board: board_label,
            opens: opens.collect(),
        }
    }

    fn write_text(&self, series: &SeriesView, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.board);
        let mut is_first = self.board.is_empty();
        // As many of each, but on a board that gives the tag of one family to another.
        for (open, value) in self.opens.iter().zip(&series.label_values) {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            out.extend_from_slice(open);
            escape::write_quoted(value, out);
            out.push(b'"');
        }
    }

    fn write_messages(&self, series: &SeriesView, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.board);
        for (name, value) in self.opens.iter().zip(&series.label_values) {
            protobuf::write_label(name, value, out);
        }
    }
}

fn created_frame(
    family: &FamilyView,
    family_name: &str,
    has_board: bool,
    style: Style,
) -> Option<Frame> {
    let has_created = style.created
        && style.format == Format::OpenMetrics
        && matches!(family.kind, Kind::Counter | Kind::Histogram | Kind::Summary);
    let has_labels = has_board || !family.label_names.is_empty();
    has_created.then(|| Frame::new(&format!("{family_name}_created"), has_labels))
}

fn write_line(frame: &Frame, text: &[u8], out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&frame.open);
    out.extend_from_slice(text);
    out.extend_from_slice(&frame.close);
    value(out);
    out.push(b'\n');
}

fn bucket_closes(bounds: &[f64], has_labels: bool) -> Vec<Vec<u8>> {
    let comma = if has_labels { "," } else { "" };
    let with_infinity = bounds.iter().copied().chain([f64::INFINITY]);
    with_infinity
        .map(|bound| format!("{comma}le=\"{}\"}} ", canonical_float(bound)).into_bytes())
        .collect()
}
