//! The signals that end a command.

use std::fs;
use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::Failure;

/// A runtime of one thread, and the signals that it catches from now on. To be made before
/// there is anything to clean up, and before anyone is told that the command is up.
pub(super) struct SignalledRuntime {
    pub(super) runtime: Runtime,
    pub(super) signals: StopSignals,
}

/// SIGTERM, SIGINT, and SIGHUP unless it is ignored, as under `nohup`.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Option<Signal>,
}

impl SignalledRuntime {
    pub(super) fn new() -> Result<Self, Failure> {
        let caught = || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let inside = runtime.enter();
            let signals = StopSignals {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
                hangup: if hangup_is_ignored() {
                    None
                } else {
                    Some(signal(SignalKind::hangup())?)
                },
            };
            drop(inside);
            Ok(Self { runtime, signals })
        };
        caught().map_err(|error: io::Error| {
            Failure::Failed(format!("cannot wait for signals: {error}"))
        })
    }

    /// Runs `action` on a thread of its own when the first signal comes.
    pub(super) fn on_stop(mut self, action: impl FnOnce() + Send + 'static) {
        std::thread::spawn(move || {
            self.runtime.block_on(self.signals.wait());
            action();
        });
    }
}

/// Which of them has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Signalled {
    Stop,
    Hangup,
}

impl Signalled {
    pub(super) fn is_hangup(self) -> bool {
        self == Self::Hangup
    }
}

impl StopSignals {
    /// Waits for the first of them.
    pub(super) async fn wait(&mut self) {
        self.next().await;
    }

    /// Waits for the next of them.
    pub(super) async fn next(&mut self) -> Signalled {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => Signalled::Stop,
            _ = self.interrupt.recv() => Signalled::Stop,
            _ = hangup => Signalled::Hangup,
        }
    }
}

/// Whether whoever started us wants us to outlive the terminal.
fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores_hangup(&status)
}

/// Signal 1 is the lowest bit of the mask of ignored signals.
fn ignores_hangup(status: &str) -> bool {
    let masks = status
        .lines()
        .filter_map(|line| line.strip_prefix("SigIgn:"));
    let mut masks = masks.filter_map(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    masks.next().is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nohup_is_seen() {
        assert!(ignores_hangup("Name:\tx\nSigIgn:\t0000000000001001\n"));
        assert!(!ignores_hangup("SigIgn:\t0000000000001000\nSigCgt:\t1\n"));
        assert!(!ignores_hangup(""));
    }
}
