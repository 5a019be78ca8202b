//! Labels of an exemplar, on the stack: what brings one is an update, and allocates nothing.

use std::ffi::CStr;
use std::slice;

use crate::metric::Label;

/// More than an exemplar's 128 characters can be the names of.
const MOST: usize = 128;

/// What the arena refuses, and counts as a bad exemplar: for labels that are none.
const NONE: [(&str, &str); 1] = [("", "")];

/// Gives `update` the labels in Rust's terms.
///
/// # Safety
///
/// `labels` is NULL or points to `count` labels of which each text is NULL or ends in NUL.
#[inline]
pub(crate) unsafe fn with_labels(
    labels: *const Label,
    count: usize,
    update: impl FnOnce(&[(&str, &str)]),
) {
    if labels.is_null() || count > MOST {
        return update(if count == 0 { &[] } else { &NONE });
    }
    // SAFETY: not NULL and not more than `MOST` (checked above); readable and unchanged meanwhile
    // by this function's contract.
    let labels = unsafe { slice::from_raw_parts(labels, count) };
    let mut texts = [("", ""); MOST];
    for (into, label) in texts.iter_mut().zip(labels) {
        if label.name.is_null() || label.value.is_null() {
            return update(&NONE);
        }
        // SAFETY: not NULL (checked above); ends in NUL by this function's contract.
        let name = unsafe { CStr::from_ptr(label.name) };
        // SAFETY: as above.
        let value = unsafe { CStr::from_ptr(label.value) };
        match (name.to_str(), value.to_str()) {
            (Ok(name), Ok(value)) => *into = (name, value),
            _ => return update(&NONE),
        }
    }
    update(&texts[..count]);
}
