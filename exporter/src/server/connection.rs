//! One connection.
//!
//! After the stop, a connection lives on while it owes an answer, and only then:
//!
//! ```text
//! receiving   no request, or a part of one      dropped at the stop
//! answering   a request head has come, and its answer is not yet made to its end     goes on
//! sending     the socket takes no more bytes    goes on
//! ```
//!
//! hyper's graceful shutdown alone takes a part of a request for one that is in flight, and
//! so waits for clients that never send the rest.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{Shared, body, route};

/// A connection that sends no request for this long is closed. Longer than the common
/// scrape interval of a minute, so that scrapers can keep theirs.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// What a connection owes its client. Relaxed: only the connection's own task reads and
/// writes it; it is atomic because that task may move between threads.
#[derive(Default)]
struct Debt {
    answering: AtomicBool,
    sending: AtomicBool,
}

impl Debt {
    fn is_paid(&self) -> bool {
        !self.answering.load(Relaxed) && !self.sending.load(Relaxed)
    }
}

/// An answer that is owed until this is gone.
struct Owed(Arc<Debt>);

impl Drop for Owed {
    fn drop(&mut self) {
        self.0.answering.store(false, Relaxed);
    }
}

/// A body that is owed until it has been taken to its end: it may still be made.
struct Owing<B> {
    body: B,
    #[expect(dead_code, reason = "dropped with the body")]
    owed: Owed,
}

impl<B: Body + Unpin> Body for Owing<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Answers the requests of one connection; after the stop, the one in flight.
pub(super) async fn talk(stream: TcpStream, shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    let debt = Arc::new(Debt::default());
    let service = service_fn(|request| {
        let (shared, debt) = (shared.clone(), debt.clone());
        debt.answering.store(true, Relaxed);
        async move {
            let owed = Owed(debt);
            let answer = route::respond(shared, request).await;
            answer.map(|answer| answer.map(|body| Owing { body, owed }))
        }
    });
    let stream = Stream {
        stream,
        debt: debt.clone(),
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        // One piece of a body waits in it, not many.
        .max_buf_size(body::PIECE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            // hyper comes back when it can neither read nor write nor go on answering, so
            // what is not owed then is not in flight: an answer that is ready has been
            // given to the socket, or the socket is full.
            std::future::poll_fn(|context| match connection.as_mut().poll(context) {
                Poll::Pending if debt.is_paid() => Poll::Ready(Ok(())),
                polled => polled,
            })
            .await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("connection: {error}");
    }
}

/// A socket that notes whether it has refused bytes.
struct Stream {
    stream: TcpStream,
    debt: Arc<Debt>,
}

impl Stream {
    fn note<T>(&self, written: Poll<T>) -> Poll<T> {
        self.debt.sending.store(written.is_pending(), Relaxed);
        written
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
