//! What a connection owes its client, and how long it may go on.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

use super::crowd::Place;

/// How long a new connection may take to ask for something, its handshake included.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// How long one that has been answered may take to ask again. Longer than the common scrape
/// interval of a minute, so that scrapers can keep theirs.
const NEXT_REQUEST: Duration = Duration::from_secs(120);
/// How long an answer may stand still because its reader takes no byte.
const STALLED: Duration = Duration::from_secs(60);
/// How often to look whether one of these is over, at least.
const LOOK: Duration = Duration::from_secs(10);

/// Relaxed throughout: the fields say nothing about other memory, and the tasks that write
/// them wake the one that reads them.
pub(super) struct Debt {
    /// Answers that have been asked for and not been handed over.
    answers: AtomicUsize,
    /// Whether the socket takes no more bytes.
    sending: AtomicBool,
    has_asked: AtomicBool,
    /// Whether an answer has begun, over HTTP/1, whose end is not made yet.
    unfinished: AtomicBool,
    /// Goes up whenever something was asked, handed over or sent.
    progress: AtomicU64,
    place: Place,
}

impl Debt {
    pub(super) fn new(place: Place) -> Arc<Self> {
        Arc::new(Self {
            answers: AtomicUsize::new(0),
            sending: AtomicBool::new(false),
            has_asked: AtomicBool::new(false),
            unfinished: AtomicBool::new(false),
            progress: AtomicU64::new(0),
            place,
        })
    }

    /// Whether the client has all that it asked for, or at least the kernel has it.
    pub(super) fn is_paid(&self) -> bool {
        self.answers.load(Relaxed) == 0 && !self.sending.load(Relaxed)
    }

    /// Whether an answer that has begun would end in its middle if the connection ended now.
    pub(super) fn is_cut_off(&self) -> bool {
        self.unfinished.load(Relaxed) || !self.is_paid()
    }

    /// Notes that a request has come; the answer is owed until what is returned is dropped.
    pub(super) fn owe(self: &Arc<Self>) -> Owed {
        if self.answers.fetch_add(1, Relaxed) == 0 {
            self.place.work();
        }
        self.has_asked.store(true, Relaxed);
        self.progress.fetch_add(1, Relaxed);
        Owed(self.clone())
    }

    /// Notes what the socket said to bytes.
    pub(super) fn note<T>(&self, written: Poll<T>) -> Poll<T> {
        self.sending.store(written.is_pending(), Relaxed);
        if written.is_ready() {
            self.progress.fetch_add(1, Relaxed);
        }
        written
    }

    /// Waits until the connection has to end; says why.
    pub(super) async fn overdue(&self) -> &'static str {
        let mut progress = self.progress.load(Relaxed);
        let mut since = Instant::now();
        loop {
            let rest = self.patience().saturating_sub(since.elapsed());
            tokio::select! {
                () = self.place.dismissed() => {
                    if self.is_paid() {
                        return "closed to make room for others";
                    }
                }
                () = tokio::time::sleep(rest.min(LOOK)) => {}
            }
            let now = self.progress.load(Relaxed);
            if now != progress {
                progress = now;
                since = Instant::now();
            } else if since.elapsed() >= self.patience() {
                return "closed because nothing came or went for too long";
            }
        }
    }

    fn patience(&self) -> Duration {
        if !self.is_paid() {
            STALLED
        } else if self.has_asked.load(Relaxed) {
            NEXT_REQUEST
        } else {
            FIRST_REQUEST
        }
    }
}

/// One answer that is owed.
pub(super) struct Owed(Arc<Debt>);

impl Drop for Owed {
    fn drop(&mut self) {
        let debt = &self.0;
        debt.progress.fetch_add(1, Relaxed);
        if debt.answers.fetch_sub(1, Relaxed) == 1 {
            debt.place.rest(true);
        }
    }
}

/// What lasts as long as an answer does: that it is owed, and its place among the scrapes.
pub(super) type Lasting = Arc<(Owed, Option<OwnedSemaphorePermit>)>;

/// A body that is owed until its last byte was given to the kernel. hyper is done with a body
/// as soon as it has its bytes, which may be long before that, so they bear the debt, too.
pub(super) struct OwedBody<B> {
    pub(super) body: B,
    pub(super) lasting: Lasting,
}

/// Bytes of such a body.
struct OwedBytes {
    bytes: Bytes,
    _lasting: Lasting,
}

impl AsRef<[u8]> for OwedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for OwedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            let is_over = matches!(polled, Poll::Ready(None)) || self.body.is_end_stream();
            let Owed(debt) = &self.lasting.0;
            debt.unfinished.store(!is_over, Relaxed);
        }
        polled.map_ok(|frame| {
            frame.map_data(|bytes| {
                Bytes::from_owner(OwedBytes {
                    bytes,
                    _lasting: self.lasting.clone(),
                })
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
