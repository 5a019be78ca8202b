//! What an input of `board_bytes` says: a byte of flags, then changes to a board.
//!
//! ```text
//!  flags   ARBITRARY: what follows is the whole file
//!  0       bytes    section  offset:u16   n  n bytes
//!  1       word     section  index:u16    8 bytes
//!  2       state    slot  kind  serial  argument                     a state word, and the unit tags if READY
//!  3       link     place (a list below 128, else a slot)  slot+1  mark
//!  4       copy     section  index:u16   section  index:u16   n words
//!  5       look     the board is read (and written) before the changes go on
//!  6       fill     section  8 bytes, again and again
//!  7       shape    slot  kind  metric  cells  slots  key length:u16   text length:u16
//! ```
//!
//! Numbers are little-endian and taken modulo what there is, so that nearly every input means
//! something. The fuzzer would take long to find a state word or a shape bit by bit.

use crate::image::{self, LINKS, LISTS, RECORDS, SECTIONS, SHARED, SLOTS, STATES, Section};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// What is done with a board, as the first byte of the input says.
#[derive(Clone, Copy, Debug)]
pub struct Flags(u8);

impl Flags {
    /// The rest of the input is the file.
    pub fn is_arbitrary(self) -> bool {
        self.0 & 1 != 0
    }

    /// The header's checksum is made right.
    pub fn is_sealed(self) -> bool {
        self.0 & 2 != 0
    }

    /// The board is attached for writing, in a child.
    pub fn is_written(self) -> bool {
        self.0 & 4 != 0
    }

    /// The changes are made to a board with nothing on it.
    pub fn begins_empty(self) -> bool {
        self.0 & 8 != 0
    }

    /// The board is checked, which takes milliseconds.
    pub fn is_checked(self) -> bool {
        self.0 & 16 != 0
    }

    /// The board is removed in the end.
    pub fn is_removed(self) -> bool {
        self.0 & 32 != 0
    }
}

/// Changes that are still to be made.
pub struct Patches<'i>(&'i [u8]);

/// Bytes that can be changed: an image, or the file of a board that is attached.
pub trait Bytes {
    /// Fills `into` with what is at `at`. Never beyond the end of a whole board.
    fn read(&self, at: usize, into: &mut [u8]);
    /// Writes `from` at `at`. Never beyond the end of a whole board.
    fn write(&mut self, at: usize, from: &[u8]);
}

impl Bytes for Vec<u8> {
    fn read(&self, at: usize, into: &mut [u8]) {
        into.copy_from_slice(&self[at..at + into.len()]);
    }

    fn write(&mut self, at: usize, from: &[u8]) {
        self[at..at + from.len()].copy_from_slice(from);
    }
}

impl Bytes for File {
    fn read(&self, at: usize, into: &mut [u8]) {
        self.read_exact_at(into, at as u64).expect("a whole board");
    }

    fn write(&mut self, at: usize, from: &[u8]) {
        self.write_all_at(from, at as u64).expect("a whole board");
    }
}

/// The flags and what follows; `None` for an empty input.
pub fn parse(input: &[u8]) -> Option<(Flags, Patches<'_>)> {
    let (flags, rest) = input.split_first()?;
    Some((Flags(*flags), Patches(rest)))
}

impl<'i> Patches<'i> {
    /// The bytes, where they are the file; no changes are left.
    pub fn take_all(&mut self) -> &'i [u8] {
        std::mem::take(&mut self.0)
    }

    /// Makes the changes up to the next look; false when none is left.
    pub fn apply(&mut self, target: &mut impl Bytes) -> bool {
        while let Some(code) = self.byte() {
            if code % 8 == 5 {
                return true;
            }
            if self.one(code % 8, target).is_none() {
                break;
            }
        }
        self.0 = &[];
        false
    }

    fn one(&mut self, code: u8, target: &mut impl Bytes) -> Option<()> {
        match code {
            0 => {
                let section = self.section()?;
                let offset = usize::from(self.short()?) % section.len;
                let len = usize::from(self.byte()?).min(section.len - offset);
                let (bytes, rest) = self.0.split_at_checked(len)?;
                self.0 = rest;
                target.write(section.at + offset, bytes);
            }
            1 => {
                let at = self.word_place()?;
                target.write(at, &self.take::<8>()?);
            }
            2 => {
                let [slot, kind, serial, argument] = self.take()?;
                let slot = usize::from(slot) % SLOTS;
                let word =
                    u64::from(kind % 8) << 61 | u64::from(serial) << 22 | u64::from(argument);
                target.write(STATES.at + slot * 8, &word.to_le_bytes());
                if kind % 8 == 2 && argument == 0 {
                    for cell in 0..3 {
                        let tag = SHARED.at + slot * 48 + cell * 16 + 8;
                        target.write(tag, &word.to_le_bytes());
                    }
                }
            }
            3 => {
                let [place, to, mark] = self.take()?;
                let place = usize::from(place);
                let at = match place.checked_sub(image::HEADS) {
                    None => LISTS.at + place * 8,
                    Some(slot) => LINKS.at + slot % SLOTS * 8,
                };
                let word = u64::from(to) | u64::from(mark & 1) << 31;
                target.write(at, &word.to_le_bytes());
            }
            4 => {
                let (from, to) = (self.word_place()?, self.word_place()?);
                let mut bytes = vec![0; usize::from(self.byte()?) * 8];
                let room = image::TOTAL_LEN - from.max(to);
                bytes.truncate(room);
                target.read(from, &mut bytes);
                target.write(to, &bytes);
            }
            6 => {
                let section = self.section()?;
                let word: [u8; 8] = self.take()?;
                target.write(section.at, &word.repeat(section.len / 8));
            }
            _ => {
                let [slot, kind, metric, cells, slots] = self.take()?;
                let (key_len, text_len) = (self.short()?, self.short()?);
                let shape = [kind, metric, u8::from(kind == 1), 0, cells, 0, slots, 0];
                let lengths = u64::from(key_len) | u64::from(text_len) << 32;
                let record = RECORDS.at + usize::from(slot) % SLOTS * 256;
                target.write(record + 8, &shape);
                target.write(record + 16, &lengths.to_le_bytes());
            }
        }
        Some(())
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    fn short(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn section(&mut self) -> Option<Section> {
        let index = usize::from(self.byte()?);
        Some(SECTIONS[index % SECTIONS.len()])
    }

    /// The offset of a word of a section.
    fn word_place(&mut self) -> Option<usize> {
        let section = self.section()?;
        let index = usize::from(self.short()?);
        Some(section.at + index % (section.len / 8) * 8)
    }
}
