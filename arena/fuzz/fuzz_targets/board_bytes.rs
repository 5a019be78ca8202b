//! Arbitrary bytes as a board: everything that reads or writes one must give an error or
//! work. Nothing may panic, crash, hang or allocate without bound.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use std::time::Duration;
use tallyboard::{
    Aggregation, Board, BoardOptions, Counter, Gauge, Histogram, Info, Kind, Location, Reader,
    RegisterError, StateSet, Summary,
};
use tallyboard_exporter::encode::{Encoder, Escaping, Format, Source, Style};
use tallyboard_fuzz::patch::{Flags, Patches};
use tallyboard_fuzz::{File, child, image, patch};

/// Looks at one board: each reads and encodes all of it.
const MAX_LOOKS: usize = 4;

struct Base {
    file: File,
    empty: Vec<u8>,
    /// A board with series of each type, of one slot and of chains, and with what infos and
    /// exemplars say.
    populated: Vec<u8>,
}

static BASE: LazyLock<Base> = LazyLock::new(|| {
    let file = File::new();
    let empty = image::empty();
    file.write(&empty);
    child::run(|| {
        let board = options().attach(&location(&file)).expect("a sound board");
        let handles = register(&board);
        assert!(handles.iter().all(Result::is_ok));
        handles.iter().flatten().for_each(update);
        assert_eq!(board.check(), []);
        let body = Scraper::new(&board).open_metrics();
        for said in [
            "version=\"1.2\"",
            "trace_id=\"counted\"",
            "trace_id=\"observed\"",
        ] {
            assert!(body.contains(said), "{said} is not on the board:\n{body}");
        }
    });
    let populated = std::fs::read(file.path()).expect("the file that the child left");
    file.remove();
    Base {
        file,
        empty,
        populated,
    }
});

fn location(file: &File) -> Location {
    Location::Path(file.path().to_owned())
}

/// The file may be on any filesystem: what is proven does not depend on it.
fn options() -> BoardOptions {
    Board::options().allow_any_filesystem(true)
}

fuzz_target!(|input: &[u8]| {
    let Some((flags, mut patches)) = patch::parse(input) else {
        return;
    };
    let base = &*BASE;
    let mut image = if flags.begins_empty() {
        base.empty.clone()
    } else {
        base.populated.clone()
    };
    if flags.is_arbitrary() {
        image = patches.take_all().to_vec();
        if flags.is_sealed() {
            image.resize(image::TOTAL_LEN, 0);
        }
    }
    let more = patches.apply(&mut image);
    if flags.is_sealed() {
        image::seal(&mut image);
    }
    base.file.write(&image);
    if flags.is_written() {
        child::run(|| write(&base.file, flags, patches, more));
    } else {
        read(&base.file, flags, patches, more);
    }
    base.file.remove();
});

/// Makes the next changes to the file of an attached board; false when there are none.
fn change(file: &File, patches: &mut Patches<'_>) -> bool {
    let mut opened = std::fs::File::options()
        .read(true)
        .write(true)
        .open(file.path())
        .expect("the file that was written");
    patches.apply(&mut opened)
}

/// What an exporter does.
fn read(file: &File, flags: Flags, mut patches: Patches<'_>, mut more: bool) {
    let Ok(board) = options().attach_read_only(&location(file)) else {
        return;
    };
    let mut scraper = Scraper::new(&board);
    for _ in 0..MAX_LOOKS {
        scraper.look(&board, flags);
        if !more {
            break;
        }
        more = change(file, &mut patches);
    }
    for outcome in register(&board) {
        assert!(
            matches!(outcome, Err(RegisterError::Refused { .. })),
            "a board that was attached for reading takes nothing"
        );
    }
}

/// What a program that counts does.
fn write(file: &File, flags: Flags, mut patches: Patches<'_>, mut more: bool) {
    let Ok(board) = options().attach(&location(file)) else {
        return;
    };
    let mut scraper = Scraper::new(&board);
    let mut handles = Vec::new();
    for looks in 0..MAX_LOOKS {
        // First those that were bound before the bytes changed under them.
        handles.iter().for_each(update);
        let outcomes = register(&board);
        handles.extend(outcomes.into_iter().flatten());
        handles.iter().for_each(update);
        board.reap();
        end(&board, looks);
        scraper.look(&board, flags);
        if !more {
            break;
        }
        more = change(file, &mut patches);
    }
    if flags.is_removed() {
        let _ = tallyboard::remove(&location(file));
        handles.iter().for_each(update);
        scraper.look(&board, flags);
    }
}

/// Series go, each time in another way, so that most find something to end.
fn end(board: &Board, way: usize) {
    let counters = || board.counter("c_total", "A counter.").labels(&["l"]);
    match way {
        0 => drop(counters().family().map(|family| family.remove(&["a"]))),
        1 => drop(board.expire(Duration::ZERO)),
        2 => drop(counters().family().map(|family| family.clear())),
        _ => board.leave(),
    }
    board.reap();
    assert!(board.processes().len() <= 4, "no more than there are rows");
}

/// A handle of any type.
enum Handle {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
    Summary(Summary),
    Info(Info),
    StateSet(StateSet),
    /// Each update of it is its exemplar.
    TracedCounter(Counter),
    TracedHistogram(Histogram),
}

/// Series of each type: short, in chains by their text or their cells, and several of one
/// family. New ones come at the end: the inputs of the corpus change slots by their number.
fn register(board: &Board) -> [Result<Handle, RegisterError>; 21] {
    let long = "v".repeat(500);
    let counters = board
        .counter("c_total", "A counter.")
        .labels(&["l"])
        .family();
    let counter = |value: &str| {
        let family = counters.as_ref().map_err(Clone::clone)?;
        family.try_with(&[value]).map(Handle::Counter)
    };
    let histogram = |bounds: &[f64]| {
        let builder = board.histogram("h_seconds", "A histogram.").buckets(bounds);
        builder.unit("seconds").register().map(Handle::Histogram)
    };
    let gauge = |how: Aggregation| {
        let builder = board.gauge(&format!("g_{how}"), "").aggregation(how);
        builder.register().map(Handle::Gauge)
    };
    // The second is counted in a series of its own.
    let capped = |value: &str| {
        let builder = board.counter("capped_total", "").series_cap(1);
        builder.label("l", value).register().map(Handle::Counter)
    };
    [
        gauge(Aggregation::Sum),
        gauge(Aggregation::Max),
        gauge(Aggregation::All),
        gauge(Aggregation::LiveSum),
        gauge(Aggregation::LiveLast),
        capped("a"),
        capped("b"),
        // Other words than the first time.
        board
            .counter("c_total", "The same counter.")
            .label("l", "a")
            .register()
            .map(Handle::Counter),
        counter("a"),
        counter(&long),
        counter("\"\n"),
        board.gauge("g", &long).register().map(Handle::Gauge),
        histogram(&[0.1, 1.0, 10.0]),
        // A second definition, which is shown instead of the first.
        histogram(&[-1.0, 0.0]),
        board
            .summary("s", "")
            .label("x", "ü")
            .register()
            .map(Handle::Summary),
        board.counter("late", "").register().map(Handle::Counter),
        board
            .info("build", "What runs.")
            .register()
            .map(Handle::Info),
        board
            .info("place", "")
            .label("l", "a")
            .register()
            .map(Handle::Info),
        board
            .state_set("phase", "", &["loading", "linking"])
            .register()
            .map(Handle::StateSet),
        board
            .counter("traced_total", "")
            .register()
            .map(Handle::TracedCounter),
        board
            .histogram("traced_seconds", "")
            .buckets(&[0.1])
            .register()
            .map(Handle::TracedHistogram),
    ]
}

fn update(handle: &Handle) {
    match handle {
        Handle::Counter(counter) => {
            counter.inc();
            counter.add_f64(0.5);
            let _ = counter.get();
        }
        Handle::Gauge(gauge) => {
            gauge.set(2.5);
            gauge.dec();
            let _ = gauge.get();
        }
        Handle::Histogram(histogram) => [-2.0, 0.5, f64::NAN, 1e300]
            .into_iter()
            .for_each(|value| histogram.observe(value)),
        Handle::Summary(summary) => summary.observe(-0.25),
        Handle::Info(info) => {
            // The second takes the place of the first, and more slots than it.
            let _ = info.set(&[("version", "1.1")]);
            let _ = info.set(&[("version", "1.2"), ("why", &"w".repeat(300))]);
        }
        Handle::StateSet(set) => {
            set.set("linking");
            set.set_place(7);
            let _ = (set.get(), set.place());
        }
        Handle::TracedCounter(counter) => {
            counter.inc_with_exemplar(&[("trace_id", "before")]);
            counter.add_f64_with_exemplar(0.5, &[("trace_id", "counted"), ("x", "\"\n")]);
        }
        Handle::TracedHistogram(histogram) => [0.05, 0.5, f64::NAN]
            .into_iter()
            .for_each(|value| histogram.observe_with_exemplar(value, &[("trace_id", "observed")])),
    }
}

/// A reader and an encoder of each style, which keep what they saw at the look before.
struct Scraper {
    reader: Reader,
    encoders: Vec<(Format, Encoder)>,
}

impl Scraper {
    fn new(board: &Board) -> Scraper {
        let styles = [
            (Format::Text, Escaping::Underscores),
            (Format::Text, Escaping::AllowUtf8),
            (Format::OpenMetrics, Escaping::AllowUtf8),
            (Format::Protobuf, Escaping::Values),
        ];
        let encoder = |(format, escaping)| {
            let style = Style {
                format,
                escaping,
                created: true,
            };
            (format, Encoder::new(style))
        };
        Scraper {
            reader: Reader::new(board),
            encoders: styles.into_iter().map(encoder).collect(),
        }
    }

    fn look(&mut self, board: &Board, flags: Flags) {
        let stats = board.stats();
        assert!(stats.slots_used <= stats.slots && stats.processes_used <= stats.processes);
        self.reader.refresh();
        self.values();
        for (format, encoder) in &mut self.encoders {
            let source = Source {
                id: 0,
                label: None,
                reader: &self.reader,
            };
            let mut body = Vec::new();
            let encoded = encoder.encode(&[source], &mut body);
            encoder.finish(&mut body);
            assert!(encoded.series <= u64::from(self.reader.capacity()));
            if *format == Format::Protobuf {
                continue;
            }
            let body = std::str::from_utf8(&body).expect("a body in UTF-8");
            assert!(body.is_empty() || body.ends_with('\n'), "{body}");
        }
        if flags.is_checked() {
            let faults = board.check();
            assert!(faults.iter().all(|fault| !fault.to_string().is_empty()));
        }
    }

    /// A body that shows all there is.
    fn open_metrics(mut self) -> String {
        self.reader.refresh();
        let (_, encoder) = &mut self.encoders[2];
        let source = Source {
            id: 0,
            label: None,
            reader: &self.reader,
        };
        let mut body = Vec::new();
        encoder.encode(&[source], &mut body);
        String::from_utf8(body).expect("a body in UTF-8")
    }

    fn values(&self) {
        let reader = &self.reader;
        let mut series_seen = 0;
        for family in reader.families() {
            assert!(!family.name.is_empty());
            assert!(family.bounds.is_sorted() && family.label_names.is_sorted());
            let mut buckets = vec![0; family.bounds.len() + 1];
            for series in &family.series {
                assert!(series.slot < reader.capacity());
                let labels = reader.label_values(series);
                assert!(labels.is_none_or(|labels| labels.len() == family.label_names.len()));
                match family.kind {
                    Kind::Counter => drop(reader.counter(series)),
                    Kind::Gauge => {
                        let _ = reader.gauge(series);
                        drop(reader.by_process(series));
                    }
                    Kind::Histogram => drop(reader.histogram(series, &mut buckets)),
                    Kind::Info => {
                        let said = reader.info(series).unwrap_or_default();
                        assert!(said.is_sorted(), "{said:?}");
                    }
                    Kind::StateSet => {
                        let state = reader.state(family, series);
                        assert!(state.is_none_or(|state| state < family.states.len()));
                    }
                    _ => drop(reader.summary(series)),
                }
                for place in 0..buckets.len() {
                    let exemplar = reader.exemplar(series, place);
                    assert!(exemplar.is_none() || reader.may_have_exemplar(series));
                }
                series_seen += 1;
            }
        }
        assert!(series_seen + reader.damaged() <= u64::from(reader.capacity()));
    }
}
