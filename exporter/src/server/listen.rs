//! Listen addresses: `:PORT`, `HOST:PORT`, `[IPV6]:PORT`.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV6, TcpListener};
use std::str::FromStr;

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Where to listen, as Go's servers take it: without a host, on all interfaces, by IPv6
/// and IPv4.
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
        let listener = if self.host.is_empty() {
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
            TcpListener::bind((self.host.as_str(), self.port))?
        };
        listener.set_nonblocking(true)?;
        Ok(listener)
    }
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
    fn without_a_host_both_protocols_are_answered() {
        let listener = ListenAddress::from_str(":0").unwrap().bind().unwrap();
        let port = listener.local_addr().unwrap().port();
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    }
}
