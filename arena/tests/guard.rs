//! Boards that lose their memory while they are read. A program of its own: the guard belongs
//! to the whole process.

use std::fs::{File, OpenOptions};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use tallyboard::{Board, Location, Reader, guard_readers};

fn at(directory: &Path, name: &str) -> Location {
    Location::Path(directory.join(name))
}

/// A board with one counter, opened as an exporter does.
fn board(at: &Location, value: u64) -> Board {
    let options = Board::options().slots(64).processes(4);
    let writer = options.create(at).unwrap();
    writer.counter("c_total", "").register().unwrap().add(value);
    options.attach_read_only(at).unwrap()
}

fn truncate(at: &Location, len: u64) {
    let file = OpenOptions::new().write(true).open(at.path().unwrap());
    file.unwrap().set_len(len).unwrap();
}

fn value(reader: &mut Reader) -> Option<f64> {
    reader.refresh();
    let family = reader.families().first()?;
    Some(reader.counter(family.series.first()?)?.as_f64())
}

#[test]
fn a_board_truncated_while_it_is_read_is_broken_and_no_other_is() {
    guard_readers().unwrap();
    guard_readers().unwrap();
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let sound = board(&at(directory.path(), "sound.board"), 7);
    let mut sound_reader = Reader::new(&sound);
    for (name, part) in [("none", 0), ("page", 1), ("half", 2)] {
        let at = at(directory.path(), name);
        let board = board(&at, 3);
        let mut reader = Reader::new(&board);
        assert_eq!(value(&mut reader), Some(3.0));
        assert!(!board.is_broken() && !reader.is_broken());
        let len = at.path().unwrap().metadata().unwrap().len();
        truncate(&at, [0, 4096, len / 2][part]);

        value(&mut reader);
        assert_eq!(value(&mut Reader::new(&board)), None, "{name}");
        assert!(board.is_broken() && reader.is_broken(), "{name}");
        board.stats();
        let faults = board.check();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].to_string().contains("truncated"), "{}", faults[0]);
        assert_eq!(value(&mut sound_reader), Some(7.0));
        assert!(!sound.is_broken() && !sound_reader.is_broken());
    }
}

#[test]
fn a_board_made_sound_again_is_not_taken_for_the_broken_one() {
    guard_readers().unwrap();
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let at = at(directory.path(), "again.board");
    let first = board(&at, 3);
    let path = at.path().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    truncate(&at, 0);
    first.stats();
    assert!(first.is_broken());
    // The same file, while the broken mapping is still there.
    std::fs::write(&path, &bytes).unwrap();
    let again = Board::options().attach_read_only(&at).unwrap();
    assert!(!again.is_broken());
    assert_eq!(value(&mut Reader::new(&again)), Some(3.0));
}

#[test]
fn boards_that_come_and_go_are_told_from_those_before() {
    guard_readers().unwrap();
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    for round in 0..200 {
        let at = at(directory.path(), &format!("{round}.board"));
        let board = board(&at, round);
        if round % 3 == 0 {
            truncate(&at, 0);
            board.stats();
        }
        assert_eq!(board.is_broken(), round % 3 == 0);
        drop(board);
        std::fs::remove_file(at.path().unwrap()).unwrap();
    }
}

/// Threads that read one board while it goes, and threads that open and drop others.
#[test]
fn readers_on_many_threads_all_hear_of_it() {
    guard_readers().unwrap();
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let stop = AtomicBool::new(false);
    for round in 0..20 {
        let at = at(directory.path(), &format!("{round}.board"));
        let shared = board(&at, 1);
        stop.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut reader = Reader::new(&shared);
                    while !shared.is_broken() {
                        let found = value(&mut reader);
                        // What is gone is never given out as sound.
                        assert!(reader.is_broken() || found == Some(1.0));
                    }
                });
            }
            let others = directory.path();
            let stop = &stop;
            let churn = scope.spawn(move || {
                let mut turns = 0_u64;
                while !stop.load(Ordering::Relaxed) || turns < 3 {
                    let at = self::at(others, "other.board");
                    assert_eq!(value(&mut Reader::new(&board(&at, 5))), Some(5.0));
                    std::fs::remove_file(at.path().unwrap()).unwrap();
                    turns += 1;
                }
            });
            truncate(&at, 0);
            stop.store(true, Ordering::Relaxed);
            churn.join().unwrap();
        });
    }
}

const CHILD: &str = "TALLYBOARD_TEST_FAULT";

/// The guard takes nothing but its own: with it, a bug that is a SIGBUS still ends the process.
#[test]
fn a_sigbus_that_is_no_boards_still_kills() {
    if let Some(path) = std::env::var_os(CHILD) {
        guard_readers().unwrap();
        let file = File::options().read(true).write(true).open(path).unwrap();
        let map = memmap2::MmapRaw::map_raw(&file).unwrap();
        file.set_len(0).unwrap();
        // SAFETY: mapped; what is behind it is gone on purpose.
        unsafe { map.as_ptr().read_volatile() };
        unreachable!("the access must be a SIGBUS");
    }
    let file = tempfile::NamedTempFile::new_in("/dev/shm").unwrap();
    file.as_file().set_len(4096).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_sigbus_that_is_no_boards_still_kills"])
        .env(CHILD, file.path())
        .output()
        .unwrap();
    assert_eq!(child.status.signal(), Some(libc::SIGBUS), "{child:?}");
}
