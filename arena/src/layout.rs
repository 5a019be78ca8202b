//! The bytes of a board: record shapes, constants, and where each section lies.
//!
//! `LAYOUT.md` is the normative text; the assertions below keep the two together. The
//! `repr(C)` structs are never instantiated: they name offsets, and every access goes
//! through [`Region`](crate::region::Region) one atomic word at a time.

use core::mem::{offset_of, size_of};

#[cfg(target_endian = "big")]
compile_error!("a board is little-endian; this target is not");

/// The version of the bytes that this library writes and reads.
pub const LAYOUT_VERSION: u32 = 1;

/// `TALLYBRD`, the first eight bytes of every board.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"TALLYBRD");

/// Sections begin on multiples of this, whatever the machine's page size is.
pub(crate) const PAGE: u64 = 4096;

/// The lock byte of the end of a board's name: far beyond any board's end, since whoever removes
/// a damaged board does not know where that is. LAYOUT.md §5.
pub(crate) const REMOVAL_BYTE: u64 = 1 << 62;

/// Slots that `create` accepts. The upper bound is the 22-bit argument of a state word.
pub(crate) const SLOTS: core::ops::RangeInclusive<u32> = 64..=1 << 22;
/// Slots of a board when nothing else is asked for.
pub(crate) const DEFAULT_SLOTS: u32 = 16_384;
/// Process rows that `create` accepts.
pub(crate) const PROCESSES: core::ops::RangeInclusive<u32> = 1..=65_535;
/// Process rows of a board when nothing else is asked for.
pub(crate) const DEFAULT_PROCESSES: u32 = 1_024;
/// CPU planes that a header may announce: more CPUs than Linux supports today.
pub(crate) const MAX_PLANES: u32 = 8_192;
/// The longest chain of slots that one record may take.
pub(crate) const MAX_CHAIN: usize = 64;
/// Cells of one unit.
pub(crate) const UNIT_CELLS: usize = 3;

/// Page 0. Written once, before the board has a name; `version` last.
#[repr(C)]
pub(crate) struct Header {
    pub magic: u64,
    pub version: u64,
    pub features_required: u64,
    pub features_optional: u64,
    pub total_len: u64,
    pub slots: u64,
    pub processes: u64,
    pub planes: u64,
    pub control_offset: u64,
    pub rows_offset: u64,
    pub row_stride: u64,
    pub heads_offset: u64,
    pub heads: u64,
    pub states_offset: u64,
    pub links_offset: u64,
    pub records_offset: u64,
    pub record_stride: u64,
    pub shared_offset: u64,
    pub shared_stride: u64,
    pub plane_table_offset: u64,
    pub planes_offset: u64,
    pub plane_stride: u64,
    pub unit_stride: u64,
    pub hash_key: [u64; 2],
    pub boot_id: [u64; 2],
    pub uuid: [u64; 2],
    pub created_unix_nanos: u64,
    /// SipHash-1-3 with the key (0, 0) of all words before this one, `version` among them.
    pub checksum: u64,
    /// Series that a family may have, 0 for any number; a definition may say otherwise.
    pub series_cap: u64,
    /// How long the gauges of a dead process are shown for themselves, in seconds; 0: 300.
    pub keep_dead_seconds: u64,
    /// The one header word that changes: 0, or 1 once `rm` has given the board up.
    pub retired: u64,
}
const _: () = assert!(offset_of!(Header, version) == 8); // LAYOUT.md §3
const _: () = assert!(offset_of!(Header, hash_key) == 184);
const _: () = assert!(offset_of!(Header, checksum) == 240);
const _: () = assert!(offset_of!(Header, series_cap) == 248);
const _: () = assert!(offset_of!(Header, retired) == 264);
const _: () = assert!(size_of::<Header>() as u64 <= PAGE);

/// Page 1. Words that many processes write stand 128 bytes apart, since CPUs fetch
/// cache lines in pairs.
#[repr(C)]
pub(crate) struct Control {
    pub serial: u64,
    pad0: [u64; 15],
    /// Where the search for a free slot begins: only a hint.
    pub hint: u64,
    pad1: [u64; 15],
    /// One word a reason, and room for reasons to come.
    pub refused: [u64; 16],
    pub reclaimed: u64,
    pub reaped: u64,
    pub folded: u64,
    pub overflowed: u64,
    pub expired: u64,
}
/// Refusal counters that have a meaning, one a reason.
pub(crate) const REFUSED_REASONS: usize = 11;
const _: () = assert!(offset_of!(Control, hint) == 128); // LAYOUT.md §4
const _: () = assert!(offset_of!(Control, refused) == 256);
const _: () = assert!(offset_of!(Control, reclaimed) == 384);
const _: () = assert!(size_of::<Control>() as u64 <= PAGE);

/// One process row.
#[repr(C)]
pub(crate) struct Row {
    /// `incarnation << 1 | in use`.
    pub word: u64,
    pub pid: u64,
    pub pid_namespace: u64,
    pub start_ticks: u64,
    pub name: [u64; 2],
    pub version: u64,
    pub claimed_unix_nanos: u64,
}
const _: () = assert!(size_of::<Row>() == 64); // LAYOUT.md §5

/// The record of a slot that heads a chain.
#[repr(C)]
pub(crate) struct HeadRecord {
    pub hash: u64,
    /// `kind | metric << 8 | aggregation << 16 | overflow << 24 | cells << 32 | chain length << 48`.
    pub shape: u64,
    /// `key length | text length << 32`, in bytes.
    pub lengths: u64,
    /// First continuation: slot + 1, or 0.
    pub chain: u64,
    pub created_unix_nanos: u64,
    /// The tag of what this belongs to: a series' or a help's family, the series of a part, an
    /// exemplar or an info's pairs; 0 in a family.
    pub parent: u64,
    pub parent_slot: u64,
    /// In a family the tag of its definition's first life, or 0 if this is it. In a series
    /// what expiry saw last. The one word of a record that changes in a life.
    pub note: u64,
    pub text: [u64; 24],
}
/// The record of a continuation.
#[repr(C)]
pub(crate) struct ContinuationRecord {
    /// Next continuation: slot + 1, or 0.
    pub chain: u64,
    pub text: [u64; 31],
}
const _: () = assert!(size_of::<HeadRecord>() == 256); // LAYOUT.md §8
const _: () = assert!(size_of::<ContinuationRecord>() == 256);
pub(crate) const RECORD_STRIDE: u64 = size_of::<HeadRecord>() as u64;
pub(crate) const HEAD_TEXT_LEN: usize = size_of::<[u64; 24]>();
pub(crate) const CONTINUATION_TEXT_LEN: usize = size_of::<[u64; 31]>();
/// The longest text that a chain can hold, in bytes.
pub(crate) const MAX_TEXT_LEN: usize = HEAD_TEXT_LEN + (MAX_CHAIN - 1) * CONTINUATION_TEXT_LEN;

/// One unit of a CPU's plane: the tag of the life that its cells belong to, and the cells.
#[repr(C)]
pub(crate) struct Unit {
    pub tag: u64,
    pub cells: [u64; UNIT_CELLS],
}
const _: () = assert!(size_of::<Unit>() == 32 && offset_of!(Unit, tag) == 0); // LAYOUT.md §10
pub(crate) const UNIT_STRIDE: u64 = size_of::<Unit>() as u64;
pub(crate) const UNIT_CELLS_OFFSET: u64 = offset_of!(Unit, cells) as u64;

/// One cell of the shared plane: `{value, tag}`, changed only by a 16-byte CAS.
pub(crate) const PAIR_LEN: u64 = 16;
/// One unit of the shared plane.
pub(crate) const SHARED_STRIDE: u64 = PAIR_LEN * UNIT_CELLS as u64;

/// What an entry of the plane table says.
pub(crate) const PLANE_NONE: u64 = 0;
pub(crate) const PLANE_READY: u64 = 1;
pub(crate) const PLANE_REFUSED: u64 = 2;

/// Where each section lies. A function of three capacities alone, so that `attach` can
/// work it out again and refuse a header that says anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub slots: u32,
    pub processes: u32,
    pub planes: u32,
    pub heads: u32,
    pub control: u64,
    pub rows: u64,
    pub heads_at: u64,
    pub states: u64,
    pub links: u64,
    pub records: u64,
    pub shared: u64,
    pub plane_table: u64,
    pub planes_at: u64,
    pub plane_stride: u64,
    pub total_len: u64,
}

impl Geometry {
    /// The one layout of a board with these capacities; `None` where one of them is out
    /// of its range.
    pub(crate) fn new(slots: u32, processes: u32, planes: u32) -> Option<Geometry> {
        if !SLOTS.contains(&slots) || !PROCESSES.contains(&processes) || planes > MAX_PLANES {
            return None;
        }
        Some(Geometry::unchecked(slots, processes, planes))
    }

    /// As [`new`](Self::new) for any capacities: models need boards of two slots.
    pub(crate) fn unchecked(slots: u32, processes: u32, planes: u32) -> Geometry {
        let mut end = PAGE;
        let mut section = |len: u64| {
            let at = end;
            end = (at + len).next_multiple_of(PAGE);
            at
        };
        let heads = (2 * slots).next_power_of_two();
        let control = section(size_of::<Control>() as u64);
        let rows = section(u64::from(processes) * size_of::<Row>() as u64);
        let heads_at = section(u64::from(heads) * 8);
        let states = section(u64::from(slots) * 8);
        let links = section(u64::from(slots) * 8);
        let records = section(u64::from(slots) * RECORD_STRIDE);
        let shared = section(u64::from(slots) * SHARED_STRIDE);
        let plane_table = section(u64::from(planes) * 8);
        let plane_stride = (u64::from(slots) * UNIT_STRIDE).next_multiple_of(PAGE);
        let planes_at = section(u64::from(planes) * plane_stride);
        let total_len = end;
        Geometry {
            slots,
            processes,
            planes,
            heads,
            control,
            rows,
            heads_at,
            states,
            links,
            records,
            shared,
            plane_table,
            planes_at,
            plane_stride,
            total_len,
        }
    }

    /// Bytes that creation reserves: everything before the CPU planes.
    pub(crate) fn reserved_len(&self) -> u64 {
        self.planes_at
    }

    /// The lock byte of a row's life, beyond the end of the file.
    pub(crate) fn life_byte(&self, row: u32) -> u64 {
        self.total_len + 2 * u64::from(row)
    }

    /// The lock byte of a row's changes.
    pub(crate) fn change_byte(&self, row: u32) -> u64 {
        self.life_byte(row) + 1
    }
}
