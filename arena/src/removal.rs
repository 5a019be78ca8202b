//! Boards that are given up, and the end of their names.
//!
//! ```text
//!   alive ──▶ retired ──▶ its series ended ──▶ its name gone
//! ```
//!
//! Each arrow can be taken twice, and by anybody who may write to the board and its directory.
//! Who dies on the way leaves a board that is retired and still has its name: whoever opens it
//! next, or looks there for a successor, does the rest. The name goes under a lock on a byte
//! of the file that has it, [`REMOVAL_BYTE`], after a look whether it has it still. A new board
//! can have the name only when the old one has lost it, so no remover of the old one is
//! between its look and its unlink then: a board that is not retired never loses its name.

use crate::attached::{self, Attached};
use crate::error::OpenError;
use crate::file;
use crate::layout::{HeadRecord, Header, REMOVAL_BYTE};
use crate::liveness::{LockFile, Reopen};
use crate::location::{Location, is_name_of_board};
use crate::record::{SERIES, Shape};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::State;
use crate::step::{self, Step};
use crate::sync::Ordering;
use crate::trouble::Trouble;
use core::mem::offset_of;
use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How often a removal is tried that another process is about to do, or that begins with a board
/// that is gone when it is to be opened.
const TRIES: u32 = 100;

/// Between two of them.
pub(crate) const PAUSE: Duration = Duration::from_millis(1);

/// Gives a board up: marks it retired, ends all its series, then takes its name away.
/// Whoever still has it open sees that at once ([`Board::is_retired`](crate::Board::is_retired));
/// the next update of a handle moves it to the board that has the name by then, and if there
/// is none, makes one like the old one where that was its own user's. Until the name is gone
/// updates go nowhere. If this process dies on the way, whoever opens the board next, or the
/// next update, does the rest. A damaged board, or one of another layout version, is just
/// unlinked; so is what is no board (any more) and is called `….v1.board`.
///
/// # Errors
/// [`OpenError::NotFound`] if there is none, [`OpenError::NotABoard`] for any other file,
/// and what opening and unlinking can say.
pub fn remove(at: &Location) -> Result<(), OpenError> {
    remove_if(at, is_name_of_board)
}

/// As [`remove`], also of a regular file that is no board and has any other name.
///
/// # Errors
/// As [`remove`].
pub fn remove_by_force(at: &Location) -> Result<(), OpenError> {
    remove_if(at, |_| true)
}

/// `is_meant` says by the path whether a file is to go that is no board.
fn remove_if(at: &Location, is_meant: fn(&Path) -> bool) -> Result<(), OpenError> {
    let path = match at {
        Location::Off => return Err(OpenError::Unsuitable { location: "off" }),
        Location::Private => {
            return Err(OpenError::Unsuitable {
                location: "private",
            });
        }
        Location::Path(_) | Location::Shm(_) => at.checked_path()?,
    };
    for turn in 0..TRIES {
        if turn > 0 {
            std::thread::sleep(PAUSE);
        }
        let (fd, facts) = file::open_file(&path, true, true).map_err(|it| it.at(&path))?;
        let outcome = match file::read_header(fd, facts) {
            Ok(opened) => match attached::attach_once(&path, opened, true, true, false) {
                Ok(hold) => hold.finish_removal(),
                Err(OpenError::Replaced { .. }) => continue,
                Err(error) => return Err(error),
            },
            Err(Trouble::NotABoard(why)) if !is_meant(&path) => Err(Trouble::NotABoard(why)),
            Err(
                Trouble::NotABoard(_)
                | Trouble::Version(_)
                | Trouble::Features(_)
                | Trouble::Damaged(_),
            ) => {
                let reopen = Reopen::by_path(Cow::Owned(path.clone()), facts.id);
                take_name(reopen.open(), &path, facts.id)
            }
            Err(trouble) => Err(trouble),
        };
        match outcome.map_err(|trouble| trouble.at(&path))? {
            // That another has done it is as good.
            Removal::Done | Removal::Gone => return Ok(()),
            Removal::Busy => {}
        }
    }
    let busy = Trouble::with("removing")(io::ErrorKind::WouldBlock.into());
    Err(busy.at(&path))
}

/// How the removal of a name ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// The name is gone.
    Done,
    /// It was gone before, or is another file's.
    Gone,
    /// Another process is about to do it.
    Busy,
}

impl Attached {
    /// Gives the board up, from wherever whoever began with it has stopped. For a mapping that
    /// is writable. No allocation, and no lock that is waited for.
    pub(crate) fn finish_removal(&self) -> Result<Removal, Trouble> {
        retire(&self.segment);
        match self.path() {
            Some(path) => take_name(self.segment.process.locks(), path, self.facts.id),
            None => Ok(Removal::Gone),
        }
    }
}

/// Unlinks `path` if it names the file `id`, which `locks` is to be a description of.
fn take_name(locks: io::Result<LockFile>, path: &Path, id: (u64, u64)) -> Result<Removal, Trouble> {
    let removing = Trouble::with("removing");
    let locks = match locks {
        Ok(locks) => locks,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Removal::Gone),
        Err(error) => return Err(removing(error)),
    };
    if !locks.try_lock(REMOVAL_BYTE) {
        return Ok(Removal::Busy);
    }
    let outcome = match file::is_at(path, id) {
        Ok(true) => file::unlink(path).map(|()| Removal::Done),
        Ok(false) => Ok(Removal::Gone),
        Err(error) => Err(removing(error.into())),
    };
    // A child that was forked just now may have the description, too.
    locks.unlock(REMOVAL_BYTE);
    outcome
}

/// Marks a board retired and ends all its series. One pass over the state words.
pub(crate) fn retire(segment: &Segment) {
    // ORDERING: [X1] AcqRel; pairs with the Acquire of `is_retired`. A read-modify-write, so
    // that on x86-64 the states below are read after it is seen: who makes something READY and
    // then looks here is either seen there or sees this.
    let retired = segment.region.word(offset_of!(Header, retired) as u64);
    retired.swap(1, Ordering::AcqRel);
    step::here(Step::Retired);
    // The families last: a series without its family is damage.
    for families_too in [false, true] {
        if families_too {
            step::here(Step::HalfEmptied);
        }
        for index in 0..segment.geometry.slots {
            let Some(slot) = segment.slot(index) else {
                break;
            };
            // ORDERING: [S1] Acquire: `end` unlinks by the record behind the state.
            let state = State::of(segment.state(slot).load(Ordering::Acquire));
            let State::Ready { serial } = state else {
                continue;
            };
            // Relaxed: behind the state; a word of another life is of a slot that has ended.
            let shape = segment.record(slot, offset_of!(HeadRecord, shape));
            let is_series = Shape::of(shape.load(Ordering::Relaxed)).kind == SERIES;
            if is_series || families_too {
                // Died cannot happen here, and that it was not READY any more is as good.
                let _ = segment.end(Bound { slot, serial });
            }
        }
    }
    step::here(Step::Emptied);
}
