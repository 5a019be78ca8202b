//! What all kinds of metric share: finding the child of some label values.

use std::sync::OnceLock;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

/// The base of every metric.
#[pyclass(subclass, frozen, module = "tallyboard._native")]
pub(super) struct MetricCore {
    family: OnceLock<Family>,
}

/// What a metric has that has label names and no values.
struct Family {
    labelnames: Py<PyTuple>,
    /// By their values; the package's own, which it changes.
    children: Py<PyDict>,
}

impl MetricCore {
    /// Of one that is neither a family nor a series yet, for a subclass to add itself to.
    pub(super) fn initializer() -> PyClassInitializer<Self> {
        PyClassInitializer::from(MetricCore {
            family: OnceLock::new(),
        })
    }
}

#[pymethods]
impl MetricCore {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn make(
        _arguments: &Bound<'_, PyTuple>,
        _keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<Self> {
        MetricCore::initializer()
    }

    /// Makes it a family, whose children are kept in `children`.
    fn _be_family(&self, labelnames: Py<PyTuple>, children: Py<PyDict>) {
        // Once, as it is made: a second call would be a mistake of the package's, without effect.
        let _ = self.family.set(Family {
            labelnames,
            children,
        });
    }

    /// What has no updates of its own has nothing to connect.
    fn _connect(&self, _library: &Bound<'_, PyAny>, _handle: &Bound<'_, PyAny>) {}

    /// As above.
    fn _go_nowhere(&self) {}

    /// The series with these label values, by position or by name; `str()` is applied to each.
    ///
    /// Cost: a dictionary look-up where this object has been asked for them before. The first
    /// time, the series is registered and so shows as 0. An object is kept for each set of
    /// values until `remove` or `clear`, whether or not the board had room for it.
    ///
    /// Errors: `ValueError` where the values do not fit the label names, where there are no
    /// label names, and on what `labels()` has returned.
    #[pyo3(signature = (*labelvalues, **labelkwargs))]
    fn labels<'py>(
        slf: &Bound<'py, Self>,
        labelvalues: &Bound<'py, PyTuple>,
        labelkwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let family = slf.get().family.get();
        // `labels(*values, **{})` comes with a dictionary that has nothing in it.
        let labelkwargs = labelkwargs.filter(|named| !named.is_empty());
        let key = match (labelkwargs, family) {
            (None, _) => texts(labelvalues)?,
            (Some(named), Some(family)) if labelvalues.is_empty() => {
                match in_order(family.labelnames.bind(py), named)? {
                    Some(key) => key,
                    None => return slf.call_method1(intern!(py, "_key"), (labelvalues, named)),
                }
            }
            (Some(named), _) => return slf.call_method1(intern!(py, "_key"), (labelvalues, named)),
        };
        if let Some(family) = family
            && let Some(child) = family.children.bind(py).get_item(&key)?
        {
            return Ok(child);
        }
        slf.call_method1(intern!(py, "_child"), (key,))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.family.get() {
            Some(family) => visit.call(&family.children),
            None => Ok(()),
        }
    }
}

/// `values` with `str()` applied to each that is not a `str`.
fn texts<'py>(values: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyTuple>> {
    if values
        .iter()
        .all(|value| value.is_exact_instance_of::<PyString>())
    {
        return Ok(values.clone());
    }
    let texts: Vec<_> = values
        .iter()
        .map(|value| value.str())
        .collect::<PyResult<_>>()?;
    PyTuple::new(values.py(), texts)
}

/// The values of `named` in the order of `names`; `None` if they are not these names.
fn in_order<'py>(
    names: &Bound<'py, PyTuple>,
    named: &Bound<'py, PyDict>,
) -> PyResult<Option<Bound<'py, PyTuple>>> {
    if names.len() != named.len() {
        return Ok(None);
    }
    let mut values = Vec::with_capacity(names.len());
    for name in names {
        let Some(value) = named.get_item(name)? else {
            return Ok(None);
        };
        values.push(value.str()?);
    }
    PyTuple::new(names.py(), values).map(Some)
}
