//! Boards as text that Prometheus reads.
//!
//! An [`Encoder`] turns what [`Reader`]s see into one exposition. It keeps, between
//! scrapes, everything about a series that cannot change while the series lives (its
//! name and labels, escaped and laid out), found again by the family's tag and the
//! series' slot and tag; it keeps no value. A scrape of an unchanged board is therefore
//! one copy of the kept text and one formatted number for each line, and a scrape after
//! a change renders the new series only.
//!
//! ```text
//! plan        which families make up which block, and which are left out   rebuilt when a family comes or goes
//! rendered    the text of each series of a family                          a family's is rebuilt when its series change
//! text, openmetrics   what the two formats do differently
//! name, escape, number    the tokens
//! ```
//!
//! # What OpenMetrics leaves out
//!
//! OpenMetrics 1.0.0 takes the sum of a histogram or summary for a counter, and its parsers
//! refuse a whole body for one that is not. So in [`Format::OpenMetrics`] a series whose sum
//! is negative or NaN, or a histogram with a negative bound, has no `_sum`, and no `_count`
//! either, which is only allowed beside a sum; a histogram's buckets are there, and
//! `le="+Inf"` is the count. [`Format::Text`] has no such rule and always has both.

mod escape;
mod exemplar;
mod name;
mod number;
mod openmetrics;
mod plan;
mod rendered;
mod text;

#[cfg(test)]
mod tests;

use tallyboard::{Kind, Number, Reader};

use plan::Plan;

pub use number::canonical_float;
pub(crate) use openmetrics::CONTENT_TYPE as OPENMETRICS_CONTENT_TYPE;
pub(crate) use text::CONTENT_TYPE as TEXT_CONTENT_TYPE;

/// An exposition format, each in the one version that is spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0.0. Leaves out [some sums and counts](self#what-openmetrics-leaves-out).
    OpenMetrics,
}

/// What becomes of names that Prometheus before version 3 cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Escaping {
    /// Each character outside `[a-zA-Z0-9_:]` becomes `_`. For a scraper that says nothing.
    Underscores,
    /// Such a name is written as it is, in quotes inside the braces.
    AllowUtf8,
}

/// Everything that decides how a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Style {
    /// The format.
    pub format: Format,
    /// The treatment of names.
    pub escaping: Escaping,
}

impl Style {
    /// Text 0.0.4 with underscores: what everything can read.
    pub const PLAIN: Style = Style {
        format: Format::Text,
        escaping: Escaping::Underscores,
    };
}

/// One board to encode.
pub struct Source<'a> {
    /// Tells boards apart, also a board from the one that was at the same path before it:
    /// serials start anew on every board, so an id must never be given to two boards.
    pub id: u64,
    /// The value of the `board` label; `None` for series without that label.
    pub label: Option<&'a str>,
    /// The board's reader, refreshed.
    pub reader: &'a Reader,
}

/// What [`Encoder::encode`] wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Series written. A histogram counts once.
    pub series: u64,
    /// Families left out because an earlier one has their name with another type, or
    /// has one of their sample names.
    pub clashes: u64,
}

/// Writes boards in one style and keeps rendered names between scrapes.
///
/// Memory: about the size of the counters' and gauges' lines without their values, and
/// for histograms and summaries the labels once for each series.
///
/// # Examples
///
/// ```
/// use tallyboard::{Board, Location, Reader};
/// use tallyboard_exporter::encode::{Encoder, Source, Style};
///
/// let board = Board::open(&Location::Private)?;
/// board.counter("jobs_total", "Jobs done.").label("queue", "mail").register()?.add(3);
///
/// let mut reader = Reader::new(&board);
/// reader.refresh();
/// let mut encoder = Encoder::new(Style::PLAIN);
/// let mut body = Vec::new();
/// encoder.encode(&[Source { id: 0, label: None, reader: &reader }], &mut body);
/// assert_eq!(
///     String::from_utf8(body)?,
///     "# HELP jobs_total Jobs done.\n# TYPE jobs_total counter\njobs_total{queue=\"mail\"} 3\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Encoder {
    style: Style,
    /// Families that the caller writes itself, which no board may take.
    reserved: Vec<(&'static str, Kind)>,
    plan: Plan,
    /// One histogram's buckets, reused.
    buckets: Vec<u64>,
}

impl Encoder {
    /// An encoder that has rendered nothing yet.
    pub fn new(style: Style) -> Self {
        Self::with_reserved(style, &[])
    }

    /// The same, for a caller that adds families of its own to the body: a board's family
    /// of such a name is left out as a clash.
    pub fn with_reserved(style: Style, reserved: &[(&'static str, Kind)]) -> Self {
        Self {
            style,
            reserved: reserved.to_vec(),
            plan: Plan::default(),
            buckets: Vec::new(),
        }
    }

    /// Appends all families of `sources` to `out`, in the order of their names, each as
    /// one block. Where two families clash, the earlier source wins, and within a source
    /// the family that was registered earlier.
    ///
    /// A series that goes away while this runs is left out. Cost: tens of nanoseconds a
    /// line, plus the rendering of series that are new since the last call. Never blocks a
    /// writer. Call [`finish`](Self::finish) after the last family.
    pub fn encode(&mut self, sources: &[Source<'_>], out: &mut Vec<u8>) -> Encoded {
        self.plan.update(sources, self.style, &self.reserved);
        let mut series = 0;
        for block in self.plan.blocks_mut() {
            let start = out.len();
            out.extend_from_slice(&block.head);
            let mut written = 0;
            for part in &mut block.parts {
                let reader = sources[part.source].reader;
                let family = &reader.families()[part.family];
                part.rendered.follow(family);
                written += part
                    .rendered
                    .write(reader, family, &mut self.buckets, self.style, out);
            }
            if written == 0 {
                out.truncate(start);
            }
            series += written;
        }
        Encoded {
            series,
            clashes: self.plan.clashes(),
        }
    }

    /// Appends what the format wants after the last family.
    pub fn finish(&self, out: &mut Vec<u8>) {
        if self.style.format == Format::OpenMetrics {
            out.extend_from_slice(openmetrics::END);
        }
    }
}

impl Style {
    /// A family's name in this style, as its metadata lines give it.
    fn family_name(self, kind: Kind, name: &str) -> String {
        let name = match self.escaping {
            Escaping::Underscores => name::with_underscores(name, name::Of::Metric),
            Escaping::AllowUtf8 => name.to_owned(),
        };
        match self.format {
            Format::Text => text::family_name(kind, name),
            Format::OpenMetrics => openmetrics::family_name(kind, name),
        }
    }

    /// Appends a family's metadata lines.
    fn write_head(self, family_name: &str, kind: Kind, help: &str, unit: &str, out: &mut Vec<u8>) {
        match self.format {
            Format::Text => text::write_head(family_name, kind, help, out),
            Format::OpenMetrics => openmetrics::write_head(family_name, kind, help, unit, out),
        }
    }

    /// What follows the family's name in its samples' names, where there is one line a series.
    fn sample_suffix(self, kind: Kind) -> &'static str {
        match self.format {
            Format::OpenMetrics => openmetrics::sample_suffix(kind),
            Format::Text => "",
        }
    }

    /// The suffixes under which a family of this kind owns names, its own (`""`) included.
    /// None for a kind that this exporter does not know.
    fn owned_suffixes(self, kind: Kind) -> &'static [&'static str] {
        match self.format {
            Format::Text => text::owned_suffixes(kind),
            Format::OpenMetrics => openmetrics::owned_suffixes(kind),
        }
    }
}

/// Writes single families by hand, for metrics that are on no board.
pub(crate) struct FamilyWriter<'a> {
    out: &'a mut Vec<u8>,
    sample_name: &'static str,
}

impl<'a> FamilyWriter<'a> {
    /// Writes the metadata lines. `name` must be legacy-valid, and a counter's must end in `_total`.
    pub(crate) fn new(
        style: Style,
        name: &'static str,
        kind: Kind,
        help: &str,
        out: &'a mut Vec<u8>,
    ) -> Self {
        debug_assert!(name::is_legacy(name, name::Of::Metric));
        style.write_head(&style.family_name(kind, name), kind, help, "", out);
        Self {
            out,
            sample_name: name,
        }
    }

    /// Writes one sample.
    pub(crate) fn sample(&mut self, labels: &[(&str, &str)], value: Number) -> &mut Self {
        self.out.extend_from_slice(self.sample_name.as_bytes());
        for (index, (label, value)) in labels.iter().enumerate() {
            self.out.push(if index == 0 { b'{' } else { b',' });
            self.out.extend_from_slice(label.as_bytes());
            self.out.extend_from_slice(b"=\"");
            escape::write_quoted(value, self.out);
            self.out.push(b'"');
        }
        if !labels.is_empty() {
            self.out.push(b'}');
        }
        self.out.push(b' ');
        number::write_number(value, self.out);
        self.out.push(b'\n');
        self
    }
}
