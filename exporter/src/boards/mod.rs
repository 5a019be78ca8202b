//! The boards that are served: found, mapped, and followed when they are made again.
//!
//! A board is identified by the file at its path (device and inode; the mapping keeps the
//! old file's inode from being used again). Whatever file is at the path is the board that
//! is served, which is also what a freshly started exporter would serve.

mod board_file;
mod spec;
mod target;
mod watch;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tallyboard::{BoardOptions, ProcessIdentity};

use crate::encode::Source;
use spec::Wanted;

pub(crate) use board_file::BoardFile;
pub use spec::BoardSpec;
pub use target::{Target, Unlinked};

/// How often globs are looked at again.
const GLOB_INTERVAL: Duration = Duration::from_secs(1);

/// How many boards are remembered that a glob does not find any more, and how many that were
/// unlinked while nobody takes those.
const REMEMBERED: usize = 100;

/// All boards of an exporter.
pub struct BoardSet {
    specs: Vec<BoardSpec>,
    create: Option<BoardOptions>,
    targets: Vec<Target>,
    globbed_at: Option<Instant>,
    next_id: u64,
    /// Boards that were unlinked, until somebody takes them; who only shows boards never does.
    unlinked: Vec<Unlinked>,
    /// How often a board was unlinked that a glob does not find now, by label.
    gone: BTreeMap<String, u64>,
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
            unlinked: Vec::new(),
            gone: BTreeMap::new(),
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
        self.refresh_series();
        self.look();
    }

    /// [`refresh`](Self::refresh) without how full the boards are, which is most of its cost where
    /// nothing has changed: [`look`](Self::look) may come later.
    pub fn refresh_series(&mut self) {
        self.follow();
        for target in &mut self.targets {
            target.refresh();
        }
    }

    /// Looks at how full the boards are, and logs what is new and wrong with them. O(slots).
    pub fn look(&mut self) {
        for target in &mut self.targets {
            target.look();
        }
    }

    /// The first half of [`refresh`](Self::refresh): boards, not their series.
    fn follow(&mut self) {
        // Before, and not after: of what comes now all is there for whoever takes it each time.
        let too_many = self.unlinked.len().saturating_sub(REMEMBERED);
        self.unlinked.drain(..too_many);
        self.expand();
        for target in &mut self.targets {
            let unlinked = target.follow(self.create.as_ref(), &mut self.next_id);
            self.unlinked.extend(unlinked);
        }
    }

    /// The boards that were unlinked since the last call; if very many were, the last of them.
    pub fn take_unlinked(&mut self) -> Vec<Unlinked> {
        std::mem::take(&mut self.unlinked)
    }

    /// How often boards were unlinked, by label: those that are wanted, and some that a glob does
    /// not find any more.
    pub fn unlinked(&self) -> impl Iterator<Item = (&str, u64)> {
        let wanted = self.targets.iter();
        let wanted = wanted.map(|target| (target.label(), target.unlinked()));
        let gone = self.gone.iter().map(|(label, times)| (&**label, *times));
        wanted.chain(gone)
    }

    /// Lets go of boards that have lost their memory; whether there was one. To be asked after
    /// reading: if so, whatever was made of the boards is to be made again without it.
    pub fn drop_broken(&mut self) -> bool {
        let dropped = self.targets.iter_mut().map(Target::drop_broken);
        dropped.fold(false, |any, dropped| any | dropped)
    }

    /// Whether at least one board is mapped.
    pub fn is_ready(&self) -> bool {
        self.targets.iter().any(|target| target.mapped().is_some())
    }

    /// The boards that are wanted, mapped or not, in the order of the command line.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Who is on the mapped boards, as the processes have said themselves, and which board's file
    /// says so.
    pub(crate) fn process_identities(&self) -> Vec<(ProcessIdentity, BoardFile)> {
        let mut identities = Vec::new();
        for target in &self.targets {
            if let (Some((board, _)), Some(file)) = (target.mapped(), target.file()) {
                let said = board.process_identities().into_iter();
                identities.extend(said.map(|identity| (identity, file)));
            }
        }
        identities
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
        let wanted: Vec<_> = self.specs.iter().flat_map(BoardSpec::wanted).collect();
        for board in &wanted {
            let path = &board.path;
            if self.targets.iter().any(|target| target.path() == path) {
                continue;
            }
            let target = match before.iter().position(|target| target.path() == path) {
                Some(index) => before.swap_remove(index),
                None => {
                    let given = as_given(board, &wanted);
                    let unlinked = self.gone.remove(&given.label).unwrap_or(0);
                    Target::new(given, unlinked)
                }
            };
            self.targets.push(target);
        }
        for mut target in before {
            self.unlinked.extend(target.let_go());
            if target.unlinked() > 0 && self.gone.len() < REMEMBERED {
                self.gone
                    .insert(target.label().to_owned(), target.unlinked());
            }
        }
    }
}

/// What to take a board as that several specs stand for: what was given by itself counts
/// more than a match of a glob, which comes and goes with the file.
fn as_given(board: &Wanted, wanted: &[Wanted]) -> Wanted {
    let mut singles = wanted.iter().filter(|other| other.is_single);
    let single = singles.find(|single| single.path == board.path);
    single.unwrap_or(board).clone()
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
        assert!(labels(&mut set).is_empty());
        for name in ["b.v1.board", "a.v1.board", ".t.v1.board", "a.txt"] {
            std::fs::write(path(name), "").unwrap();
        }
        let label = |name: &str| path(name).to_str().unwrap().to_owned();
        let (a, b) = (label("a.v1.board"), label("b.v1.board"));
        assert_eq!(labels(&mut set), [a, b.clone()]);
        assert!(set.is_labelled());
        std::fs::remove_file(path("a.v1.board")).unwrap();
        assert_eq!(labels(&mut set), [b]);
    }

    #[test]
    fn boards_of_one_name_get_labels_apart() {
        let specs = ["/x/a.v1.board", "/y/a.v1.board", "/x/a.v1.board"];
        let specs = specs.map(|path| BoardSpec::one(Location::Path(path.into())).unwrap());
        let mut set = BoardSet::new(specs.to_vec(), None);
        assert_eq!(labels(&mut set), ["/x/a.v1.board", "/y/a.v1.board"]);
    }

    #[test]
    fn a_label_does_not_depend_on_which_board_was_found_first() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).join("default.v1.board");
        for name in ["a", "b"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        let glob = BoardSpec::parse(path("*").as_os_str()).unwrap();
        let single = BoardSpec::One {
            location: Location::Path(path("c")),
            label: "single".to_owned(),
        };
        let specs = vec![glob, single];
        let mut set = BoardSet::new(specs.clone(), None);
        assert_eq!(labels(&mut set), ["single"]);
        // Each board is found after one that the glob puts behind it.
        std::fs::create_dir(directory.path().join("c")).unwrap();
        for name in ["c", "b", "a"] {
            std::fs::write(path(name), "").unwrap();
            labels(&mut set);
        }
        let before_restart = labels(&mut set);
        let after_restart = labels(&mut BoardSet::new(specs, None));
        assert_eq!(before_restart, after_restart);
        assert!(after_restart[0].ends_with("/a/default.v1.board"));
        assert!(after_restart[1].ends_with("/b/default.v1.board"));
        assert_eq!(after_restart[2], "single");
    }

    #[test]
    fn boards_that_nobody_takes_do_not_add_up() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let path = directory.path().join("a.v1.board");
        let specs = vec![BoardSpec::one(Location::Path(path.clone())).unwrap()];
        let mut set = BoardSet::new(specs, Some(BoardOptions::new().slots(64)));
        let mut uuids = Vec::new();
        for _ in 0..2 * REMEMBERED {
            set.follow();
            let (board, _) = set.targets()[0].mapped().unwrap();
            uuids.extend(board.uuid());
            std::fs::remove_file(&path).unwrap();
        }
        set.follow();
        let taken = set.take_unlinked();
        // With the one that came last.
        assert_eq!(taken.len(), REMEMBERED + 1);
        assert!(uuids.ends_with(&taken), "the last of them are there");
        assert!(set.take_unlinked().is_empty());
        assert_eq!(set.targets()[0].unlinked(), 2 * REMEMBERED as u64);
    }

    /// The labels after looking again.
    fn labels(set: &mut BoardSet) -> Vec<String> {
        set.globbed_at = None;
        set.expand();
        let labels = set.targets.iter().map(|target| target.label().to_owned());
        labels.collect()
    }
}
