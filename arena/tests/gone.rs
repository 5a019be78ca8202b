//! Boards that are given up, and what their programs can find out about it.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use tallyboard::{Board, BoardOptions, Location, Number, OpenError};

/// A directory on a tmpfs that is gone with the test.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap()
}

fn at(directory: &Path) -> Location {
    Location::Path(directory.join("test.board"))
}

fn small() -> BoardOptions {
    Board::options().slots(64).processes(4)
}

#[test]
fn a_board_is_linked_as_long_as_its_path_names_it() {
    let directory = directory();
    let location = at(directory.path());
    let path = location.path().unwrap();
    let board = small().create(&location).unwrap();
    let other = small()
        .create(&Location::Path(directory.path().join("other")))
        .unwrap();
    assert!(board.is_linked());
    std::fs::rename(other.path().unwrap(), &path).unwrap();
    assert!(!board.is_linked());
    assert!(!other.is_linked());
    assert_eq!(small().attach(&location).unwrap().uuid(), other.uuid());
    std::fs::remove_file(&path).unwrap();
    assert!(!board.is_linked());
    for location in [Location::Off, Location::Private] {
        assert!(Board::open(&location).unwrap().is_linked());
    }
}

#[test]
fn a_board_that_someone_unlinked_is_retired_without_its_name() {
    let directory = directory();
    let location = at(directory.path());
    let board = small().create(&location).unwrap();
    let counter = board.counter("c_total", "").register().unwrap();
    counter.inc();
    let reader = small().attach_read_only(&location).unwrap();
    std::fs::remove_file(location.path().unwrap()).unwrap();
    reader.retire();
    assert!(!board.is_retired(), "a reader changes nothing");
    assert_eq!(counter.get(), Number::Int(1));
    for _ in 0..2 {
        board.retire();
        assert!(board.is_retired() && reader.is_retired());
        assert_eq!(board.stats().slots_used, 0);
    }
    assert!(board.check().is_empty(), "{:?}", board.check());
    // Nothing of what is at the path now was touched.
    let new = small().create(&location).unwrap();
    board.retire();
    assert!(!new.is_retired() && new.is_linked());
}

#[test]
fn the_cap_on_series_is_in_the_header_and_no_part_of_its_checksum() {
    let directory = directory();
    let location = at(directory.path());
    let word = |offset| {
        let mut bytes = [0; 8];
        let file = std::fs::File::open(location.path().unwrap()).unwrap();
        file.read_exact_at(&mut bytes, offset).unwrap();
        u64::from_le_bytes(bytes)
    };
    // LAYOUT.md §3.
    const SERIES_CAP: u64 = 248;
    drop(small().create(&location).unwrap());
    assert_eq!(word(SERIES_CAP), 0);
    tallyboard::remove(&location).unwrap();
    drop(small().series_cap(12_345).create(&location).unwrap());
    assert_eq!(word(SERIES_CAP), 12_345);
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(location.path().unwrap());
    let file = file.unwrap();
    file.write_all_at(&u64::MAX.to_le_bytes(), SERIES_CAP)
        .unwrap();
    small().attach(&location).unwrap();
}

#[test]
fn a_board_whose_remover_died_is_made_again_by_whoever_opens_it() {
    let directory = directory();
    let location = at(directory.path());
    let make = [BoardOptions::open, BoardOptions::create];
    for make in make {
        let board = small().open(&location).unwrap();
        let counter = board.counter("c_total", "").register().unwrap();
        counter.inc();
        // As far as a remover gets that dies before the unlink.
        board.retire();
        assert!(board.is_linked());
        let new = make(&small(), &location).unwrap();
        assert!(!board.is_linked() && new.is_linked() && !new.is_retired());
        counter.inc();
        assert_eq!(counter.get(), Number::Int(1));
        assert_eq!(new.stats().series, 1);
        new.retire();
        assert!(matches!(
            small().attach(&location),
            Err(OpenError::NotFound { .. })
        ));
    }
    // A reader changes nothing.
    small().create(&location).unwrap().retire();
    assert!(small().attach_read_only(&location).unwrap().is_retired());
    tallyboard::remove(&location).unwrap();
}

#[test]
fn what_is_no_board_is_removed_if_it_is_called_one_or_by_force() {
    let directory = directory();
    let named = |name: &str| Location::Path(directory.path().join(name));
    let exists = |at: &Location| at.path().unwrap().exists();
    let (board, other) = (named("web.v1.board"), named("web.txt"));
    for bytes in [&b""[..], b"no board", &[0; 8192]] {
        for at in [&board, &other] {
            std::fs::write(at.path().unwrap(), bytes).unwrap();
        }
        tallyboard::remove(&board).unwrap();
        assert!(!exists(&board));
        let refused = tallyboard::remove(&other);
        assert!(matches!(refused, Err(OpenError::NotABoard { .. })));
        assert!(exists(&other));
        tallyboard::remove_by_force(&other).unwrap();
        assert!(!exists(&other));
        let nothing = tallyboard::remove_by_force(&other);
        assert!(matches!(nothing, Err(OpenError::NotFound { .. })));
    }
    std::fs::create_dir(board.path().unwrap()).unwrap();
    assert!(tallyboard::remove(&board).is_err() && exists(&board));
    let truncated = named("half.v1.board");
    let half = small().create(&truncated).unwrap();
    drop(half);
    let file = std::fs::File::options()
        .write(true)
        .open(truncated.path().unwrap());
    file.unwrap().set_len(4096).unwrap();
    tallyboard::remove(&truncated).unwrap();
    assert!(!exists(&truncated));
}

/// Removers that die before the unlink, removers that do not, and writers that make the board
/// again: whichever comes first, no board loses its name that was not given up.
#[test]
fn a_board_that_was_not_given_up_never_loses_its_name() {
    let directory = directory();
    let location = at(directory.path());
    const REMOVERS: usize = 4;
    let ended = AtomicBool::new(false);
    let together = Barrier::new(REMOVERS);
    std::thread::scope(|scope| {
        let removers: Vec<_> = (0..REMOVERS)
            .map(|number| {
                let (location, together) = (&location, &together);
                scope.spawn(move || {
                    let mut failed = None;
                    for round in 0..8_000 {
                        together.wait();
                        match tallyboard::remove(location) {
                            Ok(()) | Err(OpenError::NotFound { .. }) => {}
                            // The others wait for this thread.
                            Err(error) => failed = Some(error),
                        }
                        if number == 0
                            && round % 4 == 0
                            && let Ok(board) = small().attach(location)
                        {
                            board.retire();
                        }
                    }
                    failed
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let board = match small().open(&location) {
                        Ok(board) => board,
                        // Every turn was lost to the removers.
                        Err(OpenError::NotFound { .. } | OpenError::Replaced { .. }) => continue,
                        Err(error) => panic!("{error}"),
                    };
                    while !board.is_retired() && !ended.load(Ordering::Relaxed) {
                        // In this order: it is given up before its name goes.
                        assert!(board.is_linked() || board.is_retired());
                    }
                }
            });
        }
        scope.spawn(|| {
            let board = small().open(&location);
            let counter = board.unwrap().counter("c_total", "").register();
            let Ok(counter) = counter else { return };
            while !ended.load(Ordering::Relaxed) {
                counter.inc();
            }
        });
        let outcomes: Vec<_> = removers.into_iter().map(|remover| remover.join()).collect();
        ended.store(true, Ordering::Relaxed);
        for outcome in outcomes {
            let failed = outcome.unwrap();
            assert!(failed.is_none(), "{failed:?}");
        }
    });
    let last = small().open(&location).unwrap();
    assert!(last.is_linked() && !last.is_retired() && last.check().is_empty());
}
