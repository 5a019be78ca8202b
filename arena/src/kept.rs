//! Memory that is never given back, for what may have to be made in a signal handler.
//!
//! An update whose board was given up maps the next one and remembers it, wherever the update
//! happens to run. So nothing here may call `malloc`, whose lock the interrupted code may
//! hold, or wait for a lock: memory comes from anonymous mappings and is handed out by one
//! `fetch_add`. Who dies or is interrupted in between has taken a few bytes in vain. A forked
//! child has a copy of its own of all of it.

use crate::sync::Ordering;
use crate::sync::plain::{AtomicPtr, AtomicU64};
use core::alloc::Layout;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::{self, NonNull};
use rustix::mm::{MapFlags, ProtFlags};
use std::sync::Arc;

/// Moves `value` to memory that stays until the process ends; `None` if there is none. It is
/// never dropped. No lock, no `malloc`; a syscall now and then.
pub(crate) fn keep<T>(value: T) -> Option<&'static T> {
    Kept::new(value).map(Kept::forever)
}

/// As [`keep`], for `len` values, each made by `init` from its place.
pub(crate) fn keep_slice<T>(len: usize, mut init: impl FnMut(usize) -> T) -> Option<&'static [T]> {
    let start = allocate(Layout::array::<T>(len).ok()?)?.cast::<T>();
    for index in 0..len {
        // SAFETY: `allocate` gave room for `len` values, and `index` is below that.
        let place = unsafe { start.add(index) };
        // SAFETY: inside that room, which is aligned for T and nobody else's.
        unsafe { place.write(init(index)) };
    }
    // SAFETY: `len` values were written above; the memory is never given back, and from here
    // on only read through shared references.
    Some(unsafe { core::slice::from_raw_parts(start.as_ptr(), len) })
}

/// Keeps what an `Arc` holds until the process ends, by a count that is never taken back.
pub(crate) fn keep_shared<T>(shared: Arc<T>) -> &'static T {
    let value = Arc::into_raw(shared);
    // SAFETY: the count that `into_raw` leaves behind is never given back, so the value lives
    // as long as the process; an Arc's value is never borrowed mutably while it is counted.
    unsafe { &*value }
}

/// A value in memory that is never given back, and its owner: dropping this drops the value.
pub(crate) struct Kept<T: 'static>(NonNull<T>);

impl<T> Kept<T> {
    /// `None`, with the value dropped, where there is no memory.
    pub(crate) fn new(value: T) -> Option<Kept<T>> {
        let place = allocate(Layout::new::<T>())?.cast::<T>();
        // SAFETY: `allocate` gave room for one T, aligned and nobody else's.
        unsafe { place.write(value) };
        Some(Kept(place))
    }

    /// Gives up the right to drop it.
    pub(crate) fn forever(self) -> &'static T {
        let kept = ManuallyDrop::new(self);
        // SAFETY: written by `new`; never dropped, since `self` is not, and never unmapped.
        unsafe { kept.0.as_ref() }
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: written by `new`, and `self` is what drops it.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        // SAFETY: written by `new` and owned by `self`: a `List` that has published it has
        // forgotten `self`.
        unsafe { self.0.drop_in_place() };
    }
}

/// A place for a reference to what is kept; empty at first.
pub(crate) struct Link<T: 'static>(AtomicPtr<T>);

impl<T: Sync> Link<T> {
    pub(crate) const fn new() -> Link<T> {
        Link(AtomicPtr::new(ptr::null_mut()))
    }

    /// One load.
    #[inline]
    pub(crate) fn get(&self) -> Option<&'static T> {
        // ORDERING: [M1] Acquire; pairs with the Release of `set` and `replace`: the value is
        // seen as it was when it was put here.
        let value = self.0.load(Ordering::Acquire);
        // SAFETY: null, or from a `&'static T`: nothing else is ever stored.
        unsafe { value.as_ref() }
    }

    pub(crate) fn set(&self, value: &'static T) {
        // ORDERING: [M1] Release; pairs with the Acquire of `get`.
        self.0
            .store(ptr::from_ref(value).cast_mut(), Ordering::Release);
    }

    /// Puts `new` here if what is here is `old`; whether it did.
    fn replace(&self, old: Option<&'static T>, new: &'static T) -> bool {
        let old = old.map_or(ptr::null_mut(), |old| ptr::from_ref(old).cast_mut());
        let new = ptr::from_ref(new).cast_mut();
        // ORDERING: [M1] Release; pairs with the Acquire of `get`.
        self.0
            .compare_exchange(old, new, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }
}

/// Values that are kept, in a list that only grows.
pub(crate) struct List<T: 'static>(Link<Node<T>>);

struct Node<T: 'static> {
    value: &'static T,
    next: Link<Node<T>>,
}

impl<T: Sync> List<T> {
    pub(crate) const fn new() -> List<T> {
        List(Link::new())
    }

    /// The values, the latest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static T> + use<T> {
        Self::from(self.0.get())
    }

    fn from(first: Option<&'static Node<T>>) -> impl Iterator<Item = &'static T> + use<T> {
        core::iter::successors(first, |node| node.next.get()).map(|node| node.value)
    }

    /// Adds `value`, unless one that is the `same` is there; which of the two the list has.
    /// `None` if there was no memory for its place. Lock-free.
    pub(crate) fn add(&self, value: &'static T, same: impl Fn(&T) -> bool) -> Option<&'static T> {
        let node = Kept::new(Node {
            value,
            next: Link::new(),
        })?
        .forever();
        loop {
            let first = self.0.get();
            if let Some(theirs) = Self::from(first).find(|theirs| same(theirs)) {
                return Some(theirs);
            }
            if let Some(first) = first {
                node.next.set(first);
            }
            if self.0.replace(first, node) {
                return Some(value);
            }
        }
    }

    /// As [`add`](Self::add), for a value that is to be dropped if it is not added.
    pub(crate) fn add_owned(
        &self,
        value: Kept<T>,
        same: impl Fn(&T) -> bool,
    ) -> Option<&'static T> {
        // SAFETY: as in `forever` if it was added. If it was not, `add` has left no reference
        // to it where anyone could find one, and this one ends with this function.
        let kept: &'static T = unsafe { value.0.as_ref() };
        let chosen = self.add(kept, same);
        if chosen.is_some_and(|chosen| ptr::eq(chosen, kept)) {
            return Some(value.forever());
        }
        chosen
    }
}

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
fn allocate(layout: Layout) -> Option<NonNull<u8>> {
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

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::rc::Rc;

    #[test]
    fn values_of_many_threads_and_sizes_lie_apart() {
        let kept: Vec<&'static [u64]> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4_u64)
                .map(|thread| {
                    scope.spawn(move || -> Vec<&'static [u64]> {
                        (0..500_usize)
                            .map(|n| keep_slice(n % 70, |_| thread << 32 | n as u64).unwrap())
                            .collect()
                    })
                })
                .collect();
            let kept = threads.into_iter().map(|thread| thread.join().unwrap());
            kept.flatten().collect()
        });
        let mut ranges = BTreeSet::new();
        for slice in kept {
            assert!(slice.windows(2).all(|two| two[0] == two[1]));
            if !slice.is_empty() {
                let range = slice.as_ptr_range();
                ranges.insert((range.start as usize, range.end as usize));
            }
        }
        let ranges: Vec<_> = ranges.into_iter().collect();
        assert!(ranges.windows(2).all(|two| two[0].1 <= two[1].0));
    }

    #[test]
    fn alignment_is_kept_in_a_chunk_and_in_a_mapping() {
        #[repr(align(256))]
        struct Aligned([u8; 300]);
        #[repr(align(4096))]
        struct Page([u8; 40_000]);
        for _ in 0..20 {
            let small = keep(Aligned([7; 300])).unwrap();
            assert!(ptr::from_ref(small).is_aligned() && small.0 == [7; 300]);
            let big = keep(Page([9; 40_000])).unwrap();
            assert!(ptr::from_ref(big).is_aligned() && big.0 == [9; 40_000]);
            assert!(keep_slice(0, |_| 0_u64).unwrap().is_empty());
        }
    }

    #[test]
    fn what_a_list_does_not_take_is_dropped_and_what_it_takes_is_not() {
        struct Counted(u32, #[expect(dead_code)] Arc<()>);
        static LIST: List<Counted> = List::new();
        let count = Arc::new(());
        let add = |name| {
            let value = Kept::new(Counted(name, count.clone())).unwrap();
            LIST.add_owned(value, |other| other.0 == name).unwrap()
        };
        let first = add(1);
        assert_eq!(Arc::strong_count(&count), 2);
        assert!(ptr::eq(add(1), first));
        assert_eq!(Arc::strong_count(&count), 2);
        add(2);
        let names: Vec<u32> = LIST.iter().map(|value| value.0).collect();
        assert_eq!(names, [2, 1]);
    }

    #[test]
    fn an_owner_that_goes_drops_its_value() {
        let count = Rc::new(());
        drop(Kept::new(count.clone()).unwrap());
        assert_eq!(Rc::strong_count(&count), 1);
    }
}
