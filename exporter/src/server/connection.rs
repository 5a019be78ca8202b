//! One connection.
//!
//! After the stop, a connection lives on while it owes an answer, and only then:
//!
//! ```text
//! receiving   no request, or a part of one                     dropped at the stop
//! answering   a request head has come, and its answer is
//!             not yet made to its end                          goes on
//! sending     the socket takes no more bytes                   goes on
//! ```
//!
//! An answer that is not made to its end never looks whole, also to a client of HTTP/1.0, to
//! which the end of the connection is the end of the body: where TLS does not say it, such a
//! connection is reset. A client that says nothing more after its request, and so closes its
//! half, is answered all the same.
//!
//! hyper's graceful shutdown alone takes a part of a request for one that is in flight, and
//! so waits for clients that never send the rest. For HTTP/2 it is enough: the client hears
//! that it may ask for no more, and what it has asked for goes on.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::crowd::Place;
use super::debt::Debt;
use super::{Shared, gate};
use crate::web_config::WebConfig;

/// The memory that a connection may take for the head of a request, and for what waits to be
/// sent besides a body's own bytes.
const BUFFER_BYTES: usize = 32 * 1024;
/// Requests that one HTTP/2 connection may have in flight.
const STREAMS: u32 = 16;
const HTTP2_HEAD_BYTES: u32 = 16 * 1024;

/// What to say to plain HTTP where a handshake is due, in HTTP; Go's servers say it so.
const PLAIN_HTTP: &[u8] = b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n\
    This server speaks HTTPS.\n";

/// The first byte of a TLS handshake: the type of its record.
const HANDSHAKE: u8 = 22;

/// What goes both ways.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A TCP or Unix socket.
pub(super) trait Socket: Duplex {
    /// Who is at the other end.
    fn peer(&self) -> String;

    /// When this is dropped, the peer is to hear of an error, and of no end.
    fn reset(&self);
}

impl Socket for TcpStream {
    fn peer(&self) -> String {
        let address = self.peer_addr();
        address.map_or_else(|_| "nobody".to_owned(), |address| address.to_string())
    }

    fn reset(&self) {
        if let Err(error) = self.set_zero_linger() {
            tracing::debug!("cannot reset a connection: {error}");
        }
    }
}

impl Socket for UnixStream {
    fn peer(&self) -> String {
        "the Unix socket".to_owned()
    }

    /// There is nothing like it.
    fn reset(&self) {}
}

/// Answers the requests of one connection; after the stop, the ones in flight.
pub(super) async fn talk(
    socket: Box<dyn Socket>,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<()>,
    place: Place,
) {
    let debt = Debt::new(place);
    let tls = shared.web_config().filter(|config| config.has_tls());
    let peer = tls.map(|_| socket.peer()).unwrap_or_default();
    let stream = Noted {
        socket,
        unread: None,
        is_plain: tls.is_none(),
        debt: debt.clone(),
    };
    let mut overdue = pin!(debt.overdue());
    let ended = match tls {
        None => converse(stream, false, &shared, &mut stopped, &debt, overdue).await,
        Some(config) => {
            let shaken = tokio::select! {
                shaken = shake_hands(stream, config, &peer) => shaken,
                _ = stopped.changed() => return,
                why = overdue.as_mut() => Err(why.into()),
            };
            match shaken {
                Ok(stream) => {
                    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    converse(stream, http2, &shared, &mut stopped, &debt, overdue).await
                }
                Err(error) => Err(error),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!("connection: {error}");
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The handshake, which the log tells of if it fails. Whoever leaves before it is no news.
async fn shake_hands(
    mut stream: Noted,
    config: &Arc<WebConfig>,
    peer: &str,
) -> Result<TlsStream<Noted>, Failure> {
    let first = stream.read_u8().await?;
    let shaken = go_on_shaking(first, stream, config).await;
    shaken.inspect_err(|error| config.tell_of_handshake(peer, error))
}

/// The handshake after its first byte, with the configuration of this moment.
async fn go_on_shaking(
    first: u8,
    mut stream: Noted,
    config: &Arc<WebConfig>,
) -> Result<TlsStream<Noted>, Failure> {
    // Before rustls sees it: that would answer with an alert, which is no HTTP.
    if first != HANDSHAKE {
        stream.write_all(PLAIN_HTTP).await?;
        stream.shutdown().await?;
        return Err("it does not begin with a handshake; plain HTTP?".into());
    }
    stream.unread = Some(first);
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let config = config.handshake().await;
    let config = config.ok_or("the web configuration cannot be used")?;
    Ok(start.into_stream(config).await?)
}

async fn converse(
    stream: impl Duplex + 'static,
    http2: bool,
    shared: &Arc<Shared>,
    stopped: &mut watch::Receiver<()>,
    debt: &Arc<Debt>,
    mut overdue: Pin<&mut impl Future<Output = &'static str>>,
) -> Result<(), Failure> {
    let service = service_fn(|request| gate::answer(shared.clone(), request, debt.owe()));
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut builder = if http2 {
        builder.http2_only()
    } else {
        builder.http1_only()
    };
    // How long a head may take is up to the debt.
    builder
        .http1()
        .timer(TokioTimer::new())
        .half_close(true)
        .header_read_timeout(None)
        .max_buf_size(BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HTTP2_HEAD_BYTES)
        .max_send_buf_size(BUFFER_BYTES);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        ended = connection.as_mut() => return ended,
        why = overdue.as_mut() => return Err(why.into()),
        _ = stopped.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    // hyper comes back when it can neither read nor write nor go on answering, so what is not
    // owed then is not in flight: an answer that is ready has been given to the socket, or the
    // socket is full. HTTP/2 may also wait for the client to make room.
    std::future::poll_fn(|context| match connection.as_mut().poll(context) {
        Poll::Pending if !http2 && debt.is_paid() => Poll::Ready(Ok(())),
        polled => polled,
    })
    .await
}

/// A socket that notes whether it has refused bytes.
struct Noted {
    socket: Box<dyn Socket>,
    /// A byte to be read once more.
    unread: Option<u8>,
    /// Whether there is no TLS in between.
    is_plain: bool,
    debt: Arc<Debt>,
}

impl Drop for Noted {
    fn drop(&mut self) {
        if self.is_plain && self.debt.is_cut_off() {
            self.socket.reset();
        }
    }
}

impl AsyncRead for Noted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() > 0
            && let Some(byte) = self.unread.take()
        {
            buffer.put_slice(&[byte]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Noted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.debt.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, bytes);
        self.debt.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
