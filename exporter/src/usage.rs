//! What the kernel's books say about a process: `/proc/PID/stat`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use procfs::process::{Process, Stat};

/// A process: its number may be another's one day, together with its start it cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ProcessKey {
    pub(crate) pid: i32,
    /// Clock ticks after the boot.
    pub(crate) start_ticks: u64,
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// User and system time, in clock ticks.
    pub(crate) cpu_ticks: u64,
    /// Memory that it has now, what it shares with others included.
    pub(crate) resident_bytes: u64,
    /// What is reserved for it, whether or not it has it. 0 of one that has died and whose parent
    /// has not asked yet.
    pub(crate) virtual_bytes: u64,
}

impl ProcessKey {
    /// The process that a board's row means, if the numbers of its PID namespace mean the same
    /// in our `/proc`: `visible` is [`visible_namespace`]'s.
    pub(crate) fn of_row(
        pid: u64,
        start_ticks: u64,
        pid_namespace: u64,
        visible: Option<u64>,
    ) -> Option<Self> {
        if visible != Some(pid_namespace) || start_ticks == 0 {
            return None;
        }
        let pid = i32::try_from(pid).ok().filter(|pid| *pid > 0)?;
        Some(Self { pid, start_ticks })
    }
}

impl Usage {
    /// Reads the books of a process. `None` if it is gone, if its number is another's, or if we
    /// may not see it (`hidepid`).
    pub(crate) fn of(process: ProcessKey) -> Option<Self> {
        let stat = Process::new(process.pid).ok()?.stat().ok()?;
        (stat.starttime == process.start_ticks).then(|| Self::from(&stat))
    }
}

impl From<&Stat> for Usage {
    fn from(stat: &Stat) -> Self {
        Self {
            cpu_ticks: stat.utime.saturating_add(stat.stime),
            resident_bytes: stat.rss.saturating_mul(procfs::page_size()),
            virtual_bytes: stat.vsize,
        }
    }
}

/// Clock ticks as seconds.
pub(crate) fn seconds(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}

/// This process.
pub(crate) fn myself() -> Option<ProcessKey> {
    let stat = Process::myself().ok()?.stat().ok()?;
    Some(ProcessKey {
        pid: stat.pid,
        start_ticks: stat.starttime,
    })
}

/// The PID namespace whose numbers `/proc` shows, if it is our own: one that was mounted in
/// another namespace shows other processes under the numbers we know.
pub(crate) fn visible_namespace() -> Option<u64> {
    let myself = fs::read_link("/proc/self").ok()?;
    let namespace = fs::metadata("/proc/self/ns/pid").ok()?.ino();
    let is_ours = myself == Path::new(&std::process::id().to_string());
    (is_ours && namespace != 0).then_some(namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_start() {
        let myself = myself().unwrap();
        let usage = Usage::of(myself).unwrap();
        assert!(usage.resident_bytes > 0 && usage.virtual_bytes >= usage.resident_bytes);
        let later = ProcessKey {
            start_ticks: myself.start_ticks + 1,
            ..myself
        };
        assert_eq!(Usage::of(later), None);
        assert!(visible_namespace().is_some());
    }
}
