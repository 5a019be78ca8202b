//! How a recorder is made.

use super::{Recorder, name};
use crate::aggregation::Aggregation;
use crate::board::Board;
use crate::builder::{Builder, Metric};
use crate::counter::Counter;
use crate::error::OpenError;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use core::fmt;
use std::borrow::Cow;
use std::collections::HashMap;

/// Makes a [`Recorder`]; the methods are called as those of `metrics-exporter-prometheus` are.
/// Names of metrics are given as the program says them or as they are on the board.
///
/// # Examples
/// ```
/// use tallyboard::{Aggregation, Board, Location, recorder::RecorderBuilder};
/// let board = Board::open(&Location::Private)?;
/// let recorder = RecorderBuilder::new()
///     .board(&board)
///     .set_buckets(&[0.01, 0.1, 1.0, 10.0])
///     .set_labels_for_metric("requests_total", &["method", "code"])
///     .set_aggregation_for_metric("workers", Aggregation::LiveSum)
///     .build_recorder()?;
/// metrics::with_local_recorder(&recorder, || {
///     metrics::counter!("requests_total", "method" => "GET").increment(1);
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `install` or `build_recorder`"]
pub struct RecorderBuilder {
    board: Option<Board>,
    settings: Settings,
}

/// What a recorder was told. Names of metrics are as the program says them.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    keep_names: bool,
    bounds: Option<Vec<f64>>,
    bounds_of: HashMap<String, Vec<f64>>,
    labels_of: HashMap<String, Vec<String>>,
    aggregation_of: HashMap<String, Aggregation>,
}

impl RecorderBuilder {
    /// On the default board, with the board's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts on this board instead of the default one.
    pub fn board(mut self, board: &Board) -> Self {
        self.board = Some(board.clone());
        self
    }

    /// Upper bounds of every histogram's buckets, ascending, for which nothing else is said.
    /// Without this call: [`crate::buckets::DEFAULT`], for seconds.
    pub fn set_buckets(mut self, bounds: &[f64]) -> Self {
        self.settings.bounds = Some(bounds.to_vec());
        self
    }

    /// Upper bounds of one histogram's buckets, ascending.
    pub fn set_buckets_for_metric(mut self, metric: &str, bounds: &[f64]) -> Self {
        let of = &mut self.settings.bounds_of;
        of.insert(metric.to_owned(), bounds.to_vec());
        self
    }

    /// All label names that a metric will ever have, where its calls have different ones: see
    /// the [module](super).
    pub fn set_labels_for_metric(mut self, metric: &str, labels: &[&str]) -> Self {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.settings.labels_of.insert(metric.to_owned(), labels);
        self
    }

    /// How the values that several processes give to a gauge become one;
    /// [`Aggregation::Last`] without this call.
    pub fn set_aggregation_for_metric(mut self, metric: &str, how: Aggregation) -> Self {
        self.settings.aggregation_of.insert(metric.to_owned(), how);
        self
    }

    /// Leaves names as the program says them, any UTF-8. Scrapers that take only the old names
    /// get them escaped, the others get them as they are: so a name may change when Prometheus
    /// is upgraded.
    pub fn keep_names(mut self) -> Self {
        self.settings.keep_names = true;
        self
    }

    /// Makes the recorder without installing it, for `metrics::with_local_recorder`, or a layer of
    /// `metrics-util`. It keeps the board for the rest of the process's life.
    ///
    /// # Errors
    /// The board cannot be opened.
    pub fn build_recorder(self) -> Result<Recorder, OpenError> {
        let board = match self.board {
            Some(board) => board,
            None => Board::open_default()?,
        };
        Ok(Recorder::new(board, self.settings))
    }

    /// Makes it what the macros of `metrics` count on, in the whole process and for the rest of
    /// its life. A child that is forked goes on counting.
    ///
    /// # Errors
    /// The board cannot be opened, or something else is installed already.
    pub fn install(self) -> Result<(), InstallError> {
        let recorder = self.build_recorder().map_err(InstallError::Open)?;
        metrics::set_global_recorder(recorder).map_err(|_| InstallError::Installed)
    }
}

/// Why a recorder could not be installed.
#[derive(Debug)]
#[non_exhaustive]
pub enum InstallError {
    /// The board could not be opened.
    Open(OpenError),
    /// Another recorder is installed. There can be one in a process: install this one first, or
    /// put both into a fanout of `metrics-util`.
    Installed,
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InstallError::Open(error) => error.fmt(f),
            InstallError::Installed => f.write_str(
                "another recorder of `metrics` is installed: install this one before it, or both in a fanout",
            ),
        }
    }
}

impl std::error::Error for InstallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            InstallError::Open(error) => Some(error),
            InstallError::Installed => None,
        }
    }
}

impl Settings {
    /// A metric's name on the board.
    pub(super) fn metric_name<'n>(&self, said: &'n str) -> Cow<'n, str> {
        match self.keep_names {
            true => Cow::Borrowed(said),
            false => name::of_metric(said),
        }
    }

    /// A label's name on the board.
    pub(super) fn label_name<'n>(&self, said: &'n str) -> Cow<'n, str> {
        match self.keep_names {
            true => Cow::Borrowed(said),
            false => name::of_label(said),
        }
    }

    /// What was said about a metric, by either name.
    fn about<'s, T>(&self, of: &'s HashMap<String, T>, said: &str) -> Option<&'s T> {
        of.get(said).or_else(|| of.get(&*self.metric_name(said)))
    }

    /// The label names that were announced, as they are on the board.
    pub(super) fn labels(&self, said: &str) -> impl Iterator<Item = String> {
        let labels = self.about(&self.labels_of, said).into_iter().flatten();
        labels.map(|label| self.label_name(label).into_owned())
    }
}

/// What the settings say about each type of metric.
pub(super) trait Settled: Metric {
    fn aggregation(_: &Settings, _said: &str) -> Aggregation {
        Aggregation::Last
    }

    fn settle(builder: Builder<Self>, _: &Settings, _said: &str) -> Builder<Self> {
        builder
    }
}

impl Settled for Counter {}

impl Settled for Gauge {
    fn aggregation(settings: &Settings, said: &str) -> Aggregation {
        let how = settings.about(&settings.aggregation_of, said);
        how.copied().unwrap_or(Aggregation::Last)
    }

    fn settle(builder: Builder<Self>, settings: &Settings, said: &str) -> Builder<Self> {
        builder.aggregation(Self::aggregation(settings, said))
    }
}

impl Settled for Histogram {
    fn settle(builder: Builder<Self>, settings: &Settings, said: &str) -> Builder<Self> {
        let own = settings.about(&settings.bounds_of, said);
        match own.or(settings.bounds.as_ref()) {
            Some(bounds) => builder.buckets(bounds),
            None => builder,
        }
    }
}
