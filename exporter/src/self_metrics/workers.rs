//! `tallyboard_workers_*`: the processes on the boards, by program.

use tallyboard::Number;

use super::{Own, counter, family, gauge};
use crate::encode::Style;
use crate::usage;
use crate::workers::{Program, Workers};

/// How one number of a program is got.
type Value = fn(&Program) -> Number;

const OF_PROGRAMS: [(Own, Value); 3] = [
    (
        gauge(
            "tallyboard_workers",
            "Living processes that are on a board and that the exporter can see in its /proc, by the name of their program.",
        ),
        |program| Number::Int(program.processes),
    ),
    (
        counter(
            "tallyboard_workers_cpu_seconds_total",
            "User and system CPU time of all processes that are or were on a board, the dead included; of one that is older than the exporter, since its first sample. `serve` takes a sample each second and at each scrape, `textfile` when it writes: what a killed process used after its last sample is lost.",
        ),
        |program| Number::Float(usage::seconds(program.cpu_ticks)),
    ),
    (
        gauge(
            "tallyboard_workers_resident_memory_bytes",
            "Resident memory of the living processes that are on a board; memory that they share counts for each.",
        ),
        |program| Number::Int(program.resident_bytes),
    ),
];

/// Their names are the exporter's.
pub(super) fn all() -> impl Iterator<Item = Own> {
    OF_PROGRAMS.into_iter().map(|(own, _)| own)
}

/// Appends what is known of the programs. Nothing, where no process can be seen.
pub(super) fn write(workers: &Workers, style: Style, out: &mut Vec<u8>) {
    if workers.programs().next().is_none() {
        return;
    }
    for (own, value) in &OF_PROGRAMS {
        let mut family = family(own, style, out);
        for (name, program) in workers.programs() {
            family.sample(&[("program", name)], value(program));
        }
    }
}
