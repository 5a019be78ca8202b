//! What a caller declares, whether it is allowed, and what comes of it.

use super::buckets::Buckets;
use tallyboard::{Aggregation, Kind, RefusedReason};

/// A definition, as a caller gives it. Its labels are in the caller's order.
#[derive(Clone, Debug)]
pub struct Definition<'t> {
    /// The metric.
    pub name: &'t str,
    /// The words last declared are shown.
    pub help: &'static str,
    /// The type.
    pub kind: Kind,
    /// Of a gauge.
    pub aggregation: Aggregation,
    /// Label names.
    pub labels: &'t [&'t str],
    /// Of a histogram.
    pub bounds: &'t [f64],
    /// Of a native one, instead.
    pub native: Option<&'static Buckets>,
    /// Of a state set.
    pub states: &'t [&'static str],
    /// Series that it may have, 0 for any number.
    pub cap: u64,
}

/// What a registration comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is there.
    Ok,
    /// The definition is not allowed.
    Invalid,
    /// A metric of the name and another type is there.
    Clash(Kind),
    /// More or fewer values than label names.
    LabelCount,
    /// The board has no room, or no chain is that long.
    Refused(RefusedReason),
}

/// The rules of Prometheus; `labels` are the definition's, sorted.
pub(super) fn is_allowed(definition: &Definition<'_>, labels: &[String]) -> bool {
    let reserved = match definition.kind {
        Kind::Histogram => "le",
        Kind::Summary => "quantile",
        Kind::Gauge if definition.aggregation.is_by_process() => "pid",
        _ => "",
    };
    let (bounds, states) = (definition.bounds, definition.states);
    let is_state_set = definition.kind == Kind::StateSet;
    is_state_set != states.is_empty()
        && states
            .iter()
            .enumerate()
            .all(|(at, state)| !state.is_empty() && !states[..at].contains(state))
        && !(is_state_set && labels.iter().any(|label| label == definition.name))
        && !definition.name.is_empty()
        && labels.windows(2).all(|pair| pair[0] != pair[1])
        && labels
            .iter()
            .all(|l| !l.is_empty() && !l.starts_with("__") && l != reserved)
        && bounds.iter().all(|bound| bound.is_finite())
        && bounds.windows(2).all(|pair| pair[0] < pair[1])
}
