//! Arrays that begin as zeros, in mappings of their own: a board may have to be attached in a
//! signal handler, and the heap is not to be touched there.

use crate::sync::plain::{AtomicPtr, AtomicU32};
use core::ops::Deref;
use core::ptr::NonNull;
use rustix::mm::{MapFlags, ProtFlags};
use std::io;

mod sealed {
    /// # Safety
    /// Zeros are a valid value, and it needs no drop and at most a page's alignment.
    pub(crate) unsafe trait Zero: Sync + Send {}
}
use sealed::Zero;

// SAFETY: any bits are a number.
unsafe impl Zero for AtomicU32 {}
// SAFETY: zeros are the null pointer.
unsafe impl Zero for AtomicPtr<u8> {}

/// An array of `T`, all zeros at first. A forked child has a copy of its own.
pub(crate) struct Zeroed<T> {
    start: NonNull<T>,
    /// Invariant: `start` is a mapping of so many `T`; dangling if it is 0.
    len: usize,
}

// SAFETY: owns its elements, which may be sent and shared (`Zero`).
unsafe impl<T: Zero> Send for Zeroed<T> {}
// SAFETY: as above.
unsafe impl<T: Zero> Sync for Zeroed<T> {}

impl<T> Zeroed<T> {
    /// An array of nothing.
    pub(crate) const fn empty() -> Zeroed<T> {
        Zeroed {
            start: NonNull::dangling(),
            len: 0,
        }
    }

    fn len_bytes(len: usize) -> Option<usize> {
        size_of::<T>().checked_mul(len)
    }
}

impl<T: Zero> Zeroed<T> {
    /// One syscall.
    pub(crate) fn new(len: usize) -> io::Result<Zeroed<T>> {
        if len == 0 {
            return Ok(Zeroed::empty());
        }
        let len_bytes = Self::len_bytes(len).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: a new anonymous mapping touches nothing of ours.
        let start = unsafe {
            rustix::mm::mmap_anonymous(
                core::ptr::null_mut(),
                len_bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        }?;
        Ok(Zeroed {
            start: NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?,
            len,
        })
    }
}

impl<T> Deref for Zeroed<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: `len` elements are mapped as long as `self`, zeroed at first, which `Zero`
        // says is a value; a page's alignment is enough. Nothing of length 0 is anywhere.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> Drop for Zeroed<T> {
    fn drop(&mut self) {
        if let Some(len_bytes @ 1..) = Self::len_bytes(self.len) {
            // SAFETY: exactly what `new` mapped, and no borrow of it outlives `self`.
            let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), len_bytes) };
        }
    }
}

#[cfg(all(test, not(arena_loom)))]
#[test]
fn an_array_begins_as_zeros_and_may_be_empty() {
    let array = Zeroed::<AtomicU32>::new(5000).unwrap();
    assert_eq!(array.len(), 5000);
    let zero = |word: &AtomicU32| word.load(crate::sync::Ordering::Relaxed) == 0;
    assert!(array.iter().all(zero));
    assert!(Zeroed::<AtomicPtr<u8>>::new(0).unwrap().is_empty());
}
