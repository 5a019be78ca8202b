//! One family: its series, of a histogram how its observations are spread, what infos say and which
//! states hold.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tallyboard::{FamilyView, Kind, Reader};

use super::distribution::Distribution;
use super::history::{self, History};
use super::view::Arrangement;
use super::words;
use crate::said::{self, Said};

/// How far back "lately" reaches.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// Series that can be scrolled to. The filter leads to the others.
const MAX_SERIES: usize = 1_000;

/// A family as its page shows it.
pub(super) struct Detail {
    pub(super) name: String,
    pub(super) help: String,
    pub(super) kind: Kind,
    /// Its aggregation, of a gauge; its unit, if it has one.
    pub(super) remarks: String,
    pub(super) series: Vec<SeriesLine>,
    /// How many the filter lets through.
    pub(super) admitted: usize,
    /// Of all that the filter lets through, from the beginning on.
    pub(super) distribution: Option<Distribution>,
    /// Of infos that the filter lets through.
    pub(super) said: Said,
    /// A state set's states, and in how many series that the filter lets through each holds.
    pub(super) states: Vec<String>,
    pub(super) held: Vec<u64>,
}

pub(super) struct SeriesLine {
    pub(super) labels: String,
    pub(super) value: Option<f64>,
    pub(super) rate: Option<f64>,
    /// Of a histogram or summary.
    pub(super) mean: Option<f64>,
    /// What an info says, or the state that holds.
    pub(super) words: String,
}

impl Detail {
    /// Reads the family anew; `None` if it is not there any more.
    pub(super) fn read(
        reader: &Reader,
        history: &History,
        name: &str,
        arrangement: &Arrangement,
    ) -> Option<Self> {
        let families = reader.families();
        let at = families.binary_search_by(|family| (*family.name).cmp(name));
        let family = &families[at.ok()?];
        let is_histogram = family.kind == Kind::Histogram;
        let mut distribution = is_histogram.then(|| Distribution::empty(family));
        let mut said = Said::default();
        let mut held = vec![0; family.states.len()];
        let mut lines = Vec::new();
        let mut buckets = Vec::new();
        for series in &family.series {
            let rate = history.rate(series);
            let mut put = |labels: String, words: String, value, mean| {
                let is_shown = rate.is_some_and(|rate| rate != 0.0) || !arrangement.moving_only;
                let is_found = arrangement.admits(&labels) || arrangement.admits(&words);
                let is_admitted = is_shown && is_found;
                if is_admitted {
                    lines.push(SeriesLine {
                        labels,
                        value,
                        rate,
                        mean,
                        words,
                    });
                }
                is_admitted
            };
            let Some(values) = reader.label_values(series) else {
                continue;
            };
            let labels = labels(family, &values);
            match family.kind {
                Kind::Gauge if family.aggregation.is_by_process() => {
                    for (pid, value) in reader.by_process(series) {
                        let labels = joined(&labels, "pid", &pid);
                        put(labels, String::new(), Some(value), None);
                    }
                }
                Kind::Histogram => {
                    let mut own = Distribution::empty(family);
                    if own.read(reader, series).is_none() {
                        continue;
                    }
                    let is_admitted =
                        put(labels, String::new(), Some(own.count() as f64), own.mean());
                    if let Some(all) = &mut distribution
                        && is_admitted
                    {
                        all.add(&own);
                    }
                }
                Kind::Summary => {
                    if let Some((count, sum)) = reader.summary(series) {
                        let mean = (count > 0).then(|| sum / count as f64);
                        put(labels, String::new(), Some(count as f64), mean);
                    }
                }
                Kind::Info => {
                    let Some(pairs) = said::pairs(reader, family, series) else {
                        continue;
                    };
                    let pairs: Vec<(&str, &str)> = pairs.collect();
                    let words = words::of_pairs(pairs.iter().copied());
                    if put(labels, words, None, None) {
                        said.note(pairs.into_iter());
                    }
                }
                Kind::StateSet => {
                    let Some(place) = reader.state(family, series) else {
                        continue;
                    };
                    let state = family.states[place].clone();
                    if put(labels, state, Some(place as f64), None) {
                        held[place] += 1;
                    }
                }
                _ => {
                    let value = history::number(reader, family, series, &mut buckets);
                    put(labels, String::new(), value, None);
                }
            }
        }
        arrangement.sort(&mut lines, |line| {
            (
                &line.labels,
                line.value.unwrap_or(f64::NEG_INFINITY),
                line.rate,
            )
        });
        let admitted = lines.len();
        lines.truncate(MAX_SERIES);
        let mut remarks = Vec::new();
        if family.kind == Kind::Gauge {
            remarks.push(format!("over processes: {}", family.aggregation));
        }
        if let Some(window) = family.native {
            remarks.push(format!("native, schema {}", window.schema()));
        }
        if !family.unit.is_empty() {
            remarks.push(format!("unit: {}", family.unit));
        }
        Some(Self {
            name: family.name.clone(),
            help: family.help.clone(),
            kind: family.kind,
            remarks: remarks.join(", "),
            series: lines,
            admitted,
            distribution,
            said,
            states: family.states.clone(),
            held,
        })
    }
}

/// `{a="b",c="d"}`, or nothing.
fn labels(family: &FamilyView, values: &[String]) -> String {
    let pairs = family.label_names.iter().zip(values);
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    pairs.join(", ")
}

fn joined(labels: &str, name: &str, value: &str) -> String {
    let comma = if labels.is_empty() { "" } else { ", " };
    format!("{labels}{comma}{name}={value:?}")
}

/// What a distribution was at the last looks, to tell what is new.
#[derive(Default)]
pub(super) struct Window {
    past: VecDeque<(Instant, Distribution)>,
}

impl Window {
    /// Notes what it is now.
    pub(super) fn note(&mut self, now: Instant, distribution: &Distribution) {
        self.past.push_back((now, distribution.clone()));
        let is_old = |at: Instant| now.saturating_duration_since(at) > WINDOW;
        while self.past.len() > 2 && self.past.get(1).is_some_and(|(at, _)| is_old(*at)) {
            self.past.pop_front();
        }
    }

    /// What came since the oldest look that is kept, and how long ago that was; `None` if there
    /// was only one.
    pub(super) fn recent(&self, now: Instant) -> Option<(Duration, Distribution)> {
        let ((at, then), (_, last)) = (self.past.front()?, self.past.back()?);
        let span = now.saturating_duration_since(*at);
        (self.past.len() > 1).then(|| (span, last.since(then)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_board;
    use super::super::view::Sort;
    use super::*;

    #[test]
    fn a_histogram_is_the_sum_of_the_series_that_are_shown() {
        let (_directory, board) = test_board();
        let waits = board.histogram("wait_seconds", "Waits.").labels(&["queue"]);
        let waits = waits.buckets(&[1.0, 2.0]).family().unwrap();
        for (queue, value) in [("mail", 0.5), ("mail", 1.5), ("print", 9.0)] {
            waits.with(&[queue]).observe(value);
        }
        let mut reader = Reader::new(&board);
        reader.refresh();
        let mut arrangement = Arrangement {
            sort: Sort::Value,
            is_reversed: false,
            filter: String::new(),
            moving_only: false,
        };
        let history = History::default();
        let read = |arrangement: &Arrangement| {
            Detail::read(&reader, &history, "wait_seconds", arrangement).unwrap()
        };
        let detail = read(&arrangement);
        assert_eq!(detail.series[0].labels, "queue=\"mail\"");
        assert_eq!(detail.series[0].mean, Some(1.0));
        assert_eq!(detail.distribution.unwrap().counts, [1, 1, 1]);
        arrangement.filter = "print".to_owned();
        assert_eq!(read(&arrangement).distribution.unwrap().counts, [0, 0, 1]);
        assert!(Detail::read(&reader, &history, "gone", &arrangement).is_none());
    }

    #[test]
    fn the_window_moves_on() {
        let begun = Instant::now();
        let mut window = Window::default();
        let mut distribution = Distribution::default();
        distribution.counts.push(0);
        for second in 0..200 {
            window.note(begun + Duration::from_secs(second), &distribution);
            distribution.counts[0] += 1;
        }
        let (span, recent) = window.recent(begun + Duration::from_secs(199)).unwrap();
        assert!(span >= WINDOW && span <= WINDOW + Duration::from_secs(1));
        assert_eq!(recent.count(), span.as_secs());
    }

    #[test]
    fn infos_and_state_sets_say_what_they_say() {
        let (_directory, board) = test_board();
        let built = board.info("built", "").label("part", "web");
        let built = built.register().unwrap();
        built.set(&[("version", "1.2"), ("os", "linux")]).unwrap();
        let phase = board.state_set("phase", "", &["loading", "linking"]);
        let phase = phase.label("lane", "a").register().unwrap();
        phase.set("linking");
        let mut reader = Reader::new(&board);
        reader.refresh();
        let mut arrangement = Arrangement {
            sort: Sort::Name,
            is_reversed: false,
            filter: "LINUX".to_owned(),
            moving_only: false,
        };
        let history = History::default();
        let info = Detail::read(&reader, &history, "built", &arrangement).unwrap();
        assert_eq!(info.series[0].labels, "part=\"web\"");
        assert_eq!(info.series[0].words, "os=\"linux\", version=\"1.2\"");
        assert_eq!(info.said.names().count(), 2);
        arrangement.filter.clear();
        let states = Detail::read(&reader, &history, "phase", &arrangement).unwrap();
        assert_eq!(states.series[0].words, "linking");
        assert_eq!((states.states.len(), &states.held), (2, &vec![0, 1]));
    }
}
