//! `process_*`: the exporter's own process, under the names that every client library uses.

use std::sync::OnceLock;

use procfs::process::{LimitValue, Process};
use tallyboard::Number;

use super::{Own, counter, family, gauge};
use crate::encode::Style;
use crate::usage::{self, Usage};

const CPU: Own = counter(
    "process_cpu_seconds_total",
    "Total user and system CPU time spent in seconds.",
);
const RESIDENT: Own = gauge(
    "process_resident_memory_bytes",
    "Resident memory size in bytes; the pages of boards that were read are among it.",
);
const VIRTUAL: Own = gauge(
    "process_virtual_memory_bytes",
    "Virtual memory size in bytes.",
);
const VIRTUAL_MAX: Own = gauge(
    "process_virtual_memory_max_bytes",
    "Maximum amount of virtual memory available in bytes.",
);
const OPEN_FDS: Own = gauge("process_open_fds", "Number of open file descriptors.");
const MAX_FDS: Own = gauge(
    "process_max_fds",
    "Maximum number of open file descriptors.",
);
const START: Own = gauge(
    "process_start_time_seconds",
    "Start time of the process since unix epoch in seconds.",
);

/// Their names are the exporter's.
pub(super) const ALL: [Own; 7] = [
    CPU,
    RESIDENT,
    VIRTUAL,
    VIRTUAL_MAX,
    OPEN_FDS,
    MAX_FDS,
    START,
];

/// Appends what can be read of `/proc/self`.
pub(super) fn write(style: Style, out: &mut Vec<u8>) {
    let Ok(myself) = Process::myself() else {
        return;
    };
    let mut put = |own: &Own, value| {
        family(own, style, out).sample(&[], value);
    };
    if let Ok(stat) = myself.stat() {
        let usage = Usage::from(&stat);
        put(&CPU, Number::Float(usage::seconds(usage.cpu_ticks)));
        put(&RESIDENT, Number::Int(usage.resident_bytes));
        put(&VIRTUAL, Number::Int(usage.virtual_bytes));
        if let Some(start) = start_seconds(stat.starttime) {
            put(&START, Number::Float(start));
        }
    }
    if let Ok(open) = myself.fd_count() {
        put(&OPEN_FDS, Number::Int(open as u64));
    }
    if let Ok(limits) = myself.limits() {
        put(&MAX_FDS, limit(limits.max_open_files.soft_limit));
        put(&VIRTUAL_MAX, limit(limits.max_address_space.soft_limit));
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
        for own in &ALL {
            let line = format!("\n{} ", own.name);
            let value = text.split(&line).nth(1).unwrap().lines().next().unwrap();
            assert!(value.parse::<f64>().unwrap() >= 0.0, "{}", own.name);
        }
    }
}
