//! The board that takes a place: found, made, shared, refused, and all that without the heap.

use super::allocations;
use crate::attached::{Attached, Hold};
use crate::sync::Ordering;
use crate::{Board, BoardOptions, Location, OpenError};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::ptr;

/// A directory on a tmpfs that is gone with the test.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap()
}

fn small() -> BoardOptions {
    Board::options().slots(96).processes(5).series_cap(7)
}

fn path(directory: &Path) -> PathBuf {
    directory.join("gone.board")
}

/// What a handle on `board` holds on to.
fn kept(board: &Board) -> &'static Attached {
    Attached::keep(board.attached().unwrap())
}

fn is_kept_as(board: &Board, kept: &Attached) -> bool {
    ptr::eq::<Attached>(&**board.attached().unwrap(), kept)
}

/// A board whose series have ended and whose name is gone.
fn gone(at: &Location) -> &'static Attached {
    let board = small().mode(0o640).create(at).unwrap();
    let old = kept(&board);
    drop(board);
    crate::remove(at).unwrap();
    old
}

#[test]
fn a_board_that_is_gone_is_made_again_as_it_was() {
    let directory = directory();
    let at = Location::Path(path(directory.path()));
    let old = gone(&at);
    let new = old.successor().unwrap();
    assert!(!ptr::eq(old, new));
    assert_ne!(old.uuid, new.uuid);
    assert_eq!(old.segment.geometry, new.segment.geometry);
    assert_eq!(new.segment.series_cap, 7);
    let meta = std::fs::metadata(path(directory.path())).unwrap();
    assert_eq!(meta.mode() & 0o777, 0o640);
    assert_eq!((meta.uid(), meta.gid()), (old.facts.uid, old.facts.gid));
    assert_eq!(old.segment.planes.is_rseq(), new.segment.planes.is_rseq());
    assert!(ptr::eq(old.successor().unwrap(), new));
    // Nothing but the board is left in the directory.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_process_maps_the_next_board_once_whoever_comes_first() {
    let directory = directory();
    let at = Location::Path(path(directory.path()));
    let old = gone(&at);
    let new = old.successor().unwrap();
    let opened = small().open(&at).unwrap();
    assert!(matches!(opened.attached(), Some(Hold::Kept(_))));
    assert!(is_kept_as(&opened, new));
    assert!(ptr::eq(kept(&opened), new));
    opened.counter("c_total", "").register().unwrap();
    assert_eq!(opened.stats().processes_used, 1);

    crate::remove(&at).unwrap();
    let opened = small().open(&at).unwrap();
    assert!(matches!(opened.attached(), Some(Hold::Counted(_))));
    let next = new.successor().unwrap();
    assert!(is_kept_as(&opened, next));
    // What was found first was given up meanwhile.
    assert!(ptr::eq(old.successor().unwrap(), next));
    // It stays mapped when the program lets go of it.
    let uuid = opened.uuid();
    drop(opened);
    assert!(!next.segment.is_retired());
    let again = small().open(&at).unwrap();
    assert!(again.uuid() == uuid && is_kept_as(&again, next));
}

#[test]
fn all_threads_move_to_the_same_board() {
    let directory = directory();
    let at = Location::Path(path(directory.path()));
    for _ in 0..20 {
        let old = gone(&at);
        let found: Vec<&Attached> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|n| {
                    let at = &at;
                    scope.spawn(move || match n {
                        3 => kept(&small().open(at).unwrap()),
                        _ => old.successor().unwrap(),
                    })
                })
                .collect();
            let found = threads.into_iter().map(|thread| thread.join().unwrap());
            found.collect()
        });
        assert!(found.iter().all(|board| ptr::eq(*board, found[0])));
        crate::remove(&at).unwrap();
    }
}

#[test]
fn a_board_with_an_os_name_has_a_successor_too() {
    let at = Location::Shm(format!("tallyboard-gone-{}", std::process::id()));
    let old = gone(&at);
    let new = old.successor().unwrap();
    assert!(is_kept_as(&small().open(&at).unwrap(), new));
    crate::remove(&at).unwrap();
}

#[test]
fn private_boards_and_readers_have_no_successor() {
    let private = Board::open(&Location::Private).unwrap();
    assert!(kept(&private).successor().is_none());
    private.retire();
    assert!(!private.is_retired());

    let directory = directory();
    let at = Location::Path(path(directory.path()));
    small().create(&at).unwrap();
    let reader = small().attach_read_only(&at).unwrap();
    crate::remove(&at).unwrap();
    assert!(reader.is_retired());
    assert!(kept(&reader).successor().is_none());
    assert!(!path(directory.path()).exists());
}

#[test]
fn a_successor_that_is_not_found_is_looked_for_ever_less_often() {
    let directory = directory();
    let path = path(directory.path());
    let old = gone(&Location::Path(path.clone()));
    std::fs::write(&path, "not a board").unwrap();
    for _ in 0..4 {
        assert!(old.successor().is_none());
    }
    std::fs::remove_file(&path).unwrap();
    // The fifth to the seventh do not look: there would be something to be made.
    for count in 5..8 {
        assert!(old.successor().is_none());
        assert_eq!(old.tries.load(Ordering::Relaxed), count);
        assert!(!path.exists());
    }
    assert!(old.successor().is_some());
    assert_eq!(old.tries.load(Ordering::Relaxed), 0);
}

#[test]
fn a_board_whose_removal_was_not_completed_makes_way_for_its_successor() {
    let directory = directory();
    let at = Location::Path(path(directory.path()));
    let board = small().create(&at).unwrap();
    board.retire();
    assert!(board.is_retired() && board.is_linked());
    let old = kept(&board);
    let (calls, new) = allocations::during(|| old.successor());
    assert_eq!(calls, 0);
    assert!(!board.is_linked() && board.check().is_empty());
    // That one, too, was left on the way, and is not known to be the next.
    let next = small().open(&at).unwrap();
    assert!(is_kept_as(&next, new.unwrap()));
    next.retire();
    let (calls, last) = allocations::during(|| old.successor());
    assert!(calls == 0 && !ptr::eq(last.unwrap(), new.unwrap()));
    assert!(!next.is_linked());
}

#[test]
fn a_name_that_another_is_about_to_take_away_is_left_to_it() {
    let directory = directory();
    let at = Location::Path(path(directory.path()));
    let board = small().create(&at).unwrap();
    board.retire();
    let old = kept(&board);
    let locks = old.segment.process.locks().unwrap();
    assert!(locks.try_lock(crate::layout::REMOVAL_BYTE));
    assert!(old.successor().is_none());
    assert!(matches!(
        small().attach(&at),
        Err(OpenError::Replaced { .. })
    ));
    assert!(matches!(crate::remove(&at), Err(OpenError::Io { .. })));
    assert!(board.is_linked());
    drop(locks);
    crate::remove(&at).unwrap();
    assert!(!board.is_linked() && old.successor().is_some());
}

#[test]
fn another_users_board_is_neither_made_nor_taken_unless_it_is_shared() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can give a file away");
        return;
    }
    const STRANGER: u32 = 12_345;
    let directory = directory();
    let path = path(directory.path());
    let at = Location::Path(path.clone());
    let strangers = |mode: u32| {
        drop(small().create(&at).unwrap());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        chown(&path, Some(STRANGER), None).unwrap();
    };
    let find = |old: &'static Attached| {
        // Looks at once, whatever came before.
        old.tries.store(0, Ordering::Relaxed);
        old.successor()
    };
    strangers(0o666);
    let old = kept(&small().attach(&at).unwrap());
    crate::remove(&at).unwrap();
    assert!(find(old).is_none());
    assert!(!path.exists(), "made in another's place");
    strangers(0o600);
    assert!(find(old).is_none());
    std::fs::remove_file(&path).unwrap();
    strangers(0o666);
    assert_eq!(find(old).unwrap().facts.uid, STRANGER);
}

#[test]
fn a_board_in_the_users_own_directory_is_made_again_with_it() {
    let uid = rustix::process::geteuid().as_raw();
    let own = PathBuf::from(format!("/dev/shm/tallyboard.{uid}"));
    if own.exists() {
        println!("skipped: {} is in use", own.display());
        return;
    }
    let path = own.join("gone-with-its-directory.board");
    let old = gone(&Location::Path(path.clone()));
    // Others may have come meanwhile; then there is nothing to be shown.
    let removed = std::fs::remove_dir(&own).is_ok();
    assert!(old.successor().is_some());
    if removed {
        let mode = std::fs::metadata(&own).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    std::fs::remove_file(&path).unwrap();
    let _ = std::fs::remove_dir(&own);
}

#[test]
fn the_heap_is_not_touched_on_the_way_to_a_successor() {
    let directory = directory();
    // Longer than what libraries keep room for on the stack.
    let deep = directory.path().join("d".repeat(200)).join("e".repeat(200));
    std::fs::create_dir_all(&deep).unwrap();
    for parent in [directory.path(), &deep] {
        let path = path(parent);
        let at = Location::Path(path.clone());
        let old = gone(&at);
        std::fs::write(&path, "not a board").unwrap();
        assert_eq!(allocations::during(|| old.successor().is_none()), (0, true));
        std::fs::remove_file(&path).unwrap();
        // Made.
        let (calls, new) = allocations::during(|| old.successor());
        let new = new.unwrap();
        assert_eq!(calls, 0);
        assert_eq!(allocations::during(|| new.segment.own().unwrap()).0, 0);
        // Remembered.
        assert_eq!(allocations::during(|| old.successor().is_some()), (0, true));
        // Found, and open already.
        crate::remove(&at).unwrap();
        let opened = small().open(&at).unwrap();
        let (calls, next) = allocations::during(|| new.successor().unwrap());
        assert!(calls == 0 && is_kept_as(&opened, next));
        // Found, and not open yet.
        crate::remove(&at).unwrap();
        make_elsewhere(&path);
        let (calls, last) = allocations::during(|| next.successor());
        assert!(calls == 0 && last.is_some());
    }
}

/// A board that this process has not open.
fn make_elsewhere(path: &Path) {
    drop(small().create(&Location::Path(path.to_owned())).unwrap());
}

#[test]
fn a_board_of_a_group_that_we_are_not_in_is_refused_without_the_heap() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can give a file away");
        return;
    }
    let directory = directory();
    let path = path(directory.path());
    let old = gone(&Location::Path(path.clone()));
    make_elsewhere(&path);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o660)).unwrap();
    chown(&path, Some(12_345), Some(12_345)).unwrap();
    let (calls, found) = allocations::during(|| old.successor());
    assert!(calls == 0 && found.is_none());
}

#[test]
fn a_forked_child_moves_by_itself() {
    let directory = directory();
    let at = Location::Path(path(directory.path()));
    let old = gone(&at);
    // SAFETY: the child calls only what may be called after a fork of a process with threads:
    // no heap, no lock that is waited for.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let moved = old.successor().is_some_and(|new| new.segment.own().is_ok());
        // SAFETY: ends the child without running anything of the parent's.
        unsafe { libc::_exit(i32::from(!moved)) };
    }
    let mut status = 0;
    // SAFETY: our own child, and a word for its status.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0);
    let new = old.successor().unwrap();
    let row = new.segment.own().unwrap().row;
    // The child's row may be free again or not: a row each it was.
    assert!(row < 2);
}
