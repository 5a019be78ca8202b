//! What stands above the series of a family: how observations are spread, what infos say, for how
//! long each state held.

use std::ops::Range;
use std::time::Duration;

use ratatui::text::{Line as TextLine, Span};

use super::board::Watched;
use super::detail::Detail;
use super::distribution::Distribution;
use super::draw::{BAR, FAINT, TITLE, bar, printable};
use super::number;

const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

/// All of it; `room` is how many bars a native histogram may have.
pub(super) fn family(detail: &Detail, watched: &Watched, room: usize) -> Vec<TextLine<'static>> {
    let mut about = vec![TextLine::from(vec![
        Span::styled(printable(&detail.name), TITLE),
        Span::raw(format!("  {}  ", detail.kind)),
        Span::styled(printable(&detail.remarks), FAINT),
    ])];
    about.push(TextLine::from(printable(&detail.help)));
    if let Some(all) = &detail.distribution {
        about.extend(spread(all, watched, room));
    }
    let names = detail.said.names();
    about.extend(names.map(|(name, values)| said(name, &values)));
    if !detail.states.is_empty() {
        about.extend(states(detail, watched));
    }
    about
}

/// What infos say of one name, and how many of several say it.
fn said(name: &str, values: &[(&str, u64)]) -> TextLine<'static> {
    let series: u64 = values.iter().map(|(_, count)| count).sum();
    let values: Vec<String> = values
        .iter()
        .map(|(value, count)| match series {
            1 => printable(value),
            _ => format!("{} ({})", printable(value), number::value(*count as f64)),
        })
        .collect();
    TextLine::from(vec![
        Span::styled(format!("{:>16}  ", printable(name)), FAINT),
        Span::raw(values.join("  ")),
    ])
}

/// How many series are in each state now, and for how much of the last time they were.
fn states(detail: &Detail, watched: &Watched) -> Vec<TextLine<'static>> {
    let lately = watched.recently_held.as_ref();
    let heading = lately.map_or(String::new(), |(span, _)| lately_words(*span));
    let widest = detail.states.iter().map(|state| state.chars().count());
    let width = widest.max().unwrap_or(0).clamp(5, 30);
    let mut lines = vec![TextLine::styled(
        format!("{:>width$}  {:<BAR$} {:>8}  {heading}", "state", "now", ""),
        FAINT,
    )];
    let series: u64 = detail.held.iter().sum();
    for (place, (state, held)) in detail.states.iter().zip(&detail.held).enumerate() {
        let now = bar(number::percent(*held, series) / 100.0, BAR);
        let share = lately.and_then(|(_, shares)| shares.get(place).copied());
        let share = share.map_or(String::new(), |share| {
            format!("{} {:>5.1}%", bar(share, BAR), share * 100.0)
        });
        let (state, held) = (printable(state), number::value(*held as f64));
        lines.push(TextLine::from(format!(
            "{state:>width$}  {now} {held:>8}  {share}"
        )));
    }
    lines
}

fn lately_words(span: Duration) -> String {
    let places = usize::from(span.as_secs() < 10);
    format!("last {:.places$} s", span.as_secs_f64())
}

/// Quantiles and bars: from the beginning on, and lately.
fn spread(all: &Distribution, watched: &Watched, room: usize) -> Vec<TextLine<'static>> {
    let mut lines = vec![quantiles("since the beginning", all)];
    let recent = watched.recent.as_ref();
    if let Some((span, recent)) = recent {
        lines.push(quantiles(&lately_words(*span), recent));
    }
    let lately = recent.map(|(_, recent)| recent);
    let heading = format!(
        "{:>12}  {:<BAR$} {:>14}  {:<BAR$} {:>14}",
        "up to", "since the beginning", "", "lately", ""
    );
    lines.push(TextLine::styled(heading, FAINT));
    let shown = all.lines(room);
    let count = |distribution: &Distribution, line: &Range<usize>| {
        let counts = distribution.counts[line.clone()].iter();
        counts.fold(0, |sum: u64, count| sum.saturating_add(*count))
    };
    let part = |distribution: &Distribution, line: &Range<usize>| {
        let most = shown.iter().map(|line| count(distribution, line)).max();
        let count = count(distribution, line);
        let share = number::percent(count, most.unwrap_or(0)) / 100.0;
        format!("{} {:>14}", bar(share, BAR), number::value(count as f64))
    };
    for line in &shown {
        // What is recent may be of a definition that came meanwhile.
        let lately = lately.filter(|lately| lately.bounds == all.bounds);
        let bound = all.bounds.get(line.end - 1).copied();
        lines.push(TextLine::from(format!(
            "{:>12}  {}  {}",
            all.bound(bound.unwrap_or(f64::INFINITY)),
            part(all, line),
            lately.map_or(String::new(), |lately| part(lately, line))
        )));
    }
    lines
}

fn quantiles(when: &str, distribution: &Distribution) -> TextLine<'static> {
    let mut parts = vec![format!("{when}:")];
    parts.push(format!(
        "{} observed",
        number::value(distribution.count() as f64)
    ));
    if let Some(mean) = distribution.mean() {
        parts.push(format!("mean {}", number::value(mean)));
    }
    for quantile in QUANTILES {
        if let Some(value) = distribution.quantile(quantile) {
            parts.push(format!("p{} {}", quantile * 100.0, number::value(value)));
        }
    }
    TextLine::from(parts.join("  "))
}
