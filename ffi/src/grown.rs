//! Structs that may grow: they begin with `struct_size`, which says what version of them the
//! caller was compiled with.
//!
//! The rule is that of Linux's `openat2` and `clone3`. An input that is larger than we know is
//! taken if its unknown tail is all zeros, since zero means "as before"; otherwise the caller
//! asks for something we cannot do, and to ignore that would be to do something else.

use std::mem::size_of;
use std::slice;

use crate::failure::Failure;
use crate::status;

/// A `#[repr(C)]` struct whose first field is `struct_size: usize`, and for which any bytes a C
/// compiler may write are a valid value.
///
/// # Safety
///
/// Both are promised by implementing it.
pub(crate) unsafe trait Grown: Copy {
    /// Its name in C, for errors.
    const NAME: &'static str;
    /// Its size in ABI 1: no caller can have been compiled with a smaller one. Its size now, until
    /// it grows; then the offset of the first field that is new.
    const FIRST_SIZE: usize;
    /// What every field is in which a smaller, older caller has none.
    const DEFAULT: Self;
}

/// The struct at `from`, in the size this library knows.
///
/// # Safety
///
/// `from` is NULL, or points to `struct_size` readable bytes, the first of which are that size.
pub(crate) unsafe fn read<T: Grown>(from: *const T) -> Result<T, Failure> {
    if from.is_null() {
        return Err(Failure::null(T::NAME));
    }
    // SAFETY: not NULL, and it begins with its size by `Grown` and this function's contract.
    let given = unsafe { from.cast::<usize>().read() };
    if given < T::FIRST_SIZE {
        return Err(too_small::<T>(given));
    }
    if given > size_of::<T>() {
        // SAFETY: `given` bytes are readable, and `size_of::<T>()` is below that.
        let tail = unsafe { from.cast::<u8>().add(size_of::<T>()) };
        // SAFETY: the readable bytes from `tail` on are the difference. No larger struct than
        // `isize::MAX` exists, and the caller does not write it during the call.
        let tail = unsafe { slice::from_raw_parts(tail, given - size_of::<T>()) };
        if tail.iter().any(|byte| *byte != 0) {
            return Err(Failure::new(
                status::UNSUPPORTED,
                format!(
                    "`{}` asks for something that libtallyboard {} does not know (struct_size {given}, known {}); \
                     install a newer one",
                    T::NAME,
                    arena::VERSION,
                    size_of::<T>(),
                ),
            ));
        }
    }
    let mut known = T::DEFAULT;
    let shared = given.min(size_of::<T>());
    // SAFETY: `shared` bytes are readable at `from` and writable at `known`, which are different
    // objects; any bytes are a valid `T` by `Grown`.
    unsafe {
        (&raw mut known)
            .cast::<u8>()
            .copy_from_nonoverlapping(from.cast::<u8>(), shared)
    };
    Ok(known)
}

/// Fills the caller's struct at `to` with `known`, all but its `struct_size`, in the size that the
/// caller knows; what it has beyond ours becomes 0.
///
/// # Safety
///
/// `to` is NULL, or points to `struct_size` writable bytes, the first of which are that size.
pub(crate) unsafe fn write<T: Grown>(to: *mut T, known: &T) -> Result<(), Failure> {
    if to.is_null() {
        return Err(Failure::null(T::NAME));
    }
    // SAFETY: not NULL, and it begins with its size by `Grown` and this function's contract.
    let given = unsafe { to.cast::<usize>().read() };
    if given < T::FIRST_SIZE {
        return Err(too_small::<T>(given));
    }
    let shared = given.min(size_of::<T>());
    // SAFETY: `given` bytes are writable at `to`.
    unsafe { to.cast::<u8>().write_bytes(0, given) };
    // SAFETY: `shared` is at most `given` and `size_of::<T>()`, and `known` is not the caller's.
    unsafe {
        to.cast::<u8>()
            .copy_from_nonoverlapping((&raw const *known).cast::<u8>(), shared)
    };
    // SAFETY: as the read above.
    unsafe { to.cast::<usize>().write(given) };
    Ok(())
}

fn too_small<T: Grown>(given: usize) -> Failure {
    Failure::invalid(format!(
        "`{}`.struct_size is {given} and at least {} in ABI 1; set it to the struct's sizeof",
        T::NAME,
        T::FIRST_SIZE,
    ))
}
