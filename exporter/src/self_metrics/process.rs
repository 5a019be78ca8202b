//! `process_*`: the exporter's own process, under the names that every client library uses.

use std::sync::OnceLock;

use procfs::process::{LimitValue, Limits, Process, Stat};
use tallyboard::Number;

use super::{Own, counter, family, gauge};
use crate::encode::Style;
use crate::usage::{self, Usage};

/// What the kernel tells of this process; each may be kept from it.
struct Myself {
    stat: Option<Stat>,
    open_fds: Option<usize>,
    limits: Option<Limits>,
}

/// How one number is got, where it can be known.
type Value = fn(&Myself) -> Option<Number>;

const OF_PROCESS: [(Own, Value); 7] = [
    (
        counter(
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds.",
        ),
        |myself| Some(Number::Float(usage::seconds(myself.usage()?.cpu_ticks))),
    ),
    (
        gauge(
            "process_resident_memory_bytes",
            "Resident memory size in bytes; the pages of boards that were read are among it.",
        ),
        |myself| Some(Number::Int(myself.usage()?.resident_bytes)),
    ),
    (
        gauge(
            "process_virtual_memory_bytes",
            "Virtual memory size in bytes.",
        ),
        |myself| Some(Number::Int(myself.usage()?.virtual_bytes)),
    ),
    (
        gauge(
            "process_virtual_memory_max_bytes",
            "Maximum amount of virtual memory available in bytes.",
        ),
        |myself| Some(limit(myself.limits.as_ref()?.max_address_space.soft_limit)),
    ),
    (
        gauge("process_open_fds", "Number of open file descriptors."),
        |myself| Some(Number::Int(myself.open_fds? as u64)),
    ),
    (
        gauge(
            "process_max_fds",
            "Maximum number of open file descriptors.",
        ),
        |myself| Some(limit(myself.limits.as_ref()?.max_open_files.soft_limit)),
    ),
    (
        gauge(
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds.",
        ),
        |myself| start_seconds(myself.stat.as_ref()?.starttime).map(Number::Float),
    ),
];

/// Their names are the exporter's.
pub(super) fn all() -> impl Iterator<Item = Own> {
    OF_PROCESS.into_iter().map(|(own, _)| own)
}

/// Appends what can be read of `/proc/self`.
pub(super) fn write(style: Style, out: &mut Vec<u8>) {
    let Ok(process) = Process::myself() else {
        return;
    };
    let myself = Myself {
        stat: process.stat().ok(),
        open_fds: process.fd_count().ok(),
        limits: process.limits().ok(),
    };
    for (own, value) in &OF_PROCESS {
        if let Some(value) = value(&myself) {
            family(own, style, out).sample(&[], value);
        }
    }
}

impl Myself {
    fn usage(&self) -> Option<Usage> {
        self.stat.as_ref().map(Usage::from)
    }
}

fn limit(value: LimitValue) -> Number {
    match value {
        LimitValue::Value(value) => Number::Int(value),
        LimitValue::Unlimited => Number::Float(f64::INFINITY),
    }
}

/// Worked out once: the kernel's time of boot moves when the clock is set.
fn start_seconds(start_ticks: u64) -> Option<f64> {
    static START: OnceLock<Option<f64>> = OnceLock::new();
    *START.get_or_init(|| {
        let boot = procfs::boot_time_secs().ok()?;
        Some(boot as f64 + usage::seconds(start_ticks))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them_are_written() {
        let mut out = Vec::new();
        write(Style::PLAIN, &mut out);
        let text = String::from_utf8(out).unwrap();
        for own in all() {
            let line = format!("\n{} ", own.name);
            let value = text.split(&line).nth(1).unwrap().lines().next().unwrap();
            assert!(value.parse::<f64>().unwrap() >= 0.0, "{}", own.name);
        }
    }
}
