//! What is done every second, whether or not anybody asks, on threads of the blocking pool.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};

use super::Shared;
use crate::maintenance::Maintenance;

/// Looks for boards and their series, so that a board is mapped and known, or its absence logged,
/// before the scrape that needs it.
pub(super) async fn follow(shared: Arc<Shared>, stopped: watch::Receiver<()>) {
    let mut seconds = Seconds::until(stopped);
    while seconds.next().await.is_some() {
        let shared = shared.clone();
        let looked = tokio::task::spawn_blocking(move || {
            shared.scraper().follow();
        });
        // Whatever became of this look, the next is another.
        let _ = looked.await;
    }
}

/// Keeps the boards in order. Scrapes wait only while it asks which boards there are and what the
/// processes on them use.
pub(super) async fn maintain(
    mut maintenance: Maintenance,
    shared: Arc<Shared>,
    stopped: watch::Receiver<()>,
) {
    let mut seconds = Seconds::until(stopped);
    while seconds.next().await.is_some() {
        let shared = shared.clone();
        let done = tokio::task::spawn_blocking(move || {
            let duties = shared.scraper().duties();
            maintenance.attend(duties, Instant::now());
            maintenance
        });
        match done.await {
            Ok(same) => maintenance = same,
            Err(error) => {
                tracing::error!("boards are not kept in order any more: {error}");
                return;
            }
        }
    }
}

/// A moment each second, until the stop. One that comes late puts off those behind it.
struct Seconds {
    tick: Interval,
    stopped: watch::Receiver<()>,
}

impl Seconds {
    fn until(stopped: watch::Receiver<()>) -> Self {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { tick, stopped }
    }

    /// Waits for the next; `None` at the stop.
    async fn next(&mut self) -> Option<()> {
        tokio::select! {
            _ = self.tick.tick() => Some(()),
            _ = self.stopped.changed() => None,
        }
    }
}
