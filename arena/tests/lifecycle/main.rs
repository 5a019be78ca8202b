//! Series that come and go, gauges over processes, definitions that change, caps.

mod caps;
mod definitions;
mod expiry;
mod gauges;
mod series;

use tallyboard::{Board, BoardOptions, Location, Number, Reader};

struct Scratch {
    directory: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Scratch {
        Scratch {
            directory: tempfile::tempdir_in("/dev/shm").unwrap(),
        }
    }

    fn at(&self) -> Location {
        Location::Path(self.directory.path().join("t.board"))
    }

    fn board(&self, options: BoardOptions) -> Board {
        options.create(&self.at()).unwrap()
    }
}

fn small() -> BoardOptions {
    Board::options().slots(64).processes(16)
}

/// The values of a counter, by label values.
fn counters(board: &Board, name: &str) -> Vec<(Vec<String>, u64)> {
    let mut reader = Reader::new(board);
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    let Some(family) = reader.families().iter().find(|family| family.name == name) else {
        return Vec::new();
    };
    let value = |series| match reader.counter(series) {
        Some(Number::Int(value)) => value,
        other => panic!("{other:?}"),
    };
    let series = family.series.iter();
    let mut counters: Vec<_> = series
        .map(|series| (reader.label_values(series).unwrap(), value(series)))
        .collect();
    counters.sort();
    counters
}

fn gauge(board: &Board, name: &str) -> Option<f64> {
    let mut reader = Reader::new(board);
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    let family = reader
        .families()
        .iter()
        .find(|family| family.name == name)?;
    reader.gauge(family.series.first()?)
}

fn assert_sound(board: &Board) {
    let faults: Vec<String> = board.check().iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
