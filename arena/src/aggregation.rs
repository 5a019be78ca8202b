//! How a gauge's values from several processes become one.

use core::fmt;
use core::str::FromStr;

/// How a gauge's values from several processes become one. The words and their meanings are
/// those of `prometheus_client`'s multiprocess modes, with three differences: a process that
/// never set the gauge contributes nothing, `inc` and `dec` work in every one, and `Live…`
/// needs no hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Aggregation {
    /// One value that all processes share: the last `set` wins, `inc` and `dec` add up.
    /// `last`, and also `mostrecent`.
    Last,
    /// The sum over all processes that ever set it, the dead included. What is not finite stays
    /// in it for ever.
    Sum,
    /// The least value of all processes that ever set it, the dead included.
    Min,
    /// The greatest value of all processes that ever set it, the dead included.
    Max,
    /// A series for each process, with its `pid` as a label; those of the dead stay for a
    /// while.
    All,
    /// The sum over living processes.
    LiveSum,
    /// The least value of living processes.
    LiveMin,
    /// The greatest value of living processes.
    LiveMax,
    /// A series for each living process, with its `pid` as a label.
    LiveAll,
    /// The value that a living process set last. `livemostrecent`.
    LiveLast,
}

/// Adds up, or keeps the lesser or greater.
pub(crate) type Fold = fn(f64, f64) -> f64;

impl Aggregation {
    /// All of them and their words, in the order of their codes on a board.
    const NAMED: [(Aggregation, &'static str); 10] = [
        (Aggregation::Last, "last"),
        (Aggregation::Sum, "sum"),
        (Aggregation::Min, "min"),
        (Aggregation::Max, "max"),
        (Aggregation::All, "all"),
        (Aggregation::LiveSum, "livesum"),
        (Aggregation::LiveMin, "livemin"),
        (Aggregation::LiveMax, "livemax"),
        (Aggregation::LiveAll, "liveall"),
        (Aggregation::LiveLast, "livemostrecent"),
    ];

    /// Every one, [`Last`](Self::Last) first.
    pub fn all() -> impl Iterator<Item = Aggregation> {
        Aggregation::NAMED.iter().map(|(how, _)| *how)
    }

    pub(crate) fn code(self) -> u8 {
        let place = Aggregation::NAMED.iter().position(|(how, _)| *how == self);
        place.map_or(0, |place| place as u8 + 1)
    }

    pub(crate) fn of(code: u8) -> Option<Aggregation> {
        let place = usize::from(code).checked_sub(1)?;
        Aggregation::NAMED.get(place).map(|(how, _)| *how)
    }

    /// Whether each process has a part of its own.
    pub(crate) fn is_split(self) -> bool {
        self != Aggregation::Last
    }

    /// Whether each process has a series of its own, told apart by `pid`.
    pub fn is_by_process(self) -> bool {
        matches!(self, Aggregation::All | Aggregation::LiveAll)
    }

    /// Whether only living processes count.
    pub fn is_live(self) -> bool {
        matches!(
            self,
            Aggregation::LiveSum
                | Aggregation::LiveMin
                | Aggregation::LiveMax
                | Aggregation::LiveAll
                | Aggregation::LiveLast
        )
    }

    /// How two values become one, where they do.
    pub(crate) fn combine(self) -> Option<Fold> {
        match self {
            Aggregation::Sum | Aggregation::LiveSum => Some(|a, b| a + b),
            Aggregation::Min | Aggregation::LiveMin => Some(f64::min),
            Aggregation::Max | Aggregation::LiveMax => Some(f64::max),
            _ => None,
        }
    }

    /// How a dead process's value goes into the accumulator, where there is one.
    pub(crate) fn fold(self) -> Option<Fold> {
        if self.is_live() { None } else { self.combine() }
    }
}

/// The word that Prometheus clients use: `last`, `sum`, `livemostrecent`, …
impl fmt::Display for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Aggregation::NAMED.iter().find(|(how, _)| how == self);
        f.write_str(word.map_or("", |(_, word)| word))
    }
}

/// A word that names no aggregation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAggregation {
    word: String,
}

impl fmt::Display for UnknownAggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no way to aggregate a gauge: use mostrecent",
            self.word
        )?;
        Aggregation::NAMED
            .iter()
            .try_for_each(|(_, word)| write!(f, ", {word}"))
    }
}

impl std::error::Error for UnknownAggregation {}

impl FromStr for Aggregation {
    type Err = UnknownAggregation;

    fn from_str(word: &str) -> Result<Self, UnknownAggregation> {
        if word == "mostrecent" {
            return Ok(Aggregation::Last);
        }
        let known = Aggregation::NAMED.iter().find(|(_, known)| *known == word);
        known
            .map(|(how, _)| *how)
            .ok_or_else(|| UnknownAggregation {
                word: word.to_owned(),
            })
    }
}

#[cfg(all(test, not(arena_loom)))]
#[test]
fn words_and_codes_come_back() {
    for (how, word) in Aggregation::NAMED {
        assert_eq!(Aggregation::of(how.code()), Some(how));
        assert_eq!(word.parse(), Ok(how));
        assert_eq!(how.to_string(), word);
    }
    assert_eq!("mostrecent".parse(), Ok(Aggregation::Last));
    assert!("average".parse::<Aggregation>().is_err());
    assert_eq!((Aggregation::of(0), Aggregation::of(11)), (None, None));
}
