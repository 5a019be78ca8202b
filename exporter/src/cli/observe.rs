//! `tallyboard observe`

use clap::Args;
use tallyboard::Kind;

use super::failure::Failure;
use super::metric::{Metric, parse_number, register};

/// Observe a value in a histogram, or in a summary that is there already
///
/// The histogram, and the board, are made if they are not there.
///
/// OpenMetrics has no sum that is negative or NaN, nor one beside negative bounds: for such
/// a series it has neither `_sum` nor `_count`. Prometheus's text format has both, as
/// have `dump` and `serve` in that format; a scraper that prefers OpenMetrics misses them.
#[derive(Args, Debug)]
pub(super) struct Observe {
    /// The metric's name, such as backup_seconds
    name: String,

    /// The value: a number, such as 3, -0.5, 1e9, +Inf or NaN
    #[arg(allow_hyphen_values = true, value_parser = parse_number)]
    value: f64,

    /// Upper bounds of the buckets, ascending, without +Inf [default: those the histogram
    /// has, or .005 to 10]
    #[arg(
        long,
        value_name = "BOUNDS",
        value_delimiter = ',',
        allow_negative_numbers = true,
        value_parser = parse_number
    )]
    buckets: Option<Vec<f64>>,

    #[command(flatten)]
    metric: Metric,
}

impl Observe {
    pub(super) fn run(self) -> Result<(), Failure> {
        let board = self.metric.open()?;
        let known = self.metric.known(&board, &self.name);
        let known = known.as_ref();
        let help = self.metric.help(known);
        if self.buckets.is_none() && known.is_some_and(|family| family.kind == Kind::Summary) {
            let summary = board.summary(&self.name, &help);
            let summary = register!(self.metric, summary, known);
            summary.observe(self.value);
            return Ok(());
        }
        let mut histogram = board.histogram(&self.name, &help);
        let bounds = known.filter(|family| family.kind == Kind::Histogram);
        let bounds = self.buckets.or(bounds.map(|family| family.bounds.clone()));
        if let Some(bounds) = &bounds {
            histogram = histogram.buckets(bounds);
        }
        let histogram = register!(self.metric, histogram, known);
        histogram.observe(self.value);
        board.leave();
        Ok(())
    }
}
