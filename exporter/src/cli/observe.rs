//! `tallyboard observe`

use clap::Args;
use tallyboard::{Board, FamilyView, Kind, Native};

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

    /// Exponential buckets in place of those: Prometheus gets a native
    /// histogram where it asks for one. SCHEMA is -4 to 8, 3 for bounds that are 9 % apart; the
    /// buckets reach from LOWEST, above 0, to HIGHEST
    #[arg(
        long,
        value_name = "SCHEMA,LOWEST,HIGHEST",
        conflicts_with = "buckets",
        allow_negative_numbers = true,
        value_parser = parse_native
    )]
    native: Option<Native>,

    #[command(flatten)]
    metric: Metric,
}

impl Observe {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.metric
            .count(&self.name, |board, known| self.observe(board, known))
    }

    fn observe(&self, board: &Board, known: Option<&FamilyView>) -> Result<(), Failure> {
        let help = self.metric.help(known);
        // Without a word from the caller, what is there already.
        let like = known.filter(|_| self.buckets.is_none() && self.native.is_none());
        if like.is_some_and(|family| family.kind == Kind::Summary) {
            let summary = board.summary(&self.name, &help);
            register!(self.metric, summary, known).observe(self.value);
            return Ok(());
        }
        let like = like.filter(|family| family.kind == Kind::Histogram);
        let native = like.and_then(|family| family.native).map(Native::from);
        let bounds = like.map(|family| &family.bounds);
        let mut histogram = board.histogram(&self.name, &help);
        if let Some(native) = self.native.or(native) {
            histogram = histogram.native(native);
        } else if let Some(bounds) = self.buckets.as_ref().or(bounds) {
            histogram = histogram.buckets(bounds);
        }
        register!(self.metric, histogram, known).observe(self.value);
        Ok(())
    }
}

/// `SCHEMA,LOWEST,HIGHEST`. Whether there can be such buckets, registering says.
fn parse_native(text: &str) -> Result<Native, String> {
    let parts: Vec<&str> = text.split(',').collect();
    let [schema, lowest, highest] = parts[..] else {
        return Err("three numbers are needed: schema, lowest, highest".to_owned());
    };
    let schema = schema.trim().parse();
    let schema = schema.map_err(|_| "the schema is a whole number from -4 to 8".to_owned())?;
    let range = (parse_number(lowest)?, parse_number(highest)?);
    Ok(Native::new().schema(schema).range(range.0, range.1))
}
