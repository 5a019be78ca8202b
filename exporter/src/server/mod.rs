//! The HTTP side of `serve`.
//!
//! A connection comes in at a socket of `listen`'s through `accept`, has a place in the `crowd`, is
//! driven by `connection`, which knows its `debt`; a request passes the `gate` and is answered by
//! `route`, a scrape with a `body` that is made as it is sent. `upkeep` goes on besides.
//!
//! One thread accepts and moves bytes. A scrape looks for series one at a time, and then makes
//! its body a piece at a time on a thread of the blocking pool, each when the client has taken
//! the one before. Writers share nothing with any of it.

mod accept;
mod body;
mod connection;
mod crowd;
mod debt;
mod gate;
mod listen;
mod route;
mod upkeep;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use crate::failures::Failures;
use crate::maintenance::Maintenance;
use crate::scrape::Scraper;
use crate::web_config::WebConfig;
use accept::Door;
use crowd::Crowd;
use listen::Listener;

pub use listen::ListenAddress;

/// How long scrapes may take to end after the stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A server that is bound and not yet running.
pub struct Server {
    listeners: Vec<Listener>,
    shared: Shared,
    maintenance: Option<Maintenance>,
}

/// What all connections share.
struct Shared {
    telemetry_path: String,
    web_config: Option<Arc<WebConfig>>,
    /// How many scrapes may be answered at once, and who has a place.
    scrapes: Option<(usize, Arc<Semaphore>)>,
    failures: Arc<Failures>,
    scraper: Mutex<Scraper>,
    /// Pieces of bodies that are made at one time: more would only wait for each other.
    turns: Semaphore,
    /// Answers to the page that are made at one time: one, because it keeps the boards to itself
    /// meanwhile, and a scrape is to wait for no more than that.
    looks: Semaphore,
}

impl Shared {
    fn web_config(&self) -> Option<&Arc<WebConfig>> {
        self.web_config.as_ref()
    }

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
            listeners.push(Listener::Tcp(listener));
        }
        Ok(Self::new(listeners, telemetry_path, scraper))
    }

    /// Takes the sockets that systemd has passed.
    ///
    /// # Errors
    ///
    /// There are none, or one that does not take connections.
    pub fn from_systemd(telemetry_path: &str, scraper: Scraper) -> Result<Self, String> {
        let listeners = Listener::passed()?;
        Ok(Self::new(listeners, telemetry_path, scraper))
    }

    fn new(listeners: Vec<Listener>, telemetry_path: &str, scraper: Scraper) -> Self {
        Self {
            listeners,
            shared: Shared {
                telemetry_path: telemetry_path.to_owned(),
                web_config: None,
                scrapes: None,
                failures: scraper.failures(),
                scraper: Mutex::new(scraper),
                turns: Semaphore::new(turns()),
                looks: Semaphore::new(1),
            },
            maintenance: None,
        }
    }

    /// The same server, which asks of its clients what the file says.
    pub fn with_web_config(mut self, config: Arc<WebConfig>) -> Self {
        self.shared.web_config = Some(config);
        self
    }

    /// The same server, which answers 503 where `limit` scrapes are being answered.
    pub fn with_max_requests(mut self, limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        self.shared.scrapes = Some((limit, Arc::new(Semaphore::new(limit))));
        self
    }

    /// The same server, which also keeps its boards in order.
    pub fn with_maintenance(mut self, maintenance: Maintenance) -> Self {
        self.maintenance = Some(maintenance);
        self
    }

    /// The addresses with the ports that were given for port 0.
    pub fn local_addresses(&self) -> Vec<SocketAddr> {
        let addresses = self.listeners.iter().filter_map(|listener| match listener {
            Listener::Tcp(listener) => listener.local_addr().ok(),
            Listener::Unix(_) => None,
        });
        addresses.collect()
    }

    /// Where the metrics are: a URL for each TCP socket, `unix:` and a path for the others.
    pub fn places(&self) -> Vec<String> {
        let config = self.shared.web_config();
        let scheme = if config.is_some_and(|config| config.has_tls()) {
            "https"
        } else {
            "http"
        };
        let path = &self.shared.telemetry_path;
        let places = self.listeners.iter().map(|listener| match listener {
            Listener::Tcp(listener) => match listener.local_addr() {
                Ok(address) => format!("{scheme}://{address}{path}"),
                Err(_) => format!("{scheme}://?{path}"),
            },
            Listener::Unix(listener) => {
                let address = listener.local_addr().ok();
                let file = address.as_ref().and_then(|address| address.as_pathname());
                file.map_or_else(
                    || "unix:?".to_owned(),
                    |file| format!("unix:{}", file.display()),
                )
            }
        });
        places.collect()
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
        let shared = Arc::new(self.shared);
        let crowd = Crowd::new(accept::max_connections());
        for listener in self.listeners {
            let door = Door::new(listener)?;
            tokio::spawn(accept::connections(
                door,
                crowd.clone(),
                shared.clone(),
                stopped.clone(),
            ));
        }
        if let Some(maintenance) = self.maintenance {
            tokio::spawn(upkeep::maintain(
                maintenance,
                shared.clone(),
                stopped.clone(),
            ));
        }
        tokio::spawn(upkeep::follow(shared, stopped));

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
