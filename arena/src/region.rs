//! A board's bytes as atomic words and pairs: the only file that casts.
//!
//! Invariant: `base` is the start of a shared mapping of `len` bytes, page-aligned and a
//! multiple of 8 long, that lives as long as the `Region`. Any bit pattern in it is
//! acceptable, and everything that is shared is read and written through an atomic (or by
//! the restartable sequences of `rseq`, which own their words).

#[cfg(not(all(test, arena_loom)))]
mod mapped {
    use crate::guard::{self, Watched};
    use crate::layout::{PAGE, PAIR_LEN, RECORD_STRIDE};
    use crate::pair::Pair;
    use crate::sync::AtomicU64;
    use core::ptr::NonNull;
    use memmap2::MmapRaw;
    use shared_memory::Shmem;
    use std::fs::File;
    use std::io;

    /// What holds the mapping, and lets go of it when the region is dropped.
    enum Backing {
        /// A board with a path, or a private one (a memory file without a name).
        Mapped(#[expect(dead_code, reason = "held for its drop")] MmapRaw),
        /// A board with an OS name.
        Shm(#[expect(dead_code, reason = "held for its drop")] Shmem),
    }

    /// The words of one record.
    #[derive(Clone, Copy)]
    pub(crate) struct Words<'r>(&'r [AtomicU64; (RECORD_STRIDE / 8) as usize]);

    impl<'r> Words<'r> {
        /// The word at a byte offset into the record.
        #[inline]
        pub(crate) fn at(self, field: usize) -> &'r AtomicU64 {
            &self.0[field / 8]
        }
    }

    /// The mapped bytes of one board.
    pub(crate) struct Region {
        base: NonNull<u8>,
        len: u64,
        writable: bool,
        // Dropped in this order: nothing is watched that is not mapped.
        watched: Option<Watched>,
        _backing: Backing,
    }

    // SAFETY: the mapping is not bound to the thread that made it, and all access goes
    // through atomics or restartable sequences.
    unsafe impl Send for Region {}
    // SAFETY: as above; `&Region` gives out nothing but atomics and raw addresses.
    unsafe impl Sync for Region {}

    impl Region {
        /// Maps the first `len` bytes of `file`, shared.
        pub(crate) fn map(file: &File, len: u64, writable: bool) -> io::Result<Region> {
            let len_bytes = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
            let mut options = memmap2::MmapOptions::new();
            options.len(len_bytes);
            let map = if writable {
                options.map_raw(file)?
            } else {
                options.map_raw_read_only(file)?
            };
            let base = NonNull::new(map.as_mut_ptr()).ok_or(io::ErrorKind::InvalidData)?;
            Ok(Region {
                base,
                len,
                writable,
                // SAFETY: the mapping just made, which is `_backing`'s and goes after this.
                // Everything in it is an atomic that may hold any bits.
                watched: unsafe { guard::watch(base, len_bytes) },
                _backing: Backing::Mapped(map),
            })
        }

        /// Takes over a mapping that `shared_memory` made, if it is at least `len` bytes.
        pub(crate) fn from_shm(mut shm: Shmem, len: u64) -> io::Result<Region> {
            // The board outlives every process: dropping our mapping must not unlink it.
            shm.set_owner(false);
            let base = NonNull::new(shm.as_ptr()).ok_or(io::ErrorKind::InvalidData)?;
            if (shm.len() as u64) < len {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok(Region {
                base,
                len,
                writable: true,
                // SAFETY: as in `map`, for all that `shm` has mapped.
                watched: unsafe { guard::watch(base, shm.len()) },
                _backing: Backing::Shm(shm),
            })
        }

        /// Whether a write would be a fault.
        pub(crate) fn is_writable(&self) -> bool {
            self.writable
        }

        /// Whether the memory was lost, and what was read before this call may be zeros that
        /// stand in for it. Never true where [`guard_readers`](crate::guard_readers) was not
        /// called: there a loss is a SIGBUS.
        pub(crate) fn is_broken(&self) -> bool {
            self.watched.as_ref().is_some_and(Watched::is_broken)
        }

        /// The word at `offset`, which must be a multiple of 8 inside the region.
        #[inline]
        pub(crate) fn word(&self, offset: u64) -> &AtomicU64 {
            let at = self.address::<8>(offset).cast::<AtomicU64>();
            // SAFETY: `address` checked that 8 aligned bytes lie inside the mapping, which
            // lives as long as `self`; any bit pattern is an AtomicU64.
            unsafe { at.as_ref() }
        }

        /// `count` words from `offset` on, which must be a multiple of 8.
        ///
        /// # Panics
        /// As [`address`](Self::address).
        pub(crate) fn words(&self, offset: u64, count: u32) -> &[AtomicU64] {
            let count = count as usize;
            let Some(last) = count.checked_sub(1) else {
                return &[];
            };
            // Looked at for its check only: what is up to there lies inside.
            self.address::<8>(offset + 8 * last as u64);
            let first = self.address::<8>(offset).cast::<AtomicU64>();
            let all = NonNull::slice_from_raw_parts(first, count);
            // SAFETY: `address` checked that the first and the last of the words lie inside the
            // mapping, which lives as long as `self`; any bit pattern is an AtomicU64.
            unsafe { all.as_ref() }
        }

        /// The record at `offset`, which must be a multiple of a record's length.
        #[inline]
        pub(crate) fn record(&self, offset: u64) -> Words<'_> {
            let at = self.address::<RECORD_STRIDE>(offset).cast();
            // SAFETY: `address` checked that a record's bytes lie inside the mapping, aligned
            // and as long as `self`; any bit pattern is an array of AtomicU64.
            Words(unsafe { at.as_ref() })
        }

        /// The pair at `offset`, which must be a multiple of 16 inside the region.
        #[inline]
        pub(crate) fn pair(&self, offset: u64) -> Pair<'_> {
            let at = self.address::<PAIR_LEN>(offset);
            // SAFETY: `address` checked that 16 aligned bytes lie inside the mapping, which
            // lives as long as the returned borrow of `self`.
            unsafe { Pair::new(at) }
        }

        /// The address of `LEN` bytes at `offset`, rounded down to a multiple of `LEN`: a
        /// power of two that divides a page. One comparison.
        ///
        /// # Panics
        /// When they are not inside the region: every offset comes from a checked geometry
        /// and a checked slot, so this is a bug in the crate and never a broken board.
        #[inline]
        pub(crate) fn address<const LEN: u64>(&self, offset: u64) -> NonNull<u8> {
            const { assert!(LEN.is_power_of_two() && LEN <= PAGE) };
            debug_assert!(offset.is_multiple_of(LEN));
            let index = offset / LEN;
            assert!(index < self.len / LEN, "an offset outside the board");
            // SAFETY: `index < len / LEN`, so `LEN` bytes from there lie inside the mapping.
            unsafe { self.base.add((index * LEN) as usize) }
        }
    }
}
#[cfg(not(all(test, arena_loom)))]
pub(crate) use mapped::{Region, Words};

/// Under loom a board is a few words on the heap, shared by the model's threads.
#[cfg(all(test, arena_loom))]
mod modelled {
    use crate::pair::Pair;
    use crate::sync::AtomicU64;
    use shared_memory::Shmem;
    use std::collections::BTreeMap;
    use std::fs::File;
    use std::io;
    use std::sync::Arc;

    #[derive(Clone)]
    pub(crate) struct Region {
        words: Arc<BTreeMap<u64, AtomicU64>>,
    }

    #[derive(Clone, Copy)]
    pub(crate) struct Words<'r>(&'r Region, u64);

    impl<'r> Words<'r> {
        pub(crate) fn at(self, field: usize) -> &'r AtomicU64 {
            self.0.word(self.1 + field as u64)
        }
    }

    impl Region {
        /// A region that has just the words at `offsets`, all 0.
        pub(crate) fn of(offsets: impl Iterator<Item = u64>) -> Region {
            Region {
                words: Arc::new(offsets.map(|at| (at, AtomicU64::new(0))).collect()),
            }
        }

        /// A model maps nothing.
        pub(crate) fn map(_: &File, _: u64, _: bool) -> io::Result<Region> {
            Err(io::ErrorKind::Unsupported.into())
        }

        /// A model maps nothing.
        pub(crate) fn from_shm(_: Shmem, _: u64) -> io::Result<Region> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn is_writable(&self) -> bool {
            true
        }

        /// A model's memory stays.
        pub(crate) fn is_broken(&self) -> bool {
            false
        }

        pub(crate) fn word(&self, offset: u64) -> &AtomicU64 {
            &self.words[&offset]
        }

        pub(crate) fn words(&self, offset: u64, count: u32) -> Vec<&AtomicU64> {
            let words = (0..u64::from(count)).map(|word| self.word(offset + 8 * word));
            words.collect()
        }

        pub(crate) fn record(&self, offset: u64) -> Words<'_> {
            Words(self, offset)
        }

        pub(crate) fn pair(&self, offset: u64) -> Pair<'_> {
            Pair::new(&self.words[&offset])
        }
    }
}
#[cfg(all(test, arena_loom))]
pub(crate) use modelled::{Region, Words};
