//! Counts what a thread takes from the heap, and gives back to it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
    static GIVEN_BACK: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: hands everything on to the system's allocator; the counts are plain thread-local
// numbers without a destructor, which allocate nothing themselves.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.set(TAKEN.get() + 1);
        // SAFETY: the caller's promises are the ones that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        GIVEN_BACK.set(GIVEN_BACK.get() + 1);
        // SAFETY: as above; everything came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often `work` called the allocator, and what it returned.
pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = TAKEN.get() + GIVEN_BACK.get();
    let outcome = work();
    (TAKEN.get() + GIVEN_BACK.get() - before, outcome)
}

/// How many blocks `work` took and did not give back.
pub(crate) fn left_by(work: impl FnOnce()) -> i64 {
    let balance = || TAKEN.get() as i64 - GIVEN_BACK.get() as i64;
    let before = balance();
    work();
    balance() - before
}

#[test]
fn the_counts_see_what_is_taken_and_what_is_given_back() {
    assert_eq!(during(|| drop(std::hint::black_box(Box::new(1)))).0, 2);
    assert_eq!(during(|| std::hint::black_box(1)).0, 0);
    let mut held = None;
    assert_eq!(left_by(|| held = Some(Box::new(1))), 1);
    assert_eq!(left_by(|| drop(held.take())), -1);
}
