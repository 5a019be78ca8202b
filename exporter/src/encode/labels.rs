//! The labels of a family's series: what they are called, and how each begins.

use tallyboard::{FamilyView, Kind, LabelValues};

use super::protobuf::MetricLen;
use super::{Format, Style, escape, name, protobuf};

/// How the labels of a series begin, and each of them.
pub(super) struct Labels {
    /// The board's label with its value.
    board: Vec<u8>,
    /// `name="`; in protobuf the name alone.
    opens: Vec<Vec<u8>>,
}

impl Labels {
    pub(super) fn new(family: &FamilyView, board: Option<&str>, style: Style) -> Self {
        let is_text = style.format != Format::Protobuf;
        let mut board_label = Vec::new();
        if let Some(board) = board {
            if is_text {
                board_label.extend_from_slice(b"board=\"");
                escape::write_quoted(board, &mut board_label);
                board_label.push(b'"');
            } else {
                protobuf::write_label(b"board", board, &mut board_label);
            }
        }
        let names = label_names(family, board.is_some(), style).0;
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

    /// In protobuf: how long metrics with these labels are.
    pub(super) fn metric_len(&self, kind: Kind, values_len: usize) -> Option<MetricLen> {
        MetricLen::new(kind, &self.board, &self.opens, values_len)
    }

    pub(super) fn write_text(&self, values: &LabelValues, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.board);
        let mut is_first = self.board.is_empty();
        // As many of each, but on a board that gives the tag of one family to another.
        for (open, value) in self.opens.iter().zip(values.iter()) {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            out.extend_from_slice(open);
            escape::write_quoted(value, out);
            out.push(b'"');
        }
    }

    pub(super) fn write_messages(&self, values: &LabelValues, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.board);
        for (name, value) in self.opens.iter().zip(values.iter()) {
            protobuf::write_label(name, value, out);
        }
    }

    /// As [`write_text`](Self::write_text), of an info that says `pairs` now.
    pub(super) fn write_info_text(
        &self,
        family: &FamilyView,
        values: &LabelValues,
        pairs: &[(String, String)],
        style: Style,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(&self.board);
        let mut is_first = self.board.is_empty();
        for (name, value) in self.of_info(family, values, pairs, style) {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            name::write_label_open(&name, out);
            escape::write_quoted(value, out);
            out.push(b'"');
        }
    }

    /// As [`write_messages`](Self::write_messages), of an info that says `pairs` now.
    pub(super) fn write_info_messages(
        &self,
        family: &FamilyView,
        values: &LabelValues,
        pairs: &[(String, String)],
        style: Style,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(&self.board);
        for (name, value) in self.of_info(family, values, pairs, style) {
            protobuf::write_label(name.as_bytes(), value, out);
        }
    }

    /// All labels of an info but the board's: its own, and what it says. Its own may be called
    /// otherwise each time, for all names are to differ.
    fn of_info<'a>(
        &self,
        family: &FamilyView,
        values: &'a LabelValues,
        pairs: &'a [(String, String)],
        style: Style,
    ) -> impl Iterator<Item = (String, &'a str)> {
        let own = family.label_names.iter().zip(values.iter());
        let said = pairs.iter().map(|(name, value)| (name, value.as_str()));
        let said = said.filter(|(name, _)| !family.label_names.contains(name));
        let (names, values): (Vec<String>, Vec<&str>) = own
            .chain(said)
            .map(|(name, value)| (name.clone(), value))
            .unzip();
        let taken: &[&str] = if self.board.is_empty() {
            &[]
        } else {
            &["board"]
        };
        let names = name::label_names(&names, taken, style.escaping);
        names.into_iter().zip(values)
    }
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
pub(super) fn state_closes(family: &FamilyView, has_board: bool, style: Style) -> Vec<Vec<u8>> {
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
