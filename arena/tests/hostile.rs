//! Bytes that a stranger writes over a board while it is in use: nobody crashes, and nobody
//! goes on for ever.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use tallyboard::{Board, BoardOptions, Location, Native, NativeCounts, Reader};

const SLOTS: u64 = 256;
const PROCESSES: u64 = 8;

fn options() -> BoardOptions {
    Board::options()
        .slots(SLOTS as u32)
        .processes(PROCESSES as u32)
}

/// Marsaglia's xorshift, 2003; the state is never 0.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 16) % end
    }
}

fn word(file: &File, at: u64) -> u64 {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, at).unwrap();
    u64::from_le_bytes(bytes)
}

/// Begin and end of each section, by the header (LAYOUT.md §3).
fn sections(file: &File) -> Vec<(&'static str, u64, u64)> {
    let end = word(file, 32);
    let fields = [
        ("control", 64),
        ("rows", 72),
        ("heads", 88),
        ("states", 104),
        ("links", 112),
        ("records", 120),
        ("shared plane", 136),
        ("plane table", 152),
        ("planes", 160),
    ];
    let begins: Vec<u64> = fields.map(|(_, field)| word(file, field)).into();
    let ends = begins[1..].iter().copied().chain([end]);
    let mut sections = vec![("header", 0, begins[0])];
    for (((name, _), begin), end) in fields.into_iter().zip(&begins).zip(ends) {
        sections.push((name, *begin, end));
    }
    sections
}

/// A word that an enemy would choose: noise, or almost right.
fn chosen(random: &mut Random, file: &File, (_, begin, end): (&str, u64, u64)) -> u64 {
    let other = |random: &mut Random| word(file, begin + 8 * random.below((end - begin) / 8));
    match random.below(8) {
        0 => random.next(),
        // A slot, a row or a length.
        1 => random.below(SLOTS + 2),
        // A link with any count and mark.
        2 => random.below(4) << 32 | random.below(2) << 31 | random.below(SLOTS + 2),
        // A state of each kind, with a young serial.
        3 => random.below(8) << 61 | random.below(400) << 22,
        4 => random.below(8) << 61 | random.below(400) << 22 | random.below(SLOTS + 2),
        5 => other(random) ^ 1 << random.below(64),
        6 => u64::MAX,
        _ => other(random),
    }
}

/// Registers, updates and looks up, whatever comes of it.
fn count(board: &Board, random: &mut Random) {
    let name = ["a_total", "b_total", "c_total"][random.below(3) as usize];
    let label = format!("{}", random.below(40));
    let long = label.repeat(1 + random.below(200) as usize);
    match random.below(7) {
        0 => board
            .counter(name, "")
            .label("l", &label)
            .register_or_sink()
            .inc(),
        1 => board
            .counter(name, "")
            .label("l", &long)
            .register_or_sink()
            .inc(),
        2 => board
            .gauge("g", "")
            .label("l", &label)
            .register_or_sink()
            .set(1.0),
        3 => {
            let histogram = board.histogram("h", "").label("l", &label);
            histogram.register_or_sink().observe(0.5);
        }
        5 => {
            let native = Native::new().schema(0).range(0.1, 10.0);
            let histogram = board.histogram("n", "").native(native).label("l", &label);
            histogram.register_or_sink().observe(-0.5);
        }
        4 => board
            .summary("s", "")
            .label("l", &label)
            .register_or_sink()
            .observe(0.5),
        _ => board.reap(),
    }
}

/// Reads all that there is to read.
fn read(board: &Board) {
    let mut reader = Reader::new(board);
    let mut counts = NativeCounts::default();
    for _ in 0..2 {
        reader.refresh();
        for family in reader.families() {
            let mut buckets = vec![0; family.bounds.len() + 1];
            for series in &family.series {
                reader.counter(series);
                reader.gauge(series);
                reader.summary(series);
                reader.histogram(series, &mut buckets);
                if reader.native(series, &mut counts).is_some() {
                    let shown = counts.positive().chain(counts.negative());
                    let shown =
                        shown.fold(counts.zero(), |all, (_, count)| all.wrapping_add(count));
                    assert_eq!(shown, counts.count());
                }
            }
            let mut labels = HashSet::new();
            let mut series = family.series.iter();
            // What has lost its labels, or its life, is not shown.
            let twins = series.find(|series| {
                let values = reader.label_values(*series);
                values.is_some_and(|values| !labels.insert(values))
            });
            assert!(twins.is_none(), "a series stands twice");
        }
    }
    board.stats();
    board.check();
}

/// Two writers and a reader on a board whose section is written over all the while.
fn storm(section: usize, seed: u64) {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let at = Location::Path(directory.path().join("storm.board"));
    let board = options().create(&at).unwrap();
    let read_only = options().attach_read_only(&at).unwrap();
    for turn in 0..200 {
        count(&board, &mut Random(turn + 1));
    }
    let file = File::options()
        .read(true)
        .write(true)
        .open(at.path().unwrap())
        .unwrap();
    let hit = sections(&file)[section];
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 1..=2 {
            let (board, over) = (&board, &over);
            scope.spawn(move || {
                let mut random = Random(seed << 8 | writer);
                for _ in 0..400 {
                    count(board, &mut random);
                }
                over.store(true, Ordering::Relaxed);
            });
        }
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                read(&read_only);
            }
        });
        let mut random = Random(seed);
        while !over.load(Ordering::Relaxed) {
            let at = hit.1 + 8 * random.below((hit.2 - hit.1) / 8);
            let word = chosen(&mut random, &file, hit);
            // What is not ready has no memory; a lie about it costs the liar's filesystem.
            file.write_all_at(&word.to_le_bytes(), at).unwrap();
        }
    });
    read(&read_only);
    // Whatever it is now, it can be given up.
    let _ = tallyboard::remove(&at);
}

#[test]
fn writers_and_readers_get_through_bytes_that_change_under_them() {
    let (finished, waiting) = mpsc::channel();
    std::thread::spawn(move || {
        for section in 0..10 {
            for seed in 1..=3 {
                storm(section, seed);
                finished.send((section, seed)).unwrap();
            }
        }
    });
    // No measure of anything: it ends a test that would go on for ever.
    for _ in 0..30 {
        let storm = waiting.recv_timeout(Duration::from_secs(120));
        storm.expect("each storm ends");
    }
}

/// The same key in two living slots is a fault of the board, and not to be handed on: half of
/// the servers refuse an exposition with a series that stands twice.
#[test]
fn a_series_that_stands_twice_is_shown_once_and_counted() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let at = Location::Path(directory.path().join("twins.board"));
    let board = options().create(&at).unwrap();
    let family = board
        .counter("c_total", "")
        .labels(&["l"])
        .family()
        .unwrap();
    for (label, amount) in [("x", 1), ("y", 2)] {
        family.with(&[label]).add(amount);
    }
    let file = File::options()
        .read(true)
        .write(true)
        .open(at.path().unwrap())
        .unwrap();
    let records = word(&file, 120);
    // The text of a series: its length in two bytes, and the value.
    let slot_of = |label: u8| {
        let text = u64::from(label) << 16 | 1;
        let mut slots = 0..SLOTS;
        let found = slots.find(|slot| word(&file, records + 256 * slot + 64) == text);
        found.unwrap()
    };
    let (x, y) = (slot_of(b'x'), slot_of(b'y'));
    let hash = |slot| word(&file, records + 256 * slot);
    let hashes = [hash(x), hash(y)];
    let forge = |hash: u64, label: u8| {
        file.write_all_at(&[label], records + 256 * y + 64 + 2)
            .unwrap();
        file.write_all_at(&hash.to_le_bytes(), records + 256 * y)
            .unwrap();
    };
    forge(hashes[0], b'x');

    let mut reader = Reader::new(&board);
    let values = |reader: &mut Reader| {
        reader.refresh();
        let series = reader.families()[0].series.iter();
        let values = series.map(|series| reader.counter(series).unwrap().as_f64());
        values.collect::<Vec<f64>>()
    };
    for _ in 0..2 {
        assert_eq!(values(&mut reader), [2.0], "the newest");
        assert_eq!(reader.damaged(), 1);
    }
    // Its twin is shown again when it has gone.
    let state = word(&file, 104) + 8 * y;
    let tag = word(&file, word(&file, 104) + 8 * y);
    file.write_all_at(&0_u64.to_le_bytes(), state).unwrap();
    assert_eq!(values(&mut reader), [1.0]);
    assert_eq!(reader.damaged(), 0);
    file.write_all_at(&tag.to_le_bytes(), state).unwrap();
    assert_eq!(values(&mut reader), [2.0]);
    // And it is left alone when the other says something else.
    forge(hashes[1], b'y');
    assert_eq!(values(&mut reader).len(), 2);
}

/// Its text may have been rendered before it was overwritten, and stay so.
#[test]
fn a_series_that_is_registered_again_since_its_bytes_changed_takes_its_place() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let at = Location::Path(directory.path().join("again.board"));
    let board = options().create(&at).unwrap();
    let counter = || {
        board
            .counter("c_total", "")
            .label("l", "x")
            .register()
            .unwrap()
    };
    counter().inc();
    let mut reader = Reader::new(&board);
    reader.refresh();
    let before = reader.families()[0].series.first().unwrap().tag;
    let path = at.path().unwrap();
    let file = File::options().read(true).write(true).open(path).unwrap();
    let records = word(&file, 120);
    let text = u64::from(b'x') << 16 | 1;
    let mut slots = 0..SLOTS;
    let x = slots.find(|slot| word(&file, records + 256 * slot + 64) == text);
    file.write_all_at(b"y", records + 256 * x.unwrap() + 64 + 2)
        .unwrap();
    // Another process, which has not found it yet.
    let other = options().attach(&at).unwrap();
    let again = other.counter("c_total", "").label("l", "x").register();
    again.unwrap().add(5);
    reader.refresh();
    let series = &reader.families()[0].series;
    assert_eq!(series.len(), 1);
    assert!(series.first().unwrap().tag > before);
    assert_eq!(reader.damaged(), 1);
}

/// What came after it was found would make another series of it, or a twin.
#[test]
fn a_label_that_is_not_what_its_hash_says_is_not_shown() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let at = Location::Path(directory.path().join("label.board"));
    let board = options().create(&at).unwrap();
    let counter = board.counter("c_total", "").label("l", "x");
    counter.register().unwrap().inc();
    let mut reader = Reader::new(&board);
    reader.refresh();
    let file = File::options()
        .read(true)
        .write(true)
        .open(at.path().unwrap())
        .unwrap();
    let records = word(&file, 120);
    let text = u64::from(b'x') << 16 | 1;
    let mut slots = 0..SLOTS;
    let x = slots.find(|slot| word(&file, records + 256 * slot + 64) == text);
    file.write_all_at(b"y", records + 256 * x.unwrap() + 64 + 2)
        .unwrap();
    let series = reader.families()[0].series.first().unwrap();
    assert_eq!(reader.label_values(series), None);
    assert_eq!(
        reader.created_unix_nanos(series).map(|at| at > 0),
        Some(true)
    );
    let mut late = Reader::new(&board);
    late.refresh();
    assert_eq!((late.families()[0].series.len(), late.damaged()), (0, 1));
}

#[test]
fn a_state_that_no_rule_allows_is_counted_as_damage() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let at = Location::Path(directory.path().join("state.board"));
    let board = options().create(&at).unwrap();
    board.counter("c_total", "").register().unwrap();
    let mut reader = Reader::new(&board);
    reader.refresh();
    assert_eq!((reader.damaged(), reader.families().len()), (0, 1));
    let file = File::options()
        .read(true)
        .write(true)
        .open(at.path().unwrap())
        .unwrap();
    file.write_all_at(&u64::MAX.to_le_bytes(), word(&file, 104) + 8)
        .unwrap();
    reader.refresh();
    assert_eq!(reader.damaged(), 1);
}

/// As after a stranger has set the serials back: one tag for two families.
#[test]
fn of_two_families_with_one_tag_one_is_shown_and_one_counted() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let at = Location::Path(directory.path().join("tags.board"));
    let board = options().create(&at).unwrap();
    let plain = board.counter("a_total", "").register().unwrap();
    plain.inc();
    let path = at.path().unwrap();
    let file = File::options().read(true).write(true).open(path).unwrap();
    file.write_all_at(&0_u64.to_le_bytes(), word(&file, 64))
        .unwrap();
    let labelled = board.counter("b_total", "").label("l", "x").register();
    labelled.unwrap().inc();
    let mut reader = Reader::new(&board);
    reader.refresh();
    let [shown] = reader.families() else {
        panic!("{:?}", reader.families());
    };
    let label_count = shown.label_names.len();
    let agrees = |values: usize| values == label_count;
    assert!(
        shown
            .series
            .iter()
            .all(|series| agrees(reader.label_values(series).unwrap().len()))
    );
    assert!(reader.damaged() > 0);
}
