//! Golden texts of whole bodies, through real boards.

mod annexes;
mod hostile;
mod messages;
mod native;

use std::collections::BTreeSet;

use tallyboard::{Board, Location, Reader};

use super::*;

const OPEN_METRICS: Style = Style {
    format: Format::OpenMetrics,
    escaping: Escaping::Underscores,
    created: false,
};

/// A board that no other test sees, and its directory.
struct TestBoard {
    board: Board,
    _directory: tempfile::TempDir,
}

impl std::ops::Deref for TestBoard {
    type Target = Board;

    fn deref(&self) -> &Board {
        &self.board
    }
}

fn board() -> TestBoard {
    board_of(256)
}

fn board_of(slots: u32) -> TestBoard {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::Path(directory.path().join("test.v1.board"));
    let options = Board::options().slots(slots).allow_any_filesystem(true);
    TestBoard {
        board: options.create(&location).unwrap(),
        _directory: directory,
    }
}

fn encode_with(encoder: &mut Encoder, boards: &[(&Board, Option<&str>)]) -> (String, Encoded) {
    let (body, encoded) = bytes_with(encoder, boards);
    (String::from_utf8(body).unwrap(), encoded)
}

fn bytes_with(encoder: &mut Encoder, boards: &[(&Board, Option<&str>)]) -> (Vec<u8>, Encoded) {
    let readers: Vec<Reader> = boards
        .iter()
        .map(|(board, _)| {
            let mut reader = Reader::new(board);
            reader.refresh();
            reader
        })
        .collect();
    let sources: Vec<Source<'_>> = (0..boards.len())
        .map(|index| Source {
            id: index as u64,
            label: boards[index].1,
            reader: &readers[index],
        })
        .collect();
    let mut out = Vec::new();
    let encoded = encoder.encode(&sources, &mut out);
    encoder.finish(&mut out);
    (out, encoded)
}

fn encode(board: &Board, style: Style) -> String {
    encode_with(&mut Encoder::new(style), &[(board, None)]).0
}

#[test]
fn each_kind_in_text() {
    let board = board();
    let jobs = board.counter("jobs_total", "Jobs\ndone \"well\".");
    jobs.label("queue", "a\"b\\c\nd").register().unwrap().add(7);
    board
        .gauge("heat_celsius", "")
        .register()
        .unwrap()
        .set(f64::NEG_INFINITY);
    let waits = board
        .histogram("wait_seconds", "Waits.")
        .buckets(&[0.5, 1.0]);
    let waits = waits.label("q", "ü").register().unwrap();
    for seconds in [0.25, 0.75, 0.75, 8.0] {
        waits.observe(seconds);
    }
    let sizes = board.summary("size_bytes", "Sizes.").register().unwrap();
    sizes.observe(1.5);
    assert_eq!(
        encode(&board, Style::PLAIN),
        r#"# TYPE heat_celsius gauge
heat_celsius -Inf
# HELP jobs_total Jobs\ndone "well".
# TYPE jobs_total counter
jobs_total{queue="a\"b\\c\nd"} 7
# HELP size_bytes Sizes.
# TYPE size_bytes summary
size_bytes_sum 1.5
size_bytes_count 1
# HELP wait_seconds Waits.
# TYPE wait_seconds histogram
wait_seconds_bucket{q="ü",le="0.5"} 1
wait_seconds_bucket{q="ü",le="1.0"} 3
wait_seconds_bucket{q="ü",le="+Inf"} 4
wait_seconds_sum{q="ü"} 9.75
wait_seconds_count{q="ü"} 4
"#
    );
}

#[test]
fn each_kind_in_openmetrics() {
    let board = board();
    let jobs = board.counter("jobs_total", "Jobs \"done\".");
    jobs.label("queue", "mail").register().unwrap().add(7);
    board
        .counter("oddly_named", "")
        .register()
        .unwrap()
        .add_f64(0.5);
    let heat = board.gauge("heat_celsius", "Heat.").unit("celsius");
    heat.register().unwrap().set(21.0);
    board
        .gauge("load", "Load.")
        .unit("ratio")
        .register()
        .unwrap();
    let waits = board.histogram("wait_seconds", "Waits.").buckets(&[1.0]);
    waits.register().unwrap().observe(2.0);
    assert_eq!(
        encode(&board, OPEN_METRICS),
        r#"# TYPE heat_celsius gauge
# UNIT heat_celsius celsius
# HELP heat_celsius Heat.
heat_celsius 21.0
# TYPE jobs counter
# HELP jobs Jobs \"done\".
jobs_total{queue="mail"} 7
# TYPE load gauge
# HELP load Load.
load 0.0
# TYPE oddly_named counter
oddly_named_total 0.5
# TYPE wait_seconds histogram
# HELP wait_seconds Waits.
wait_seconds_bucket{le="1.0"} 0
wait_seconds_bucket{le="+Inf"} 1
wait_seconds_sum 2.0
wait_seconds_count 1
# EOF
"#
    );
}

#[test]
fn openmetrics_leaves_out_sums_that_cannot_be_counters() {
    let board = board();
    let deltas = board.histogram("delta", "").buckets(&[-1.0, 1.0]);
    deltas.register().unwrap().observe(0.5);
    board.summary("lost", "").register().unwrap().observe(-1.0);
    assert_eq!(
        encode(&board, OPEN_METRICS),
        r#"# TYPE delta histogram
delta_bucket{le="-1.0"} 0
delta_bucket{le="1.0"} 1
delta_bucket{le="+Inf"} 1
# TYPE lost summary
lost_count 1
# EOF
"#
    );
    assert!(encode(&board, Style::PLAIN).contains("delta_sum 0.5\ndelta_count 1\n"));
}

#[test]
fn names_beyond_the_legacy_characters() {
    let board = board();
    let reads = board.counter("disk.reads_total", "Reads.");
    reads.label("disk.name", "sda").register().unwrap().inc();
    board.gauge("größe", "").register().unwrap().set(1.0);
    let waits = board.histogram("disk.wait", "").buckets(&[1.0]);
    waits.register().unwrap();
    assert_eq!(
        encode(&board, Style::PLAIN),
        r#"# HELP disk_reads_total Reads.
# TYPE disk_reads_total counter
disk_reads_total{disk_name="sda"} 1
# TYPE disk_wait histogram
disk_wait_bucket{le="1.0"} 0
disk_wait_bucket{le="+Inf"} 0
disk_wait_sum 0.0
disk_wait_count 0
# TYPE gr__e gauge
gr__e 1.0
"#
    );
    let utf8 = Style {
        format: Format::OpenMetrics,
        escaping: Escaping::AllowUtf8,
        created: false,
    };
    assert_eq!(
        encode(&board, utf8),
        r#"# TYPE "disk.reads" counter
# HELP "disk.reads" Reads.
{"disk.reads_total","disk.name"="sda"} 1
# TYPE "disk.wait" histogram
{"disk.wait_bucket",le="1.0"} 0
{"disk.wait_bucket",le="+Inf"} 0
{"disk.wait_sum"} 0.0
{"disk.wait_count"} 0
# TYPE "größe" gauge
{"größe"} 1.0
# EOF
"#
    );
}

#[test]
fn a_unit_that_would_end_its_line_is_not_written() {
    let board = board();
    let heat = board.gauge("heat_\n", "").unit("\n");
    heat.register().unwrap().set(1.0);
    let utf8 = Style {
        escaping: Escaping::AllowUtf8,
        ..OPEN_METRICS
    };
    assert_eq!(
        encode(&board, utf8),
        "# TYPE \"heat_\\n\" gauge\n{\"heat_\\n\"} 1.0\n# EOF\n"
    );
}

#[test]
fn names_in_the_other_schemes() {
    let board = board();
    let reads = board.counter("disk.reads_total", "");
    reads.label("disk.name", "sda").register().unwrap().inc();
    board.counter("plain_total", "").register().unwrap();
    let with = |format, escaping| {
        encode(
            &board,
            Style {
                format,
                escaping,
                created: false,
            },
        )
    };
    assert_eq!(
        with(Format::Text, Escaping::Dots),
        "# TYPE disk_dot_reads__total counter\n\
         disk_dot_reads__total{disk_dot_name=\"sda\"} 1\n\
         # TYPE plain_total counter\nplain_total 0\n"
    );
    assert_eq!(
        with(Format::OpenMetrics, Escaping::Values),
        "# TYPE U__disk_2e_reads_ counter\n\
         U__disk_2e_reads__total{U__disk_2e_name=\"sda\"} 1\n\
         # TYPE plain counter\nplain_total 0\n# EOF\n"
    );
}

#[test]
fn an_exemplar_that_prometheus_would_refuse_is_not_written() {
    let board = board();
    let jobs = board.counter("jobs_total", "").register().unwrap();
    jobs.inc_with_exemplar(&[("trace_id", "a\0b")]);
    assert_eq!(
        encode(&board, OPEN_METRICS),
        "# TYPE jobs counter\njobs_total 1\n# EOF\n"
    );
}

#[test]
fn created_lines_when_they_are_asked_for() {
    let board = board();
    let jobs = board.counter("jobs_total", "").label("queue", "mail");
    jobs.register().unwrap();
    let waits = board.histogram("wait", "").buckets(&[1.0]);
    waits.register().unwrap();
    board.gauge("depth", "").register().unwrap();
    let style = Style {
        created: true,
        ..OPEN_METRICS
    };
    let mut reader = Reader::new(&board);
    reader.refresh();
    let created = |family: usize| {
        let series = reader.families()[family].series.first().unwrap();
        let nanos = reader.created_unix_nanos(series).unwrap();
        format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
    };
    let body = encode(&board, style);
    let (jobs, wait) = (created(1), created(2));
    assert!(body.contains(&format!(
        "jobs_total{{queue=\"mail\"}} 0\njobs_created{{queue=\"mail\"}} {jobs}\n"
    )));
    assert!(body.contains(&format!("wait_count 0\nwait_created {wait}\n")));
    assert!(!body.contains("depth_created"));
    assert!(
        !encode(
            &board,
            Style {
                created: true,
                ..Style::PLAIN
            }
        )
        .contains("_created")
    );
}

#[test]
fn pieces_of_any_size_make_the_same_body() {
    let board = board();
    for queue in ["a", "b", "c"] {
        let jobs = board.counter("jobs_total", "Jobs.").label("queue", queue);
        jobs.register().unwrap().add(7);
        let waits = board.histogram("wait", "").label("queue", queue);
        waits.register().unwrap().observe(0.5);
    }
    let set = board
        .gauge("set", "")
        .aggregation(tallyboard::Aggregation::All);
    set.register().unwrap().set(1.0);
    let mut reader = Reader::new(&board);
    reader.refresh();
    for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
        let style = Style {
            format,
            ..Style::PLAIN
        };
        let mut encoder = Encoder::new(style);
        let source = Source {
            id: 0,
            label: None,
            reader: &reader,
        };
        let exposition = Arc::new(encoder.expose(&[source]));
        let in_pieces = |piece: usize, names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let mut pass = Pass::new(exposition.clone(), Arc::new(Selection::new(names)));
            let mut body = Vec::new();
            while pass.fill(body.len() + piece, &mut body) {}
            body
        };
        let whole = in_pieces(usize::MAX, &[]);
        for piece in [1, 60, 500] {
            assert!(
                in_pieces(piece, &[]) == whole,
                "{format:?} in pieces of {piece}"
            );
        }
        let jobs = in_pieces(1, &["jobs_total"]);
        assert!(whole.starts_with(&jobs) && jobs.len() < whole.len());
        assert_eq!(in_pieces(1, &["set", "wait_count"]), whole[jobs.len()..]);
        assert!(in_pieces(1, &["nothing"]).is_empty());
    }
}

#[test]
fn two_boards_share_blocks_and_a_type_clash_leaves_out_the_later() {
    let (left, right) = (board(), board());
    left.counter("jobs_total", "Jobs.")
        .register()
        .unwrap()
        .add(1);
    right
        .counter("jobs_total", "Jobs, again.")
        .register()
        .unwrap()
        .add(2);
    left.gauge("size", "").register().unwrap().set(1.0);
    right.histogram("size", "").register().unwrap().observe(1.0);
    let mine = right.gauge("mine", "").label("board", "x");
    mine.register().unwrap().set(3.0);
    let mut encoder = Encoder::new(Style::PLAIN);
    let (body, encoded) = encode_with(
        &mut encoder,
        &[(&left, Some("left")), (&right, Some("right"))],
    );
    assert_eq!(
        body,
        r#"# HELP jobs_total Jobs.
# TYPE jobs_total counter
jobs_total{board="left"} 1
jobs_total{board="right"} 2
# TYPE mine gauge
mine{board="right",exported_board="x"} 3.0
# TYPE size gauge
size{board="left"} 1.0
"#
    );
    assert_eq!(
        encoded,
        Encoded {
            series: 4,
            clashes: 1
        }
    );
}

#[test]
fn sample_names_clash_too() {
    let board = board();
    board
        .histogram("wait", "")
        .buckets(&[1.0])
        .register()
        .unwrap();
    board.counter("wait_count", "").register().unwrap();
    board.gauge("jobs", "").register().unwrap();
    board.counter("jobs_total", "").register().unwrap();
    board.gauge("a.b", "").register().unwrap();
    board.gauge("a_b", "").register().unwrap();
    let clashes = |style| {
        encode_with(&mut Encoder::new(style), &[(&board, None)])
            .1
            .clashes
    };
    assert_eq!(
        clashes(Style::PLAIN),
        2,
        "wait_count, and one of a.b and a_b"
    );
    assert_eq!(
        clashes(OPEN_METRICS),
        3,
        "and jobs_total, whose family is jobs"
    );
}

#[test]
fn reserved_families_stay_with_the_caller() {
    let board = board();
    board.gauge("own", "").register().unwrap();
    board.gauge("other", "").register().unwrap();
    let mut encoder = Encoder::with_reserved(Style::PLAIN, &[("own", Kind::Gauge)]);
    let (body, encoded) = encode_with(&mut encoder, &[(&board, None)]);
    assert_eq!(body, "# TYPE other gauge\nother 0.0\n");
    assert_eq!(encoded.clashes, 1);
}

#[test]
fn kept_text_follows_series_and_values() {
    let board = board();
    let mut encoder = Encoder::new(Style::PLAIN);
    let jobs = |queue| {
        let jobs = board.counter("jobs_total", "").label("queue", queue);
        jobs.register().unwrap()
    };
    let middle = jobs("m");
    middle.inc();
    let mut body = || encode_with(&mut encoder, &[(&board, None)]).0;
    assert_eq!(
        body(),
        "# TYPE jobs_total counter\njobs_total{queue=\"m\"} 1\n"
    );
    middle.inc();
    jobs("z").add(26);
    jobs("a").add(1);
    board.gauge("depth", "").register().unwrap().set(4.0);
    assert_eq!(
        body(),
        r#"# TYPE depth gauge
depth 4.0
# TYPE jobs_total counter
jobs_total{queue="m"} 2
jobs_total{queue="z"} 26
jobs_total{queue="a"} 1
"#
    );
}

/// What is kept is made anew in batches, and what is left of one batch is not mixed up with another.
#[test]
fn kept_text_follows_series_that_come_and_go_in_the_middle() {
    let board = board_of(4096);
    let mut encoder = Encoder::new(Style::PLAIN);
    let family = board.counter("jobs_total", "").labels(&["n"]);
    let family = family.family().unwrap();
    let mut reader = Reader::new(&board);
    let mut expected: BTreeSet<u64> = (0..2000).collect();
    for n in &expected {
        family.with(&[&n.to_string()]).add(*n);
    }
    for turn in 0..20 {
        reader.refresh();
        let source = Source {
            id: 0,
            label: None,
            reader: &reader,
        };
        let mut body = Vec::new();
        encoder.encode(&[source], &mut body);
        let body = String::from_utf8(body).unwrap();
        let lines = body.lines().skip(1).map(|line| {
            let (name, value) = line.split_once(' ').unwrap();
            assert_eq!(name, format!("jobs_total{{n=\"{value}\"}}"));
            value.parse().unwrap()
        });
        assert_eq!(lines.collect::<BTreeSet<u64>>(), expected, "{turn}");
        for n in 0..100 {
            let (gone, new) = (turn * 100 + n * 7 % 100, 10_000 + turn * 100 + n);
            assert_eq!(family.remove(&[&gone.to_string()]), Ok(true));
            expected.remove(&gone);
            family.with(&[&new.to_string()]).add(new);
            expected.insert(new);
        }
    }
}

/// On a sound board a tag never comes back; on a damaged one another family may bear it.
#[test]
fn a_tag_that_comes_back_with_another_family_is_rendered_anew() {
    use std::os::unix::fs::FileExt;

    let board = board();
    for (name, label) in [("a_total", "l"), ("b_total", "m")] {
        let counter = board.counter(name, "").label(label, name);
        counter.register().unwrap();
    }
    let mut encoder = Encoder::new(Style::PLAIN);
    encode_with(&mut encoder, &[(&board, None)]);

    let mut reader = Reader::new(&board);
    reader.refresh();
    let [a, b] = reader.families() else {
        panic!("two families");
    };
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(board.path().unwrap())
        .unwrap();
    let word = |at: u64| {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, at).unwrap();
        u64::from_le_bytes(bytes)
    };
    let put = |at: u64, word: u64| file.write_all_at(&word.to_le_bytes(), at).unwrap();
    let (states, records) = (word(104), word(120));
    let record = |tag: u64| {
        let mut slots = 0..256;
        let slot = slots.find(|slot| word(states + slot * 8) == tag);
        records + slot.unwrap() * 256
    };
    // Each says what the other said: its shape, its lengths, its text.
    let (a, b) = (record(a.tag), record(b.tag));
    for field in (8..24).chain(64..256).step_by(8) {
        let (said, other) = (word(a + field), word(b + field));
        put(a + field, other);
        put(b + field, said);
    }
    let (text, encoded) = encode_with(&mut encoder, &[(&board, None)]);
    assert_eq!(
        text,
        r#"# TYPE a_total counter
a_total{l="b_total"} 0
# TYPE b_total counter
b_total{m="a_total"} 0
"#
    );
    assert_eq!(encoded.series, 2);
}

/// What stands where the time of an exemplar stood, which is another in each run.
fn without_times(body: &str) -> String {
    let line = |line: &str| match line.split_once(" # {") {
        Some((_, exemplar)) => {
            let (rest, time) = line.rsplit_once(' ').unwrap();
            let seconds: f64 = time.parse().unwrap();
            assert!(seconds > 1.7e9 && exemplar.contains("} "), "{line}");
            format!("{rest} TIME\n")
        }
        None => format!("{line}\n"),
    };
    body.lines().map(line).collect()
}

#[test]
fn exemplars_stand_on_counters_and_buckets_in_open_metrics_alone() {
    let board = board();
    let jobs = board.counter("jobs_total", "").register().unwrap();
    jobs.add_with_exemplar(2, &[("trace.id", "a\"b"), ("trace_id", "")]);
    let waits = board.histogram("wait_seconds", "").buckets(&[0.5]);
    let waits = waits.label("q", "x").register().unwrap();
    waits.observe_with_exemplar(0.25, &[("trace_id", "c")]);
    waits.observe(0.25);
    waits.observe_with_exemplar(f64::NAN, &[]);
    // Told apart by an underscore more, these are 129 characters.
    let full = board.counter("full_total", "").register().unwrap();
    full.inc_with_exemplar(&[("a.b", &"x".repeat(122)), ("a-b", "")]);
    let text = encode(&board, Style::PLAIN);
    assert!(!text.contains(" # "), "{text}");
    assert_eq!(
        without_times(&encode(&board, OPEN_METRICS)),
        "# TYPE full counter\n\
         full_total 1\n\
         # TYPE jobs counter\n\
         jobs_total 2 # {trace_id_=\"a\\\"b\",trace_id=\"\"} 2.0 TIME\n\
         # TYPE wait_seconds histogram\n\
         wait_seconds_bucket{q=\"x\",le=\"0.5\"} 2 # {trace_id=\"c\"} 0.25 TIME\n\
         wait_seconds_bucket{q=\"x\",le=\"+Inf\"} 3 # {} NaN TIME\n\
         # EOF\n"
    );
}

#[test]
fn an_info_is_a_gauge_in_text_and_has_its_own_type_in_open_metrics() {
    let board = board();
    let build = board.info("build", "Of what.").register().unwrap();
    let text = "# HELP build_info Of what.\n# TYPE build_info gauge\n";
    let open_metrics = "# TYPE build info\n# HELP build Of what.\n";
    assert_eq!(
        encode(&board, Style::PLAIN),
        format!("{text}build_info 1\n")
    );
    build.set(&[("version", "1.2"), ("a.b", "\n")]).unwrap();
    let line = "build_info{a_b=\"\\n\",version=\"1.2\"} 1\n";
    assert_eq!(encode(&board, Style::PLAIN), format!("{text}{line}"));
    assert_eq!(
        encode(&board, OPEN_METRICS),
        format!("{open_metrics}{line}# EOF\n")
    );
}

#[test]
fn labels_of_an_info_stay_apart_whatever_it_says() {
    let board = board();
    let side = board.info("side_info", "").label("a.b", "left");
    let side = side.register().unwrap();
    side.set(&[("a-b", "x"), ("board", "y"), ("exported_board", "z")])
        .unwrap();
    let (body, _) = encode_with(&mut Encoder::new(OPEN_METRICS), &[(&board, Some("B"))]);
    assert_eq!(
        body,
        "# TYPE side info\nside_info{board=\"B\",a_b=\"left\",a_b_=\"x\",exported_board_=\"y\",exported_board=\"z\"} 1\n# EOF\n"
    );
}

#[test]
fn a_state_set_is_a_line_for_each_state() {
    let board = board();
    let phase = board.state_set("phase", "Of it.", &["loading", "lin\"king"]);
    let phase = phase.label("job", "a").register().unwrap();
    phase.set("lin\"king");
    let lines = "phase{job=\"a\",phase=\"loading\"} 0\nphase{job=\"a\",phase=\"lin\\\"king\"} 1\n";
    assert_eq!(
        encode(&board, Style::PLAIN),
        format!("# HELP phase Of it.\n# TYPE phase gauge\n{lines}")
    );
    assert_eq!(
        encode(&board, OPEN_METRICS),
        format!("# TYPE phase stateset\n# HELP phase Of it.\n{lines}# EOF\n")
    );
}

/// Its parsers look for a label that is called as the family is, and refuse the body without it.
#[test]
fn a_state_set_whose_label_cannot_have_its_name_is_a_gauge_in_open_metrics() {
    let board = board();
    board.state_set("a:b", "", &["on"]).register().unwrap();
    assert_eq!(
        encode(&board, OPEN_METRICS),
        "# TYPE a:b gauge\na:b{a_b=\"on\"} 1\n# EOF\n"
    );
}
