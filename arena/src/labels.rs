//! Label values in canonical bytes, as a handle keeps them to find its series again.

use crate::family::put_text;
use crate::record::{SERIES, word_of};
use crate::segment::{Segment, hash_prefix};
use std::sync::Arc;

/// The text of a series' key: its label values in canonical bytes (`LAYOUT.md` §9). Short ones,
/// which most are, without an allocation.
#[derive(Clone)]
pub(crate) struct Labels {
    /// Little-endian words, zero-padded. Each is put together in a register and stored once:
    /// a load that spans several stores would have to wait for them.
    words: [u64; Labels::INLINE],
    /// Bytes of text in `words`; meaningless if there is a `heap`.
    len: u32,
    /// A long text.
    heap: Option<Arc<[u8]>>,
}

impl Labels {
    /// Words: 48 bytes of text.
    pub(crate) const INLINE: usize = 6;

    pub(crate) fn empty() -> Labels {
        Labels {
            words: [0; Self::INLINE],
            len: 0,
            heap: None,
        }
    }

    /// The values in canonical order. `None`: one is longer than 65,535 bytes.
    pub(crate) fn encode<'v>(values: impl Iterator<Item = &'v str> + Clone) -> Option<Labels> {
        let mut labels = Labels::empty();
        if !labels.pack(values.clone()) {
            let mut text = Vec::new();
            for value in values {
                put_text(&mut text, value)?;
            }
            labels.heap = Some(text.into());
        }
        Some(labels)
    }

    /// Puts the values into empty labels; false if they are too long for the words. In place:
    /// labels that were moved would be loaded before their stores have settled.
    #[inline(always)]
    pub(crate) fn pack<'v>(&mut self, values: impl Iterator<Item = &'v str>) -> bool {
        let mut packer = Packer {
            word: 0,
            filled: 0,
            at: 0,
        };
        for value in values {
            let value = value.as_bytes();
            let room = 8 * (Self::INLINE - packer.at) - packer.filled as usize;
            if 2 + value.len() > room {
                return false;
            }
            // The length and the first six bytes make one word.
            let head = value.len() as u64 | word_of(value, 0) << 16;
            packer.put(&mut self.words, head, 2 + value.len().min(6) as u32);
            let mut at = 6;
            while at < value.len() {
                let len = (value.len() - at).min(8) as u32;
                packer.put(&mut self.words, word_of(value, at), len);
                at += 8;
            }
        }
        self.len = packer.finish(&mut self.words);
        true
    }

    /// Length in bytes and words of a short text.
    #[inline]
    pub(crate) fn words(&self) -> Option<(usize, &[u64])> {
        match self.heap {
            None => {
                let len = self.len as usize;
                self.words.get(..len.div_ceil(8)).map(|words| (len, words))
            }
            Some(_) => None,
        }
    }

    /// Gives `work` the text and its hash in a family.
    pub(crate) fn with_hash<R>(
        &self,
        segment: &Segment,
        family: u64,
        work: impl FnOnce(&[u8], u64) -> R,
    ) -> R {
        const PREFIX: usize = 8;
        if let Some(text) = &self.heap {
            return work(text, segment.hash_of(SERIES, family, text));
        }
        let mut bytes = [0; PREFIX + 8 * Self::INLINE];
        bytes[..PREFIX].copy_from_slice(&hash_prefix(SERIES, family));
        for (into, word) in bytes[PREFIX..]
            .as_chunks_mut()
            .0
            .iter_mut()
            .zip(&self.words)
        {
            *into = word.to_le_bytes();
        }
        let prefixed = &bytes[..PREFIX + self.len as usize];
        work(&prefixed[PREFIX..], segment.hash(prefixed))
    }
}

/// Puts bytes together to words.
struct Packer {
    word: u64,
    /// Bytes of `word` in use, below 8.
    filled: u32,
    /// Where `word` goes.
    at: usize,
}

impl Packer {
    /// Appends the `len` (1 to 8) low bytes of `bytes`, whose other bytes may be anything.
    #[inline(always)]
    fn put(&mut self, words: &mut [u64; Labels::INLINE], bytes: u64, len: u32) {
        let bytes = bytes & u64::MAX >> (64 - 8 * len);
        let both = u128::from(bytes) << (8 * self.filled);
        self.word |= both as u64;
        self.filled += len;
        if self.filled >= 8 {
            if let Some(into) = words.get_mut(self.at) {
                *into = self.word;
            }
            self.word = (both >> 64) as u64;
            self.filled -= 8;
            self.at += 1;
        }
    }

    /// Stores the last word; the number of bytes put together.
    #[inline(always)]
    fn finish(self, words: &mut [u64; Labels::INLINE]) -> u32 {
        if let Some(into) = words.get_mut(self.at) {
            *into = self.word;
        }
        8 * self.at as u32 + self.filled
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;

    #[test]
    fn labels_of_every_length_are_their_canonical_bytes() {
        let text = "abcdefghijklmnopqrstuvwxyz".repeat(4);
        for len in 0..text.len() {
            for cut in 0..=len {
                let values = [&text[..cut], "", &text[cut..len]];
                let labels = Labels::encode(values.into_iter()).unwrap();
                let mut expected = Vec::new();
                for value in values {
                    put_text(&mut expected, value).unwrap();
                }
                match labels.words() {
                    Some((len, words)) => {
                        assert!(len <= 8 * Labels::INLINE, "{len} {cut}");
                        let bytes: Vec<u8> =
                            words.iter().flat_map(|word| word.to_le_bytes()).collect();
                        assert_eq!(bytes[..len], expected, "{len} {cut}");
                    }
                    None => assert_eq!(labels.heap.as_deref(), Some(&expected[..])),
                }
            }
        }
    }
}
