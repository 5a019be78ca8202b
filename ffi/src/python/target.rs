//! What a metric object updates.

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// Where updates go, set as the object is made, and anew where the package moves it to another
/// board and back, as its fixture for tests does; unset: nowhere yet, because it lacks its label
/// values.
pub(super) struct Target<M> {
    /// NULL: unset. Invariant: else it points to what something in `held` keeps.
    metric: AtomicPtr<M>,
    /// Whatever `metric` has been, because an update of another thread may be under way while it
    /// is set anew. Invariant: nothing is taken out before the end. Moves are to and fro between a
    /// few, and each of those is here once.
    held: Mutex<Vec<Held<M>>>,
}

enum Held<M> {
    /// The board is off, or has refused it: a sink.
    Sink(Arc<M>),
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
        Target {
            metric: AtomicPtr::new(ptr::null_mut()),
            held: Mutex::new(Vec::new()),
        }
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
        self.hold(
            |held| matches!(held, Held::Series { metric: known, .. } if *known == metric),
            || Held::Series {
                metric,
                _owner: owner.clone().unbind(),
            },
        );
        Ok(())
    }

    /// Updates go to a sink: nowhere.
    pub(super) fn set_sink(&self, make: impl FnOnce() -> M) {
        self.hold(
            |held| matches!(held, Held::Sink(_)),
            || Held::Sink(Arc::new(make())),
        );
    }

    /// Updates go to what is held already and is the same, or else to what `make` makes.
    fn hold(&self, is_same: impl Fn(&Held<M>) -> bool, make: impl FnOnce() -> Held<M>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let place = held.iter().position(is_same).unwrap_or_else(|| {
            held.push(make());
            held.len() - 1
        });
        let metric = match &held[place] {
            Held::Sink(sink) => Arc::as_ptr(sink).cast_mut(),
            Held::Series { metric, .. } => metric.as_ptr(),
        };
        // ORDERING: Release; pairs with the Acquire in `update`. Whoever loads the pointer sees
        // the metric as it was made.
        self.metric.store(metric, Ordering::Release);
    }

    /// What `update` says; false where the label values are lacking.
    #[inline(always)]
    pub(super) fn update(&self, update: impl FnOnce(&M) -> bool) -> bool {
        // ORDERING: Acquire; pairs with the Release in `hold`.
        let metric = self.metric.load(Ordering::Acquire);
        // SAFETY: NULL or what something in `held` keeps for as long as this, and never changed
        // through this pointer but by shared reference.
        match unsafe { metric.as_ref() } {
            Some(metric) => update(metric),
            None => false,
        }
    }

    /// Does `update` with the one number that was passed, or with `default` if nothing was; false
    /// for anything else, and where the label values are lacking.
    #[inline(always)]
    pub(super) fn update_by(
        &self,
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
        default: Option<f64>,
        update: impl FnOnce(&M, f64),
    ) -> bool {
        keywords.is_none()
            && self.update(|metric| {
                number(arguments, default).is_some_and(|number| {
                    update(metric, number);
                    true
                })
            })
    }
}

/// The only argument as a number, or `default` where there is none; `None` for anything else.
#[inline(always)]
fn number(arguments: &Bound<'_, PyTuple>, default: Option<f64>) -> Option<f64> {
    match arguments.len() {
        0 => default,
        1 => arguments.get_item(0).ok()?.extract().ok(),
        _ => None,
    }
}
