//! What `--board` of `serve` takes.

use std::ffi::OsStr;
use std::path::Path;

use tallyboard::Location;

/// One `--board`: a location, or a pattern of locations.
#[derive(Clone, Debug)]
pub enum BoardSpec {
    /// A single board.
    One(Location),
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
            return Self::one(location);
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

    /// The spec of a single board.
    ///
    /// # Errors
    ///
    /// `off` and `private`: there is nothing to serve.
    pub fn one(location: Location) -> Result<Self, String> {
        if location.path().is_none() {
            return Err(format!(
                "`{location}` is no board that another process can read; name a board or a path"
            ));
        }
        Ok(Self::One(location))
    }

    /// The locations it stands for now, and whether they may be created.
    pub(super) fn locations(&self) -> Vec<(Location, bool)> {
        let (pattern, shm) = match self {
            Self::One(location) => return vec![(location.clone(), true)],
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
        locations.map(|location| (location, false)).collect()
    }
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
        assert!(matches!(parse("/tmp/a.v1.board"), Ok(BoardSpec::One(_))));
        let Ok(BoardSpec::Glob { pattern, shm }) = parse("shm:job-*") else {
            panic!("shm globs are globs");
        };
        assert!(shm && pattern.ends_with("/job-*"));
        let Ok(BoardSpec::Glob { pattern, shm }) = parse("job-*") else {
            panic!("names can be globs");
        };
        assert!(!shm && pattern.contains("/job-*.") && pattern.ends_with(".board"));
    }
}
