//! Families of one name: of several boards, of several types, of the caller.

use super::*;

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
