//! What a user of the crate sees, on both update paths.

use std::path::Path;
use tallyboard::{
    Board, BoardOptions, Kind, Location, Number, OpenError, Reader, RefusedReason, RegisterError,
    UpdatePath,
};

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

fn value(reader: &mut Reader, name: &str) -> f64 {
    reader.refresh();
    let family = reader
        .families()
        .iter()
        .find(|family| family.name == name)
        .unwrap();
    let series = family.series.first().unwrap();
    match family.kind {
        Kind::Counter => reader.counter(series).unwrap().as_f64(),
        Kind::Gauge => reader.gauge(series).unwrap(),
        _ => panic!("not a single value"),
    }
}

#[test]
fn metrics_count_and_a_reader_sees_them() {
    let directory = directory();
    let board = small().open(&at(directory.path())).unwrap();
    let counter = board.counter("c_total", "A counter.").register().unwrap();
    counter.inc();
    counter.add(41);
    assert_eq!(counter.get(), Number::Int(42));
    assert!(counter.add_f64(0.5));
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(!counter.add_f64(bad));
    }
    assert_eq!(counter.get(), Number::Float(42.5));

    let gauge = board
        .gauge("g", "A gauge.")
        .label("x", "1")
        .register()
        .unwrap();
    assert_eq!(gauge.get(), 0.0);
    gauge.set(2.5);
    gauge.inc();
    gauge.sub(3.0);
    assert_eq!(gauge.get(), 0.5);

    let family = board
        .histogram("h", "A histogram.")
        .buckets(&[1.0, 2.0, 3.0, 4.0, f64::INFINITY])
        .labels(&["b", "a"])
        .family()
        .unwrap();
    let histogram = family.with(&["B", "A"]);
    for observed in [0.5, 1.0, 1.5, 9.0, 3.5] {
        histogram.observe(observed);
    }
    let summary = board.summary("s", "A summary.").register().unwrap();
    summary.observe(1.25);
    summary.observe(0.25);

    let read_only = small().attach_read_only(&at(directory.path())).unwrap();
    let mut reader = Reader::new(&read_only);
    assert_eq!(value(&mut reader, "c_total"), 42.5);
    assert_eq!(value(&mut reader, "g"), 0.5);
    let names: Vec<_> = reader.families().iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["c_total", "g", "h", "s"]);
    let h = &reader.families()[2];
    assert_eq!(h.label_names, ["a", "b"]);
    let labels = reader.label_values(h.series.first().unwrap()).unwrap();
    assert_eq!(labels, ["A", "B"]);
    assert_eq!(h.bounds, [1.0, 2.0, 3.0, 4.0]);
    let mut buckets = [0; 5];
    assert_eq!(
        reader.histogram(h.series.first().unwrap(), &mut buckets),
        Some(15.5)
    );
    assert_eq!(buckets, [2, 1, 0, 1, 1]);
    let s = &reader.families()[3];
    assert_eq!(reader.summary(s.series.first().unwrap()), Some((2, 1.5)));
    assert_eq!(reader.damaged(), 0);
    assert!(board.check().is_empty(), "{:?}", board.check());
}

#[test]
fn the_same_definition_is_the_same_series() {
    let directory = directory();
    let board = small().open(&at(directory.path())).unwrap();
    let one = board
        .counter("c_total", "One.")
        .label("a", "1")
        .label("b", "2");
    let one = one.register().unwrap();
    let two = board
        .counter("c_total", "Two.")
        .label("b", "2")
        .label("a", "1");
    let two = two.register().unwrap();
    one.inc();
    two.inc();
    assert_eq!(one.get(), Number::Int(2));
    let stats = board.stats();
    // The third holds the newer help.
    assert_eq!((stats.families, stats.series, stats.slots_used), (1, 1, 3));
    assert_eq!(stats.processes_used, 1);
}

#[test]
fn a_clash_of_type_names_both_types() {
    let directory = directory();
    let board = small().open(&at(directory.path())).unwrap();
    board.counter("c", "").register().unwrap();
    let error = board.gauge("c", "").register().unwrap_err();
    assert_eq!(
        error,
        RegisterError::Clash {
            metric: "c".into(),
            on_board: Kind::Counter,
            wanted: Kind::Gauge
        }
    );
    assert!(board.gauge("c", "").register_or_sink().is_sink());
}

#[test]
fn long_texts_take_more_slots_and_too_long_ones_are_refused_whole() {
    let directory = directory();
    let board = small().open(&at(directory.path())).unwrap();
    let value = "ä".repeat(600);
    let counter = board
        .counter("c_total", &"h".repeat(700))
        .label("l", &value);
    let counter = counter.register().unwrap();
    counter.inc();
    let mut reader = Reader::new(&board);
    reader.refresh();
    let family = &reader.families()[0];
    assert_eq!(family.help.len(), 700);
    let labels = reader.label_values(family.series.first().unwrap());
    assert_eq!(labels.unwrap(), [value]);
    assert_eq!(
        reader.counter(family.series.first().unwrap()),
        Some(Number::Int(1))
    );
    assert!(board.check().is_empty(), "{:?}", board.check());
    for len in [15_900, 70_000] {
        let refused = board.counter("c_total", "").label("l", &"x".repeat(len));
        assert!(matches!(
            refused.register(),
            Err(RegisterError::Refused {
                reason: RefusedReason::TooLong,
                ..
            })
        ));
    }
}

#[test]
fn a_full_board_refuses_counts_it_and_goes_on() {
    let directory = directory();
    let board = small().open(&at(directory.path())).unwrap();
    let family = board
        .counter("c_total", "")
        .labels(&["n"])
        .family()
        .unwrap();
    let handles: Vec<_> = (0..70).map(|n| family.with(&[&n.to_string()])).collect();
    for handle in &handles {
        handle.inc();
    }
    assert_eq!(
        handles.iter().filter(|handle| !handle.is_sink()).count(),
        63
    );
    assert!(
        handles[0..63]
            .iter()
            .all(|handle| handle.get() == Number::Int(1))
    );
    let refused = board.stats().refused;
    assert!(
        refused.contains(&(RefusedReason::BoardFull, 7)),
        "{refused:?}"
    );
    let faults = board.check();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(
        faults[0].to_string(),
        "board: has no free slot: 7 registrations were refused"
    );
}

#[test]
fn a_read_only_board_registers_nothing_and_can_be_read() {
    let directory = directory();
    let location = at(directory.path());
    let board = small().open(&location).unwrap();
    board.counter("c_total", "").register().unwrap().inc();
    let reader = small().attach_read_only(&location).unwrap();
    // A handle of what is there would be a fault at its first update.
    for name in ["c_total", "d_total"] {
        let refused = reader.counter(name, "").register();
        assert!(matches!(
            refused,
            Err(RegisterError::Refused {
                reason: RefusedReason::ReadOnly,
                ..
            })
        ));
    }
    assert_eq!(value(&mut Reader::new(&reader), "c_total"), 1.0);
}

#[test]
fn opening_makes_attaching_finds_creating_refuses() {
    let directory = directory();
    let location = at(directory.path());
    assert!(matches!(
        small().attach(&location),
        Err(OpenError::NotFound { .. })
    ));
    let board = small().create(&location).unwrap();
    assert!(matches!(
        small().create(&location),
        Err(OpenError::Exists { .. })
    ));
    assert_eq!(small().open(&location).unwrap().uuid(), board.uuid());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_removed_board_is_retired_and_another_takes_its_name() {
    let directory = directory();
    let location = at(directory.path());
    let old = small().open(&location).unwrap();
    let counter = old.counter("c_total", "").register().unwrap();
    counter.inc();
    tallyboard::remove(&location).unwrap();
    assert!(old.is_retired());
    assert_eq!(counter.get(), Number::Int(0));
    assert_eq!(old.stats().slots_used, 0);
    assert!(!directory.path().join("t.board").exists());
    // The next update makes the board again, and begins from zero there.
    counter.add(3);
    assert_eq!(counter.get(), Number::Int(3));
    counter.add(4);
    let late = old.counter("d_total", "").register().unwrap();
    late.inc();
    let new = small().attach(&location).unwrap();
    assert!(!new.is_retired());
    assert_ne!(new.uuid(), old.uuid());
    let stats = new.stats();
    assert_eq!(
        (stats.slots, stats.series, stats.processes_used),
        (64, 2, 1)
    );
    let same = new.counter("c_total", "").register().unwrap();
    assert_eq!(same.get(), Number::Int(7));
    assert_eq!(old.stats().slots_used, 0);
}

#[test]
fn an_os_name_is_a_board_too() {
    let location = Location::Shm(format!("tallyboard-test-{}", std::process::id()));
    let board = small().create(&location).unwrap();
    board.counter("c_total", "").register().unwrap().add(3);
    let reader = small().attach_read_only(&location).unwrap();
    assert_eq!(value(&mut Reader::new(&reader), "c_total"), 3.0);
    tallyboard::remove(&location).unwrap();
    assert!(matches!(
        small().attach(&location),
        Err(OpenError::NotFound { .. })
    ));
}

#[test]
fn off_counts_nothing_and_private_is_one_board_a_process() {
    let off = Board::open(&Location::Off).unwrap();
    let counter = off.counter("c_total", "").register().unwrap();
    counter.inc();
    assert!(counter.is_sink());
    assert!(off.counter("", "").register().is_err());

    let one = Board::open(&Location::Private).unwrap();
    let two = Board::open(&Location::Private).unwrap();
    one.counter("private_total", "").register().unwrap().inc();
    let counter = two.counter("private_total", "").register().unwrap();
    counter.inc();
    assert_eq!(counter.get(), Number::Int(2));
    assert_eq!(two.stats().processes_used, 1);
    assert_eq!(two.path(), None);
}

#[test]
fn threads_on_every_cpu_lose_nothing() {
    let directory = directory();
    let board = small().open(&at(directory.path())).unwrap();
    if std::env::var_os("TALLYBOARD_RSEQ").is_some_and(|word| word == "off") {
        assert_eq!(board.update_path(), UpdatePath::Shared);
    }
    let counter = board.counter("c_total", "").register().unwrap();
    let histogram = board.histogram("h", "").buckets(&[0.5]).register().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for n in 0..200_000_u32 {
                    counter.inc();
                    histogram.observe(f64::from(n % 2));
                }
            });
        }
    });
    assert_eq!(counter.get(), Number::Int(1_600_000));
    let mut reader = Reader::new(&board);
    reader.refresh();
    let mut buckets = [0; 2];
    let sum = reader.histogram(reader.families()[1].series.first().unwrap(), &mut buckets);
    assert_eq!((sum, buckets), (Some(800_000.0), [800_000, 800_000]));
}

/// Overwrites eight bytes of a board's file.
fn poke(location: &Location, offset: u64, word: u64) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(location.path().unwrap());
    file.unwrap()
        .write_all_at(&word.to_le_bytes(), offset)
        .unwrap();
}

/// A word of a board's header.
fn header(location: &Location, offset: u64) -> u64 {
    use std::os::unix::fs::FileExt;
    let mut bytes = [0; 8];
    let file = std::fs::File::open(location.path().unwrap()).unwrap();
    file.read_exact_at(&mut bytes, offset).unwrap();
    u64::from_le_bytes(bytes)
}

// Offsets in the header: LAYOUT.md §3 and §4.
const CONTROL: u64 = 64;
const HEADS: u64 = 88;
const STATES: u64 = 104;
const LINKS: u64 = 112;
const RECORDS: u64 = 120;

#[test]
fn a_list_that_leads_back_into_itself_is_a_fault_and_no_hang() {
    let directory = directory();
    let location = at(directory.path());
    let board = small().open(&location).unwrap();
    board.counter("c_total", "").register().unwrap();
    for list in 0..128 {
        poke(&location, header(&location, HEADS) + 8 * list, 8);
    }
    poke(&location, header(&location, LINKS) + 8 * 7, 8);
    let faults: Vec<String> = board.check().iter().map(ToString::to_string).collect();
    assert!(
        faults.contains(&"slot 7: is linked twice".into()),
        "{faults:?}"
    );
    assert!(board.counter("d_total", "").register_or_sink().is_sink());
}

#[test]
fn a_record_whose_chain_is_not_as_long_as_its_text_is_left_out() {
    let directory = directory();
    let location = at(directory.path());
    let board = small().open(&location).unwrap();
    board
        .counter("c_total", "")
        .label("l", "v")
        .register()
        .unwrap();
    let records = header(&location, RECORDS);
    for slot in 0..64 {
        let lengths = header(&location, records + 256 * slot + 16);
        if lengths != 0 {
            poke(&location, records + 256 * slot + 16, 15_816 << 32 | 15_816);
        }
    }
    let mut reader = Reader::new(&board);
    reader.refresh();
    assert!(reader.families().is_empty());
    assert_eq!(reader.damaged(), 2);
}

#[test]
fn two_families_of_one_tag_do_not_take_each_others_series() {
    let directory = directory();
    let location = at(directory.path());
    let board = small().open(&location).unwrap();
    // Of two families, one must come first by its slot and the other by its name.
    let labelled = board.counter("b_total", "").label("l", "v");
    labelled.register().unwrap();
    board.counter("a_total", "").register().unwrap();
    let mut reader = Reader::new(&board);
    reader.refresh();
    let [a, b] = reader.families() else {
        panic!("two families");
    };
    let states = header(&location, STATES);
    let places = (0..64).map(|slot| states + 8 * slot);
    let b_state = places
        .into_iter()
        .find(|place| header(&location, *place) == b.tag)
        .unwrap();
    poke(&location, b_state, a.tag);
    reader.refresh();
    for family in reader.families() {
        for series in &family.series {
            let labels = reader.label_values(series).unwrap();
            assert_eq!(labels.len(), family.label_names.len());
        }
    }
    // The family that is not shown. Its series looks like one whose family has ended.
    assert_eq!(reader.damaged(), 1);
}

/// It was added to without a look at its size.
#[test]
fn a_damaged_count_of_the_reaped_does_not_stop_a_capped_registration() {
    let directory = directory();
    let location = at(directory.path());
    let board = small().open(&location).unwrap();
    // LAYOUT.md §4: `reaped`.
    poke(&location, header(&location, CONTROL) + 392, u64::MAX);
    let family = board.counter("c_total", "").labels(&["l"]).series_cap(1);
    let family = family.family().unwrap();
    for value in ["a", "b", "c"] {
        family.try_with(&[value]).unwrap().inc();
    }
    assert_eq!(board.stats().overflowed, 2);
}

#[test]
fn serials_that_are_used_up_are_refused_and_never_begin_again() {
    let directory = directory();
    let location = at(directory.path());
    let board = small().open(&location).unwrap();
    poke(&location, header(&location, CONTROL), u64::MAX);
    for _ in 0..2 {
        assert!(matches!(
            board.counter("c_total", "").register(),
            Err(RegisterError::Refused {
                reason: RefusedReason::SerialsExhausted,
                ..
            })
        ));
    }
}

#[test]
fn an_os_name_that_leads_elsewhere_is_refused() {
    let outside = Location::Shm("../../tmp/x".into());
    for outcome in [small().create(&outside), small().attach(&outside)] {
        assert!(matches!(outcome, Err(OpenError::Name { .. })));
    }
}
