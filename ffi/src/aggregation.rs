//! The numbers of a gauge's aggregations.

use arena::Aggregation;

use crate::failure::Failure;

/// `TB_AGGREGATION_...` in the order of the numbers, from 0. A new one gets the next number; none
/// changes.
pub(crate) const AGGREGATIONS: [(Aggregation, &str); 10] = [
    (Aggregation::Last, "TB_AGGREGATION_LAST"),
    (Aggregation::Sum, "TB_AGGREGATION_SUM"),
    (Aggregation::Min, "TB_AGGREGATION_MIN"),
    (Aggregation::Max, "TB_AGGREGATION_MAX"),
    (Aggregation::All, "TB_AGGREGATION_ALL"),
    (Aggregation::LiveSum, "TB_AGGREGATION_LIVESUM"),
    (Aggregation::LiveMin, "TB_AGGREGATION_LIVEMIN"),
    (Aggregation::LiveMax, "TB_AGGREGATION_LIVEMAX"),
    (Aggregation::LiveAll, "TB_AGGREGATION_LIVEALL"),
    (Aggregation::LiveLast, "TB_AGGREGATION_LIVEMOSTRECENT"),
];

/// What a number means.
pub(crate) fn of(number: u32) -> Result<Aggregation, Failure> {
    let known = AGGREGATIONS.get(number as usize);
    known.map(|(how, _)| *how).ok_or_else(|| {
        Failure::invalid(format!(
            "`metric.aggregation` is {number}, which is none of TB_AGGREGATION_..."
        ))
    })
}
