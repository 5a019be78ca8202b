//! A family, as a view shows it.

use super::series::SeriesList;
use crate::family::{Aggregation, Definition, Kind};
use crate::layout::UNIT_CELLS;
use crate::slot::Slot;
use crate::window::Window;
use core::fmt;
use std::sync::Weak;

/// A family, with its series.
#[derive(Clone, Debug)]
pub struct FamilyView {
    /// The metric's name, as it was registered.
    pub name: String,
    /// The help text.
    pub help: String,
    /// The unit, or nothing.
    pub unit: String,
    /// The type.
    pub kind: Kind,
    /// How processes' values become one.
    pub aggregation: Aggregation,
    /// Sorted.
    pub label_names: Vec<String>,
    /// A histogram's upper bounds, ascending, without +Inf. Of a native one, those of the classic
    /// buckets that are put together from its own.
    pub bounds: Vec<f64>,
    /// A native histogram's buckets.
    pub native: Option<Window>,
    /// A state set's states, in the order in which they were declared.
    pub states: Vec<String>,
    /// Tells this life of the family from all others.
    pub tag: u64,
    /// Another number when help or unit are others.
    pub words_tag: u64,
    /// Its series.
    pub series: SeriesList,
    /// Series of older definitions of this name, which are not shown.
    pub hidden_series: u64,
    pub(super) slot: Slot,
}

/// Slots after the head that a series of this definition needs for its cells.
pub(super) fn continuations(definition: &Definition) -> usize {
    let cells = match (definition.kind, definition.native) {
        (_, Some(window)) => window.counts() + 1,
        // The sum, the buckets, and the one up to +Inf.
        (Kind::Histogram, None) => definition.bounds.len() + 2,
        (Kind::Counter | Kind::Gauge | Kind::Summary, None) => 2,
        (Kind::Info | Kind::StateSet, None) => 1,
    };
    cells.div_ceil(UNIT_CELLS) - 1
}

/// Which families a view has: equal in two views of one reader if nothing came or went on the
/// board between them, and never between two readers. Keeps nothing of the board.
#[derive(Clone)]
pub struct FamiliesId(pub(super) Weak<Vec<FamilyView>>);

impl PartialEq for FamiliesId {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

impl fmt::Debug for FamiliesId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FamiliesId").field(&self.0.as_ptr()).finish()
    }
}
