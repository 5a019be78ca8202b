//! What the page asks, and how the address says it.

use std::borrow::Cow;

use hyper::StatusCode;

use super::{BOARD_PATH, FAMILY_PATH, Reply, board, family};
use crate::boards::{BoardSet, Target};

/// Families or series that one answer may hold.
const MOST: usize = 500;

/// What is asked of the boards.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Board(BoardQuestion),
    Family(FamilyQuestion),
}

/// One board.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BoardQuestion {
    pub(super) board: Option<String>,
    pub(super) search: Search,
    pub(super) sort: Sort,
    pub(super) limit: usize,
}

/// One family of a board.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FamilyQuestion {
    pub(super) board: Option<String>,
    pub(super) name: String,
    pub(super) search: Search,
    pub(super) limit: usize,
}

/// In which order families come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Name,
    /// Those with the most series first.
    Series,
}

impl Question {
    /// Reads the part of an address behind the question mark.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn parse(path: &str, query: Option<&str>) -> Result<Self, String> {
        let known: &[&str] = match path {
            FAMILY_PATH => &["board", "name", "search", "limit"],
            BOARD_PATH => &["board", "search", "sort", "limit"],
            _ => return Err(format!("nothing can be asked of {path}")),
        };
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = pairs.collect();
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&&**name)) {
            let known = known.join(", ");
            return Err(format!("there is no parameter `{name}`, but: {known}"));
        }
        let given = |name: &str| {
            let pair = pairs.iter().find(|(given, _)| given == name);
            pair.map(|(_, value)| &**value)
        };
        let board = given("board").map(str::to_owned);
        let search = Search::new(given("search").unwrap_or_default());
        if path == FAMILY_PATH {
            let name = given("name").ok_or("which family? Give its `name`")?;
            return Ok(Self::Family(FamilyQuestion {
                board,
                name: name.to_owned(),
                search,
                limit: limit(given("limit"), 50)?,
            }));
        }
        let sort = match given("sort") {
            None | Some("name") => Sort::Name,
            Some("series") => Sort::Series,
            Some(other) => return Err(format!("sort is `name` or `series`, not `{other}`")),
        };
        Ok(Self::Board(BoardQuestion {
            board,
            search,
            sort,
            limit: limit(given("limit"), 100)?,
        }))
    }

    /// Answers it from the boards as they were last read.
    pub(crate) fn answer(&self, boards: &BoardSet) -> Reply {
        match self {
            Self::Board(question) => Reply::json(&board::answer(boards, question)),
            Self::Family(question) => match family::answer(boards, question) {
                Some(answer) => Reply::json(&answer),
                None => {
                    Reply::refusal(StatusCode::NOT_FOUND, "There is no such family (any more).")
                }
            },
        }
    }
}

fn limit(given: Option<&str>, unless: usize) -> Result<usize, String> {
    match given.map(str::parse) {
        None => Ok(unless),
        Some(Ok(limit)) if (1..=MOST).contains(&limit) => Ok(limit),
        Some(_) => Err(format!("limit is a whole number from 1 to {MOST}")),
    }
}

/// The board of that label, or the first that is there.
pub(super) fn choose<'a>(boards: &'a BoardSet, label: Option<&str>) -> Option<&'a Target> {
    boards.targets().iter().find(|target| match label {
        Some(label) => target.label() == label,
        None => target.mapped().is_some(),
    })
}

/// Words that must all be there, in any case of letters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Search {
    words: Vec<String>,
}

impl Search {
    fn new(text: &str) -> Self {
        let words = text.split_whitespace().map(str::to_lowercase);
        Self {
            words: words.collect(),
        }
    }

    /// Whether every word is in one of the texts. Without a word, always.
    pub(super) fn finds<'a>(&self, texts: impl Fn() -> Vec<Cow<'a, str>>) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let texts = texts()
            .iter()
            .map(|text| text.to_lowercase())
            .collect::<Vec<_>>();
        let there = |word: &String| texts.iter().any(|text| text.contains(word.as_str()));
        self.words.iter().all(there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions() {
        let parse = |query| Question::parse(BOARD_PATH, Some(query));
        assert_eq!(
            parse("board=a%2Fb&search=HTTP+get&sort=series&limit=7"),
            Ok(Question::Board(BoardQuestion {
                board: Some("a/b".to_owned()),
                search: Search {
                    words: vec!["http".to_owned(), "get".to_owned()],
                },
                sort: Sort::Series,
                limit: 7,
            }))
        );
        for wrong in [
            "limit=0",
            "limit=501",
            "limit=x",
            "sort=age",
            "name=x",
            "serch=x",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse("serch=x").unwrap_err().contains("search"));
        assert!(Question::parse(FAMILY_PATH, None).is_err());
        assert!(Question::parse(FAMILY_PATH, Some("name=x&limit=1")).is_ok());
    }

    #[test]
    fn every_word_must_be_found_somewhere() {
        let texts = || {
            vec![
                Cow::Borrowed("http_requests_total"),
                "Requests served.".into(),
            ]
        };
        for found in ["", " ", "HTTP", "served http_", "requests total"] {
            assert!(Search::new(found).finds(texts), "{found}");
        }
        for missed in ["grpc", "http failed", "total.served"] {
            assert!(!Search::new(missed).finds(texts), "{missed}");
        }
    }
}
