//! `tallyboard_workers_*`: the processes on the boards, by program.

use tallyboard::Number;

use super::{Own, counter, family, gauge};
use crate::encode::Style;
use crate::usage;
use crate::workers::{Program, Workers};

const PROCESSES: Own = gauge(
    "tallyboard_workers",
    "Living processes that are on a board and that the exporter can see in its /proc, by the name of their program.",
);
const CPU: Own = counter(
    "tallyboard_workers_cpu_seconds_total",
    "User and system CPU time of all processes that are or were on a board, the dead included; of one that is older than the exporter, since its first sample. A sample is taken each second and at each scrape: what a killed process used after its last sample is lost.",
);
const RESIDENT: Own = gauge(
    "tallyboard_workers_resident_memory_bytes",
    "Resident memory of the living processes that are on a board; memory that they share counts for each.",
);

/// Their names are the exporter's.
pub(super) const ALL: [Own; 3] = [PROCESSES, CPU, RESIDENT];

/// How one number of a program is got.
type Value = fn(&Program) -> Number;

/// Appends what is known of the programs. Nothing, where no process can be seen.
pub(super) fn write(workers: &Workers, style: Style, out: &mut Vec<u8>) {
    if workers.programs().next().is_none() {
        return;
    }
    let values: [Value; 3] = [
        |program| Number::Int(program.processes),
        |program| Number::Float(usage::seconds(program.cpu_ticks)),
        |program| Number::Int(program.resident_bytes),
    ];
    for (own, value) in ALL.iter().zip(values) {
        let mut family = family(own, style, out);
        for (name, program) in workers.programs() {
            family.sample(&[("program", name)], value(program));
        }
    }
}
