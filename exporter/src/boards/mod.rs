//! The boards that are served: found, mapped, and followed when they are made again.
//!
//! A board is identified by the file at its path (device and inode; the mapping keeps the
//! old file's inode from being used again). Whatever file is at the path is the board that
//! is served, which is also what a freshly started exporter would serve.

mod spec;
mod target;

use std::time::{Duration, Instant};

use tallyboard::BoardOptions;

use crate::encode::Source;
use target::name_of;

pub use spec::BoardSpec;
pub use target::Target;

/// How often globs are looked at again.
const GLOB_INTERVAL: Duration = Duration::from_secs(1);

/// All boards of an exporter.
pub struct BoardSet {
    specs: Vec<BoardSpec>,
    create: Option<BoardOptions>,
    targets: Vec<Target>,
    globbed_at: Option<Instant>,
    next_id: u64,
}

impl BoardSet {
    /// A set that has not looked yet: call [`refresh`](Self::refresh). With `create`, single
    /// boards that are not there are made.
    pub fn new(specs: Vec<BoardSpec>, create: Option<BoardOptions>) -> Self {
        Self {
            specs,
            create,
            targets: Vec::new(),
            globbed_at: None,
            next_id: 0,
        }
    }

    /// Whether series carry a `board` label: when there can be more than one board. What the
    /// globs match at the moment does not matter, or every series would change its name
    /// when a second board appears.
    fn is_labelled(&self) -> bool {
        self.specs.len() > 1 || matches!(self.specs[..], [BoardSpec::Glob { .. }])
    }

    /// Maps boards that have appeared, drops those that are gone, replaces those that were
    /// made again, and reads again which series there are. One `stat` a board where nothing
    /// has changed, and the reader's O(slots).
    pub fn refresh(&mut self) {
        self.follow();
        for target in &mut self.targets {
            target.refresh();
        }
    }

    /// The first half of [`refresh`](Self::refresh): boards, not their series.
    pub fn follow(&mut self) {
        self.expand();
        for target in &mut self.targets {
            target.follow(self.create.as_ref(), &mut self.next_id);
        }
    }

    /// Whether at least one board is mapped.
    pub fn is_ready(&self) -> bool {
        self.targets.iter().any(|target| target.mapped().is_some())
    }

    /// The boards that are wanted, mapped or not, in the order of the command line.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The mapped boards for the encoder.
    pub fn sources(&self) -> Vec<Source<'_>> {
        let labelled = self.is_labelled();
        let targets = self.targets.iter();
        targets
            .filter_map(|target| target.source(labelled))
            .collect()
    }

    /// Makes `targets` what the specs say, keeping those that stay.
    fn expand(&mut self) {
        let now = Instant::now();
        let has_globs = (self.specs.iter()).any(|spec| matches!(spec, BoardSpec::Glob { .. }));
        let due = match self.globbed_at {
            None => true,
            Some(at) => has_globs && now.duration_since(at) >= GLOB_INTERVAL,
        };
        if !due {
            return;
        }
        self.globbed_at = Some(now);
        let mut before = std::mem::take(&mut self.targets);
        let wanted: Vec<_> = self.specs.iter().flat_map(BoardSpec::locations).collect();
        for (location, creatable) in wanted {
            let Some(path) = location.path() else {
                continue;
            };
            if self.targets.iter().any(|target| target.path() == path) {
                continue;
            }
            let target = match before.iter().position(|target| target.path() == path) {
                Some(index) => before.swap_remove(index),
                None => {
                    // A board that is there keeps its label; a new one gets out of its way.
                    let mut others = self.targets.iter().chain(&before);
                    let short = name_of(&path);
                    let taken = others.any(|other| other.label() == short);
                    let label = if taken { location.to_string() } else { short };
                    Target::new(location, path, label, creatable)
                }
            };
            self.targets.push(target);
        }
    }
}

#[cfg(test)]
mod tests {
    use tallyboard::Location;

    use super::*;

    #[test]
    fn globs_find_boards_and_forget_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let pattern = path("*.board");
        let mut set = BoardSet::new(vec![BoardSpec::parse(pattern.as_os_str()).unwrap()], None);
        let labels = |set: &mut BoardSet| -> Vec<String> {
            set.globbed_at = None;
            set.expand();
            let labels = set.targets.iter().map(|target| target.label().to_owned());
            labels.collect()
        };
        assert!(labels(&mut set).is_empty());
        for name in ["b.v1.board", "a.v1.board", ".t.v1.board", "a.txt"] {
            std::fs::write(path(name), "").unwrap();
        }
        assert_eq!(labels(&mut set), ["a", "b"]);
        assert!(set.is_labelled());
        std::fs::remove_file(path("a.v1.board")).unwrap();
        assert_eq!(labels(&mut set), ["b"]);
    }

    #[test]
    fn boards_of_one_name_get_labels_apart() {
        let specs = ["/x/a.v1.board", "/y/a.v1.board", "/x/a.v1.board"];
        let specs = specs.map(|path| BoardSpec::one(Location::Path(path.into())).unwrap());
        let mut set = BoardSet::new(specs.to_vec(), None);
        set.expand();
        let labels: Vec<&str> = set.targets.iter().map(Target::label).collect();
        assert_eq!(labels.len(), 2);
        assert_eq!(labels[0], "a");
        assert!(labels[1].contains("/y/a.v1.board"));
    }
}
