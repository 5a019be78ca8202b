//! A process's share of gauges of every aggregation.

use std::error::Error;
use std::io::stdin;

use tallyboard::{Aggregation, Board};

/// Sets the series `plain` and `odd` of a gauge of each aggregation, and not the series `unset`; stays until a second
/// line comes in.
pub(crate) fn run(board: &Board, plain: f64, odd: f64) -> Result<(), Box<dyn Error>> {
    for how in Aggregation::all() {
        let gauge = board.gauge(&format!("shared_{how}"), "Set by several processes.");
        let family = gauge.aggregation(how).labels(&["value"]).family()?;
        family.try_with(&["plain"])?.set(plain);
        family.try_with(&["odd"])?.set(odd);
        family.try_with(&["unset"])?;
    }
    super::wait_for_start(board)?;
    stdin().read_line(&mut String::new())?;
    Ok(())
}
