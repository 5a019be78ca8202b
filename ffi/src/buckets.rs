//! Bounds of buckets. The arena computes them, so that they are the same to the last bit in every
//! language: other bits would be another family, and a clash.

use std::slice;

use arena::buckets;

use crate::boundary;

/// More bounds than any histogram can have: a count beyond it is a mistake, not a wish for memory.
const MOST: usize = 65_536;

/// Writes the first `count` of the default bounds and says how many there are.
///
/// # Safety
///
/// `bounds` is NULL or has room for `count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_buckets_default(bounds: *mut f64, count: usize) -> usize {
    let shown = &buckets::DEFAULT[..count.min(buckets::DEFAULT.len())];
    if !bounds.is_null() {
        // SAFETY: at most `count` numbers, for which there is room by this function's contract;
        // a constant of ours and memory of the caller's do not overlap.
        unsafe { bounds.copy_from_nonoverlapping(shown.as_ptr(), shown.len()) };
    }
    buckets::DEFAULT.len()
}

/// Writes bounds that are `width` apart.
///
/// # Safety
///
/// `bounds` is NULL or has room for `count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_buckets_linear(
    start: f64,
    width: f64,
    bounds: *mut f64,
    count: usize,
) -> usize {
    // SAFETY: the same contract as this function's.
    unsafe { fill(bounds, count, |count| buckets::linear(start, width, count)) }
}

/// Writes bounds of which each is `factor` times the one before.
///
/// # Safety
///
/// `bounds` is NULL or has room for `count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_buckets_exponential(
    start: f64,
    factor: f64,
    bounds: *mut f64,
    count: usize,
) -> usize {
    // SAFETY: the same contract as this function's.
    unsafe {
        fill(bounds, count, |count| {
            buckets::exponential(start, factor, count)
        })
    }
}

/// # Safety
///
/// `bounds` is NULL or has room for `count` numbers.
unsafe fn fill(bounds: *mut f64, count: usize, compute: impl FnOnce(usize) -> Vec<f64>) -> usize {
    if bounds.is_null() || count == 0 || count > MOST {
        return 0;
    }
    let computed = boundary::call_or(Vec::new(), || compute(count));
    let ascending = computed.is_sorted_by(|one, next| one < next)
        && computed.iter().all(|bound| bound.is_finite());
    if computed.len() != count || !ascending {
        return 0;
    }
    // SAFETY: not NULL (checked above), with room for `count` numbers by this function's contract.
    unsafe { slice::from_raw_parts_mut(bounds, count) }.copy_from_slice(&computed);
    count
}
