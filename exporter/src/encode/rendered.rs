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

use tallyboard::{FamilyView, Kind, Reader, SeriesView};

use super::name::{self, Frame};
use super::number::{canonical_float, write_f64, write_number, write_u64};
use super::plan::Identity;
use super::{Format, Style, escape, openmetrics};

/// The kept text of a family on one board.
pub(super) struct Rendered {
    identity: Identity,
    /// `name="` for each label, the board's label with its value before them.
    label_opens: Vec<Vec<u8>>,
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
            // A counter or a gauge: the plan admits no kind that it does not know.
            _ => Lines::One(frame(style.sample_suffix(family.kind))),
        };
        Self {
            identity,
            label_opens: label_opens(family, board, style),
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
        format: Format,
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
                        out.push(b'\n');
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
                    if format == Format::Text || openmetrics::may_show_sum(&[], total) {
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
                    for (bucket, close) in buckets.iter().zip(bucket_closes) {
                        events = events.wrapping_add(*bucket);
                        out.extend_from_slice(bucket_open);
                        out.extend_from_slice(text);
                        out.extend_from_slice(close);
                        write_u64(events, out);
                        out.push(b'\n');
                    }
                    // OpenMetrics allows a count only together with a sum.
                    let sum_shown =
                        format == Format::Text || openmetrics::may_show_sum(&family.bounds, total);
                    if sum_shown {
                        write_line(sum, text, out, |out| write_f64(total, out));
                        write_line(count, text, out, |out| write_u64(events, out));
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

fn label_opens(family: &FamilyView, board: Option<&str>, style: Style) -> Vec<Vec<u8>> {
    let mut opens = Vec::with_capacity(family.label_names.len() + 1);
    let mut taken = Vec::new();
    if let Some(board) = board {
        taken.push("board");
        let mut open = b"board=\"".to_vec();
        escape::write_quoted(board, &mut open);
        open.push(b'"');
        opens.push(open);
    }
    if family.kind == Kind::Histogram {
        taken.push("le");
    }
    if family.aggregation.is_by_process() {
        taken.push("pid");
    }
    for name in name::label_names(&family.label_names, &taken, style.escaping) {
        let mut open = Vec::new();
        name::write_label_open(&name, &mut open);
        opens.push(open);
    }
    opens
}
