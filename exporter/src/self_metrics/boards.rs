//! `tallyboard_board_*` and `tallyboard_family_*`: what there is to say about the boards as such.

use tallyboard::{FamilyView, Number, Reader, Stats};

use super::{Own, counter, family, gauge};
use crate::boards::BoardSet;
use crate::encode::Style;

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
    "Registrations that went beyond the cap on series of this family: counted in one series whose label values are all `overflow`, or refused in case of a gauge, an info or a state set.",
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
    "Registrations that the board refused: what they would have counted is lost; of an exemplar no more than itself.",
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
            "Process rows given back: of processes that died, and of those that ended and said so.",
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
            "Registrations and lookups that went beyond the cap on series of a family.",
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

/// Their names are the exporter's.
pub(super) fn all() -> impl Iterator<Item = Own> {
    let alone = [
        MAPPED,
        BROKEN,
        UNLINKED,
        DAMAGED,
        REFUSED,
        FAMILY_OVERFLOWS,
        FAMILY_HIDDEN,
    ];
    alone.into_iter().chain(OF_BOARDS.map(|(own, _)| own))
}

/// A board that is mapped: its label, how full it was at the last look, and its reader.
type There<'a> = (&'a str, &'a Stats, &'a Reader);

/// Appends what is known of the boards.
pub(super) fn write(boards: &BoardSet, style: Style, out: &mut Vec<u8>) {
    let targets = boards.targets();
    let mapped = targets
        .iter()
        .map(|target| (target.label(), u64::from(target.mapped().is_some())));
    by_board(&MAPPED, mapped, style, out);
    let broken = targets
        .iter()
        .map(|target| (target.label(), target.broken()));
    by_board(&BROKEN, broken, style, out);
    by_board(&UNLINKED, boards.unlinked(), style, out);
    let there = targets.iter().filter_map(|target| {
        let (_, reader) = target.mapped()?;
        Some((target.label(), target.stats()?, reader))
    });
    let there: Vec<There<'_>> = there.collect();
    for (own, value) in &OF_BOARDS {
        let values = there.iter().map(|(board, stats, _)| (*board, value(stats)));
        by_board(own, values, style, out);
    }
    let damaged = there
        .iter()
        .map(|(board, _, reader)| (*board, reader.damaged()));
    by_board(&DAMAGED, damaged, style, out);
    refused(&there, style, out);
    let overflows = |reader: &Reader, family: &FamilyView| reader.overflows(family);
    by_family(&FAMILY_OVERFLOWS, &there, overflows, style, out);
    let hidden = |_: &Reader, family: &FamilyView| family.hidden_series;
    by_family(&FAMILY_HIDDEN, &there, hidden, style, out);
}

/// What there is one value of for each board.
fn by_board<'a>(
    own: &Own,
    values: impl Iterator<Item = (&'a str, u64)>,
    style: Style,
    out: &mut Vec<u8>,
) {
    let samples = values.map(|(board, value)| ([("board", board)], value));
    write_samples(own, samples, style, out);
}

fn refused(boards: &[There<'_>], style: Style, out: &mut Vec<u8>) {
    let refused = boards.iter().flat_map(|(board, stats, _)| {
        let refused = stats.refused.iter();
        refused.map(|(reason, count)| (*board, reason.to_string(), *count))
    });
    let refused: Vec<_> = refused.collect();
    let samples = refused
        .iter()
        .map(|(board, reason, count)| ([("board", *board), ("reason", reason)], *count));
    write_samples(&REFUSED, samples, style, out);
}

/// What there is one value of for each family, where it is not 0.
fn by_family(
    own: &Own,
    boards: &[There<'_>],
    value: impl Fn(&Reader, &FamilyView) -> u64,
    style: Style,
    out: &mut Vec<u8>,
) {
    let families = boards.iter().flat_map(|(board, _, reader)| {
        let families = reader.families().iter();
        families.map(move |family| (*board, *reader, family))
    });
    let samples = families
        .map(|(board, reader, family)| {
            let labels = [("board", board), ("family", &*family.name)];
            (labels, value(reader, family))
        })
        .filter(|(_, value)| *value > 0);
    write_samples(own, samples, style, out);
}

/// A family without a sample is left out.
fn write_samples<'a, const LABELS: usize>(
    own: &Own,
    samples: impl Iterator<Item = ([(&'a str, &'a str); LABELS], u64)>,
    style: Style,
    out: &mut Vec<u8>,
) {
    let mut samples = samples.peekable();
    if samples.peek().is_none() {
        return;
    }
    let mut writer = family(own, style, out);
    for (labels, value) in samples {
        writer.sample(&labels, Number::Int(value));
    }
}
