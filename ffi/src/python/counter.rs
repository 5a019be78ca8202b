//! Counters.

use arena::Counter;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyTuple};

use super::core::MetricCore;
use super::target::Target;

/// The base of `tallyboard.Counter`.
#[pyclass(extends = MetricCore, subclass, frozen, module = "tallyboard._native")]
pub(super) struct CounterCore {
    target: Target<Counter>,
}

#[pymethods]
impl CounterCore {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn make(
        _arguments: &Bound<'_, PyTuple>,
        _keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<Self> {
        let target = Target::unset();
        MetricCore::initializer().add_subclass(CounterCore { target })
    }

    /// Counts into what a `lowlevel.CounterHandle` holds.
    fn _connect(&self, _library: &Bound<'_, PyAny>, handle: &Bound<'_, PyAny>) -> PyResult<()> {
        // SAFETY: the package passes handles of this class only, made by `tb_counter_register` of
        // this very file: a pointer to a Counter that is freed when the handle goes.
        unsafe { self.target.set(handle) }
    }

    /// Counts nothing from now on.
    fn _go_nowhere(&self) {
        self.target.set_sink(Counter::sink);
    }

    /// Adds `amount`. No syscall, no lock; safe in threads, signal handlers and after fork.
    ///
    /// An `int` is counted as an integer: such a counter is exact up to 2**64. NaN and infinities
    /// are not counted and warned of once, and so are integers that no float can hold.
    ///
    /// `exemplar` says where this one came from, such as `{"trace_id": …}`; the last one of all
    /// processes is shown. It costs some microseconds. The board counts those that it has no room
    /// for; the amount is counted in any case.
    ///
    /// Errors: `ValueError` where `amount` is negative, where the metric has label names and no
    /// values, and for an exemplar that OpenMetrics does not allow.
    #[pyo3(signature = (*arguments, **keywords), text_signature = "($self, amount=1, exemplar=None)")]
    fn inc(
        slf: &Bound<'_, Self>,
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        if keywords.is_none() && slf.get().target.update(|counter| add(counter, arguments)) {
            return Ok(());
        }
        let slowly = intern!(slf.py(), "_inc_by");
        slf.call_method(slowly, arguments, keywords).map(drop)
    }
}

/// Adds what the arguments say, if that is plain to see.
#[inline(always)]
fn add(counter: &Counter, arguments: &Bound<'_, PyTuple>) -> bool {
    match arguments.len() {
        0 => {
            counter.inc();
            true
        }
        1 => arguments
            .get_item(0)
            .is_ok_and(|amount| add_amount(counter, &amount)),
        _ => false,
    }
}

fn add_amount(counter: &Counter, amount: &Bound<'_, PyAny>) -> bool {
    if let Ok(amount) = amount.cast_exact::<PyInt>() {
        let Ok(amount) = amount.extract() else {
            return false;
        };
        counter.add(amount);
        true
    } else if let Ok(amount) = amount.cast_exact::<PyFloat>() {
        counter.add_f64(amount.value())
    } else {
        false
    }
}
