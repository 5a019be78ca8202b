//! `tallyboard set`

use clap::Args;

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

    #[command(flatten)]
    metric: Metric,
}

impl Set {
    pub(super) fn run(self) -> Result<(), Failure> {
        let board = self.metric.open()?;
        let known = self.metric.known(&board, &self.name);
        let known = known.as_ref();
        let gauge = board.gauge(&self.name, &self.metric.help(known));
        let gauge = register!(self.metric, gauge, known);
        gauge.set(self.value);
        board.leave();
        Ok(())
    }
}
