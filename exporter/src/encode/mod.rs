//! Boards as bytes that Prometheus reads.
//!
//! An [`Encoder`] turns what [`Reader`]s see into one [`Exposition`], of which any number of
//! scrapes make a body at the same time, each as fast as its client reads ([`Pass`]). It keeps,
//! between scrapes, everything about a series that cannot change while the series lives (its
//! name and labels, escaped and laid out), found again by the family's tag and the
//! series' slot and tag; it keeps no value. A scrape of an unchanged board is therefore
//! one copy of the kept text and one formatted number for each line, and a scrape after
//! a change renders the new series only.
//!
//! ```text
//! plan        which families make up which block, and which are left out   rebuilt when a family comes or goes
//! rendered    the text of each series of a family                          a batch's is replaced when its series change
//! shape, lines   what the lines of a family consist of, and how they are written
//! exposition, pass    what all scrapes share, and where one of them is
//! text, openmetrics, protobuf   what the formats do differently
//! labels, exemplar              what stands between braces
//! name, escape, number, wire    the tokens
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
mod exposition;
mod family_writer;
mod labels;
mod lines;
mod name;
mod native;
mod number;
mod openmetrics;
mod pass;
mod plan;
mod protobuf;
mod rendered;
mod selection;
mod shape;
mod text;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tallyboard::{FamiliesId, Kind, Reader};

use plan::{Block, Plan};

pub use exposition::Exposition;
pub(crate) use family_writer::FamilyWriter;
pub use number::canonical_float;
pub use pass::Pass;
pub use selection::Selection;

/// An exposition format, each in the one version that is spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus text 0.0.4, which is also what 1.0.0 is.
    Text,
    /// OpenMetrics 1.0.0. Leaves out [some sums and counts](self#what-openmetrics-leaves-out).
    OpenMetrics,
    /// Messages of the type `io.prometheus.client.MetricFamily`, each after its length.
    Protobuf,
}

/// What becomes of names that Prometheus before version 3 cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Escaping {
    /// Each character outside `[a-zA-Z0-9_:]` becomes `_`. For a scraper that says nothing.
    Underscores,
    /// `.` becomes `_dot_`, `_` and each other character `__`, in names that need it.
    Dots,
    /// `U__`, then each other character as its code point, `_2e_`, and `_` as `__`, in names that
    /// need it. Nothing is lost.
    Values,
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
    /// Whether OpenMetrics has a `_created` line for each series that counts. Protobuf always says
    /// when that was registered, text never.
    pub created: bool,
}

impl Style {
    /// Text 0.0.4 with underscores: what everything can read.
    pub const PLAIN: Style = Style {
        format: Format::Text,
        escaping: Escaping::Underscores,
        created: false,
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
    last: Option<Exposed>,
}

/// What was exposed last.
struct Exposed {
    /// Each source's id and its families.
    of: Vec<(u64, FamiliesId)>,
    blocks: Arc<[Block]>,
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
            last: None,
        }
    }

    /// All families of `sources`, in the order of their names, each as one block. Where two
    /// families clash, the earlier source wins, and within a source the family that was
    /// registered earlier.
    ///
    /// O(sources) if no series came or went; otherwise O(families and their series' batches), and
    /// rendering of what is new in batches that a body was made of. The others are rendered by the
    /// first body that comes to them. Reads no value. Never blocks.
    pub fn expose(&mut self, sources: &[Source<'_>]) -> Exposition {
        let of = sources.iter();
        let of: Vec<_> = of
            .map(|source| (source.id, source.reader.families_id()))
            .collect();
        let unchanged = self.last.as_ref().filter(|last| last.of == of);
        let blocks = match unchanged {
            Some(last) => last.blocks.clone(),
            None => {
                self.plan.update(sources, self.style, &self.reserved);
                let blocks: Arc<[Block]> = self.plan.blocks(sources).into();
                let exposed = blocks.clone();
                self.last = Some(Exposed { of, blocks });
                exposed
            }
        };
        let views = sources.iter().map(|source| source.reader.view());
        Exposition::new(self.style, blocks, views.collect(), self.plan.clashes())
    }

    /// Appends all families of `sources` to `out`, as [`expose`](Self::expose) has them.
    ///
    /// A series that goes away while this runs is left out. Cost: tens of nanoseconds a
    /// line, plus the rendering of series that are new since the last call. Never blocks a
    /// writer. Call [`finish`](Self::finish) after the last family.
    pub fn encode(&mut self, sources: &[Source<'_>], out: &mut Vec<u8>) -> Encoded {
        let exposition = Arc::new(self.expose(sources));
        let clashes = exposition.clashes();
        let mut pass = Pass::new(exposition, Arc::default());
        while pass.fill(usize::MAX, out) {}
        Encoded {
            series: pass.series(),
            clashes,
        }
    }

    /// Appends what the format wants after the last family.
    pub fn finish(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.style.end());
    }
}

impl Style {
    /// A family's name in this style, as its metadata lines give it.
    fn family_name(self, kind: Kind, name: &str) -> String {
        let name = name::escaped(name, name::Of::Metric, self.escaping).into_owned();
        match self.format {
            Format::Text | Format::Protobuf => text::family_name(kind, name),
            Format::OpenMetrics => openmetrics::family_name(kind, name),
        }
    }

    /// Appends a family's metadata lines; in protobuf its message up to the first metric.
    fn write_head(self, family_name: &str, kind: Kind, help: &str, unit: &str, out: &mut Vec<u8>) {
        match self.format {
            Format::Text => text::write_head(family_name, kind, help, out),
            Format::OpenMetrics => openmetrics::write_head(family_name, kind, help, unit, out),
            Format::Protobuf => protobuf::write_head(family_name, kind, help, unit, out),
        }
    }

    /// What follows the family's name in its samples' names, where there is one line a series.
    fn sample_suffix(self, kind: Kind) -> &'static str {
        match self.format {
            Format::OpenMetrics => openmetrics::sample_suffix(kind),
            Format::Text | Format::Protobuf => "",
        }
    }

    /// The suffixes under which a family of this kind owns names, its own (`""`) included.
    /// None for a kind that this exporter does not know.
    fn owned_suffixes(self, kind: Kind) -> &'static [&'static str] {
        match self.format {
            // Whoever reads protobuf makes the same series of it.
            Format::Text | Format::Protobuf => text::owned_suffixes(kind),
            Format::OpenMetrics => openmetrics::owned_suffixes(kind),
        }
    }

    /// What the format wants after the last family.
    pub(crate) fn end(self) -> &'static [u8] {
        match self.format {
            Format::OpenMetrics => openmetrics::END,
            Format::Text | Format::Protobuf => b"",
        }
    }
}
