//! The HTTP side of `serve`.
//!
//! One thread accepts and moves bytes. A scrape looks for series one at a time, and then makes
//! its body a piece at a time on a thread of the blocking pool, each when the client has taken
//! the one before. Writers share nothing with any of it.

mod body;
mod connection;
mod listen;
mod route;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use crate::maintenance::Maintenance;
use crate::scrape::Scraper;

pub use listen::ListenAddress;

/// How long scrapes may take to end after the stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How often boards are looked for between scrapes.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(1);
/// How often the boards are kept in order.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(1);
/// How long to wait when no connection can be accepted, as when descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A server that is bound and not yet running.
pub struct Server {
    listeners: Vec<TcpListener>,
    shared: Arc<Shared>,
    maintenance: Option<Maintenance>,
}

/// What all connections share.
struct Shared {
    telemetry_path: String,
    scraper: Mutex<Scraper>,
    /// Pieces of bodies that are made at one time: more would only wait for each other.
    turns: Semaphore,
}

impl Shared {
    fn scraper(&self) -> MutexGuard<'_, Scraper> {
        self.scraper.lock().unwrap_or_else(|poisoned| {
            self.scraper.clear_poison();
            let mut scraper = poisoned.into_inner();
            scraper.forget();
            scraper
        })
    }
}

impl Server {
    /// Binds all addresses.
    ///
    /// # Errors
    ///
    /// The first address that cannot be had, and why.
    pub fn bind(
        addresses: &[ListenAddress],
        telemetry_path: &str,
        scraper: Scraper,
    ) -> Result<Self, BindError> {
        let mut listeners = Vec::new();
        for address in addresses {
            let listener = address.bind().map_err(|source| BindError {
                address: address.clone(),
                source,
            })?;
            listeners.push(listener);
        }
        Ok(Self {
            listeners,
            shared: Arc::new(Shared {
                telemetry_path: telemetry_path.to_owned(),
                scraper: Mutex::new(scraper),
                turns: Semaphore::new(turns()),
            }),
            maintenance: None,
        })
    }

    /// The same server, which also keeps its boards in order.
    pub fn with_maintenance(mut self, maintenance: Maintenance) -> Self {
        self.maintenance = Some(maintenance);
        self
    }

    /// The addresses with the ports that were given for port 0.
    pub fn local_addresses(&self) -> Vec<SocketAddr> {
        let addresses = self.listeners.iter().map(TcpListener::local_addr);
        addresses.filter_map(Result::ok).collect()
    }

    /// Serves until `stop` completes, then lets requests in flight end, for at most ten seconds.
    ///
    /// # Errors
    ///
    /// The runtime refuses a listener.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        // Every task holds a receiver until it ends, so the channel says "stop" in one
        // direction and "all have stopped" in the other.
        let (stopping, stopped) = watch::channel(());
        for listener in self.listeners {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tokio::spawn(accept(listener, self.shared.clone(), stopped.clone()));
        }
        if let Some(maintenance) = self.maintenance {
            tokio::spawn(maintain(maintenance, self.shared.clone(), stopped.clone()));
        }
        tokio::spawn(follow(self.shared, stopped));

        stop.await;
        stopping.send_replace(());
        if tokio::time::timeout(DRAIN_TIMEOUT, stopping.closed())
            .await
            .is_err()
        {
            tracing::warn!("stopped with requests in flight: they took too long");
        }
        Ok(())
    }
}

/// Twice the CPUs: one of two may wait for memory or a lock.
fn turns() -> usize {
    2 * std::thread::available_parallelism().map_or(1, usize::from)
}

/// Why [`Server::bind`] failed.
#[derive(Debug)]
pub struct BindError {
    address: ListenAddress,
    source: io::Error,
}

impl std::fmt::Display for BindError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = &self.address;
        if self.source.kind() == io::ErrorKind::AddrInUse {
            write!(
                f,
                "{address} is in use by another program; choose another port with --web.listen-address=:PORT"
            )
        } else {
            write!(f, "cannot listen on {address}: {}", self.source)
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Accepts connections until the stop.
async fn accept(
    listener: tokio::net::TcpListener,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<()>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                // Without this the last part of a body may wait for the peer's delayed ACK.
                let _ = stream.set_nodelay(true);
                tokio::spawn(connection::talk(stream, shared.clone(), stopped.clone()));
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Looks for boards every second, so that a board is mapped, and its absence logged, before
/// the scrape that needs it.
async fn follow(shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    let mut tick = tokio::time::interval(FOLLOW_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
        let shared = shared.clone();
        let looked = tokio::task::spawn_blocking(move || {
            shared.scraper().follow();
        });
        let _ = looked.await;
    }
}

/// Keeps the boards in order, on a thread of the blocking pool. Scrapes wait only while it asks
/// which boards there are.
async fn maintain(
    mut maintenance: Maintenance,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<()>,
) {
    let mut tick = tokio::time::interval(MAINTENANCE_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
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
