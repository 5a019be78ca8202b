//! The screen.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as TextLine, Span, Text};
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState};
use tallyboard::{Kind, Stats};

use super::about;
use super::board::Watched;
use super::detail::{Detail, SeriesLine};
use super::history::{LOOKS, Line, Shown};
use super::number;
use super::view::{Arrangement, Page, View};

/// Lines above and below the page.
const HEAD: u16 = 2;
const FOOT: u16 = 1;
/// Columns of the list of families that are not its trend's, with those between them.
const NUMBERS: u16 = MIN_NAME + 9 + 7 + 16 + 10 + 5 * GAP;
const MIN_NAME: u16 = 20;
const MIN_TREND: u16 = 6;
/// Between two columns.
const GAP: u16 = 1;
/// Columns of a bar.
pub(super) const BAR: usize = 20;
/// A native histogram's bars, on whatever screen.
const MIN_BARS: usize = 8;

pub(super) const TITLE: Style = Style::new().add_modifier(Modifier::BOLD);
const HEADING: Style = Style::new().add_modifier(Modifier::REVERSED);
const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);
pub(super) const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
const ALARM: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);

/// Draws everything, in whatever room there is.
pub(super) fn screen(frame: &mut Frame, watched: &Watched, view: &mut View) {
    let rows = [
        Constraint::Length(HEAD),
        Constraint::Min(0),
        Constraint::Length(FOOT),
    ];
    let [head, page, foot] = Layout::vertical(rows).areas(frame.area());
    frame.render_widget(Paragraph::new(summary(watched)), head);
    match (&watched.stats, view.page.clone()) {
        (None, _) => {
            let waiting = "There is no board here now; it is shown as soon as one is made.";
            frame.render_widget(Paragraph::new(waiting).style(ALARM), page);
        }
        (Some(_), Page::Families) => families(frame, page, &watched.shown, view),
        (Some(_), Page::Family(name)) => match &watched.detail {
            Some(detail) => family(frame, page, watched, detail, view),
            None => {
                let gone = format!("There is no family {} on the board.", printable(&name));
                frame.render_widget(Paragraph::new(gone), page);
            }
        },
        (Some(_), Page::Processes) => processes(frame, page, watched, view),
        (Some(stats), Page::Board) => {
            view.height = usize::from(page.height);
            let text = Text::from(fullness(stats, watched.damaged));
            frame.render_widget(Paragraph::new(text), page);
        }
    }
    frame.render_widget(Paragraph::new(help(view)), foot);
}

fn summary(watched: &Watched) -> Text<'static> {
    let mut first = vec![
        Span::styled("tallyboard top  ", TITLE),
        Span::raw(printable(&watched.location.to_string())),
    ];
    let Some(stats) = &watched.stats else {
        return Text::from(TextLine::from(first));
    };
    let refused: u64 = stats.refused.iter().map(|(_, count)| count).sum();
    for (what, count) in [("refused", refused), ("damaged", watched.damaged)] {
        let style = if count > 0 { ALARM } else { FAINT };
        let text = format!("  {what} {}", number::value(count as f64));
        first.push(Span::styled(text, style));
    }
    let slots = u64::from(stats.slots_used);
    let of_slots = number::percent(slots, u64::from(stats.slots));
    let second = format!(
        "{} {of_slots:.1}% of {} slots  {} series  {} of {} processes  {}",
        bar(of_slots / 100.0, 10),
        number::value(f64::from(stats.slots)),
        number::value(f64::from(stats.series)),
        stats.processes_used,
        number::value(f64::from(stats.processes)),
        number::bytes(stats.bytes_reserved),
    );
    Text::from(vec![TextLine::from(first), TextLine::from(second)])
}

fn help(view: &View) -> TextLine<'static> {
    let arrangement = &view.arrangement;
    if view.is_typing {
        let typed = format!("filter: {}_  ", printable(&arrangement.filter));
        let keys = Span::styled("Enter keep  Esc clear", FAINT);
        return TextLine::from(vec![Span::styled(typed, TITLE), keys]);
    }
    // All of it fits 80 columns.
    let mut keys = vec!["q quit".to_owned()];
    match view.page {
        Page::Families => keys.push("Enter open".to_owned()),
        _ => keys.push("Esc back".to_owned()),
    }
    if view.page != Page::Board {
        let direction = if arrangement.is_reversed { "^" } else { "" };
        keys.push(format!("s/r sort:{}{direction}", arrangement.sort.name()));
    }
    if matches!(view.page, Page::Families | Page::Family(_)) {
        let what = match arrangement.moving_only {
            true => "m show still",
            false => "m hide still",
        };
        keys.push(what.to_owned());
    }
    keys.extend(["p procs", "b board"].map(str::to_owned));
    if view.page != Page::Board {
        let filter = match arrangement.filter.as_str() {
            "" => "/ filter".to_owned(),
            text => format!("/ filter:{}", printable(text)),
        };
        keys.push(filter);
    }
    TextLine::styled(keys.join("  "), FAINT)
}

fn families(frame: &mut Frame, area: Rect, lines: &[Line], view: &mut View) {
    // Half of what the numbers leave is the names'.
    let trend_width = (area.width.saturating_sub(NUMBERS) / 2).clamp(MIN_TREND, LOOKS as u16);
    let widths = [
        Constraint::Min(MIN_NAME),
        Constraint::Length(9),
        Constraint::Length(7),
        Constraint::Length(16),
        Constraint::Length(10),
        Constraint::Length(trend_width),
    ];
    let headings = [
        left("FAMILY"),
        left("TYPE"),
        right("SERIES"),
        right("VALUE"),
        right("RATE/s"),
        left("TREND"),
    ];
    let row = |line: &Line| {
        let mut cells = vec![
            Cell::from(printable(&line.name)),
            Cell::from(line.kind.to_string()),
            right(number::value(line.series as f64)),
        ];
        let value = match &line.shown {
            Shown::Nothing => "-".to_owned(),
            Shown::One(value) => number::value(*value),
            Shown::Between(least, greatest) => {
                format!("{}..{}", number::value(*least), number::value(*greatest))
            }
            Shown::Words(words) => {
                // They have no rate, and those of an info no course either.
                let span = if line.kind == Kind::Info { 3 } else { 2 };
                cells.push(Cell::from(printable(words)).column_span(span));
                if line.kind != Kind::Info {
                    cells.push(trend_cell(line, trend_width));
                }
                return Row::new(cells);
            }
        };
        cells.push(right(value));
        cells.push(right(number::rate(line.rate)));
        cells.push(trend_cell(line, trend_width));
        Row::new(cells)
    };
    list(frame, area, &widths, headings, lines, row, view);
}

fn trend_cell(line: &Line, width: u16) -> Cell<'static> {
    Cell::from(trend(&line.trend, usize::from(width)))
}

fn family(frame: &mut Frame, area: Rect, watched: &Watched, detail: &Detail, view: &mut View) {
    // What the series leave, but for the lines around.
    let room = usize::from(area.height - area.height / 3).saturating_sub(6);
    let mut about = about::family(detail, watched, room.max(MIN_BARS));
    let more = detail.admitted - detail.series.len();
    if more > 0 {
        let more = number::value(more as f64);
        about.push(TextLine::styled(
            format!("{more} more series; the filter leads to them"),
            FAINT,
        ));
    }
    // The series keep a third of the room at least.
    let wanted = u16::try_from(about.len()).unwrap_or(u16::MAX);
    let head = wanted.min(area.height - area.height / 3);
    let rows = [Constraint::Length(head), Constraint::Min(0)];
    let [above, below] = Layout::vertical(rows).areas(area);
    frame.render_widget(Paragraph::new(Text::from(about)), above);

    if matches!(detail.kind, Kind::Info | Kind::StateSet) {
        let what = match detail.kind {
            Kind::Info => "SAYS",
            _ => "STATE",
        };
        let widths = [Constraint::Min(20), Constraint::Fill(2)];
        let headings = [left("SERIES"), left(what)];
        let row = |line: &SeriesLine| {
            Row::new([Cell::from(labels(line)), Cell::from(printable(&line.words))])
        };
        list(frame, below, &widths, headings, &detail.series, row, view);
        return;
    }
    let has_mean = matches!(detail.kind, Kind::Histogram | Kind::Summary);
    let widths = [
        Constraint::Min(20),
        Constraint::Length(20),
        Constraint::Length(12),
        Constraint::Length(14),
    ];
    let headings = if has_mean {
        ["COUNT", "MEAN"]
    } else {
        ["VALUE", ""]
    };
    let [value, mean] = headings.map(right);
    let headings = [left("SERIES"), value, right("RATE/s"), mean];
    let row = |line: &SeriesLine| {
        Row::new([
            Cell::from(labels(line)),
            right(line.value.map_or("-".to_owned(), number::value)),
            right(number::rate(line.rate)),
            right(line.mean.map_or(String::new(), number::value)),
        ])
    };
    list(frame, below, &widths, headings, &detail.series, row, view);
}

fn labels(line: &SeriesLine) -> String {
    match line.labels.as_str() {
        "" => "(no labels)".to_owned(),
        labels => printable(labels),
    }
}

fn processes(frame: &mut Frame, area: Rect, watched: &Watched, view: &mut View) {
    let widths = [
        Constraint::Length(10),
        Constraint::Min(16),
        Constraint::Length(6),
        Constraint::Length(12),
        Constraint::Length(7),
        Constraint::Length(7),
        Constraint::Length(10),
        Constraint::Length(8),
    ];
    let headings = [
        left("PID"),
        left("NAME"),
        left("STATE"),
        left("SINCE"),
        right("GAUGES"),
        right("CPU %"),
        right("MEMORY"),
        left("VERSION"),
    ];
    let row = |entry: &super::roster::Entry| {
        Row::new([
            Cell::from(entry.pid.clone()),
            Cell::from(entry.name.clone()),
            Cell::from(entry.state),
            Cell::from(entry.since.clone()),
            right(entry.gauges.to_string()),
            right(entry.cpu()),
            right(entry.memory()),
            Cell::from(entry.version.clone()),
        ])
    };
    list(
        frame,
        area,
        &widths,
        headings,
        &watched.roster.entries,
        row,
        view,
    );
}

/// How full the board is, and what it refused.
fn fullness(stats: &Stats, damaged: u64) -> Vec<TextLine<'static>> {
    let mut lines = vec![TextLine::styled("How full", TITLE)];
    for (what, used, capacity) in [
        ("slots", u64::from(stats.slots_used), u64::from(stats.slots)),
        (
            "processes",
            u64::from(stats.processes_used),
            u64::from(stats.processes),
        ),
        ("cells", stats.cells_used, stats.cells),
        ("text bytes", stats.text_bytes_used, stats.text_bytes),
        ("memory", stats.bytes_reserved, stats.bytes_total),
        (
            "CPU planes",
            u64::from(stats.planes_ready),
            u64::from(stats.planes),
        ),
    ] {
        let percent = number::percent(used, capacity);
        lines.push(TextLine::from(format!(
            "{what:<12}{} {percent:>5.1}%  {} of {}",
            bar(percent / 100.0, BAR),
            number::value(used as f64),
            number::value(capacity as f64),
        )));
    }
    lines.push(TextLine::styled("Refused registrations", TITLE));
    let refused = stats.refused.iter().filter(|(_, count)| *count > 0);
    let mut refused: Vec<_> = refused
        .map(|(reason, count)| {
            let count = number::value(*count as f64);
            TextLine::styled(format!("{count:>12}  {}", reason.advice()), ALARM)
        })
        .collect();
    if refused.is_empty() {
        refused.push(TextLine::from("none"));
    }
    lines.append(&mut refused);
    lines.push(TextLine::styled("Since the board was made", TITLE));
    for (what, count) in [
        ("slots given back", stats.reclaimed),
        ("dead processes taken off", stats.reaped),
        ("gauges of the dead folded", stats.folded),
        ("beyond a family's cap", stats.overflowed),
        ("series expired", stats.expired),
        ("slots leaked now", u64::from(stats.leaked)),
        ("CPU planes refused", u64::from(stats.planes_refused)),
        ("damaged records", damaged),
    ] {
        lines.push(TextLine::from(format!(
            "{:>12}  {what}",
            number::value(count as f64)
        )));
    }
    lines
}

/// A table with a cursor, scrolled so that the cursor is seen.
fn list<T, const N: usize>(
    frame: &mut Frame,
    area: Rect,
    widths: &[Constraint; N],
    headings: [Cell<'static>; N],
    items: &[T],
    row: impl Fn(&T) -> Row<'static>,
    view: &mut View,
) {
    view.height = usize::from(area.height.saturating_sub(1));
    if items.is_empty() {
        let empty = empty(&view.arrangement);
        frame.render_widget(Paragraph::new(empty).style(FAINT), area);
        return;
    }
    // Only what is seen is laid out: there may be very many.
    let height = view.height.max(1);
    let from = view.cursor / height * height;
    let seen = items.iter().skip(from).take(height);
    let table = Table::new(seen.map(row), widths)
        .header(Row::new(headings).style(HEADING))
        .column_spacing(GAP)
        .row_highlight_style(CHOSEN);
    let mut state = TableState::new().with_selected(Some(view.cursor - from));
    frame.render_stateful_widget(table, area, &mut state);
}

fn empty(arrangement: &Arrangement) -> String {
    if !arrangement.filter.is_empty() {
        return format!("Nothing matches `{}`.", printable(&arrangement.filter));
    }
    if arrangement.moving_only {
        return "Nothing has changed lately.".to_owned();
    }
    "Nothing is here yet.".to_owned()
}

fn left(heading: &'static str) -> Cell<'static> {
    Cell::from(heading)
}

/// As numbers stand.
fn right(text: impl Into<Text<'static>>) -> Cell<'static> {
    Cell::from(text.into().alignment(Alignment::Right))
}

/// A share of a width.
pub(super) fn bar(share: f64, width: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * width as f64).round() as usize;
    // What is there is not to look like nothing.
    let full = if share > 0.0 { full.max(1) } else { 0 };
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}

/// The last points between their least and their greatest.
fn trend(points: &[f64], width: usize) -> String {
    const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let points = &points[points.len().saturating_sub(width)..];
    let least = points.iter().copied().fold(0.0, f64::min);
    let greatest = points.iter().copied().fold(0.0, f64::max);
    let span = greatest - least;
    let step = |point: &f64| {
        let share = if span > 0.0 {
            (point - least) / span
        } else {
            0.0
        };
        STEPS[(share * (STEPS.len() - 1) as f64).round() as usize]
    };
    points.iter().map(step).collect()
}

/// Whatever something is called, it does not write to the terminal.
pub(super) fn printable(text: &str) -> String {
    let escaped = text.chars().flat_map(|character| {
        let is_control = character.is_control();
        let kept = (!is_control).then_some(character);
        let escaped = is_control.then(|| character.escape_debug());
        kept.into_iter().chain(escaped.into_iter().flatten())
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_trends() {
        assert_eq!(bar(0.5, 4), "██░░");
        assert_eq!(bar(0.0, 2), "░░");
        assert_eq!(bar(0.001, 2), "█░");
        assert_eq!(bar(f64::NAN, 2), "░░");
        assert_eq!(trend(&[9.0, 0.0, 7.0, 14.0], 3), "▁▅█");
        assert_eq!(trend(&[5.0, 5.0], 8), "██");
        assert_eq!(trend(&[0.0; 3], 8), "▁▁▁");
        assert_eq!(trend(&[], 8), "");
    }

    #[test]
    fn names_do_not_write_to_the_terminal() {
        assert_eq!(printable("a\x1b[2J\nb é"), "a\\u{1b}[2J\\nb é");
    }
}
