//! Boards that are given up, and what their programs can find out about it.

use std::os::unix::fs::FileExt;
use std::path::Path;
use tallyboard::{Board, BoardOptions, Location, Number};

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
