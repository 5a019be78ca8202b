//! `tb_exemplar`: what is shown of the exemplars of a series.

use std::ffi::CString;
use std::ptr;

use arena::{Reader, SeriesView};

use crate::metric::Label;
use crate::text;

/// One exemplar. It comes in arrays, and never grows.
#[repr(C)]
pub struct Exemplar {
    pub(crate) bucket: usize,
    pub(crate) value: f64,
    pub(crate) unix_nanos: u64,
    pub(crate) label_count: usize,
    pub(crate) labels: *const Label,
}

/// Room for one series' exemplars, used again for the next.
#[derive(Default)]
pub(crate) struct Exemplars {
    /// Names and values in turn.
    texts: Vec<CString>,
    labels: Vec<Label>,
    shown: Vec<Exemplar>,
}

impl Exemplars {
    /// How many `series` has in its first `buckets` buckets, and those. Good while this is
    /// borrowed and not filled again.
    pub(crate) fn show(
        &mut self,
        reader: &Reader,
        series: SeriesView<'_>,
        buckets: usize,
    ) -> (usize, *const Exemplar) {
        self.texts.clear();
        self.labels.clear();
        self.shown.clear();
        if !reader.may_have_exemplar(series) {
            return (0, ptr::null());
        }
        let found = || (0..buckets).filter_map(|at| Some((at, reader.exemplar(series, at)?)));
        let labels = found().flat_map(|(_, exemplar)| &exemplar.labels);
        self.texts
            .extend(labels.flat_map(|(name, value)| [text::c_string(name), text::c_string(value)]));
        let pairs = self.texts.as_chunks::<2>().0.iter();
        self.labels.extend(pairs.map(|[name, value]| Label {
            name: name.as_ptr(),
            value: value.as_ptr(),
        }));
        let mut labels = &self.labels[..];
        for (bucket, exemplar) in found() {
            let own = labels.split_off(..exemplar.labels.len()).unwrap_or(&[]);
            self.shown.push(Exemplar {
                bucket,
                value: exemplar.value,
                unix_nanos: exemplar.unix_nanos,
                label_count: own.len(),
                labels: if own.is_empty() {
                    ptr::null()
                } else {
                    own.as_ptr()
                },
            });
        }
        match &self.shown[..] {
            [] => (0, ptr::null()),
            some => (some.len(), some.as_ptr()),
        }
    }
}
