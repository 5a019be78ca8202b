//! Histograms and summaries.

use arena::{Histogram, Summary};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::core::MetricCore;
use super::target::Target;

/// The base of `tallyboard.Histogram`.
#[pyclass(extends = MetricCore, subclass, frozen, module = "tallyboard._native")]
pub(super) struct HistogramCore {
    target: Target<Histogram>,
}

#[pymethods]
impl HistogramCore {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn make(
        _arguments: &Bound<'_, PyTuple>,
        _keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<Self> {
        let target = Target::unset();
        MetricCore::initializer().add_subclass(HistogramCore { target })
    }

    /// Observes with what a `lowlevel.HistogramHandle` holds.
    fn _connect(&self, _library: &Bound<'_, PyAny>, handle: &Bound<'_, PyAny>) -> PyResult<()> {
        // SAFETY: the package passes handles of this class only, made by `tb_histogram_register`
        // of this very file: a pointer to a Histogram that is freed when the handle goes.
        unsafe { self.target.set(handle) }
    }

    /// Counts nothing from now on.
    fn _go_nowhere(&self) {
        self.target.set_sink(Histogram::sink);
    }

    /// Counts one observation, whatever its unit is. No syscall, no lock; any thread.
    ///
    /// `exemplar` says where this one came from, such as `{"trace_id": …}`; the last one of each
    /// bucket is shown. It costs some microseconds. The board counts those that it has no room
    /// for; the observation is counted in any case.
    ///
    /// Errors: `ValueError` where the metric has label names and no values, and for an exemplar
    /// that OpenMetrics does not allow; `TypeError` for what is not a number.
    #[pyo3(signature = (*arguments, **keywords), text_signature = "($self, amount, exemplar=None)")]
    fn observe(
        slf: &Bound<'_, Self>,
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let observe = |histogram: &Histogram, amount| histogram.observe(amount);
        let target = &slf.get().target;
        if target.update_by(arguments, keywords, None, observe) {
            return Ok(());
        }
        let slowly = intern!(slf.py(), "_observe_this");
        slf.call_method(slowly, arguments, keywords).map(drop)
    }
}

/// The base of `tallyboard.Summary`.
#[pyclass(extends = MetricCore, subclass, frozen, module = "tallyboard._native")]
pub(super) struct SummaryCore {
    target: Target<Summary>,
}

#[pymethods]
impl SummaryCore {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn make(
        _arguments: &Bound<'_, PyTuple>,
        _keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<Self> {
        let target = Target::unset();
        MetricCore::initializer().add_subclass(SummaryCore { target })
    }

    /// Observes with what a `lowlevel.SummaryHandle` holds.
    fn _connect(&self, _library: &Bound<'_, PyAny>, handle: &Bound<'_, PyAny>) -> PyResult<()> {
        // SAFETY: the package passes handles of this class only, made by `tb_summary_register` of
        // this very file: a pointer to a Summary that is freed when the handle goes.
        unsafe { self.target.set(handle) }
    }

    /// Counts nothing from now on.
    fn _go_nowhere(&self) {
        self.target.set_sink(Summary::sink);
    }

    /// Counts one observation, whatever its unit is. No syscall, no lock; any thread.
    ///
    /// Errors: `ValueError` where the metric has label names and no values; `TypeError` for what
    /// is not a number.
    #[pyo3(signature = (*arguments, **keywords), text_signature = "($self, amount)")]
    fn observe(
        slf: &Bound<'_, Self>,
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let observe = |summary: &Summary, amount| summary.observe(amount);
        let target = &slf.get().target;
        if target.update_by(arguments, keywords, None, observe) {
            return Ok(());
        }
        let slowly = intern!(slf.py(), "_observe_this");
        slf.call_method(slowly, arguments, keywords).map(drop)
    }
}
