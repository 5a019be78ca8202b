//! Bodies whose memory is used again.
//!
//! A body may have tens of megabytes; memory fresh from the kernel costs a page fault for
//! every four kilobytes of it, which is more than the encoding.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;

/// Buffers kept when nobody uses them: one for the text, one for its gzip, and the same
/// for a second scraper.
const KEPT: usize = 4;

/// Fast compression: the text is repetitive enough that more effort gains little.
const LEVEL: Compression = Compression::new(1);

/// Buffers that wait for the next body.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    /// An empty buffer, which comes back by itself when it and every [`Bytes`] of it is gone.
    pub(super) fn take(self: &Arc<Self>) -> Buffer {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        Buffer {
            bytes: idle.pop().unwrap_or_default(),
            pool: self.clone(),
        }
    }
}

/// A buffer on loan.
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
    pool: Arc<Pool>,
}

impl Buffer {
    /// The same bytes for hyper.
    pub(super) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }

    /// The bytes compressed, in another buffer.
    pub(super) fn gzip(&self) -> std::io::Result<Buffer> {
        let mut compressed = self.pool.take();
        let mut encoder = GzEncoder::new(&mut compressed.bytes, LEVEL);
        encoder.write_all(&self.bytes)?;
        encoder.finish()?;
        Ok(compressed)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut idle = self
            .pool
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(bytes);
        }
    }
}
