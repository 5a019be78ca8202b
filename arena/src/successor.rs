//! The board that takes the place of one that was given up.
//!
//! Whoever meets an ended series on a retired board asks for the board that has the path now,
//! wherever that is: an update may run in a signal handler. So nothing here allocates from the
//! heap or waits for a lock of the process; what is kept comes from [`kept`](crate::kept).
//! Who dies on the way has made a complete board or none (`file::create`), and mapped it or not.

use crate::attached::{self, Attached, Origin};
use crate::environment;
use crate::file::{self, Plan};
use crate::layout::Geometry;
use crate::removal::Removal;
use crate::sync::Ordering;
use crate::trouble::Trouble;
use std::borrow::Cow;
use std::path::Path;

/// Each turn loses a race against another process that made or removed the board. More are
/// not worth it: the next try comes soon.
const TURNS: u32 = 8;

/// Beyond so many tries one in so many is made.
const SPARSE: u64 = 65_536;

/// Whether the `count`-th try since the first failure is to be made: an update is not to cost
/// a syscall each time where there is nothing to be found.
fn is_due(count: u64) -> bool {
    if count < SPARSE {
        count.is_power_of_two()
    } else {
        count.is_multiple_of(SPARSE)
    }
}

impl Attached {
    /// The board that has this one's path now, made anew if there is none and this one was
    /// this user's; kept until the process ends. `None` for private boards and those attached
    /// for reading, and as long as there is nothing to move to: asked again and again, it looks
    /// at growing distances only.
    ///
    /// Two loads once it was found; before that some ten syscalls, and the reservation of the
    /// board's memory if it is made. No allocation, no lock that is waited for: safe in a
    /// signal handler and after `fork`.
    pub(crate) fn successor(&'static self) -> Option<&'static Attached> {
        match self.successor.get() {
            Some(known) if !known.segment.is_retired() => Some(known),
            _ => self.look_again(),
        }
    }

    #[cold]
    #[inline(never)]
    fn look_again(&'static self) -> Option<&'static Attached> {
        // As long as no look has failed all threads may look: only failures are put off.
        if self.tries.load(Ordering::Relaxed) != 0 {
            let before = self.tries.fetch_add(1, Ordering::Relaxed);
            if !is_due(before.saturating_add(1)) {
                return None;
            }
        }
        let found = self.look();
        match found {
            Some(found) => {
                self.successor.set(found);
                self.tries.store(0, Ordering::Relaxed);
            }
            None => {
                let _ = self
                    .tries
                    .compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
        found
    }

    fn look(&'static self) -> Option<&'static Attached> {
        let path: &'static Path = self.path()?;
        if !self.segment.region.is_writable() {
            return None;
        }
        for _ in 0..TURNS {
            match file::open(path, true, self.origin.any_filesystem) {
                Ok(opened) if opened.facts.id == self.facts.id => {
                    if !self.is_out_of_the_way() {
                        return None;
                    }
                    continue;
                }
                Ok(opened) => {
                    let origin = Origin {
                        path: Some(Cow::Borrowed(path)),
                        ..self.origin
                    };
                    let found = attached::attach_kept(opened, origin)?;
                    if !found.segment.is_retired() {
                        return Some(found);
                    }
                    if !found.is_out_of_the_way() {
                        return None;
                    }
                    continue;
                }
                Err(Trouble::NotFound) => {}
                Err(_) => return None,
            }
            match file::create(path, &self.plan()?) {
                Ok(()) | Err(Trouble::Exists) => {}
                Err(_) => return None,
            }
        }
        None
    }

    /// Whether the name is free, or another's, of this board that had it a moment ago: it is
    /// taken away if the board was given up. Whoever was at that may have died.
    fn is_out_of_the_way(&self) -> bool {
        self.segment.is_retired()
            && matches!(self.finish_removal(), Ok(Removal::Done | Removal::Gone))
    }

    /// What this board was made as. `None` if it was not made by this user: then who made it
    /// is to say what the next one is like.
    fn plan(&self) -> Option<Plan> {
        let Geometry {
            slots, processes, ..
        } = self.segment.geometry;
        let mode = self.facts.mode & 0o777;
        let is_ours = self.facts.uid == rustix::process::geteuid().as_raw();
        is_ours.then_some(Plan {
            geometry: Geometry::new(slots, processes, environment::possible_cpus())?,
            mode,
            // Where the mode gives the group nothing, it may be any.
            group: (mode & 0o070 != 0).then_some(self.facts.gid),
            any_filesystem: self.origin.any_filesystem,
            series_cap: self.segment.series_cap,
            keep_dead_seconds: self.segment.keep_dead_seconds,
        })
    }
}

#[cfg(all(test, not(arena_loom)))]
#[test]
fn tries_thin_out() {
    let due: Vec<u64> = (1..=20).filter(|count| is_due(*count)).collect();
    assert_eq!(due, [1, 2, 4, 8, 16]);
    assert_eq!(
        (1..=10 * SPARSE).filter(|count| is_due(*count)).count(),
        16 + 10
    );
}
