//! `tallyboard set`

use clap::Args;
use tallyboard::{Aggregation, Kind};

use super::failure::Failure;
use super::metric::{Metric, parse_number, register};

/// Set a gauge
///
/// The gauge, and the board, are made if they are not there.
#[derive(Args, Debug)]
pub(super) struct Set {
    /// The gauge's name, such as queue_length
    name: String,

    /// The value: a number, such as 3, -0.5, 1e9, +Inf or NaN
    #[arg(allow_hyphen_values = true, value_parser = parse_number)]
    value: f64,

    /// How the values of several processes become one: mostrecent, sum, min, max, all, or
    /// livemostrecent, livesum, livemin, livemax, liveall, which this command's value leaves
    /// with the command itself [default: what the gauge has, or mostrecent]
    #[arg(long, value_name = "MODE", value_parser = parse_aggregation)]
    aggregation: Option<Aggregation>,

    #[command(flatten)]
    metric: Metric,
}

impl Set {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.metric.count(&self.name, |board, known| {
            let on_board = known.filter(|family| family.kind == Kind::Gauge);
            let on_board = on_board.map(|family| family.aggregation);
            let gauge = board
                .gauge(&self.name, &self.metric.help(known))
                .aggregation(self.aggregation.or(on_board).unwrap_or(Aggregation::Last));
            register!(self.metric, gauge, known).set(self.value);
            Ok(())
        })
    }
}

fn parse_aggregation(text: &str) -> Result<Aggregation, String> {
    text.parse().map_err(|error| format!("{error}"))
}
