//! Native histograms on a board.

use tallyboard::{
    Board, BoardOptions, FamilyView, Histogram, Location, Native, NativeCounts, Reader,
    RegisterError, Window,
};

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

    fn board(&self) -> Board {
        options().create(&self.at()).unwrap()
    }
}

fn options() -> BoardOptions {
    Board::options().slots(256).processes(8)
}

fn assert_sound(board: &Board) {
    assert!(board.check().is_empty(), "{:?}", board.check());
}

/// What a reader that is new to the board shows of the one series of `name`.
fn read(board: &Board, name: &str) -> (FamilyView, f64, NativeCounts, Vec<u64>) {
    let mut reader = Reader::new(board);
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    let family = reader.families().iter().find(|family| family.name == name);
    let family = family.unwrap().clone();
    let mut counts = NativeCounts::default();
    let sum = reader
        .native(family.series.first().unwrap(), &mut counts)
        .unwrap();
    let mut classic = vec![0; family.bounds.len() + 1];
    let again = reader
        .histogram(family.series.first().unwrap(), &mut classic)
        .unwrap();
    assert_eq!(sum.to_bits(), again.to_bits());
    let mut same = classic.clone();
    counts.classic(&mut same);
    assert_eq!(same, classic);
    (family, sum, counts, classic)
}

fn positive(counts: &NativeCounts) -> Vec<(i32, u64)> {
    counts.positive().collect()
}

#[test]
fn an_observation_is_in_a_native_bucket_and_in_a_classic_one() {
    let scratch = Scratch::new();
    let board = scratch.board();
    let native = Native::new().schema(1).range(0.6, 8.0);
    let histogram = board.histogram("h", "").native(native).register().unwrap();
    for value in [
        0.0,
        0.25,
        -3.0,
        0.6,
        0.7,
        1.0,
        1.1,
        1.5,
        2.0,
        8.0,
        9.0,
        f64::INFINITY,
    ] {
        histogram.observe(value);
    }
    let (family, sum, counts, classic) = read(&board, "h");
    assert_eq!(sum, f64::INFINITY);
    let window = family.native.unwrap();
    assert_eq!(
        (
            window.schema(),
            window.first_index(),
            window.last_index(),
            window.is_signed()
        ),
        (1, -1, 6, false)
    );
    assert_eq!((window.zero_threshold(), window.highest()), (0.5, 8.0));
    assert_eq!((counts.count(), counts.below(), counts.above()), (12, 1, 2));
    // Below -0.5 is none of its buckets: the zero bucket has it.
    assert_eq!(counts.zero(), 3);
    assert_eq!(positive(&counts), [(-1, 2), (0, 1), (1, 1), (2, 2), (6, 3)]);
    assert_eq!(counts.negative().count(), 0);
    assert_eq!(family.bounds, [0.5, 1.0, 2.0, 4.0, 8.0]);
    assert_eq!(classic, [3, 3, 3, 0, 1, 2]);
    assert_sound(&board);
}

#[test]
fn negative_observations_have_buckets_where_they_are_asked_for() {
    let scratch = Scratch::new();
    let board = scratch.board();
    let native = Native::new().schema(0).range(1.0, 16.0).with_negative();
    let histogram = board.histogram("h", "").native(native).register().unwrap();
    for value in [-100.0, -16.0, -1.0, -0.6, 0.5, -0.5, 1.0, 3.0, f64::NAN] {
        histogram.observe(value);
    }
    let (family, sum, counts, classic) = read(&board, "h");
    assert!(sum.is_nan());
    assert!(family.native.unwrap().is_signed());
    assert_eq!((counts.below(), counts.zero(), counts.above()), (1, 2, 1));
    assert_eq!(counts.negative().collect::<Vec<_>>(), [(0, 2), (4, 2)]);
    assert_eq!(positive(&counts), [(0, 1), (2, 1), (4, 1)]);
    // Everything negative is below the first bound, which is the zero bucket's.
    assert_eq!(family.bounds, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0]);
    assert_eq!(classic, [6, 1, 0, 1, 0, 0, 1]);
}

#[test]
fn one_that_nobody_observed_is_there_and_empty() {
    let scratch = Scratch::new();
    let board = scratch.board();
    let histogram = board.histogram("h", "").native(Native::new());
    histogram.register().unwrap();
    let (_, sum, counts, _) = read(&board, "h");
    assert_eq!((sum, counts.count(), counts.zero()), (0.0, 0, 0));
    assert!(positive(&counts).is_empty());
    assert_eq!(NativeCounts::default().count(), 0);
}

#[test]
fn the_widest_that_there_can_be_finds_all_its_buckets() {
    let scratch = Scratch::new();
    let board = scratch.board();
    for (name, native, buckets) in [
        ("one", Native::new().range(1.0, 1.05e7), 188),
        ("two", Native::new().range(1.0, 3.1e3).with_negative(), 94),
    ] {
        let histogram = board.histogram(name, "").native(native).register().unwrap();
        let (family, ..) = read(&board, name);
        let window = family.native.unwrap();
        assert_eq!(window.last_index() - window.first_index() + 1, buckets);
        for index in window.first_index()..=window.last_index() {
            for _ in 0..=index {
                histogram.observe(window.bound(index).unwrap());
                histogram.observe(-window.bound(index).unwrap());
            }
        }
        let (_, _, counts, _) = read(&board, name);
        let all: Vec<_> = (0..buckets)
            .map(|index| (index, 1 + index as u64))
            .collect();
        assert_eq!(positive(&counts), all);
        let negative: Vec<_> = counts.negative().collect();
        assert_eq!(negative, if window.is_signed() { all } else { Vec::new() });
    }
    assert_sound(&board);
}

#[test]
fn a_window_that_does_not_fit_is_refused_before_the_board_is_asked() {
    let scratch = Scratch::new();
    let board = scratch.board();
    let native = Native::new().schema(8).range(0.001, 10.0);
    let refused = board.histogram("h", "").native(native).register();
    let refused = refused.unwrap_err();
    assert!(matches!(refused, RegisterError::Native { .. }));
    let words = refused.to_string();
    assert!(
        words.starts_with("h: ") && words.contains("a schema of at most 3"),
        "{words}"
    );
    assert_eq!(board.stats().families, 0);
}

#[test]
fn another_window_is_another_definition_and_so_are_classic_buckets() {
    let scratch = Scratch::new();
    let board = scratch.board();
    let of = |native: Native| board.histogram("h", "").native(native).register().unwrap();
    let oldest = board.histogram("h", "").register().unwrap();
    oldest.observe(1.0);
    let old = of(Native::new());
    old.observe(1.0);
    let new = of(Native::new().schema(2));
    for histogram in [&oldest, &old, &new, &new] {
        histogram.observe(1.0);
    }
    let (family, _, counts, _) = read(&board, "h");
    assert_eq!(family.native.map(|window| window.schema()), Some(2));
    assert_eq!((counts.count(), family.hidden_series), (2, 2));
    // The same range in other words is the same definition.
    let window = family.native.unwrap();
    of(Native::from(window)).observe(1.0);
    let (family, _, counts, _) = read(&board, "h");
    assert_eq!((counts.count(), family.hidden_series), (3, 2));
    assert_sound(&board);
}

#[test]
fn a_removed_one_finds_its_cells_again_and_so_does_its_copy() {
    let scratch = Scratch::new();
    let board = scratch.board();
    let family = board
        .histogram("h", "")
        .native(Native::new())
        .labels(&["k"]);
    let family = family.family().unwrap();
    let histogram = family.with(&["a"]);
    let copy = histogram.clone();
    histogram.observe(3.0);
    copy.observe(4.0);
    assert_eq!(read(&board, "h").2.count(), 2);
    assert_eq!(family.remove(&["a"]), Ok(true));
    // Its slots go to another, so that the chain is another one.
    board.counter("other", "").register().unwrap().inc();
    let window = read_window(&board);
    for histogram in [&histogram, &copy, &family.with(&["a"])] {
        for index in window.first_index()..=window.last_index() {
            histogram.observe(window.bound(index).unwrap());
        }
    }
    let (_, _, counts, _) = read(&board, "h");
    assert!(positive(&counts).iter().all(|(_, count)| *count == 3));
    assert_eq!(counts.count(), 3 * 128);
    assert_sound(&board);
}

fn read_window(board: &Board) -> Window {
    let mut reader = Reader::new(board);
    reader.refresh();
    let mut families = reader.families().iter();
    families.find_map(|family| family.native).unwrap()
}

#[test]
fn it_moves_to_the_board_that_comes_after_its_own() {
    let scratch = Scratch::new();
    let board = scratch.board();
    let histogram = board
        .histogram("h", "")
        .native(Native::new())
        .register()
        .unwrap();
    histogram.observe(1.0);
    tallyboard::remove(&scratch.at()).unwrap();
    histogram.observe(2.0);
    histogram.observe(40.0);
    let after = options().attach(&scratch.at()).unwrap();
    let (_, sum, counts, _) = read(&after, "h");
    assert_eq!((sum, positive(&counts)), (42.0, vec![(8, 1), (43, 1)]));
    assert_sound(&after);
}

#[test]
fn threads_lose_nothing() {
    const THREADS: u64 = 4;
    const EACH: u64 = 50_000;
    let scratch = Scratch::new();
    let board = scratch.board();
    let histogram = board
        .histogram("h", "")
        .native(Native::new())
        .register()
        .unwrap();
    let observe = |histogram: &Histogram| {
        for number in 0..EACH {
            histogram.observe(0.25 * (1 + number % 4) as f64);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| observe(&histogram));
        }
    });
    let (_, sum, counts, _) = read(&board, "h");
    let each = THREADS * EACH / 4;
    assert_eq!(sum, each as f64 * 2.5);
    assert_eq!(
        positive(&counts),
        [(-16, each), (-8, each), (-3, each), (0, each)]
    );
}
