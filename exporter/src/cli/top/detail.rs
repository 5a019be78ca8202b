//! One family: its series, and of a histogram how its observations are spread.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tallyboard::{FamilyView, Kind, Reader};

use super::distribution::Distribution;
use super::history::{self, History};
use super::view::Arrangement;

/// How far back "now" reaches in a distribution.
const WINDOW: Duration = Duration::from_secs(60);

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
}

pub(super) struct SeriesLine {
    pub(super) labels: String,
    pub(super) value: Option<f64>,
    pub(super) rate: Option<f64>,
    /// Of a histogram or summary.
    pub(super) mean: Option<f64>,
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
        let mut distribution = is_histogram.then(|| Distribution::empty(&family.bounds));
        let mut lines = Vec::new();
        let mut buckets = Vec::new();
        for series in &family.series {
            let rate = history.rate(series);
            let mut put = |labels: String, value, mean| {
                let is_shown = rate.is_some_and(|rate| rate != 0.0) || !arrangement.moving_only;
                let is_admitted = is_shown && arrangement.admits(&labels);
                if is_admitted {
                    lines.push(SeriesLine {
                        labels,
                        value,
                        rate,
                        mean,
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
                        put(joined(&labels, "pid", &pid), Some(value), None);
                    }
                }
                Kind::Histogram => {
                    buckets.clear();
                    buckets.resize(family.bounds.len() + 1, 0);
                    let Some(sum) = reader.histogram(series, &mut buckets) else {
                        continue;
                    };
                    let mut own = Distribution::empty(&family.bounds);
                    own.add(&buckets, sum);
                    let is_admitted = put(labels, Some(own.count() as f64), own.mean());
                    if let Some(all) = &mut distribution
                        && is_admitted
                    {
                        all.add(&buckets, sum);
                    }
                }
                Kind::Summary => {
                    if let Some((count, sum)) = reader.summary(series) {
                        let mean = (count > 0).then(|| sum / count as f64);
                        put(labels, Some(count as f64), mean);
                    }
                }
                _ => {
                    let value = history::number(reader, family, series, &mut buckets);
                    put(labels, value, None);
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
    use tallyboard::{Board, Location};

    use super::super::view::Sort;
    use super::*;

    #[test]
    fn a_histogram_is_the_sum_of_the_series_that_are_shown() {
        let board = Board::open(&Location::Private).unwrap();
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
        let mut distribution = Distribution::empty(&[1.0]);
        for second in 0..200 {
            window.note(begun + Duration::from_secs(second), &distribution);
            distribution.add(&[1, 0], 0.5);
        }
        let (span, recent) = window.recent(begun + Duration::from_secs(199)).unwrap();
        assert!(span >= WINDOW && span <= WINDOW + Duration::from_secs(1));
        assert_eq!(recent.count(), span.as_secs());
    }
}
