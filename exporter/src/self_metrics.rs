//! What the exporter says about itself and about the boards as such.

mod process;
mod workers;

use std::time::Duration;

use tallyboard::{FamilyView, Kind, LAYOUT_VERSION, Number, Reader, Stats};

use crate::boards::BoardSet;
use crate::encode::{FamilyWriter, Style};
use crate::failures::{Failures, REASONS};
use crate::workers::Workers;

/// A family of the exporter's own.
struct Own {
    name: &'static str,
    kind: Kind,
    help: &'static str,
}

const fn gauge(name: &'static str, help: &'static str) -> Own {
    Own {
        name,
        kind: Kind::Gauge,
        help,
    }
}

const fn counter(name: &'static str, help: &'static str) -> Own {
    Own {
        name,
        kind: Kind::Counter,
        help,
    }
}

const BUILD_INFO: Own = gauge(
    "tallyboard_build_info",
    "A metric with the constant value 1, labelled with the exporter's version and the layout version of boards it reads.",
);
const MAPPED: Own = gauge(
    "tallyboard_board_mapped",
    "Whether the board is there and can be read.",
);
const BROKEN: Own = counter(
    "tallyboard_board_broken_total",
    "Times that the board was left out because it had lost its memory: its file was truncated, or its filesystem was full.",
);
const UNLINKED: Own = counter(
    "tallyboard_board_unlinked_total",
    "Times that the board was unlinked or replaced by other means than `tallyboard rm`; what programs counted on it until they moved is lost.",
);
const FAMILY_OVERFLOWS: Own = counter(
    "tallyboard_family_overflows_total",
    "Registrations that went beyond the cap on series of this family: counted in one series whose label values are all `overflow`, or refused in case of a gauge.",
);
const FAMILY_HIDDEN: Own = gauge(
    "tallyboard_family_hidden_series",
    "Series of older definitions of this family, which are not shown.",
);
const DAMAGED: Own = gauge(
    "tallyboard_board_damaged",
    "Records left out of this scrape because their bytes are damaged; see `tallyboard check`.",
);
const REFUSED: Own = counter(
    "tallyboard_board_refused_total",
    "Registrations that the board refused; what they would have counted is lost.",
);
const CLASHES: Own = gauge(
    "tallyboard_type_clashes",
    "Families left out of this scrape because an earlier family has their name with another type.",
);
const SCRAPES: Own = counter("tallyboard_scrapes_total", "Scrapes, this one included.");
const FAILED: Own = counter(
    "tallyboard_scrapes_failed_total",
    "Scrapes that were not answered to their end: `busy`, as many as --web.max-requests were being answered; `late`, the scraper's own timeout was over; `broken`, a board lost its memory or the exporter failed, and the log says more.",
);
const DURATION: Own = gauge(
    "tallyboard_scrape_duration_seconds",
    "How long it took to read and encode the boards for this scrape.",
);

/// Where a value of a board comes from.
type Value = fn(&Stats) -> u64;

/// What there is one value of for each board.
const OF_BOARDS: [(Own, Value); 22] = [
    (
        gauge(
            "tallyboard_board_size_bytes",
            "The board's size with all that it may reserve.",
        ),
        |stats| stats.bytes_total,
    ),
    (
        gauge(
            "tallyboard_board_reserved_bytes",
            "Memory that the board has reserved so far.",
        ),
        |stats| stats.bytes_reserved,
    ),
    (
        gauge("tallyboard_board_slots", "Slots that the board has."),
        |stats| u64::from(stats.slots),
    ),
    (
        gauge("tallyboard_board_slots_used", "Slots in use."),
        |stats| u64::from(stats.slots_used),
    ),
    (
        gauge("tallyboard_board_series", "Series on the board."),
        |stats| u64::from(stats.series),
    ),
    (
        gauge("tallyboard_board_families", "Families on the board."),
        |stats| u64::from(stats.families),
    ),
    (
        gauge(
            "tallyboard_board_parts",
            "Contributions of single processes to gauges.",
        ),
        |stats| u64::from(stats.parts),
    ),
    (
        gauge(
            "tallyboard_board_cells",
            "Cells for values that the board's slots have.",
        ),
        |stats| stats.cells,
    ),
    (
        gauge(
            "tallyboard_board_cells_used",
            "Cells that series and processes' parts of gauges hold values in.",
        ),
        |stats| stats.cells_used,
    ),
    (
        gauge(
            "tallyboard_board_text_bytes",
            "Bytes of names, label values and help that the board's slots have room for, at most.",
        ),
        |stats| stats.text_bytes,
    ),
    (
        gauge(
            "tallyboard_board_text_used_bytes",
            "Bytes of names, label values and help on the board.",
        ),
        |stats| stats.text_bytes_used,
    ),
    (
        gauge(
            "tallyboard_board_slots_leaked",
            "Slots that hold nothing and are not free, because a process died while it made or removed a series; they are given back by whoever keeps the board in order.",
        ),
        |stats| u64::from(stats.leaked),
    ),
    (
        gauge(
            "tallyboard_board_processes",
            "Process rows that the board has.",
        ),
        |stats| u64::from(stats.processes),
    ),
    (
        gauge("tallyboard_board_processes_used", "Process rows in use."),
        |stats| u64::from(stats.processes_used),
    ),
    (
        gauge(
            "tallyboard_board_planes",
            "CPU planes that the board has room for.",
        ),
        |stats| u64::from(stats.planes),
    ),
    (
        gauge("tallyboard_board_planes_ready", "CPU planes in use."),
        |stats| u64::from(stats.planes_ready),
    ),
    (
        gauge(
            "tallyboard_board_planes_refused",
            "CPU planes for which there was no memory; those CPUs use the slower shared plane.",
        ),
        |stats| u64::from(stats.planes_refused),
    ),
    (
        counter(
            "tallyboard_board_reclaimed_total",
            "Slots given back after their series ended or the process that was making it died.",
        ),
        |stats| stats.reclaimed,
    ),
    (
        counter(
            "tallyboard_board_reaped_total",
            "Process rows given back after their process died.",
        ),
        |stats| stats.reaped,
    ),
    (
        counter(
            "tallyboard_board_folded_total",
            "Contributions of dead processes that were folded into their gauges.",
        ),
        |stats| stats.folded,
    ),
    (
        counter(
            "tallyboard_board_overflowed_total",
            "Registrations that went beyond the cap on series of a family.",
        ),
        |stats| stats.overflowed,
    ),
    (
        counter(
            "tallyboard_board_expired_total",
            "Series ended because they had not changed for long.",
        ),
        |stats| stats.expired,
    ),
];

/// The names that no board may take. Those of [the exporter's own process and
/// scrapes](Scrape::exporter_metrics) are free where it does not tell of them.
pub(crate) fn reserved(exporter_metrics: bool) -> Vec<(&'static str, Kind)> {
    let alone = [
        BUILD_INFO,
        MAPPED,
        BROKEN,
        UNLINKED,
        DAMAGED,
        REFUSED,
        FAMILY_OVERFLOWS,
        FAMILY_HIDDEN,
        CLASHES,
    ];
    let of_boards = OF_BOARDS.map(|(own, _)| own);
    let of_exporter = process::ALL.into_iter().chain([SCRAPES, FAILED, DURATION]);
    let of_exporter = of_exporter.filter(|_| exporter_metrics);
    let all = alone.into_iter().chain(of_boards).chain(workers::ALL);
    let all = all.chain(of_exporter);
    all.map(|own| (own.name, own.kind)).collect()
}

/// What one scrape found out.
pub(crate) struct Scrape<'a> {
    pub(crate) clashes: u64,
    pub(crate) scrapes: u64,
    pub(crate) failures: &'a Failures,
    pub(crate) took: Duration,
    pub(crate) workers: &'a Workers,
    /// Whether what is about the exporter alone is written, too.
    pub(crate) exporter_metrics: bool,
}

/// Appends all of it.
pub(crate) fn write(boards: &BoardSet, scrape: &Scrape<'_>, style: Style, out: &mut Vec<u8>) {
    let layout = LAYOUT_VERSION.to_string();
    family(&BUILD_INFO, style, out).sample(
        &[
            ("version", env!("CARGO_PKG_VERSION")),
            ("layout_version", &layout),
        ],
        Number::Int(1),
    );
    let targets = boards.targets();
    if !targets.is_empty() {
        let mut mapped = family(&MAPPED, style, out);
        for target in targets {
            let is_mapped = u64::from(target.mapped().is_some());
            mapped.sample(&[("board", target.label())], Number::Int(is_mapped));
        }
        let mut broken = family(&BROKEN, style, out);
        for target in targets {
            broken.sample(&[("board", target.label())], Number::Int(target.broken()));
        }
    }
    let mut unlinked = boards.unlinked().peekable();
    if unlinked.peek().is_some() {
        let mut family = family(&UNLINKED, style, out);
        for (board, times) in unlinked {
            family.sample(&[("board", board)], Number::Int(times));
        }
    }
    let mut there = Vec::new();
    for target in targets {
        if let (Some((_, reader)), Some(stats)) = (target.mapped(), target.stats()) {
            there.push((target.label(), stats, reader));
        }
    }
    if !there.is_empty() {
        for (own, value) in &OF_BOARDS {
            let mut family = family(own, style, out);
            for (board, stats, _) in &there {
                family.sample(&[("board", board)], Number::Int(value(stats)));
            }
        }
        let mut damaged = family(&DAMAGED, style, out);
        for (board, _, reader) in &there {
            damaged.sample(&[("board", board)], Number::Int(reader.damaged()));
        }
        let mut refused = family(&REFUSED, style, out);
        for (board, stats, _) in &there {
            for (reason, count) in &stats.refused {
                let reason = reason.to_string();
                refused.sample(
                    &[("board", board), ("reason", &reason)],
                    Number::Int(*count),
                );
            }
        }
    }
    let overflows = |reader: &Reader, family: &FamilyView| reader.overflows(family);
    of_families(&FAMILY_OVERFLOWS, &there, overflows, style, out);
    let hidden = |_: &Reader, family: &FamilyView| family.hidden_series;
    of_families(&FAMILY_HIDDEN, &there, hidden, style, out);
    family(&CLASHES, style, out).sample(&[], Number::Int(scrape.clashes));
    workers::write(scrape.workers, style, out);
    if !scrape.exporter_metrics {
        return;
    }
    process::write(style, out);
    family(&SCRAPES, style, out).sample(&[], Number::Int(scrape.scrapes));
    let mut failed = family(&FAILED, style, out);
    for (reason, word) in REASONS {
        let number = Number::Int(scrape.failures.number(reason));
        failed.sample(&[("reason", word)], number);
    }
    let took = Number::Float(scrape.took.as_secs_f64());
    family(&DURATION, style, out).sample(&[], took);
}

/// What there is one value of for each family, where it is not 0.
fn of_families(
    own: &Own,
    boards: &[(&str, &Stats, &Reader)],
    value: impl Fn(&Reader, &FamilyView) -> u64,
    style: Style,
    out: &mut Vec<u8>,
) {
    let mut values = Vec::new();
    for (board, _, reader) in boards {
        for family in reader.families() {
            values.push((*board, &*family.name, value(reader, family)));
        }
    }
    values.retain(|(.., value)| *value > 0);
    if values.is_empty() {
        return;
    }
    let mut writer = family(own, style, out);
    for (board, family, value) in values {
        writer.sample(&[("board", board), ("family", family)], Number::Int(value));
    }
}

fn family<'a>(own: &Own, style: Style, out: &'a mut Vec<u8>) -> FamilyWriter<'a> {
    FamilyWriter::new(style, own.name, own.kind, own.help, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_reserved_and_named_as_prometheus_wants() {
        let mut out = Vec::new();
        let scrape = Scrape {
            clashes: 0,
            scrapes: 1,
            failures: &Failures::default(),
            took: Duration::from_millis(2),
            workers: &Workers::default(),
            exporter_metrics: true,
        };
        let boards = BoardSet::new(Vec::new(), None);
        write(&boards, &scrape, Style::PLAIN, &mut out);
        let text = String::from_utf8(out).unwrap();
        let reserved = reserved(true);
        for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
            let name = line.split(' ').nth(2).unwrap();
            assert!(reserved.iter().any(|(reserved, _)| *reserved == name));
        }
        for (name, kind) in reserved {
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        }
        assert!(text.contains("tallyboard_scrape_duration_seconds 0.002\n"));

        let scrape = Scrape {
            exporter_metrics: false,
            ..scrape
        };
        let mut out = Vec::new();
        write(&boards, &scrape, Style::PLAIN, &mut out);
        let without = String::from_utf8(out).unwrap();
        assert!(without.contains("tallyboard_build_info{"));
        assert!(!without.contains("process_") && !without.contains("tallyboard_scrape"));
    }
}
