//! What C holds: a `Box` whose ownership crosses the boundary twice, out and back.

use crate::boundary;
use crate::failure::Failure;
use crate::status::Status;

/// Makes a `T` for the caller and puts it where the caller says: `fallback`'s instead, or NULL
/// where that is `None`, when it fails.
///
/// # Safety
///
/// `out` is NULL or points to a pointer of the caller's to write.
pub(crate) unsafe fn hand_out<T>(
    out: *mut *mut T,
    what: &str,
    fallback: Option<fn() -> T>,
    make: impl FnOnce() -> Result<T, Failure>,
) -> Status {
    // SAFETY: NULL, or the caller's to write, by this function's contract.
    let Some(out) = (unsafe { out.as_mut() }) else {
        return boundary::call(|| Err(Failure::null(what)));
    };
    *out = std::ptr::null_mut();
    let status = boundary::call(|| {
        *out = Box::into_raw(Box::new(make()?));
        Ok(())
    });
    if out.is_null()
        && let Some(fallback) = fallback
    {
        *out = boundary::call_or(std::ptr::null_mut(), || Box::into_raw(Box::new(fallback())));
    }
    status
}

/// Takes back, and drops, what [`hand_out`] gave. A NULL is nothing to drop.
///
/// # Safety
///
/// `handle` is NULL, or came from [`hand_out`] with the same `T` and was not taken back before.
pub(crate) unsafe fn take_back<T>(handle: *mut T) {
    if handle.is_null() {
        return;
    }
    boundary::call_or((), || {
        // SAFETY: it came from `Box::into_raw` in `hand_out`, and is the caller's last use of it,
        // both by this function's contract.
        drop(unsafe { Box::from_raw(handle) });
    });
}
