//! `tb_sample`: one series with its value, as a visitor is shown it.

use std::ffi::{CStr, CString, c_char};
use std::mem::size_of;
use std::ops::ControlFlow;
use std::ptr;

use arena::{FamilyView, Kind, LabelValues, Number, Reader, SeriesView};

use crate::exemplars::{Exemplar, Exemplars};
use crate::metric::Label;
use crate::native::{NativePage, NativeSample};
use crate::text;

pub(crate) const KIND_COUNTER: i32 = 1;
pub(crate) const KIND_GAUGE: i32 = 2;
pub(crate) const KIND_HISTOGRAM: i32 = 3;
pub(crate) const KIND_SUMMARY: i32 = 4;
pub(crate) const KIND_INFO: i32 = 6;
pub(crate) const KIND_STATE_SET: i32 = 7;

/// One series. Its pointers are good while the [`Page`] it was made from is borrowed.
#[repr(C)]
pub struct Sample {
    pub(crate) struct_size: usize,
    pub(crate) name: *const c_char,
    pub(crate) help: *const c_char,
    pub(crate) unit: *const c_char,
    pub(crate) kind: i32,
    pub(crate) is_integer: i32,
    pub(crate) label_count: usize,
    pub(crate) labels: *const Label,
    pub(crate) value: f64,
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) bucket_count: usize,
    pub(crate) bounds: *const f64,
    pub(crate) buckets: *const u64,
    pub(crate) created_unix_nanos: u64,
    pub(crate) native: *const NativeSample,
    pub(crate) exemplar_count: usize,
    pub(crate) exemplars: *const Exemplar,
}

/// A family's text and numbers in C's terms, made once for all its series.
pub(crate) struct Page<'a> {
    family: &'a FamilyView,
    name: CString,
    help: CString,
    unit: CString,
    label_names: Vec<CString>,
    states: Vec<CString>,
    /// With the +Inf that the arena implies.
    bounds: Vec<f64>,
    /// Of the series that is shown, as its time and its values in C's terms.
    values: LabelValues,
    created_unix_nanos: u64,
    label_values: Vec<CString>,
    labels: Vec<Label>,
    buckets: Vec<u64>,
    native: NativePage,
    exemplars: Exemplars,
}

impl<'a> Page<'a> {
    pub(crate) fn new(family: &'a FamilyView) -> Self {
        let bounds = match family.kind {
            Kind::Histogram => family
                .bounds
                .iter()
                .copied()
                .chain([f64::INFINITY])
                .collect(),
            _ => Vec::new(),
        };
        Page {
            family,
            name: text::c_string(&family.name),
            help: text::c_string(&family.help),
            unit: text::c_string(&family.unit),
            label_names: family
                .label_names
                .iter()
                .map(|name| text::c_string(name))
                .collect(),
            states: family
                .states
                .iter()
                .map(|state| text::c_string(state))
                .collect(),
            buckets: vec![0; bounds.len()],
            bounds,
            native: NativePage::default(),
            exemplars: Exemplars::default(),
            values: LabelValues::default(),
            created_unix_nanos: 0,
            label_values: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Shows `series`, one of this family's, to `look`, as one sample; as one for each process,
    /// with the label `pid`, where a gauge's aggregation keeps them apart; as one for each state of
    /// a state set. Breaks when `look` does.
    /// A series that went away meanwhile, or has no value, is passed over.
    pub(crate) fn show(
        &mut self,
        reader: &Reader,
        series: SeriesView<'_>,
        mut look: impl FnMut(&Sample) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (Some(()), Some(created)) = (
            reader.read_labels(series, &mut self.values),
            reader.created_unix_nanos(series),
        ) else {
            return ControlFlow::Continue(());
        };
        self.created_unix_nanos = created;
        self.label_values.clear();
        self.label_values
            .extend(self.values.iter().map(text::c_string));
        if self.family.aggregation.is_by_process() {
            for (pid, value) in reader.by_process(series) {
                let pid = text::c_string(&pid);
                let mut sample = self.sample(&[(c"pid", &pid)]);
                sample.kind = KIND_GAUGE;
                sample.value = value;
                look(&sample)?;
            }
            return ControlFlow::Continue(());
        }
        match self.family.kind {
            Kind::Info => return self.show_info(reader, series, look),
            Kind::StateSet => return self.show_states(reader, series, look),
            _ => {}
        }
        let mut sample = self.sample(&[]);
        match self.measure(reader, series, &mut sample) {
            Some(()) => look(&sample),
            None => ControlFlow::Continue(()),
        }
    }

    fn show_info(
        &mut self,
        reader: &Reader,
        series: SeriesView<'_>,
        mut look: impl FnMut(&Sample) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(pairs) = reader.info(series) else {
            return ControlFlow::Continue(());
        };
        let names = &self.family.label_names;
        let pairs: Vec<(CString, CString)> = pairs
            .iter()
            .filter(|(name, _)| !names.contains(name))
            .map(|(name, value)| (text::c_string(name), text::c_string(value)))
            .collect();
        let pairs: Vec<(&CStr, &CStr)> = pairs
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let mut sample = self.sample(&pairs);
        sample.kind = KIND_INFO;
        sample.value = 1.0;
        look(&sample)
    }

    fn show_states(
        &mut self,
        reader: &Reader,
        series: SeriesView<'_>,
        mut look: impl FnMut(&Sample) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(holds) = reader.state(self.family, series) else {
            return ControlFlow::Continue(());
        };
        let (name, states) = (self.name.clone(), self.states.clone());
        for (place, state) in states.iter().enumerate() {
            let mut sample = self.sample(&[(&name, state)]);
            sample.kind = KIND_STATE_SET;
            sample.value = f64::from(u8::from(place == holds));
            look(&sample)?;
        }
        ControlFlow::Continue(())
    }

    /// A sample without a value of the series that is shown, with its labels and `more`, which must
    /// live as long.
    fn sample(&mut self, more: &[(&CStr, &CStr)]) -> Sample {
        self.labels.clear();
        let pairs = self.label_names.iter().zip(&self.label_values);
        self.labels.extend(pairs.map(|(name, value)| Label {
            name: name.as_ptr(),
            value: value.as_ptr(),
        }));
        // Ascending, as the names are: each stands behind the names that are less, and the others
        // of these before it.
        for (before, (name, value)) in more.iter().enumerate() {
            let names = &self.label_names;
            let place = names.partition_point(|known| known.as_c_str() < *name);
            let label = Label {
                name: name.as_ptr(),
                value: value.as_ptr(),
            };
            self.labels.insert(place + before, label);
        }
        Sample {
            struct_size: size_of::<Sample>(),
            name: self.name.as_ptr(),
            help: self.help.as_ptr(),
            unit: self.unit.as_ptr(),
            kind: 0,
            is_integer: 0,
            label_count: self.labels.len(),
            labels: if self.labels.is_empty() {
                ptr::null()
            } else {
                self.labels.as_ptr()
            },
            value: 0.0,
            count: 0,
            sum: 0.0,
            bucket_count: 0,
            bounds: ptr::null(),
            buckets: ptr::null(),
            created_unix_nanos: self.created_unix_nanos,
            native: ptr::null(),
            exemplar_count: 0,
            exemplars: ptr::null(),
        }
    }

    /// Fills in what a series says that all processes have in common. None when there is nothing
    /// to be shown.
    fn measure(
        &mut self,
        reader: &Reader,
        series: SeriesView<'_>,
        sample: &mut Sample,
    ) -> Option<()> {
        match self.family.kind {
            Kind::Counter => {
                let number = reader.counter(series)?;
                sample.kind = KIND_COUNTER;
                if let Number::Int(whole) = number {
                    sample.is_integer = 1;
                    sample.count = whole;
                }
                sample.value = number.as_f64();
                (sample.exemplar_count, sample.exemplars) = self.exemplars.show(reader, series, 1);
            }
            Kind::Gauge => {
                sample.kind = KIND_GAUGE;
                sample.value = reader.gauge(series)?;
            }
            Kind::Histogram => {
                sample.kind = KIND_HISTOGRAM;
                sample.sum = match self.family.native {
                    None => reader.histogram(series, &mut self.buckets)?,
                    Some(window) => {
                        let sum = reader.native(series, &mut self.native.counts)?;
                        self.native.counts.classic(&mut self.buckets);
                        sample.native = self.native.show(&window);
                        sum
                    }
                };
                sample.count = self
                    .buckets
                    .iter()
                    .fold(0, |all, bucket| all.wrapping_add(*bucket));
                sample.bucket_count = self.buckets.len();
                sample.bounds = self.bounds.as_ptr();
                sample.buckets = self.buckets.as_ptr();
                (sample.exemplar_count, sample.exemplars) =
                    self.exemplars.show(reader, series, self.buckets.len());
            }
            Kind::Summary => {
                sample.kind = KIND_SUMMARY;
                (sample.count, sample.sum) = reader.summary(series)?;
            }
            // A kind that the arena has and this ABI not yet: no reader could know what it means.
            _ => return None,
        }
        Some(())
    }
}
