//! What a metric object updates.

use std::ptr::NonNull;
use std::sync::OnceLock;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Where updates go, set once as the object is made; unset: nowhere yet, because it lacks its
/// label values.
pub(super) struct Target<M>(OnceLock<Held<M>>);

enum Held<M> {
    /// The board is off, or has refused it: a sink.
    Sink(M),
    Series {
        /// Invariant: alive for as long as `_owner`.
        metric: NonNull<M>,
        /// The handle of `lowlevel.py` that frees it. It has nothing that leads back here, so
        /// the garbage collector need not be told of it.
        _owner: Py<PyAny>,
    },
}

// SAFETY: `metric` is shared with other threads as a `&M`, which `M: Sync` allows, and freed by
// its owner, which Python drops on whatever thread that is, as `M: Send` allows.
unsafe impl<M: Send + Sync> Send for Held<M> {}
// SAFETY: as above.
unsafe impl<M: Send + Sync> Sync for Held<M> {}

impl<M> Target<M> {
    pub(super) fn unset() -> Self {
        Target(OnceLock::new())
    }

    /// Updates go to what `owner` holds.
    ///
    /// # Safety
    ///
    /// `owner` is an object whose `value` is the address of an `M` that lives as long as it.
    pub(super) unsafe fn set(&self, owner: &Bound<'_, PyAny>) -> PyResult<()> {
        let address: usize = owner.getattr("value")?.extract()?;
        let metric = NonNull::new(address as *mut M)
            .ok_or_else(|| PyValueError::new_err("the handle is NULL"))?;
        let _owner = owner.clone().unbind();
        // Once, as it is made: a second call would be a mistake of the package's, without effect.
        let _ = self.0.set(Held::Series { metric, _owner });
        Ok(())
    }

    /// Updates go to `sink`: nowhere.
    pub(super) fn set_sink(&self, sink: M) {
        let _ = self.0.set(Held::Sink(sink));
    }

    /// What `update` says; false where the label values are lacking.
    #[inline(always)]
    pub(super) fn update(&self, update: impl FnOnce(&M) -> bool) -> bool {
        match self.0.get() {
            // SAFETY: alive, since `_owner` is beside it.
            Some(Held::Series { metric, .. }) => update(unsafe { metric.as_ref() }),
            Some(Held::Sink(metric)) => update(metric),
            None => false,
        }
    }
}

/// The only argument as a number, or `default` where there is none; `None` for anything else.
#[inline(always)]
pub(super) fn number(arguments: &Bound<'_, PyTuple>, default: Option<f64>) -> Option<f64> {
    match arguments.len() {
        0 => default,
        1 => arguments.get_item(0).ok()?.extract().ok(),
        _ => None,
    }
}
