//! Where to listen: `:PORT`, `HOST:PORT`, `[IPV6]:PORT`, or at what systemd has passed.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, ToSocketAddrs};
use std::os::unix::net::UnixListener;
use std::str::FromStr;

use listenfd::ListenFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A socket that takes connections, and does not block.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// The sockets that systemd has passed, in its order.
    ///
    /// # Errors
    ///
    /// There are none, or one is of another kind.
    pub(super) fn passed() -> Result<Vec<Self>, String> {
        let mut passed = ListenFd::from_env();
        if passed.len() == 0 {
            return Err(
                "systemd has passed no socket (LISTEN_FDS); start the exporter by a .socket unit, \
                 or leave out --web.systemd-socket"
                    .to_owned(),
            );
        }
        let taken = (0..passed.len()).map(|index| {
            Self::take(&mut passed, index).map_err(|error| {
                format!(
                    "socket {} of those that systemd has passed: {error}; it must be a \
                     ListenStream= with Accept=no",
                    index + 1
                )
            })
        });
        taken.collect()
    }

    fn take(passed: &mut ListenFd, index: usize) -> io::Result<Self> {
        let listener = match passed.take_tcp_listener(index) {
            Ok(Some(listener)) => Self::Tcp(listener),
            _ => match passed.take_unix_listener(index)? {
                Some(listener) => Self::Unix(listener),
                None => return Err(io::Error::other("it is not there")),
            },
        };
        let takes_connections = match &listener {
            Self::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                sockopt::socket_acceptconn(listener)?
            }
            Self::Unix(listener) => {
                listener.set_nonblocking(true)?;
                sockopt::socket_acceptconn(listener)?
            }
        };
        if takes_connections {
            Ok(listener)
        } else {
            Err(io::Error::other("it does not listen"))
        }
    }
}

/// Where to listen, as Go's servers take it: without a host, or at `[::]`, on all interfaces, by
/// IPv6 and IPv4; of the addresses of a name, at the first one of IPv4, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    host: String,
    port: u16,
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("`{text}` is not :PORT, HOST:PORT or [IPV6]:PORT");
        let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
        let bracketed = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        if bracketed.is_none() && host.contains([':', '[', ']']) {
            return Err(expected());
        }
        Ok(Self {
            host: bracketed.unwrap_or(host).to_owned(),
            port: port.parse().map_err(|_| expected())?,
        })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl ListenAddress {
    /// A listener that does not block.
    pub(super) fn bind(&self) -> io::Result<TcpListener> {
        let listener = if self.host.is_empty() || self.host == "::" {
            match bind_all_interfaces(self.port) {
                // The kernel has no IPv6.
                Err(error)
                    if error.raw_os_error()
                        == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error()) =>
                {
                    TcpListener::bind((Ipv4Addr::UNSPECIFIED, self.port))?
                }
                bound => bound?,
            }
        } else {
            let addresses = (self.host.as_str(), self.port).to_socket_addrs()?;
            let listener = TcpListener::bind(&ipv4_first(addresses)[..])?;
            rustix::net::listen(&listener, BACKLOG)?;
            listener
        };
        listener.set_nonblocking(true)?;
        Ok(listener)
    }
}

/// The resolver has `::1` first for `localhost`, where scrapers ask 127.0.0.1.
fn ipv4_first(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses: Vec<SocketAddr> = addresses.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses
}

/// One socket for both protocols, also where `net.ipv6.bindv6only` is set.
fn bind_all_interfaces(port: u16) -> io::Result<TcpListener> {
    let socket = rustix::net::socket_with(
        AddressFamily::INET6,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_ipv6_v6only(&socket, false)?;
    let all = SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0);
    rustix::net::bind(&socket, &all)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, host, port) in [
            (":10777", "", 10777),
            ("localhost:1", "localhost", 1),
            ("[::1]:80", "::1", 80),
            ("0.0.0.0:0", "0.0.0.0", 0),
        ] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port));
            assert_eq!(address.to_string(), text);
        }
        for text in [
            "",
            "10777",
            "::1:80",
            "host:",
            "host:http",
            "[::1:80",
            ":65536",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn of_a_name_with_both_protocols_ipv4_is_taken() {
        let addresses = ["[::1]:1", "127.0.0.1:1", "[::2]:1"];
        let addresses = addresses.map(|address| address.parse().unwrap());
        let expected = ["127.0.0.1:1", "[::1]:1", "[::2]:1"];
        let expected = expected.map(|address| address.parse().unwrap());
        assert_eq!(ipv4_first(addresses.into_iter()), expected);
    }

    #[test]
    fn without_a_host_both_protocols_are_answered() {
        // Not every machine has IPv6.
        let has_ipv6 = TcpListener::bind("[::1]:0").is_ok();
        for all in [":0", "[::]:0"] {
            let listener = ListenAddress::from_str(all).unwrap().bind().unwrap();
            let port = listener.local_addr().unwrap().port();
            std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
            if has_ipv6 {
                std::net::TcpStream::connect(("::1", port)).unwrap();
            }
        }
    }
}
