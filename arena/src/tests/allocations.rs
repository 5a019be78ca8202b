//! Counts what a thread takes from the heap, and gives back to it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: hands everything on to the system's allocator; the count is a plain thread-local
// number without a destructor, which allocates nothing itself.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's promises are the ones that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: as above; everything came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often `work` called the allocator, and what it returned.
pub(super) fn during<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = CALLS.get();
    let outcome = work();
    (CALLS.get() - before, outcome)
}

#[test]
fn the_count_sees_what_is_taken_and_what_is_given_back() {
    assert_eq!(during(|| drop(std::hint::black_box(Box::new(1)))).0, 2);
    assert_eq!(during(|| std::hint::black_box(1)).0, 0);
}
