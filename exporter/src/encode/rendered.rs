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

use std::collections::HashMap;

use tallyboard::{Exemplar, FamilyView, Kind, Reader, SeriesView};

use super::name::{self, Frame};
use super::number::{canonical_float, write_f64, write_number, write_u64};
use super::plan::Identity;
use super::{Format, Style, escape, exemplar, openmetrics};

/// The kept text of a family on one board.
pub(super) struct Rendered {
    identity: Identity,
    /// `name="` for each label, the board's label with its value before them.
    label_opens: Vec<Vec<u8>>,
    has_board: bool,
    lines: Lines,
    /// The runs of all series, one after the other, in the order of `series`.
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

/// What a family's lines have in common.
enum Lines {
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
    /// A line with labels that may be others each time; of `labelled` the half before them.
    Info { bare: Frame, labelled: Frame },
    /// A line for each state; `states` are the ends of the labels.
    StateSet { open: Vec<u8>, states: Vec<Vec<u8>> },
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
        let has_labels = board.is_some() || !family.label_names.is_empty();
        let frame = |suffix: &str| Frame::new(&format!("{family_name}{suffix}"), has_labels);
        let lines = match family.kind {
            Kind::Histogram => Lines::Histogram {
                bucket_open: Frame::new(&format!("{family_name}_bucket"), true).open,
                bucket_closes: bucket_closes(&family.bounds, has_labels),
                sum: frame("_sum"),
                count: frame("_count"),
            },
            Kind::Summary => Lines::Summary {
                sum: frame("_sum"),
                count: frame("_count"),
            },
            Kind::Gauge if family.aggregation.is_by_process() => Lines::ByProcess {
                open: Frame::new(family_name, true).open,
                pid_open: if has_labels {
                    b",pid=\""
                } else {
                    &b"pid=\""[..]
                }
                .to_vec(),
            },
            Kind::Info => {
                let name = format!("{family_name}{}", style.sample_suffix(family.kind));
                Lines::Info {
                    bare: Frame::new(&name, false),
                    labelled: Frame::new(&name, true),
                }
            }
            Kind::StateSet => Lines::StateSet {
                open: Frame::new(family_name, true).open,
                states: state_closes(family, board.is_some(), style),
            },
            // A counter or a gauge: the plan admits no kind that it does not know.
            _ => Lines::One(frame(style.sample_suffix(family.kind))),
        };
        Self {
            identity,
            label_opens: label_opens(family, board, style),
            has_board: board.is_some(),
            lines,
            text: Vec::new(),
            series: Vec::new(),
        }
    }

    /// Whose text this is.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Makes `series` and `text` those of `family`, in its order. Renders only what is new.
    pub(super) fn follow(&mut self, family: &FamilyView) {
        let same = self.series.len() == family.series.len()
            && (self.series.iter().zip(&family.series)).all(|(run, series)| run.is_of(series));
        if same {
            return;
        }
        let mut kept = HashMap::with_capacity(self.series.len());
        let mut start = 0;
        for run in &self.series {
            kept.insert((run.slot, run.tag), start..run.end);
            start = run.end;
        }
        let mut text = Vec::with_capacity(self.text.len());
        let mut runs = Vec::with_capacity(family.series.len());
        for series in &family.series {
            match kept.get(&(series.slot, series.tag)) {
                Some(range) => text.extend_from_slice(&self.text[range.clone()]),
                None => self.render(series, &mut text),
            }
            runs.push(Run {
                slot: series.slot,
                tag: series.tag,
                end: text.len(),
            });
        }
        self.text = text;
        self.series = runs;
    }

    fn render(&self, series: &SeriesView, out: &mut Vec<u8>) {
        if let Lines::One(frame) = &self.lines {
            out.extend_from_slice(&frame.open);
        }
        // Never less, but on a board that gives the tag of one family to another.
        let board = (self.label_opens.len()).saturating_sub(series.label_values.len());
        for (index, open) in self.label_opens.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(open);
            if index >= board {
                escape::write_quoted(&series.label_values[index - board], out);
                out.push(b'"');
            }
        }
        if let Lines::One(frame) = &self.lines {
            out.extend_from_slice(&frame.close);
        }
    }

    /// Appends all lines of the family and returns the number of series in them.
    pub(super) fn write(
        &self,
        reader: &Reader,
        family: &FamilyView,
        buckets: &mut Vec<u64>,
        style: Style,
        out: &mut Vec<u8>,
    ) -> u64 {
        let mut written = 0;
        let mut start = 0;
        buckets.clear();
        buckets.resize(family.bounds.len() + 1, 0);
        for (series, run) in family.series.iter().zip(&self.series) {
            let text = &self.text[start..run.end];
            start = run.end;
            let there = match &self.lines {
                Lines::One(_) if family.kind == Kind::Counter => {
                    reader.counter(series).map(|value| {
                        out.extend_from_slice(text);
                        write_number(value, out);
                        end_line(style, reader.exemplar(series, 0), out);
                    })
                }
                Lines::One(_) => reader.gauge(series).map(|value| {
                    out.extend_from_slice(text);
                    write_f64(value, out);
                    out.push(b'\n');
                }),
                Lines::ByProcess { open, pid_open } => {
                    let values = reader.by_process(series);
                    for (pid, value) in &values {
                        out.extend_from_slice(open);
                        out.extend_from_slice(text);
                        out.extend_from_slice(pid_open);
                        out.extend_from_slice(pid.as_bytes());
                        out.extend_from_slice(b"\"} ");
                        write_f64(*value, out);
                        out.push(b'\n');
                    }
                    (!values.is_empty()).then_some(())
                }
                Lines::Summary { sum, count } => reader.summary(series).map(|(events, total)| {
                    if style.format == Format::Text || openmetrics::may_show_sum(&[], total) {
                        write_line(sum, text, out, |out| write_f64(total, out));
                    }
                    write_line(count, text, out, |out| write_u64(events, out));
                }),
                Lines::Histogram {
                    bucket_open,
                    bucket_closes,
                    sum,
                    count,
                } => reader.histogram(series, buckets).map(|total| {
                    let mut events = 0_u64;
                    for (place, (bucket, close)) in buckets.iter().zip(bucket_closes).enumerate() {
                        events = events.wrapping_add(*bucket);
                        out.extend_from_slice(bucket_open);
                        out.extend_from_slice(text);
                        out.extend_from_slice(close);
                        write_u64(events, out);
                        end_line(style, reader.exemplar(series, place), out);
                    }
                    // OpenMetrics allows a count only together with a sum.
                    let sum_shown = style.format == Format::Text
                        || openmetrics::may_show_sum(&family.bounds, total);
                    if sum_shown {
                        write_line(sum, text, out, |out| write_f64(total, out));
                        write_line(count, text, out, |out| write_u64(events, out));
                    }
                }),
                Lines::Info { bare, labelled } => reader.info(series).map(|pairs| {
                    let start = out.len();
                    out.extend_from_slice(&labelled.open);
                    let labels_at = out.len();
                    let board = self.label_opens.first().filter(|_| self.has_board);
                    let board = board.map(Vec::as_slice);
                    write_info_labels(family, series, board, pairs, style, out);
                    let close = if out.len() == labels_at {
                        out.truncate(start);
                        out.extend_from_slice(&bare.open);
                        &bare.close
                    } else {
                        &labelled.close
                    };
                    out.extend_from_slice(close);
                    out.extend_from_slice(b"1\n");
                }),
                Lines::StateSet { open, states } => reader.state(family, series).map(|holds| {
                    for (place, state) in states.iter().enumerate() {
                        out.extend_from_slice(open);
                        out.extend_from_slice(text);
                        out.extend_from_slice(state);
                        out.extend_from_slice(if place == holds { b"1\n" } else { b"0\n" });
                    }
                }),
            };
            written += u64::from(there.is_some());
        }
        written
    }
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

/// The names of a family's labels as they are written; of a state set also that of the label that
/// tells the states apart.
pub(super) fn label_names(
    family: &FamilyView,
    has_board: bool,
    style: Style,
) -> (Vec<String>, Option<String>) {
    let mut taken = Vec::new();
    if has_board {
        taken.push("board");
    }
    if family.kind == Kind::Histogram {
        taken.push("le");
    }
    if family.aggregation.is_by_process() {
        taken.push("pid");
    }
    if family.kind != Kind::StateSet {
        let names = name::label_names(&family.label_names, &taken, style.escaping);
        return (names, None);
    }
    let mut names = family.label_names.clone();
    names.push(family.name.clone());
    let mut names = name::label_names(&names, &taken, style.escaping);
    let own = names.pop();
    (names, own)
}

/// What ends the labels of each state's line.
fn state_closes(family: &FamilyView, has_board: bool, style: Style) -> Vec<Vec<u8>> {
    let own = label_names(family, has_board, style).1.unwrap_or_default();
    let has_labels = has_board || !family.label_names.is_empty();
    let close = |state: &String| {
        let mut close = if has_labels {
            b",".to_vec()
        } else {
            Vec::new()
        };
        name::write_label_open(&own, &mut close);
        escape::write_quoted(state, &mut close);
        close.extend_from_slice(b"\"} ");
        close
    };
    family.states.iter().map(close).collect()
}

/// All labels of an info: the board's, its own, and what it says, whose names are to differ.
fn write_info_labels(
    family: &FamilyView,
    series: &SeriesView,
    board: Option<&[u8]>,
    pairs: &[(String, String)],
    style: Style,
    out: &mut Vec<u8>,
) {
    let own = family.label_names.iter().zip(&series.label_values);
    let said = pairs.iter().map(|(name, value)| (name, value));
    let said = said.filter(|(name, _)| !family.label_names.contains(name));
    let (names, values): (Vec<String>, Vec<&String>) = own
        .chain(said)
        .map(|(name, value)| (name.clone(), value))
        .unzip();
    let taken: &[&str] = if board.is_some() { &["board"] } else { &[] };
    let names = name::label_names(&names, taken, style.escaping);
    out.extend_from_slice(board.unwrap_or_default());
    for (place, (name, value)) in names.iter().zip(values).enumerate() {
        if place > 0 || board.is_some() {
            out.push(b',');
        }
        name::write_label_open(name, out);
        escape::write_quoted(value, out);
        out.push(b'"');
    }
}

/// Ends a line that may have an exemplar, which only one format has room for.
#[inline]
fn end_line(style: Style, exemplar: Option<&Exemplar>, out: &mut Vec<u8>) {
    if let Some(exemplar) = exemplar
        && style.format == Format::OpenMetrics
    {
        exemplar::write(exemplar, out);
    }
    out.push(b'\n');
}

fn label_opens(family: &FamilyView, board: Option<&str>, style: Style) -> Vec<Vec<u8>> {
    let mut opens = Vec::with_capacity(family.label_names.len() + 1);
    if let Some(board) = board {
        let mut open = b"board=\"".to_vec();
        escape::write_quoted(board, &mut open);
        open.push(b'"');
        opens.push(open);
    }
    for name in label_names(family, board.is_some(), style).0 {
        let mut open = Vec::new();
        name::write_label_open(&name, &mut open);
        opens.push(open);
    }
    opens
}
