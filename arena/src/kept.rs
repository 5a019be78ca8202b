//! Memory that is never given back, and references to it that can be set once.

use crate::sync::{AtomicPtr, Ordering};
use core::marker::PhantomData;

/// Keeps a value until the process ends.
pub(crate) fn keep<T: 'static>(value: T) -> Option<&'static T> {
    Some(Box::leak(Box::new(value)))
}

/// As [`keep`], for many.
pub(crate) fn keep_slice<T: 'static>(
    len: usize,
    each: impl FnMut(usize) -> T,
) -> Option<&'static [T]> {
    Some(Box::leak((0..len).map(each).collect()))
}

/// A reference to something kept, or none yet. Unlike a `OnceLock` it may be set in a signal
/// handler that interrupted the same.
pub(crate) struct KeptRef<T: 'static> {
    /// Invariant: null, or made from a `&'static T`.
    pointer: AtomicPtr<T>,
    kept: PhantomData<&'static T>,
}

impl<T> KeptRef<T> {
    pub(crate) fn none() -> KeptRef<T> {
        KeptRef {
            pointer: AtomicPtr::new(core::ptr::null_mut()),
            kept: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&'static T> {
        // ORDERING: [M1] Acquire; pairs with the Release below: what it refers to is complete.
        let pointer = self.pointer.load(Ordering::Acquire);
        // SAFETY: null, or a reference that lives for ever, by the invariant.
        unsafe { pointer.as_ref() }
    }

    /// Refers to `kept` from now on.
    pub(crate) fn set(&self, kept: &'static T) {
        // ORDERING: [M1] Release; pairs with the Acquire of `get`.
        self.pointer
            .store(core::ptr::from_ref(kept).cast_mut(), Ordering::Release);
    }

    /// Refers to `kept` if there was nothing before, else says what.
    pub(crate) fn set_first(&self, kept: &'static T) -> Result<(), &'static T> {
        // ORDERING: [M1] Release; pairs with the Acquire of `get`. A failure acquires.
        let set = self.pointer.compare_exchange(
            core::ptr::null_mut(),
            core::ptr::from_ref(kept).cast_mut(),
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        match set {
            Ok(_) => Ok(()),
            // SAFETY: not null, so a reference that lives for ever, by the invariant.
            Err(theirs) => Err(unsafe { &*theirs }),
        }
    }
}
