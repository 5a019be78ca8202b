//! State sets: which of some states holds. One pair of the shared plane, as a gauge's, that holds
//! the state's number.

use crate::builder::Metric;
use crate::family::Kind;
use crate::series::Series;
use core::fmt;

/// The state's number.
pub(crate) const STATE: u32 = 0;

/// A state set on a board.
#[derive(Clone)]
pub struct StateSet {
    series: Series<()>,
}

impl Metric for StateSet {
    const KIND: Kind = Kind::StateSet;
    type Places = ();

    #[inline]
    fn of(series: Series<()>) -> Self {
        StateSet { series }
    }

    #[inline]
    fn series(&self) -> &Series<()> {
        &self.series
    }
}

impl StateSet {
    /// A state set whose updates go nowhere.
    pub fn sink() -> StateSet {
        Metric::sink()
    }

    /// Sets the state that holds, for all processes: the last one wins. False, and nothing is
    /// changed, if it is none of those that were declared; a sink takes any. A comparison for
    /// each state, then as [`Gauge::set`](crate::Gauge::set).
    pub fn set(&self, state: &str) -> bool {
        let Some(definition) = self.series.definition() else {
            return true;
        };
        match definition.states.iter().position(|known| known == state) {
            Some(place) => self.set_place(place),
            None => false,
        }
    }

    /// As [`set`](Self::set), by the place of the state among those that were declared, from 0.
    /// Safe in a signal handler and after `fork`.
    pub fn set_place(&self, place: usize) -> bool {
        let Some(segment) = self.series.segment() else {
            return true;
        };
        if (self.series.definition()).is_none_or(|definition| place >= definition.states.len()) {
            return false;
        }
        let place = place as u64;
        if !segment.try_add_shared(self.series.cell(STATE), |_| place) {
            self.series
                .update(|series, segment| segment.add_shared(series.cell(STATE), |_| place));
        }
        true
    }

    /// The state that holds; `None` for a sink. That of a series that has ended is the first.
    pub fn get(&self) -> Option<&'static str> {
        let states = &self.series.definition()?.states;
        states.get(self.place()).map(String::as_str)
    }

    /// The place of the state that holds among those that were declared, from 0; 0 for a sink and
    /// for a series that has ended. A few loads.
    pub fn place(&self) -> usize {
        let life = self.series.life();
        let place = life.and_then(|(segment, bound)| segment.read_state(bound));
        usize::try_from(place.unwrap_or(0)).unwrap_or(usize::MAX)
    }

    /// Whether updates go nowhere, because the board is off or refused the registration.
    pub fn is_sink(&self) -> bool {
        self.series.is_sink()
    }
}

impl fmt::Debug for StateSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StateSet").field(&self.get()).finish()
    }
}
