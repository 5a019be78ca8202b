//! Names that a format or an escaping scheme writes otherwise.

use super::*;

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
