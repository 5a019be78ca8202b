//! The bytes of a small board, written from `LAYOUT.md` alone: what they are does not depend
//! on the library that is fuzzed, nor on chance, so that an input means the same tomorrow.

use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// The least that a board may have, and two of what may be many.
pub const SLOTS: usize = 64;
const PROCESSES: usize = 4;
const PLANES: usize = 2;
/// List heads.
pub const HEADS: usize = 128;

const PAGE: usize = 4096;
/// Bytes of the header that the checksum covers, which stands behind them.
const CHECKED: usize = 240;

/// A section's place and length in bytes, without what fills its last page.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Offset from the start of the file.
    pub at: usize,
    /// Bytes that mean something.
    pub len: usize,
}

const fn after(section: Section, len: usize) -> Section {
    Section {
        at: (section.at + section.len).next_multiple_of(PAGE),
        len,
    }
}

/// LAYOUT.md §3
pub const HEADER: Section = Section { at: 0, len: 272 };
/// LAYOUT.md §4
pub const CONTROL: Section = after(HEADER, 424);
/// LAYOUT.md §5
pub const ROWS: Section = after(CONTROL, PROCESSES * 64);
/// LAYOUT.md §6
pub const LISTS: Section = after(ROWS, HEADS * 8);
/// LAYOUT.md §7
pub const STATES: Section = after(LISTS, SLOTS * 8);
/// LAYOUT.md §6
pub const LINKS: Section = after(STATES, SLOTS * 8);
/// LAYOUT.md §8
pub const RECORDS: Section = after(LINKS, SLOTS * 256);
/// LAYOUT.md §10
pub const SHARED: Section = after(RECORDS, SLOTS * 48);
/// LAYOUT.md §10
pub const TABLE: Section = after(SHARED, PLANES * 8);
/// LAYOUT.md §10
pub const CPU_PLANES: Section = after(TABLE, PLANES * SLOTS * 32);

/// All of them, in the order of the file.
pub const SECTIONS: [Section; 10] = [
    HEADER, CONTROL, ROWS, LISTS, STATES, LINKS, RECORDS, SHARED, TABLE, CPU_PLANES,
];
/// Length of the file: a plane of 64 units is half a page and takes a whole one.
pub const TOTAL_LEN: usize = CPU_PLANES.at + PLANES * PAGE;

/// A sound board without anything on it.
pub fn empty() -> Vec<u8> {
    let mut image = vec![0; TOTAL_LEN];
    let boot_id = boot_id().unwrap_or_default();
    let words: [u64; CHECKED / 8] = [
        u64::from_le_bytes(*b"TALLYBRD"),
        1,
        0,
        0,
        TOTAL_LEN as u64,
        SLOTS as u64,
        PROCESSES as u64,
        PLANES as u64,
        CONTROL.at as u64,
        ROWS.at as u64,
        64,
        LISTS.at as u64,
        HEADS as u64,
        STATES.at as u64,
        LINKS.at as u64,
        RECORDS.at as u64,
        256,
        SHARED.at as u64,
        48,
        TABLE.at as u64,
        CPU_PLANES.at as u64,
        PAGE as u64,
        32,
        // The hash key, known here so that the fuzzer can put records where they belong.
        0x0706_0504_0302_0100,
        0x0f0e_0d0c_0b0a_0908,
        // The kernel's, or nothing would count in the CPU planes.
        boot_id[0],
        boot_id[1],
        // The uuid.
        1,
        2,
        // Made at the first second of 2026.
        1_767_225_600_000_000_000,
    ];
    for (at, word) in words.iter().enumerate() {
        put(&mut image, at * 8, *word);
    }
    seal(&mut image);
    image
}

/// Makes the header's checksum right.
pub fn seal(image: &mut [u8]) {
    let Some((checked, _)) = image.split_at_checked(CHECKED) else {
        return;
    };
    let mut hasher = SipHasher13::new_with_keys(0, 0);
    hasher.write(checked);
    let checksum = hasher.finish();
    put(image, CHECKED, checksum);
}

/// Writes a word, unless that is beyond the end.
pub fn put(image: &mut [u8], at: usize, word: u64) {
    if let Some(into) = image.get_mut(at..at + 8) {
        into.copy_from_slice(&word.to_le_bytes());
    }
}

fn boot_id() -> Option<[u64; 2]> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let number = u128::from_str_radix(&text.trim().replace('-', ""), 16).ok()?;
    Some([(number >> 64) as u64, number as u64])
}
