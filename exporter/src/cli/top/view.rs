//! What of the board is on the screen, and what a key does to that.

use clap::ValueEnum;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::history::Line;

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Sort {
    /// By name
    Name,
    /// The greatest value first
    Value,
    /// The greatest rate first
    Rate,
}

impl Sort {
    fn next(self) -> Self {
        match self {
            Self::Name => Self::Value,
            Self::Value => Self::Rate,
            Self::Rate => Self::Name,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Value => "value",
            Self::Rate => "rate",
        }
    }
}

/// Which lines of a list are shown, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrangement {
    pub(super) sort: Sort,
    pub(super) is_reversed: bool,
    /// Part of a name or of labels, in any case.
    pub(super) filter: String,
    /// Leave out what stands still.
    pub(super) moving_only: bool,
}

impl Arrangement {
    /// Whether the filter lets it through.
    pub(super) fn admits(&self, text: &str) -> bool {
        self.filter.is_empty() || text.to_lowercase().contains(&self.filter.to_lowercase())
    }

    /// Sorts, by `key`: the name, the value and the rate. What has no rate comes last.
    pub(super) fn sort<T>(&self, items: &mut [T], key: impl Fn(&T) -> (&str, f64, Option<f64>)) {
        items.sort_by(|a, b| {
            let ((a_name, a_value, a_rate), (b_name, b_value, b_rate)) = (key(a), key(b));
            let rate = |rate: Option<f64>| rate.unwrap_or(f64::NEG_INFINITY);
            let order = match self.sort {
                Sort::Name => a_name.cmp(b_name),
                Sort::Value => b_value.total_cmp(&a_value),
                Sort::Rate => rate(b_rate).total_cmp(&rate(a_rate)),
            };
            let order = if self.is_reversed {
                order.reverse()
            } else {
                order
            };
            order.then_with(|| a_name.cmp(b_name))
        });
    }

    /// The families to show.
    pub(super) fn apply(&self, lines: &[Line]) -> Vec<Line> {
        let shown = lines.iter().filter(|line| self.admits(&line.name));
        let shown = shown.filter(|line| line.is_moving || !self.moving_only);
        let mut shown: Vec<Line> = shown.cloned().collect();
        self.sort(&mut shown, |line| {
            (&line.name, line.shown.order(), line.rate)
        });
        shown
    }
}

/// What the screen shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Families,
    /// The series of the family of this name.
    Family(String),
    Processes,
    Board,
}

/// What a key asks for, beyond another look of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Nothing,
    /// What is shown has changed; it is to be arranged anew.
    Arrange,
    Quit,
}

/// The screen's state.
pub(super) struct View {
    pub(super) page: Page,
    pub(super) arrangement: Arrangement,
    /// Letters go to the filter.
    pub(super) is_typing: bool,
    /// The line of the list that is chosen.
    pub(super) cursor: usize,
    /// How many lines the list has.
    pub(super) len: usize,
    /// How many of them are on the screen.
    pub(super) height: usize,
    /// Families' arrangement and cursor, while another page is shown.
    families: Option<(Arrangement, usize)>,
}

impl View {
    pub(super) fn new(arrangement: Arrangement) -> Self {
        Self {
            page: Page::Families,
            arrangement,
            is_typing: false,
            cursor: 0,
            len: 0,
            height: 1,
            families: None,
        }
    }

    /// Does what a key stands for. `chosen` is the family under the cursor, if one is.
    pub(super) fn press(&mut self, key: KeyEvent, chosen: Option<&str>) -> Request {
        let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if with_control => return Request::Quit,
            KeyCode::Char(_) if with_control => return Request::Nothing,
            _ => {}
        }
        if self.is_typing {
            return self.type_in(key.code);
        }
        let page = self.height.max(1);
        match key.code {
            KeyCode::Char('q') => return Request::Quit,
            KeyCode::Up | KeyCode::Char('k') => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.cursor += 1,
            KeyCode::PageUp => self.cursor = self.cursor.saturating_sub(page),
            KeyCode::PageDown => self.cursor += page,
            KeyCode::Home | KeyCode::Char('g') => self.cursor = 0,
            KeyCode::End | KeyCode::Char('G') => self.cursor = usize::MAX,
            KeyCode::Enter | KeyCode::Right => {
                if let (Page::Families, Some(name)) = (&self.page, chosen) {
                    let name = name.to_owned();
                    self.turn_to(Page::Family(name));
                    return Request::Arrange;
                }
            }
            KeyCode::Esc | KeyCode::Left | KeyCode::Backspace => return self.step_back(),
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Char('s') => {
                self.arrangement.sort = self.arrangement.sort.next();
                return Request::Arrange;
            }
            KeyCode::Char('r') => {
                self.arrangement.is_reversed = !self.arrangement.is_reversed;
                return Request::Arrange;
            }
            KeyCode::Char('m') => {
                self.arrangement.moving_only = !self.arrangement.moving_only;
                return Request::Arrange;
            }
            KeyCode::Char('p') => return self.toggle(Page::Processes),
            KeyCode::Char('b') => return self.toggle(Page::Board),
            _ => {}
        }
        self.clamp();
        Request::Nothing
    }

    /// The list has so many lines now.
    pub(super) fn set_len(&mut self, len: usize) {
        self.len = len;
        self.clamp();
    }

    fn clamp(&mut self) {
        self.cursor = self.cursor.min(self.len.saturating_sub(1));
    }

    fn type_in(&mut self, code: KeyCode) -> Request {
        match code {
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.is_typing = false;
                self.arrangement.filter.clear();
            }
            KeyCode::Backspace => {
                self.arrangement.filter.pop();
            }
            KeyCode::Char(letter) => self.arrangement.filter.push(letter),
            _ => return Request::Nothing,
        }
        Request::Arrange
    }

    fn toggle(&mut self, page: Page) -> Request {
        if self.page == page {
            return self.turn_back();
        }
        self.turn_to(page);
        Request::Arrange
    }

    /// Takes the filter away, then leads back to the families.
    fn step_back(&mut self) -> Request {
        if !self.arrangement.filter.is_empty() {
            self.arrangement.filter.clear();
            return Request::Arrange;
        }
        self.turn_back()
    }

    fn turn_to(&mut self, page: Page) {
        let fresh = Arrangement {
            filter: String::new(),
            is_reversed: false,
            ..self.arrangement.clone()
        };
        let left = std::mem::replace(&mut self.arrangement, fresh);
        self.families.get_or_insert((left, self.cursor));
        self.page = page;
        self.cursor = 0;
    }

    fn turn_back(&mut self) -> Request {
        if let Some((arrangement, cursor)) = self.families.take() {
            self.page = Page::Families;
            self.arrangement = arrangement;
            self.cursor = cursor;
        }
        Request::Arrange
    }
}

#[cfg(test)]
mod tests {
    use tallyboard::Kind;

    use super::super::history::Shown;
    use super::*;

    fn arrangement(sort: Sort) -> Arrangement {
        Arrangement {
            sort,
            is_reversed: false,
            filter: String::new(),
            moving_only: false,
        }
    }

    fn line(name: &str, value: f64, rate: f64) -> Line {
        Line {
            name: name.to_owned(),
            kind: Kind::Counter,
            series: 1,
            shown: Shown::One(value),
            rate: Some(rate),
            trend: Vec::new(),
            is_moving: rate != 0.0,
        }
    }

    fn names(arrangement: &Arrangement) -> Vec<String> {
        let lines = [
            line("a_total", 1.0, 5.0),
            line("b_total", 3.0, 0.0),
            line("c", 2.0, 9.0),
        ];
        let shown = arrangement.apply(&lines);
        shown.into_iter().map(|line| line.name).collect()
    }

    #[test]
    fn lists_are_sorted_and_filtered() {
        assert_eq!(names(&arrangement(Sort::Name)), ["a_total", "b_total", "c"]);
        assert_eq!(
            names(&arrangement(Sort::Value)),
            ["b_total", "c", "a_total"]
        );
        assert_eq!(names(&arrangement(Sort::Rate)), ["c", "a_total", "b_total"]);
        let mut some = arrangement(Sort::Name);
        some.is_reversed = true;
        assert_eq!(names(&some), ["c", "b_total", "a_total"]);
        some.filter = "TOTAL".to_owned();
        assert_eq!(names(&some), ["b_total", "a_total"]);
        some.moving_only = true;
        assert_eq!(names(&some), ["a_total"]);
    }

    #[test]
    fn keys() {
        let mut view = View::new(arrangement(Sort::Name));
        view.set_len(3);
        let press = |view: &mut View, code| view.press(KeyEvent::from(code), Some("a_total"));
        press(&mut view, KeyCode::End);
        assert_eq!(view.cursor, 2);
        press(&mut view, KeyCode::Down);
        assert_eq!(view.cursor, 2);
        // A letter that is typed does not quit.
        for code in ['/', 'q', 's'].map(KeyCode::Char) {
            assert_ne!(press(&mut view, code), Request::Quit);
        }
        assert_eq!(view.arrangement.filter, "qs");
        press(&mut view, KeyCode::Enter);
        press(&mut view, KeyCode::Enter);
        assert_eq!(view.page, Page::Family("a_total".to_owned()));
        assert_eq!(view.arrangement.filter, "");
        press(&mut view, KeyCode::Char('p'));
        press(&mut view, KeyCode::Esc);
        assert_eq!(view.page, Page::Families);
        assert_eq!((view.arrangement.filter.as_str(), view.cursor), ("qs", 2));
        press(&mut view, KeyCode::Esc);
        assert_eq!(view.arrangement.filter, "");
        assert_eq!(press(&mut view, KeyCode::Char('q')), Request::Quit);
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(view.press(control_c, None), Request::Quit);
    }
}
