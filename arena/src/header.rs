//! The header page: written once before the board has a name, checked whole before use.

use crate::layout::{Geometry, Header, LAYOUT_VERSION, MAGIC, PAGE, RECORD_STRIDE, SHARED_STRIDE};
use crate::layout::{Row, UNIT_STRIDE};
use core::mem::{offset_of, size_of};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// Words before the checksum.
const CHECKED_WORDS: usize = offset_of!(Header, checksum) / 8;
/// Words of the header that have a meaning.
pub(crate) const HEADER_WORDS: usize = size_of::<Header>() / 8;

/// What a header says that cannot be worked out from the capacities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub hash_key: [u64; 2],
    /// Zeros where it could not be read: then no CPU planes are used.
    pub boot_id: [u64; 2],
    pub uuid: [u64; 2],
    pub created_unix_nanos: u64,
    pub keep_dead_seconds: u64,
    /// Not covered by the checksum: a number, and nothing more is believed of it.
    pub series_cap: u64,
}

/// Why a header was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    NotABoard(&'static str),
    Version(u32),
    Features(u64),
    Damaged(&'static str),
}

/// The words of a header, in their order.
pub(crate) fn encode(geometry: &Geometry, identity: &Identity) -> [u64; HEADER_WORDS] {
    let mut words = [0; HEADER_WORDS];
    let mut put = |field: usize, value: u64| words[field / 8] = value;
    put(offset_of!(Header, magic), MAGIC);
    put(offset_of!(Header, version), u64::from(LAYOUT_VERSION));
    put(offset_of!(Header, total_len), geometry.total_len);
    put(offset_of!(Header, slots), u64::from(geometry.slots));
    put(offset_of!(Header, processes), u64::from(geometry.processes));
    put(offset_of!(Header, planes), u64::from(geometry.planes));
    put(offset_of!(Header, control_offset), geometry.control);
    put(offset_of!(Header, rows_offset), geometry.rows);
    put(offset_of!(Header, row_stride), size_of::<Row>() as u64);
    put(offset_of!(Header, heads_offset), geometry.heads_at);
    put(offset_of!(Header, heads), u64::from(geometry.heads));
    put(offset_of!(Header, states_offset), geometry.states);
    put(offset_of!(Header, links_offset), geometry.links);
    put(offset_of!(Header, records_offset), geometry.records);
    put(offset_of!(Header, record_stride), RECORD_STRIDE);
    put(offset_of!(Header, shared_offset), geometry.shared);
    put(offset_of!(Header, shared_stride), SHARED_STRIDE);
    put(offset_of!(Header, plane_table_offset), geometry.plane_table);
    put(offset_of!(Header, planes_offset), geometry.planes_at);
    put(offset_of!(Header, plane_stride), geometry.plane_stride);
    put(offset_of!(Header, unit_stride), UNIT_STRIDE);
    for (half, at) in [0, 8].into_iter().enumerate() {
        put(offset_of!(Header, hash_key) + at, identity.hash_key[half]);
        put(offset_of!(Header, boot_id) + at, identity.boot_id[half]);
        put(offset_of!(Header, uuid) + at, identity.uuid[half]);
    }
    put(
        offset_of!(Header, created_unix_nanos),
        identity.created_unix_nanos,
    );
    put(offset_of!(Header, series_cap), identity.series_cap);
    words[CHECKED_WORDS] = checksum(&words);
    words[offset_of!(Header, keep_dead_seconds) / 8] = identity.keep_dead_seconds;
    words
}

/// SipHash-1-3 with the key (0, 0): finds accidents, not attackers.
fn checksum(words: &[u64; HEADER_WORDS]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(0, 0);
    for word in &words[..CHECKED_WORDS] {
        hasher.write_u64(*word);
    }
    hasher.finish()
}

/// Checks a header of a file of `file_len` bytes. Every field must say what this version
/// would have written for those capacities.
pub(crate) fn decode(
    words: &[u64; HEADER_WORDS],
    file_len: u64,
) -> Result<(Geometry, Identity), Flaw> {
    let get = |field: usize| words[field / 8];
    if get(offset_of!(Header, magic)) != MAGIC {
        return Err(Flaw::NotABoard("it does not begin with TALLYBRD"));
    }
    let version = get(offset_of!(Header, version)) as u32;
    if version != LAYOUT_VERSION {
        return Err(Flaw::Version(version));
    }
    if words[CHECKED_WORDS] != checksum(words) {
        return Err(Flaw::Damaged("its header's checksum does not match"));
    }
    let features = get(offset_of!(Header, features_required));
    if features != 0 {
        return Err(Flaw::Features(features));
    }
    let capacity = |field| u32::try_from(get(field)).ok();
    let geometry = capacity(offset_of!(Header, slots))
        .zip(capacity(offset_of!(Header, processes)))
        .zip(capacity(offset_of!(Header, planes)))
        .and_then(|((slots, processes), planes)| Geometry::new(slots, processes, planes))
        .ok_or(Flaw::Damaged("its capacities are out of range"))?;
    let pair = |field| [get(field), get(field + 8)];
    let identity = Identity {
        hash_key: pair(offset_of!(Header, hash_key)),
        boot_id: pair(offset_of!(Header, boot_id)),
        uuid: pair(offset_of!(Header, uuid)),
        created_unix_nanos: get(offset_of!(Header, created_unix_nanos)),
        keep_dead_seconds: get(offset_of!(Header, keep_dead_seconds)),
        series_cap: get(offset_of!(Header, series_cap)),
    };
    let mut ours = encode(&geometry, &identity);
    // Ignorable, and part of the checksum.
    ours[offset_of!(Header, features_optional) / 8] = get(offset_of!(Header, features_optional));
    if ours[..CHECKED_WORDS] != words[..CHECKED_WORDS] {
        return Err(Flaw::Damaged("its sections do not lie where they must"));
    }
    if file_len != geometry.total_len {
        return Err(Flaw::Damaged("the file is not as long as its header says"));
    }
    Ok((geometry, identity))
}

const _: () = assert!(HEADER_WORDS * 8 <= PAGE as usize);

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;

    fn header() -> ([u64; HEADER_WORDS], u64) {
        let geometry = Geometry::new(64, 64, 2).unwrap();
        let identity = Identity {
            hash_key: [1, 2],
            boot_id: [3, 4],
            uuid: [5, 6],
            created_unix_nanos: 7,
            keep_dead_seconds: 8,
            series_cap: 9,
        };
        (encode(&geometry, &identity), geometry.total_len)
    }

    #[test]
    fn every_header_field_is_checked_even_under_a_good_checksum() {
        let (words, len) = header();
        assert!(decode(&words, len).is_ok());
        let free = |field| {
            [
                offset_of!(Header, hash_key),
                offset_of!(Header, boot_id),
                offset_of!(Header, uuid),
            ]
            .iter()
            .any(|start| (start / 8..start / 8 + 2).contains(&field))
                || field == offset_of!(Header, created_unix_nanos) / 8
                || field == offset_of!(Header, features_optional) / 8
        };
        for field in 0..CHECKED_WORDS {
            for bit in 0..64 {
                let mut flipped = words;
                flipped[field] ^= 1 << bit;
                // The upper half of the version word is reserved and checked as zero.
                assert!(decode(&flipped, len).is_err(), "word {field} bit {bit}");
                flipped[CHECKED_WORDS] = checksum(&flipped);
                assert_eq!(
                    decode(&flipped, len).is_ok(),
                    free(field),
                    "word {field} bit {bit}"
                );
            }
        }
        assert!(decode(&words, len - 1).is_err());
    }
}
