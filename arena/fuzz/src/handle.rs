//! Handles of any type, and what can be done with a definition.

use crate::model::Definition;
use tallyboard::{
    Board, Counter, Family, Gauge, Histogram, Info, Kind, RegisterError, StateSet, Summary,
};

/// A handle of any type.
pub enum Handle {
    /// Adds up.
    Counter(Counter),
    /// Is set.
    Gauge(Gauge),
    /// Observes.
    Histogram(Histogram),
    /// Observes, too.
    Summary(Summary),
    /// Says pairs.
    Info(Info),
    /// Says a state.
    StateSet(StateSet),
}

macro_rules! family {
    ($builder:expr, $definition:expr) => {
        $builder
            .labels($definition.labels)
            .series_cap($definition.cap)
            .family()?
    };
}

/// The family of a definition, of its type.
/// A family of any type.
pub enum AnyFamily {
    /// Of counters.
    Counter(Family<Counter>),
    /// Of gauges.
    Gauge(Family<Gauge>),
    /// Of histograms.
    Histogram(Family<Histogram>),
    /// Of summaries.
    Summary(Family<Summary>),
    /// Of infos.
    Info(Family<Info>),
    /// Of state sets.
    StateSet(Family<StateSet>),
}

/// Declares the family.
///
/// # Errors
/// Why it was refused.
pub fn declare(board: &Board, definition: &Definition<'_>) -> Result<AnyFamily, RegisterError> {
    let Definition { name, help, .. } = *definition;
    Ok(match definition.kind {
        Kind::Counter => AnyFamily::Counter(family!(board.counter(name, help), definition)),
        Kind::Gauge => {
            let builder = board.gauge(name, help);
            AnyFamily::Gauge(family!(
                builder.aggregation(definition.aggregation),
                definition
            ))
        }
        Kind::Histogram => {
            let builder = board.histogram(name, help);
            let builder = match definition.native {
                Some(buckets) => builder.native(buckets.native),
                None => builder.buckets(definition.bounds),
            };
            AnyFamily::Histogram(family!(builder, definition))
        }
        Kind::Info => AnyFamily::Info(family!(board.info(name, help), definition)),
        Kind::StateSet => {
            let builder = board.state_set(name, help, definition.states);
            AnyFamily::StateSet(family!(builder, definition))
        }
        _ => AnyFamily::Summary(family!(board.summary(name, help), definition)),
    })
}

/// Registers the series with these values.
///
/// # Errors
/// Why it was refused.
pub fn register(
    board: &Board,
    definition: &Definition<'_>,
    values: &[&str],
) -> Result<Handle, RegisterError> {
    Ok(match declare(board, definition)? {
        AnyFamily::Counter(family) => Handle::Counter(family.try_with(values)?),
        AnyFamily::Gauge(family) => Handle::Gauge(family.try_with(values)?),
        AnyFamily::Histogram(family) => Handle::Histogram(family.try_with(values)?),
        AnyFamily::Summary(family) => Handle::Summary(family.try_with(values)?),
        AnyFamily::Info(family) => Handle::Info(family.try_with(values)?),
        AnyFamily::StateSet(family) => Handle::StateSet(family.try_with(values)?),
    })
}

/// Ends the series with these values, or all; how many there were.
///
/// # Errors
/// Why it was refused.
pub fn end(
    board: &Board,
    definition: &Definition<'_>,
    values: Option<&[&str]>,
) -> Result<u64, RegisterError> {
    fn of<M>(family: &Family<M>, values: Option<&[&str]>) -> Result<u64, RegisterError>
    where
        Family<M>: Ends,
    {
        match values {
            Some(values) => family.end_one(values).map(u64::from),
            None => family.end_all(),
        }
    }
    match declare(board, definition)? {
        AnyFamily::Counter(family) => of(&family, values),
        AnyFamily::Gauge(family) => of(&family, values),
        AnyFamily::Histogram(family) => of(&family, values),
        AnyFamily::Summary(family) => of(&family, values),
        AnyFamily::Info(family) => of(&family, values),
        AnyFamily::StateSet(family) => of(&family, values),
    }
}

/// What families of all types can do, which has no public name.
trait Ends {
    fn end_one(&self, values: &[&str]) -> Result<bool, RegisterError>;
    fn end_all(&self) -> Result<u64, RegisterError>;
}

macro_rules! ends {
    ($($metric:ty),*) => {
        $(impl Ends for Family<$metric> {
            fn end_one(&self, values: &[&str]) -> Result<bool, RegisterError> {
                self.remove(values)
            }

            fn end_all(&self) -> Result<u64, RegisterError> {
                self.clear()
            }
        })*
    };
}
ends!(Counter, Gauge, Histogram, Summary, Info, StateSet);

impl Handle {
    /// Whether it goes up and down by whole numbers.
    pub fn counts(&self) -> bool {
        matches!(self, Handle::Counter(_) | Handle::Gauge(_))
    }

    /// Its type.
    pub fn kind(&self) -> Kind {
        match self {
            Handle::Counter(_) => Kind::Counter,
            Handle::Gauge(_) => Kind::Gauge,
            Handle::Histogram(_) => Kind::Histogram,
            Handle::Summary(_) => Kind::Summary,
            Handle::Info(_) => Kind::Info,
            Handle::StateSet(_) => Kind::StateSet,
        }
    }
}
