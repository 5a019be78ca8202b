//! What changed on a board from one look to the next.
//!
//! Of each series the last value is kept, by its slot, and of each family its rates. All of it
//! belongs to one board: of another one begin anew.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use tallyboard::{FamilyView, Kind, Number, Reader, SeriesView};

use super::words;
use crate::said;

/// Looks that a sparkline shows, and after which what stands still counts as still.
pub(super) const LOOKS: usize = 60;

/// What is known of one board.
#[derive(Default)]
pub(super) struct History {
    /// By slot.
    series: Vec<Seen>,
    families: HashMap<String, Past>,
    looked_at: Option<Instant>,
    /// How many looks there were.
    looks: u64,
}

/// A series at the last look.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// 0 is no series' tag.
    tag: u64,
    value: f64,
    /// A second, since the look before.
    rate: Option<f64>,
}

/// A family at the last looks.
#[derive(Default)]
struct Past {
    /// The oldest first: rates; a gauge's values.
    trend: VecDeque<f64>,
    /// The look at which something of it was another than before.
    moved: Option<u64>,
    seen: u64,
}

/// A family as a line of the list.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) series: usize,
    pub(super) shown: Shown,
    /// The sum of its series' changes, a second. `None` at the first look, and of words.
    pub(super) rate: Option<f64>,
    /// The oldest first: rates; a gauge's values; the places of a state set's states.
    pub(super) trend: Vec<f64>,
    pub(super) is_moving: bool,
}

/// What a family has for a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shown {
    /// No series, or of a type that is not known here.
    Nothing,
    /// A counter's sum, the observations of a histogram or summary, the one value of a gauge.
    One(f64),
    /// The least and the greatest value of a gauge.
    Between(f64, f64),
    /// What infos say, or which states hold.
    Words(String),
}

impl Shown {
    /// What it is sorted by.
    pub(super) fn order(&self) -> f64 {
        match self {
            Self::Nothing | Self::Words(_) => f64::NEG_INFINITY,
            Self::One(value) | Self::Between(_, value) => *value,
        }
    }
}

/// A series' value as one number: of a histogram or summary the number of observations, of a
/// state set the place of the state, of an info one that is another when it says something else.
/// `None` if it has ended, has no value, or its type is not known here.
pub(super) fn number(
    reader: &Reader,
    family: &FamilyView,
    series: SeriesView<'_>,
    buckets: &mut Vec<u64>,
) -> Option<f64> {
    match family.kind {
        Kind::Counter => Some(match reader.counter(series)? {
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
        }),
        Kind::Gauge if family.aggregation.is_by_process() => {
            let values = reader.by_process(series);
            (!values.is_empty()).then(|| values.iter().map(|(_, value)| value).sum())
        }
        Kind::Gauge => reader.gauge(series),
        Kind::Summary => Some(reader.summary(series)?.0 as f64),
        Kind::Histogram => {
            buckets.clear();
            buckets.resize(family.bounds.len() + 1, 0);
            reader.histogram(series, buckets)?;
            let count = buckets.iter().fold(0_u64, |sum, n| sum.wrapping_add(*n));
            Some(count as f64)
        }
        Kind::StateSet => Some(reader.state(family, series)? as f64),
        Kind::Info => {
            let mut hasher = DefaultHasher::new();
            for pair in said::pairs(reader, family, series)? {
                pair.hash(&mut hasher);
            }
            // As much of it as a float holds.
            Some((hasher.finish() >> 12) as f64)
        }
        _ => None,
    }
}

impl History {
    /// Reads every value of the board, and says what became of each family. The reader was
    /// refreshed. Tens of nanoseconds a series.
    pub(super) fn look(&mut self, reader: &Reader, now: Instant) -> Vec<Line> {
        let elapsed = self.looked_at.replace(now).map(|at| now - at);
        let elapsed = elapsed.filter(|elapsed| !elapsed.is_zero());
        self.looks += 1;
        self.series
            .resize(reader.capacity() as usize, Seen::default());
        let mut buckets = Vec::new();
        let families = reader.families().iter();
        let lines = families.map(|family| self.family(reader, family, elapsed, &mut buckets));
        let lines = lines.collect();
        let looks = self.looks;
        self.families.retain(|_, past| past.seen == looks);
        lines
    }

    /// A series' change in a second at the last look; `None` if there was only one.
    pub(super) fn rate(&self, series: SeriesView<'_>) -> Option<f64> {
        let seen = self.series.get(series.slot as usize)?;
        (seen.tag == series.tag).then_some(seen.rate)?
    }

    fn family(
        &mut self,
        reader: &Reader,
        family: &FamilyView,
        elapsed: Option<Duration>,
        buckets: &mut Vec<u64>,
    ) -> Line {
        let is_gauge = family.kind == Kind::Gauge;
        let has_words = matches!(family.kind, Kind::Info | Kind::StateSet);
        let (mut sum, mut least, mut greatest) = (0.0, f64::INFINITY, f64::NEG_INFINITY);
        let (mut values, mut change) = (0, 0.0);
        let mut moved = false;
        for series in &family.series {
            let Some(value) = number(reader, family, series, buckets) else {
                continue;
            };
            values += 1;
            sum += value;
            least = least.min(value);
            greatest = greatest.max(value);
            let Some(seen) = self.series.get_mut(series.slot as usize) else {
                continue;
            };
            let is_known = seen.tag == series.tag;
            // What is new has come from nothing; at the first look nothing is known.
            let before = match elapsed {
                Some(_) if is_known => seen.value,
                Some(_) if !is_gauge => 0.0,
                _ => value,
            };
            // A bit for a bit: NaN is not another NaN.
            let is_other = !is_known || seen.value.to_bits() != value.to_bits();
            moved |= elapsed.is_some() && is_other;
            // Of words, how often they were others.
            let grown = match has_words {
                true => f64::from(u8::from(is_known && is_other)),
                false => value - before,
            };
            change += grown;
            *seen = Seen {
                tag: series.tag,
                value,
                rate: elapsed.map(|elapsed| grown / elapsed.as_secs_f64()),
            };
        }
        let rate = elapsed.map(|elapsed| change / elapsed.as_secs_f64());
        let shown = match values {
            0 => Shown::Nothing,
            _ if has_words => Shown::Words(words::of_family(reader, family)),
            1 => Shown::One(sum),
            _ if is_gauge => Shown::Between(least, greatest),
            _ => Shown::One(sum),
        };
        let past = self.families.entry(family.name.clone()).or_default();
        past.seen = self.looks;
        let point = match family.kind {
            Kind::Gauge => Some(shown.order()),
            // A course that several states take is no line.
            Kind::StateSet => (values == 1).then_some(sum),
            Kind::Info => None,
            _ => rate,
        };
        if let Some(point) = point.filter(|point| point.is_finite()) {
            past.trend.push_back(point);
        }
        if past.trend.len() > LOOKS {
            past.trend.pop_front();
        }
        if moved {
            past.moved = Some(self.looks);
        }
        Line {
            name: family.name.clone(),
            kind: family.kind,
            series: family.series.len(),
            shown,
            rate: rate.filter(|_| !has_words),
            trend: past.trend.iter().copied().collect(),
            is_moving: (past.moved).is_some_and(|moved| self.looks - moved < LOOKS as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_board;
    use super::*;

    #[test]
    fn rates_are_of_what_changed_since_the_look_before() {
        let (_directory, board) = test_board();
        let jobs = board.counter("jobs_total", "").labels(&["queue"]);
        let jobs = jobs.family().unwrap();
        jobs.with(&["mail"]).add(5);
        let level = board.gauge("level", "").register().unwrap();
        level.set(3.0);
        let mut reader = Reader::new(&board);
        let mut history = History::default();
        let begun = Instant::now();
        reader.refresh();
        let lines = history.look(&reader, begun);
        assert_eq!(lines[0].shown, Shown::One(5.0));
        assert_eq!((lines[0].rate, lines[0].is_moving), (None, false));

        jobs.with(&["mail"]).add(4);
        jobs.with(&["print"]).add(2);
        reader.refresh();
        let lines = history.look(&reader, begun + Duration::from_secs(2));
        assert_eq!(lines[0].shown, Shown::One(11.0));
        assert_eq!((lines[0].rate, lines[0].is_moving), (Some(3.0), true));
        assert_eq!((lines[1].rate, lines[1].is_moving), (Some(0.0), false));
        let mail = reader.families()[0].series.first().unwrap();
        assert_eq!(history.rate(mail), Some(2.0));

        level.set(1.0);
        jobs.remove(&["mail"]).unwrap();
        reader.refresh();
        let lines = history.look(&reader, begun + Duration::from_secs(4));
        // What ended has not gone backwards.
        assert_eq!(
            (&lines[0].shown, lines[0].rate),
            (&Shown::One(2.0), Some(0.0))
        );
        assert_eq!(lines[1].rate, Some(-1.0));
        assert_eq!(lines[1].trend, [3.0, 3.0, 1.0]);
    }

    #[test]
    fn words_move_when_they_are_others() {
        let (_directory, board) = test_board();
        let build = board.info("build", "").register().unwrap();
        build.set(&[("version", "1.1")]).unwrap();
        let phase = board.state_set("phases", "", &["loading", "linking"]);
        let phase = phase.register().unwrap();
        let mut reader = Reader::new(&board);
        let mut history = History::default();
        let begun = Instant::now();
        let mut look = |second| {
            reader.refresh();
            history.look(&reader, begun + Duration::from_secs(second))
        };
        let first = look(0);
        assert_eq!(first[0].shown, Shown::Words("version=\"1.1\"".to_owned()));
        assert_eq!(first[1].shown, Shown::Words("loading".to_owned()));
        assert!(look(1).iter().all(|line| !line.is_moving));
        build.set(&[("version", "1.2")]).unwrap();
        let second = look(2);
        assert_eq!(second[0].shown, Shown::Words("version=\"1.2\"".to_owned()));
        assert_eq!((second[0].is_moving, second[1].is_moving), (true, false));
        phase.set("linking");
        let third = look(3);
        assert_eq!(third[1].trend, [0.0, 0.0, 0.0, 1.0]);
        assert_eq!((third[1].is_moving, third[1].rate), (true, None));
    }
}
