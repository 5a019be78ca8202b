//! `tb_native`: the buckets of a native histogram; `tb_native_counts`: what is in them.

use std::mem::size_of;
use std::ptr;

use arena::{Native, NativeCounts, Window};

use crate::failure::Failure;
use crate::grown::{self, Grown};

/// The schema and the range of exponential buckets.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct NativeBuckets {
    pub(crate) struct_size: usize,
    pub(crate) schema: i32,
    pub(crate) has_negative: u32,
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
}

// SAFETY: `repr(C)`, begins with `struct_size`, and holds only numbers.
unsafe impl Grown for NativeBuckets {
    const NAME: &'static str = "metric.native";
    const FIRST_SIZE: usize = size_of::<Self>();
    const DEFAULT: Self = NativeBuckets {
        struct_size: size_of::<Self>(),
        schema: 0,
        has_negative: 0,
        lowest: 0.0,
        highest: 0.0,
    };
}

/// What the arena calls it; None for NULL.
///
/// # Safety
///
/// As [`grown::read`].
pub(crate) unsafe fn read(given: *const NativeBuckets) -> Result<Option<Native>, Failure> {
    if given.is_null() {
        return Ok(None);
    }
    // SAFETY: the same contract as this function's.
    let given = unsafe { grown::read(given) }?;
    // What no byte holds is no schema either: the arena says which there are.
    let schema = i8::try_from(given.schema).unwrap_or(i8::MAX);
    let native = Native::new()
        .schema(schema)
        .range(given.lowest, given.highest);
    Ok(Some(match given.has_negative {
        0 => native,
        _ => native.with_negative(),
    }))
}

/// One bucket that is not empty.
#[repr(C)]
pub struct NativeBucket {
    pub(crate) index: i32,
    pub(crate) count: u64,
}

/// The counts of one series, and what its pointers lead to.
#[repr(C)]
pub struct NativeSample {
    pub(crate) struct_size: usize,
    pub(crate) schema: i32,
    pub(crate) has_negative: u32,
    pub(crate) zero_threshold: f64,
    pub(crate) zero: u64,
    pub(crate) positive_count: usize,
    pub(crate) positive: *const NativeBucket,
    pub(crate) negative_count: usize,
    pub(crate) negative: *const NativeBucket,
    pub(crate) below: u64,
    pub(crate) above: u64,
}

impl NativeSample {
    /// Without buckets yet: the caller keeps them.
    fn of(window: &Window, counts: &NativeCounts) -> NativeSample {
        NativeSample {
            struct_size: size_of::<NativeSample>(),
            schema: window.schema().into(),
            has_negative: window.is_signed().into(),
            zero_threshold: window.zero_threshold(),
            zero: counts.zero(),
            positive_count: 0,
            positive: ptr::null(),
            negative_count: 0,
            negative: ptr::null(),
            below: counts.below(),
            above: counts.above(),
        }
    }
}

/// Room for one series' counts, used again for the next.
#[derive(Default)]
pub(crate) struct NativePage {
    pub(crate) counts: NativeCounts,
    positive: Vec<NativeBucket>,
    negative: Vec<NativeBucket>,
    sample: Option<NativeSample>,
}

impl NativePage {
    /// What `counts` says, in C's terms. Good while this is borrowed and not filled again.
    pub(crate) fn show(&mut self, window: &Window) -> *const NativeSample {
        let mut sample = NativeSample::of(window, &self.counts);
        let bucket = |(index, count)| NativeBucket { index, count };
        self.positive.clear();
        self.positive.extend(self.counts.positive().map(bucket));
        self.negative.clear();
        self.negative.extend(self.counts.negative().map(bucket));
        (sample.positive_count, sample.positive) = start(&self.positive);
        (sample.negative_count, sample.negative) = start(&self.negative);
        self.sample.insert(sample)
    }
}

/// An array as C has it.
fn start(buckets: &[NativeBucket]) -> (usize, *const NativeBucket) {
    match buckets {
        [] => (0, ptr::null()),
        some => (some.len(), some.as_ptr()),
    }
}
