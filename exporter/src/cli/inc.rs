//! `tallyboard inc`

use clap::Args;
use tallyboard::Number;

use super::failure::Failure;
use super::metric::{Metric, register};

/// Add to a counter
///
/// The counter, and the board, are made if they are not there.
#[derive(Args, Debug)]
pub(super) struct Inc {
    /// The counter's name, such as backups_total
    name: String,

    /// How much to add: a whole number or a fraction, not negative
    #[arg(default_value = "1", allow_negative_numbers = true, value_parser = parse_amount)]
    amount: Number,

    #[command(flatten)]
    metric: Metric,
}

impl Inc {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.metric.count(&self.name, |board, known| {
            let counter = board.counter(&self.name, &self.metric.help(known));
            let counter = register!(self.metric, counter, known);
            match self.amount {
                Number::Int(amount) => counter.add(amount),
                Number::Float(amount) => {
                    counter.add_f64(amount);
                }
            }
            Ok(())
        })
    }
}

fn parse_amount(text: &str) -> Result<Number, String> {
    if let Ok(amount) = text.parse() {
        return Ok(Number::Int(amount));
    }
    match text.parse::<f64>() {
        Ok(amount) if amount.is_finite() && amount >= 0.0 => Ok(Number::Float(amount)),
        _ => Err("a counter takes a finite number that is not negative".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        assert!(matches!(parse_amount("3"), Ok(Number::Int(3))));
        assert!(matches!(parse_amount("0.5"), Ok(Number::Float(_))));
        for text in ["-1", "NaN", "inf", "", "1x"] {
            assert!(parse_amount(text).is_err(), "{text}");
        }
    }
}
