//! Gauges.

use arena::Gauge;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::core::MetricCore;
use super::target::Target;

/// The base of `tallyboard.Gauge`.
#[pyclass(extends = MetricCore, subclass, frozen, module = "tallyboard._native")]
pub(super) struct GaugeCore {
    target: Target<Gauge>,
}

#[pymethods]
impl GaugeCore {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn make(
        _arguments: &Bound<'_, PyTuple>,
        _keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<Self> {
        let target = Target::unset();
        MetricCore::initializer().add_subclass(GaugeCore { target })
    }

    /// Updates what a `lowlevel.GaugeHandle` holds.
    fn _connect(&self, _library: &Bound<'_, PyAny>, handle: &Bound<'_, PyAny>) -> PyResult<()> {
        // SAFETY: the package passes handles of this class only, made by `tb_gauge_register` of
        // this very file: a pointer to a Gauge that is freed when the handle goes.
        unsafe { self.target.set(handle) }
    }

    /// Updates nothing from now on.
    fn _go_nowhere(&self) {
        self.target.set_sink(Gauge::sink);
    }

    /// Adds `amount`, to this process's own number where the mode keeps them apart.
    ///
    /// No syscall (but at a process's first update in such a mode), no lock; safe in threads,
    /// signal handlers and after fork.
    ///
    /// Errors: `ValueError` where the metric has label names and no values; `TypeError` for what
    /// is not a number.
    #[pyo3(signature = (*arguments, **keywords), text_signature = "($self, amount=1)")]
    fn inc(
        slf: &Bound<'_, Self>,
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let add = |gauge: &Gauge, amount| gauge.add(amount);
        let target = &slf.get().target;
        if target.update_by(arguments, keywords, Some(1.0), add) {
            return Ok(());
        }
        let slowly = intern!(slf.py(), "_inc_by");
        slf.call_method(slowly, arguments, keywords).map(drop)
    }

    /// Takes `amount` off. Cost and errors as `inc`.
    #[pyo3(signature = (*arguments, **keywords), text_signature = "($self, amount=1)")]
    fn dec(
        slf: &Bound<'_, Self>,
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let sub = |gauge: &Gauge, amount| gauge.sub(amount);
        let target = &slf.get().target;
        if target.update_by(arguments, keywords, Some(1.0), sub) {
            return Ok(());
        }
        let slowly = intern!(slf.py(), "_dec_by");
        slf.call_method(slowly, arguments, keywords).map(drop)
    }

    /// Sets the number: that of all processes, or this one's own. Cost as `inc`.
    ///
    /// Errors: `ValueError` where the metric has label names and no values, and, like
    /// `TypeError`, for what `float()` cannot convert.
    #[pyo3(signature = (*arguments, **keywords), text_signature = "($self, value)")]
    fn set(
        slf: &Bound<'_, Self>,
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = |gauge: &Gauge, value| gauge.set(value);
        let target = &slf.get().target;
        if target.update_by(arguments, keywords, None, set) {
            return Ok(());
        }
        let slowly = intern!(slf.py(), "_set_to");
        slf.call_method(slowly, arguments, keywords).map(drop)
    }
}
