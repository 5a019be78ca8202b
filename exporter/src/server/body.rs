//! The body of a scrape, made while it is sent.
//!
//! A piece is encoded on a thread of the blocking pool while the one before it is sent, and the
//! next only when that has been taken. So a client that reads slowly, or not at all, holds two
//! pieces and no thread; and what is sent first has left before what is last has been read.
//!
//! Whatever goes wrong on the way ends the connection in the middle of the body: no `# EOF`, no
//! last chunk, nothing that a client could take for the whole.

use std::io::{self, Write};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::task::JoinHandle;
use tokio::time::Sleep;

use super::Shared;
use super::route::BodyError;
use crate::encode::{Pass, Selection, Style};
use crate::failures::{Failures, Reason};

/// Bytes of a piece before it is compressed, but for what the last series goes beyond.
const PIECE: usize = 64 << 10;

/// Compressed bytes that are worth a piece of their own.
const COMPRESSED_PIECE: usize = PIECE / 4;

/// Times that a scrape begins anew because a board broke before anything was sent.
const ATTEMPTS: u32 = 16;

/// Fast compression: the text is repetitive enough that more effort gains little.
const LEVEL: Compression = Compression::new(1);

/// What a scrape asked for.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) style: Style,
    pub(super) selection: Arc<Selection>,
    pub(super) gzip: bool,
}

/// One scrape, between two of its pieces.
pub(super) struct Scrape {
    shared: Arc<Shared>,
    order: Order,
    begun: Instant,
    pass: Pass,
    zip: Option<GzEncoder<Vec<u8>>>,
    /// What is to be compressed, reused.
    text: Vec<u8>,
    is_done: bool,
}

/// The boards broke while they were read.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a board lost its memory while it was read; the scrape was cut off")
    }
}

impl std::error::Error for Broken {}

impl Scrape {
    /// Begins a scrape and makes its first piece. A board that breaks meanwhile is left out.
    pub(super) fn begin(shared: Arc<Shared>, order: Order) -> Result<(Self, Bytes), BodyError> {
        let begun = Instant::now();
        let mut attempts = 0;
        shared.scraper().begin();
        loop {
            attempts += 1;
            let exposition = Arc::new(shared.scraper().expose(order.style));
            let mut scrape = Self {
                pass: Pass::new(exposition, order.selection.clone()),
                zip: order.gzip.then(|| GzEncoder::new(Vec::new(), LEVEL)),
                shared: shared.clone(),
                order: order.clone(),
                begun,
                text: Vec::new(),
                is_done: false,
            };
            match scrape.piece() {
                Err(error) if error.is::<Broken>() && attempts < ATTEMPTS => {
                    shared.scraper().drop_broken();
                }
                piece => return piece.map(|piece| (scrape, piece)),
            }
        }
    }

    /// Whether the last piece has been made.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    fn piece(&mut self) -> Result<Bytes, BodyError> {
        let mut piece = Vec::new();
        match self.zip.take() {
            None => self.encode(&mut piece)?,
            Some(mut zip) => {
                let mut text = mem::take(&mut self.text);
                while !self.is_done && zip.get_ref().len() < COMPRESSED_PIECE {
                    text.clear();
                    self.encode(&mut text)?;
                    zip.write_all(&text)?;
                }
                if self.is_done {
                    piece = zip.finish()?;
                } else {
                    piece = mem::take(zip.get_mut());
                    self.zip = Some(zip);
                    self.text = text;
                }
            }
        }
        Ok(piece.into())
    }

    fn encode(&mut self, out: &mut Vec<u8>) -> Result<(), Broken> {
        out.reserve(PIECE + PIECE / 8);
        if !self.pass.fill(PIECE, out) {
            let Order {
                style, selection, ..
            } = &self.order;
            let clashes = self.pass.exposition().clashes();
            let mut scraper = self.shared.scraper();
            scraper.conclude(*style, selection, clashes, self.begun, out);
            self.is_done = true;
        }
        // Only now is what was read known to be worth anything.
        match self.pass.exposition().is_broken() {
            true => Err(Broken),
            false => Ok(()),
        }
    }
}

/// Bytes that are made as they are sent.
pub(super) struct Stream {
    first: Option<Bytes>,
    next: Option<JoinHandle<Result<(Scrape, Bytes), BodyError>>>,
    /// When the client does not want the rest any more.
    until: Option<Pin<Box<Sleep>>>,
    failures: Arc<Failures>,
}

impl Stream {
    /// What `scrape` makes after its `first` piece. Ends the connection at `until`.
    pub(super) fn new(scrape: Scrape, first: Bytes, until: Option<tokio::time::Instant>) -> Self {
        Self {
            first: Some(first),
            failures: scrape.shared.failures.clone(),
            next: Some(go_on(scrape)),
            until: until.map(|until| Box::pin(tokio::time::sleep_until(until))),
        }
    }
}

fn go_on(mut scrape: Scrape) -> JoinHandle<Result<(Scrape, Bytes), BodyError>> {
    tokio::spawn(async move {
        let shared = scrape.shared.clone();
        let _turn = shared.turns.acquire().await?;
        let made = tokio::task::spawn_blocking(move || {
            let piece = scrape.piece()?;
            Ok((scrape, piece))
        });
        made.await?
    })
}

impl Body for Stream {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(until) = &mut self.until
            && until.as_mut().poll(context).is_ready()
        {
            self.next = None;
            self.failures.count(Reason::Late);
            let late = io::Error::new(io::ErrorKind::TimedOut, "the scrape took too long");
            return Poll::Ready(Some(Err(late.into())));
        }
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some(next) = &mut self.next else {
            return Poll::Ready(None);
        };
        let made = ready!(Pin::new(next).poll(context));
        self.next = None;
        let piece = match made.map_err(BodyError::from).and_then(|made| made) {
            Ok((scrape, piece)) => {
                if !scrape.is_done() {
                    self.next = Some(go_on(scrape));
                }
                Ok(Frame::data(piece))
            }
            Err(error) => {
                self.failures.count(Reason::Broken);
                tracing::warn!("{error}");
                Err(error)
            }
        };
        Poll::Ready(Some(piece))
    }
}

/// Stands for a body that is not made because only its headers were asked for.
pub(super) struct NotMade;

impl Body for NotMade {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Poll::Ready(None)
    }

    /// Of any length, or hyper would say that it has none.
    fn size_hint(&self) -> SizeHint {
        SizeHint::new()
    }
}
