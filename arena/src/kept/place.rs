//! References to what is kept, which threads and signal handlers change.

use crate::sync::Ordering;
use crate::sync::plain::AtomicPtr;
use core::ptr;

/// A place for a reference to what is kept; empty at first.
pub(crate) struct Place<T: 'static>(AtomicPtr<T>);

impl<T: Sync> Place<T> {
    pub(crate) const fn new() -> Place<T> {
        Place(AtomicPtr::new(ptr::null_mut()))
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
    pub(super) fn replace(&self, old: Option<&'static T>, new: &'static T) -> bool {
        let old = old.map_or(ptr::null_mut(), |old| ptr::from_ref(old).cast_mut());
        let new = ptr::from_ref(new).cast_mut();
        // ORDERING: [M1] Release; pairs with the Acquire of `get`.
        self.0
            .compare_exchange(old, new, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }
}
