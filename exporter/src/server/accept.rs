//! Connections are taken in, as many as there are descriptors for.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::watch;

use super::Shared;
use super::connection::{self, Socket};
use super::crowd::Crowd;
use super::listen::Listener;

/// How long to wait when no connection can be accepted, as when descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections at once, as far as descriptors go.
const MAX_CONNECTIONS: u64 = 1024;
/// Descriptors for everything but connections: boards, listeners, the web configuration.
const OTHER_DESCRIPTORS: u64 = 128;

/// A listener that the runtime waits at.
pub(super) enum Door {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

impl Door {
    pub(super) fn new(listener: Listener) -> io::Result<Self> {
        Ok(match listener {
            Listener::Tcp(listener) => Self::Tcp(tokio::net::TcpListener::from_std(listener)?),
            Listener::Unix(listener) => Self::Unix(tokio::net::UnixListener::from_std(listener)?),
        })
    }

    async fn accept(&self) -> io::Result<Box<dyn Socket>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Without this the last part of a body may wait for the peer's delayed ACK.
                let _ = stream.set_nodelay(true);
                Ok(Box::new(stream))
            }
            Self::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}

/// How many connections there may be. Raises the limit on descriptors as far as it may, as
/// Go's programs do: shells and systemd start programs with 1,024.
pub(super) fn max_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let descriptors = current
        .unwrap_or(u64::MAX)
        .saturating_sub(OTHER_DESCRIPTORS);
    let connections = descriptors.clamp(16, MAX_CONNECTIONS);
    usize::try_from(connections).unwrap_or(usize::MAX)
}

/// Accepts connections until the stop.
pub(super) async fn connections(
    door: Door,
    crowd: Arc<Crowd>,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<()>,
) {
    // Said once, not at every try.
    let mut fails = false;
    loop {
        let admitted = async {
            let socket = door.accept().await?;
            Ok((socket, crowd.admit().await))
        };
        let admitted: io::Result<_> = tokio::select! {
            admitted = admitted => admitted,
            _ = stopped.changed() => return,
        };
        match admitted {
            Ok((socket, place)) => {
                fails = false;
                let talk = connection::talk(socket, shared.clone(), stopped.clone(), place);
                tokio::spawn(talk);
            }
            Err(error) => {
                if !std::mem::replace(&mut fails, true) {
                    tracing::warn!("cannot accept connections: {error}; it is tried again");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
