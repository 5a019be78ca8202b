//! What a family's lines, or messages, consist of.

use tallyboard::{FamilyView, Kind, Window};

use super::exemplar::Exemplars;
use super::name::Frame;
use super::number::canonical_float;
use super::{Format, Style, labels, protobuf};

pub(super) enum Shape {
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
    /// A message of a known length, but for exemplars.
    Message { values_len: usize },
    /// A message for each process.
    MessageByProcess,
    /// A message whose length depends on the buckets that are not empty.
    MessageNative(Window),
    /// A message with labels that may be others each time.
    MessageInfo,
    /// A message for each state, told apart by this label.
    MessageStates { told_apart: String },
}

impl Shape {
    pub(super) fn new(
        family: &FamilyView,
        family_name: &str,
        has_board: bool,
        style: Style,
    ) -> Self {
        let has_labels = has_board || !family.label_names.is_empty();
        let frame = |suffix: &str| Frame::new(&format!("{family_name}{suffix}"), has_labels);
        let by_process = family.kind == Kind::Gauge && family.aggregation.is_by_process();
        match family.kind {
            _ if style.format == Format::Protobuf => match (family.kind, family.native) {
                (Kind::Info, _) => Shape::MessageInfo,
                (Kind::StateSet, _) => Shape::MessageStates {
                    told_apart: labels::label_names(family, has_board, style)
                        .1
                        .unwrap_or_default(),
                },
                (_, Some(window)) => Shape::MessageNative(window),
                _ if by_process => Shape::MessageByProcess,
                (kind, None) => Shape::Message {
                    values_len: protobuf::values_len(
                        kind,
                        family.bounds.len(),
                        &Exemplars::default(),
                    ),
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
            Kind::Info => {
                let name = format!("{family_name}{}", style.sample_suffix(family.kind));
                Shape::Info {
                    bare: Frame::new(&name, false),
                    labelled: Frame::new(&name, true),
                }
            }
            Kind::StateSet => Shape::StateSet {
                open: Frame::new(family_name, true).open,
                states: labels::state_closes(family, has_board, style),
            },
            // A counter or a gauge: the plan admits no kind that it does not know.
            _ => Shape::One(frame(style.sample_suffix(family.kind))),
        }
    }
}

/// Of a `_created` line, where there is one for each series.
pub(super) fn created_frame(
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

fn bucket_closes(bounds: &[f64], has_labels: bool) -> Vec<Vec<u8>> {
    let comma = if has_labels { "," } else { "" };
    let with_infinity = bounds.iter().copied().chain([f64::INFINITY]);
    with_infinity
        .map(|bound| format!("{comma}le=\"{}\"}} ", canonical_float(bound)).into_bytes())
        .collect()
}
