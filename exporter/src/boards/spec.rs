//! What `--board` of `serve` takes.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use tallyboard::Location;

/// One `--board`: a location, or a pattern of locations.
///
/// A board's label is a function of the spec that names it and of where the board is: the
/// short name if it was given by name, else the whole location. It never depends on which
/// other boards are there, or two boards could swap their labels when the exporter starts
/// again, and a counter would seem to go down.
#[derive(Clone, Debug)]
pub enum BoardSpec {
    /// A single board.
    One {
        /// Where it is.
        location: Location,
        /// What the `board` label says.
        label: String,
    },
    /// All boards whose files match, whenever they appear.
    Glob {
        /// A pattern of absolute or relative paths.
        pattern: String,
        /// Whether the matches are `shm:` boards.
        shm: bool,
    },
}

impl BoardSpec {
    /// Reads a `--board` value: what [`Location::parse`] takes, and globs (`*`, `?`, `[…]`)
    /// over paths, over names in the default directory, and over `shm:` names.
    ///
    /// # Errors
    ///
    /// Not a location; `off` and `private`, which nobody else can read; a broken pattern.
    pub fn parse(text: &OsStr) -> Result<Self, String> {
        let Some(pattern) = text.to_str().filter(|text| text.contains(['*', '?', '['])) else {
            let location = Location::parse(text).map_err(|error| error.to_string())?;
            let by_name = matches!(location, Location::Path(_))
                .then(|| text.to_str().filter(|text| !text.contains('/')))
                .flatten();
            let label = by_name.map_or_else(|| location.to_string(), str::to_owned);
            return Self::labelled(location, label);
        };
        let shm = pattern.strip_prefix("shm:");
        let pattern = if let Some(pattern) = shm {
            beside(&Location::Shm("x".to_owned()), "x", pattern)?
        } else if pattern.contains('/') {
            pattern.to_owned()
        } else {
            let sample = Location::name("x").map_err(|error| error.to_string())?;
            beside(&sample, "x", pattern)?
        };
        glob::Pattern::new(&pattern).map_err(|error| error.to_string())?;
        Ok(Self::Glob {
            pattern,
            shm: shm.is_some(),
        })
    }

    /// The spec of a single board that was not given as text. Its label is the short name
    /// if that is enough to find it.
    ///
    /// # Errors
    ///
    /// `off` and `private`: there is nothing to serve.
    pub fn one(location: Location) -> Result<Self, String> {
        let label = short_name(&location).unwrap_or_else(|| location.to_string());
        Self::labelled(location, label)
    }

    fn labelled(location: Location, label: String) -> Result<Self, String> {
        if location.path().is_none() {
            return Err(format!(
                "`{location}` is no board that another process can read; name a board or a path"
            ));
        }
        Ok(Self::One { location, label })
    }

    /// The boards it stands for now.
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        let (pattern, shm) = match self {
            Self::One { location, label } => {
                return Vec::from_iter(Wanted::new(location.clone(), label.clone(), true));
            }
            Self::Glob { pattern, shm } => (pattern, *shm),
        };
        // A board in the making may have a temporary name, which begins with a dot.
        let options = glob::MatchOptions {
            require_literal_leading_dot: true,
            require_literal_separator: true,
            ..glob::MatchOptions::default()
        };
        let Ok(paths) = glob::glob_with(pattern, options) else {
            return Vec::new();
        };
        let paths = paths.filter_map(Result::ok);
        let locations = paths.filter_map(|path| {
            if shm {
                let name = path.file_name()?.to_str()?;
                Some(Location::Shm(name.to_owned()))
            } else {
                Some(Location::Path(path))
            }
        });
        let wanted = locations.filter_map(|location| {
            let label = location.to_string();
            Wanted::new(location, label, false)
        });
        wanted.collect()
    }
}

/// One board that a spec stands for.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) location: Location,
    /// Its file.
    pub(super) path: PathBuf,
    /// What the `board` label says.
    pub(super) label: String,
    /// Whether it was given by itself, not found by a glob: such a board may be made.
    pub(super) is_single: bool,
}

impl Wanted {
    fn new(location: Location, label: String, is_single: bool) -> Option<Self> {
        Some(Self {
            path: location.path()?,
            location,
            label,
            is_single,
        })
    }
}

/// The name by which [`Location::name`] finds this board.
fn short_name(location: &Location) -> Option<String> {
    let path = location.path()?;
    // `NAME.v1.board`: the name may have dots.
    let name = path.file_name()?.to_str()?.rsplitn(3, '.').nth(2)?;
    (Location::name(name).ok()? == *location).then(|| name.to_owned())
}

/// The pattern of paths of boards called `pattern`, given the location of one called `name`.
fn beside(sample: &Location, name: &str, pattern: &str) -> Result<String, String> {
    let path = sample.path().unwrap_or_default();
    let (Some(directory), Some(file)) = (
        path.parent().and_then(Path::to_str),
        path.file_name().and_then(OsStr::to_str),
    ) else {
        return Err("the default directory's path is not UTF-8; give a path".to_owned());
    };
    let file = file.replacen(name, pattern, 1);
    Ok(format!("{}/{file}", glob::Pattern::escape(directory)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs() {
        let parse = |text: &str| BoardSpec::parse(OsStr::new(text));
        assert!(parse("off").is_err());
        assert!(parse("private").is_err());
        assert!(parse("/tmp/[").is_err());
        assert!(matches!(
            parse("/tmp/a.v1.board"),
            Ok(BoardSpec::One { .. })
        ));
        let Ok(BoardSpec::Glob { pattern, shm }) = parse("shm:job-*") else {
            panic!("shm globs are globs");
        };
        assert!(shm && pattern.ends_with("/job-*"));
        let Ok(BoardSpec::Glob { pattern, shm }) = parse("job-*") else {
            panic!("names can be globs");
        };
        assert!(!shm && pattern.contains("/job-*.") && pattern.ends_with(".board"));
    }
    #[test]
    fn names_are_labels_and_everything_else_is_labelled_with_its_location() {
        let label = |spec: Result<BoardSpec, String>| match spec {
            Ok(BoardSpec::One { label, .. }) => label,
            other => panic!("{other:?} is no single board"),
        };
        let parsed = |text: &str| label(BoardSpec::parse(OsStr::new(text)));
        for text in ["web", "a.b", "shm:web", "./web.v1.board", "/x/web.v1.board"] {
            assert_eq!(parsed(text), text);
        }
        let named = Location::name("a.b").unwrap();
        assert_eq!(label(BoardSpec::one(named)), "a.b");
        let elsewhere = Location::Path("/x/web.v1.board".into());
        assert_eq!(label(BoardSpec::one(elsewhere)), "/x/web.v1.board");
    }
}
