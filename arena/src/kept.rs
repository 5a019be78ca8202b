//! Memory that is never given back, for what may have to be made in a signal handler.
//!
//! An update whose board was given up maps the next one and remembers it, wherever the update
//! happens to run. So nothing here may call `malloc`, whose lock the interrupted code may
//! hold, or wait for a lock: memory comes from anonymous mappings and is handed out by one
//! `fetch_add`. Who dies or is interrupted in between has taken a few bytes in vain. A forked
//! child has a copy of its own of all of it.

mod list;
mod memory;
mod place;

use core::alloc::Layout;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;
use std::sync::Arc;

use memory::allocate;

pub(crate) use list::List;
pub(crate) use place::Place;

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

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use core::ptr;
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
    fn an_owner_that_goes_drops_its_value() {
        let count = Rc::new(());
        drop(Kept::new(count.clone()).unwrap());
        assert_eq!(Rc::strong_count(&count), 1);
    }
}
