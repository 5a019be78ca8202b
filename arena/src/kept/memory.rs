//! Memory from anonymous mappings, handed out by one `fetch_add` and never given back.

use crate::sync::Ordering;
use crate::sync::plain::{AtomicPtr, AtomicU64};
use core::alloc::Layout;
use core::ptr::{self, NonNull};
use rustix::mm::{MapFlags, ProtFlags};

/// What is mapped at a time.
const CHUNK_LEN: usize = 64 << 10;
/// What is handed out begins at a multiple of this.
const UNIT: usize = 16;

/// The head of a chunk.
#[repr(C, align(16))]
struct Chunk {
    /// Bytes handed out, those of requests that did not fit among them. Relaxed: each
    /// `fetch_add` gives another range, and nothing is published by it.
    used: AtomicU64,
}
const _: () = assert!(size_of::<Chunk>() == UNIT);

/// The chunk that memory is handed out from.
static CHUNK: AtomicPtr<Chunk> = AtomicPtr::new(ptr::null_mut());

/// Zeroed memory of this layout that is nobody else's and never given back.
pub(super) fn allocate(layout: Layout) -> Option<NonNull<u8>> {
    let slack = layout.align().saturating_sub(UNIT);
    let len = layout.size().checked_add(slack)?;
    let len = len.max(1).checked_next_multiple_of(UNIT)?;
    let start = if len > CHUNK_LEN / 4 {
        map(len)?
    } else {
        take(len)?
    };
    let padding = start.align_offset(layout.align());
    debug_assert!(padding <= slack);
    // SAFETY: `start` is a multiple of `UNIT`, so `padding` is at most `slack`, which `len`
    // has room for beyond the layout's size.
    Some(unsafe { start.add(padding) })
}

/// `len` bytes, a multiple of `UNIT` and at most a quarter of a chunk, of the chunk.
fn take(len: usize) -> Option<NonNull<u8>> {
    loop {
        // ORDERING: [M2] Acquire; pairs with the Release below: the chunk is there, zeroed.
        let known = CHUNK.load(Ordering::Acquire);
        if let Some(chunk) = NonNull::new(known) {
            // SAFETY: a mapping of `CHUNK_LEN` bytes that is never unmapped once it was
            // published; zeros are a valid head.
            let used = unsafe { &chunk.as_ref().used };
            let before = used.fetch_add(len as u64, Ordering::Relaxed);
            let room = (CHUNK_LEN - size_of::<Chunk>()) as u64;
            if before
                .checked_add(len as u64)
                .is_some_and(|end| end <= room)
            {
                let at = size_of::<Chunk>() + before as usize;
                // SAFETY: `at + len` is at most `CHUNK_LEN`, by the comparison above.
                return Some(unsafe { chunk.cast::<u8>().add(at) });
            }
        }
        let fresh = map(CHUNK_LEN)?;
        let ours = fresh.cast().as_ptr();
        // ORDERING: [M2] Release; pairs with the Acquire above.
        let published = CHUNK.compare_exchange(known, ours, Ordering::Release, Ordering::Relaxed);
        if published.is_err() {
            #[cfg(arena_asan)]
            // SAFETY: as where it was registered, in `map`, with this length.
            unsafe {
                lsan::__lsan_unregister_root_region(fresh.as_ptr().cast(), CHUNK_LEN)
            };
            // SAFETY: mapped above with this length, and never given to anybody.
            let _ = unsafe { rustix::mm::munmap(fresh.as_ptr().cast(), CHUNK_LEN) };
        }
    }
}

fn map(len: usize) -> Option<NonNull<u8>> {
    // SAFETY: a new anonymous mapping touches nothing of ours.
    let start = unsafe {
        rustix::mm::mmap_anonymous(
            ptr::null_mut(),
            len,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE,
        )
    };
    let start = start.ok()?;
    #[cfg(arena_asan)]
    // SAFETY: declared as its header does (sanitizer/lsan_interface.h). The mapping is there,
    // and reading what was mapped is all that it does with it; `take` takes back what it unmaps.
    unsafe {
        lsan::__lsan_register_root_region(start, len)
    };
    NonNull::new(start.cast())
}

/// What is reachable only from here is no leak, which a leak checker has to be told: it looks
/// into what `malloc` gave, not into mappings. In a build with `--cfg arena_asan` only.
#[cfg(arena_asan)]
mod lsan {
    unsafe extern "C" {
        pub(super) fn __lsan_register_root_region(start: *const core::ffi::c_void, len: usize);
        pub(super) fn __lsan_unregister_root_region(start: *const core::ffi::c_void, len: usize);
    }
}
