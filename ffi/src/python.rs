//! The Python accelerator: what a program calls in a loop, without a Python frame in between.
//!
//! A build with the feature `python` is an extension module beside everything that libtallyboard
//! is otherwise. The package loads that one file twice over: as the module `tallyboard._native`,
//! and by ctypes as its library. So there is one arena in the process, everything that is not
//! called in a loop stays where it is (`ffi/python/tallyboard/lowlevel.py`), and the classes here
//! have only to hold what ctypes registered.
//!
//! Each class is the base of the package's class of that name, in the place of the one in
//! `tallyboard/bases.py` that does the same with ctypes. What is out of the ordinary (a number that
//! is none, an exemplar, a metric without its label values) is handed to a Python method of the
//! object, so that there is one place that knows what to say.

mod core;
mod counter;
mod gauge;
mod observer;
mod target;

use pyo3::prelude::*;

/// What `tallyboard.bases` takes from here.
#[pymodule(name = "_native")]
mod native {
    #[pymodule_export]
    use super::core::MetricCore;
    #[pymodule_export]
    use super::counter::CounterCore;
    #[pymodule_export]
    use super::gauge::GaugeCore;
    #[pymodule_export]
    use super::observer::{HistogramCore, SummaryCore};
}
