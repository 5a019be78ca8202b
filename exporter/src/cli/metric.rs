//! What `inc`, `set` and `observe` have in common: one series.

use clap::Args;
use tallyboard::{Board, FamilyView, Reader};

use super::board_option::BoardOption;
use super::failure::Failure;

/// Which series of which board.
#[derive(Args, Debug)]
pub(super) struct Metric {
    #[command(flatten)]
    board: BoardOption,

    /// A label of the series; may be given more than once
    #[arg(short, long = "label", value_name = "NAME=VALUE", value_parser = parse_label)]
    labels: Vec<(String, String)>,

    /// What the metric means [default: what the board says already]
    #[arg(long, value_name = "TEXT")]
    help_text: Option<String>,

    /// The metric's unit, such as seconds [default: what the board says already]
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
}

impl Metric {
    /// Opens the board, made if it is not there, and counts on it by `count`; that is given the
    /// family as it is on the board. Whatever comes of it, this process is not on the board's
    /// list of processes then.
    pub(super) fn count(
        &self,
        name: &str,
        count: impl FnOnce(&Board, Option<&FamilyView>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let board = self.board.open()?;
        let known = self.known(&board, name);
        let counted = count(&board, known.as_ref());
        board.leave();
        counted
    }

    /// The family as it is on the board. A script should not have to repeat what it told
    /// the board once, nor undo what a program has told it.
    fn known(&self, board: &Board, name: &str) -> Option<FamilyView> {
        if board.is_off() {
            return None;
        }
        let mut reader = Reader::new(board);
        reader.refresh();
        let mut families = reader.families().iter();
        families.find(|family| family.name == name).cloned()
    }

    /// The help text to register with.
    pub(super) fn help(&self, known: Option<&FamilyView>) -> String {
        let known = known.map(|family| family.help.clone());
        self.help_text.clone().or(known).unwrap_or_default()
    }

    /// The unit to register with; empty for none.
    pub(super) fn unit<'a>(&'a self, known: Option<&'a FamilyView>) -> &'a str {
        let known = known.map(|family| family.unit.as_str());
        self.unit.as_deref().or(known).unwrap_or_default()
    }

    /// The series' labels.
    pub(super) fn labels(&self) -> &[(String, String)] {
        &self.labels
    }
}

/// Adds unit and labels to a builder and registers it. A macro, because what the builders
/// of the metric types have in common has no public name.
macro_rules! register {
    ($metric:expr, $builder:expr, $known:expr) => {{
        let mut builder = $builder.unit($metric.unit($known));
        for (name, value) in $metric.labels() {
            builder = builder.label(name, value);
        }
        builder.register()?
    }};
}
pub(super) use register;

/// Reads a value of a gauge or an observation, or a bucket's bound.
pub(super) fn parse_number(text: &str) -> Result<f64, String> {
    text.parse()
        .map_err(|_| "expected a number such as 3, -0.5, 1e9, +Inf or NaN".to_owned())
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, number) in [("3", 3.0), ("-0.5", -0.5), ("1e9", 1e9)] {
            assert_eq!(parse_number(text), Ok(number));
        }
        assert_eq!(parse_number("+Inf"), Ok(f64::INFINITY));
        assert!(parse_number("NaN").is_ok_and(f64::is_nan));
        assert!(parse_number("abc").is_err() && parse_number("").is_err());
    }

    #[test]
    fn labels_split_at_the_first_equals_sign() {
        let label = parse_label("query=a=b").unwrap();
        assert_eq!(label, ("query".to_owned(), "a=b".to_owned()));
        assert!(parse_label("empty=").is_ok());
        assert!(parse_label("=x").is_err() && parse_label("x").is_err());
    }
}
