//! The lines, or messages, that a series' kept text becomes.

use tallyboard::{BoardView, FamilyView, Kind, LabelValues, NativeCounts, SeriesBatch, SeriesView};

use super::exemplar::Exemplars;
use super::labels::Labels;
use super::name::Frame;
use super::number::{write_f64, write_number, write_seconds, write_u64};
use super::plan::Identity;
use super::protobuf::MetricLen;
use super::shape::{Shape, created_frame};
use super::{Format, Style, exemplar, native, openmetrics, protobuf};

/// What a family's lines have in common.
pub(super) struct Lines {
    identity: Identity,
    style: Style,
    /// What comes before a label's value, for each label.
    labels: Labels,
    shape: Shape,
    /// Of messages of a known length.
    metric_len: Option<MetricLen>,
    /// Of a `_created` line, where there is one for each series.
    created: Option<Frame>,
}

impl Lines {
    pub(super) fn new(
        identity: Identity,
        family: &FamilyView,
        family_name: &str,
        board: Option<&str>,
        style: Style,
    ) -> Self {
        let labels = Labels::new(family, board, style);
        let shape = Shape::new(family, family_name, board.is_some(), style);
        let metric_len = match shape {
            Shape::Message { values_len } => labels.metric_len(family.kind, values_len),
            _ => None,
        };
        Self {
            identity,
            style,
            labels,
            shape,
            metric_len,
            created: created_frame(family, family_name, board.is_some(), style),
        }
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// In protobuf: how long the texts of all series of a batch are together, as far as it can be
    /// told without them.
    pub(super) fn text_len(&self, batch: &SeriesBatch) -> Option<usize> {
        let len = self.metric_len.as_ref()?;
        len.of_all(batch.len(), batch.label_bytes())
    }

    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Appends the text that is kept of a series; `None` if it has ended.
    pub(super) fn render(
        &self,
        view: &BoardView,
        series: SeriesView<'_>,
        values: &mut LabelValues,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        // All of it may be another each time.
        if let Shape::Info { .. } | Shape::MessageInfo = self.shape {
            return Some(());
        }
        view.read_labels(series, values)?;
        match &self.shape {
            Shape::Message { values_len } => {
                let mut labels = Vec::new();
                self.labels.write_messages(values, &mut labels);
                let created = view.created_unix_nanos(series)?;
                let (kind, len) = (self.identity.kind(), self.metric_len.as_ref());
                protobuf::write_metric(kind, &labels, created, *values_len, len, out);
            }
            Shape::MessageByProcess | Shape::MessageNative(_) | Shape::MessageStates { .. } => {
                self.labels.write_messages(values, out);
            }
            Shape::One(frame) => {
                out.extend_from_slice(&frame.open);
                self.labels.write_text(values, out);
                out.extend_from_slice(&frame.close);
            }
            _ => self.labels.write_text(values, out),
        }
        Some(())
    }

    /// Appends the message of a series up to its values, whose kept text is for one without
    /// exemplars, and says how long the values are.
    pub(super) fn lengthen(&self, text: &[u8], exemplars: &Exemplars, out: &mut Vec<u8>) -> usize {
        let (kind, bounds) = (self.identity.kind(), self.identity.bounds().len());
        let values_len = protobuf::values_len(kind, bounds, exemplars);
        protobuf::write_metric_anew(text, values_len, out);
        values_len
    }

    /// Appends all lines of a series; `None` if it has no value now. Most have one line, and most
    /// of a scrape's time goes into these: they are apart from all others.
    #[inline]
    pub(super) fn write(
        &self,
        view: &BoardView,
        family: &FamilyView,
        series: SeriesView<'_>,
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
            self.write_created(view, series, labels, out);
        }
        Some(())
    }

    /// The same, for what is not one line.
    #[inline(never)]
    fn write_many(
        &self,
        view: &BoardView,
        family: &FamilyView,
        series: SeriesView<'_>,
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
                let mut values = LabelValues::default();
                view.read_labels(series, &mut values)?;
                let start = out.len();
                out.extend_from_slice(&labelled.open);
                let labels_at = out.len();
                (self.labels).write_info_text(family, &values, pairs, self.style, out);
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
                    self.lengthen(text, &exemplars, out)
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
                let created = view.created_unix_nanos(series)?;
                protobuf::write_metric(Kind::Histogram, text, created, values.len(), None, out);
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
                let mut values = LabelValues::default();
                view.read_labels(series, &mut values)?;
                let mut labels = Vec::new();
                (self.labels).write_info_messages(family, &values, pairs, self.style, &mut labels);
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
        self.write_created(view, series, labels, out);
        Some(())
    }

    #[inline(never)]
    fn write_created(
        &self,
        view: &BoardView,
        series: SeriesView<'_>,
        labels: &[u8],
        out: &mut Vec<u8>,
    ) {
        if let Some(created) = &self.created
            && let Some(nanos) = view.created_unix_nanos(series)
        {
            write_line(created, labels, out, |out| write_seconds(nanos, out));
        }
    }

    fn write_values(
        &self,
        view: &BoardView,
        family: &FamilyView,
        series: SeriesView<'_>,
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
    fn end_line(&self, view: &BoardView, series: SeriesView<'_>, place: usize, out: &mut Vec<u8>) {
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
fn write_exemplar(view: &BoardView, series: SeriesView<'_>, place: usize, out: &mut Vec<u8>) {
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
