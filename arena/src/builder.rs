//! Declaring metrics: builders, and families of series by label values.

use crate::attached::Hold;
use crate::binding::FamilyBinding;
use crate::board::Board;
use crate::error::RegisterError;
use crate::family::{Aggregation, Definition, Kind};
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use crate::native::Native;
use crate::series::{self, Places, Series};
use crate::state_set::StateSet;
use core::fmt;
use core::marker::PhantomData;
use std::sync::Arc;

mod sealed {
    use super::{Kind, Places, Series};

    /// What all types of handle have in common.
    pub trait Metric: Sized {
        const KIND: Kind;
        type Places: Places;
        fn of(series: Series<Self::Places>) -> Self;
        fn series(&self) -> &Series<Self::Places>;
        /// A handle whose updates go nowhere.
        fn sink() -> Self {
            Self::of(Series::sink())
        }
    }
}
pub(crate) use sealed::Metric;

/// A metric that is being declared. Nothing touches the board before
/// [`register`](Self::register) or [`family`](Self::family).
#[must_use = "a builder does nothing until `register` or `family`"]
pub struct Builder<M> {
    attached: Option<Hold>,
    name: String,
    help: String,
    unit: String,
    names: Vec<String>,
    values: Vec<String>,
    bounds: Vec<f64>,
    native: Option<Native>,
    states: Vec<String>,
    aggregation: Aggregation,
    cap: u64,
    metric: PhantomData<fn() -> M>,
}

impl<M: Metric> Builder<M> {
    pub(crate) fn new(board: &Board, name: &str, help: &str) -> Self {
        Builder {
            attached: board.attached().cloned(),
            name: name.to_owned(),
            help: help.to_owned(),
            unit: String::new(),
            names: Vec::new(),
            values: Vec::new(),
            bounds: match M::KIND {
                Kind::Histogram => crate::buckets::DEFAULT.to_vec(),
                _ => Vec::new(),
            },
            native: None,
            states: Vec::new(),
            aggregation: Aggregation::Last,
            cap: 0,
            metric: PhantomData,
        }
    }

    /// The unit, such as `seconds` or `bytes`: OpenMetrics shows it when the name ends in it.
    pub fn unit(mut self, unit: &str) -> Self {
        unit.clone_into(&mut self.unit);
        self
    }

    /// How many series the metric may have at most, as far as this process is concerned; the
    /// last that was declared holds. 0, the default, leaves it as it is, at first to the board.
    /// What goes beyond is counted in one series whose label values are all `overflow`; a gauge,
    /// an info and a state set are refused. Registrations that race, and processes with another
    /// cap, may exceed it.
    pub fn series_cap(mut self, series: u64) -> Self {
        self.cap = series;
        self
    }

    /// A label of the one series that is to be registered. The order does not matter; in a
    /// [`family`](Self::family) only the name counts.
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.names.push(name.to_owned());
        self.values.push(value.to_owned());
        self
    }

    /// The label names of a family; [`Family::with`] takes values in this order.
    pub fn labels(mut self, names: &[&str]) -> Self {
        self.names
            .extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Finds or makes the one series with the labels given by [`label`](Self::label).
    /// Lock-free; the process's first new registration on a board costs some syscalls.
    ///
    /// # Errors
    /// A name or label that Prometheus would not take, a clash of type, or a board that
    /// has no room; [`register_or_sink`](Self::register_or_sink) lets the program go on.
    pub fn register(self) -> Result<M, RegisterError> {
        let values = self.values.clone();
        let family = self.family()?;
        family.try_with(&values.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// As [`register`](Self::register); on an error a handle whose updates go nowhere. What
    /// the board refused, it counts.
    pub fn register_or_sink(self) -> M {
        self.register().unwrap_or_else(|_| M::sink())
    }

    /// Finds or makes the family, without any series yet.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn family(self) -> Result<Family<M>, RegisterError> {
        let mut places: Vec<usize> = (0..self.names.len()).collect();
        places.sort_by_key(|place| &self.names[*place]);
        let native = self.native.map(|native| native.window()).transpose();
        let native = native.map_err(|why| RegisterError::Native {
            metric: self.name.clone(),
            why,
        })?;
        let definition = Definition {
            label_names: places
                .iter()
                .map(|place| self.names[*place].clone())
                .collect(),
            name: self.name,
            help: self.help,
            unit: self.unit,
            kind: M::KIND,
            aggregation: self.aggregation,
            bounds: native.map_or(self.bounds, |window| window.classic_bounds()),
            native,
            states: self.states,
        };
        definition.check()?;
        let name = definition.name.clone();
        let binding = match &self.attached {
            Some(attached) => Some(FamilyBinding::register(attached, definition, self.cap)?),
            None => None,
        };
        Ok(Family {
            binding,
            name: name.into(),
            places: places.into(),
            metric: PhantomData,
        })
    }
}

impl Builder<Histogram> {
    /// Upper bounds of the buckets, ascending; the bucket up to +Inf is always there, and a
    /// +Inf at the end is taken for it. Without this call: [`crate::buckets::DEFAULT`].
    pub fn buckets(mut self, bounds: &[f64]) -> Self {
        let finite = match bounds {
            [finite @ .., last] if *last == f64::INFINITY => finite,
            all => all,
        };
        self.bounds = finite.to_vec();
        self.native = None;
        self
    }

    /// Exponential buckets, in place of others. Where Prometheus asks for native histograms it
    /// gets these; elsewhere the histogram is shown with classic buckets that are put together
    /// from them, so that an observation is made as any other, and both agree. Its bucket is
    /// found by two loads from a table and a comparison.
    ///
    /// Another schema or range is another definition of the metric, as other bounds are.
    pub fn native(mut self, native: Native) -> Self {
        self.native = Some(native);
        self
    }
}

impl Builder<StateSet> {
    /// The states, the first of which holds until another is set. Other states are another
    /// version of the metric.
    pub(crate) fn states(mut self, states: &[&str]) -> Self {
        self.states = states.iter().map(|state| (*state).to_owned()).collect();
        self
    }
}

impl Builder<Gauge> {
    /// How the values of several processes become one; [`Aggregation::Last`] by default. A
    /// definition with another one is another version of the metric.
    pub fn aggregation(mut self, aggregation: Aggregation) -> Self {
        self.aggregation = aggregation;
        self
    }
}

/// All series of one metric, by their label values. Cheap to clone.
pub struct Family<M> {
    /// `None`: the board is `off`.
    binding: Option<&'static FamilyBinding>,
    name: Arc<str>,
    /// For each label in the board's order, its place among the caller's.
    places: Arc<[usize]>,
    metric: PhantomData<fn() -> M>,
}

impl<M> Clone for Family<M> {
    fn clone(&self) -> Self {
        Family {
            binding: self.binding,
            name: self.name.clone(),
            places: self.places.clone(),
            metric: PhantomData,
        }
    }
}

impl<M> fmt::Debug for Family<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Family").field(&self.name).finish()
    }
}

impl<M: Metric> Family<M> {
    /// The series with these values, in the order of [`Builder::labels`]. Lock-free; tens
    /// of nanoseconds when it exists. On an error a handle whose updates go nowhere; what
    /// the board refused, it counts.
    #[inline]
    pub fn with(&self, values: &[&str]) -> M {
        match self.find(values) {
            Some(metric) => metric,
            None => self.register(values).unwrap_or_else(|_| M::sink()),
        }
    }

    /// As [`with`](Self::with).
    ///
    /// # Errors
    /// A wrong number of values, or why the board could not take the series: it is full, the
    /// values are too long, it was attached for reading, was removed, or is damaged. On a full
    /// board each new series costs passes over the state words, not nanoseconds.
    #[inline]
    pub fn try_with(&self, values: &[&str]) -> Result<M, RegisterError> {
        match self.find(values) {
            Some(metric) => Ok(metric),
            None => self.register(values),
        }
    }

    /// The series, if it exists.
    #[inline]
    fn find(&self, values: &[&str]) -> Option<M> {
        let binding = self.binding?.current();
        if values.len() != self.places.len() {
            return None;
        }
        Series::find(binding, self.places.iter().map(|place| values[*place])).map(M::of)
    }

    #[cold]
    fn register(&self, values: &[&str]) -> Result<M, RegisterError> {
        self.check_count(values)?;
        let Some(binding) = self.binding else {
            return Ok(M::sink());
        };
        let values = self.places.iter().map(|place| values[*place]);
        Series::register(binding, values).map(M::of)
    }

    fn check_count(&self, values: &[&str]) -> Result<(), RegisterError> {
        if values.len() == self.places.len() {
            return Ok(());
        }
        Err(RegisterError::LabelCount {
            metric: self.name.to_string(),
            names: self.places.len(),
            values: values.len(),
        })
    }

    /// Ends the series with these values, in the order of [`Builder::labels`]; false if there
    /// is none. What it counted is gone from the next scrape on. A handle to it, in any
    /// process, registers it again with its next update, from zero. Lock-free; its slots can
    /// be used again at once.
    ///
    /// # Errors
    /// A wrong number of values, or a damaged board.
    pub fn remove(&self, values: &[&str]) -> Result<bool, RegisterError> {
        self.check_count(values)?;
        let Some(binding) = self.binding else {
            return Ok(false);
        };
        let values = self.places.iter().map(|place| values[*place]);
        series::remove(binding, values)
    }

    /// Ends all series of the metric, as [`remove`](Self::remove) does one; says how many. One
    /// pass over the board's slots.
    ///
    /// # Errors
    /// A damaged board.
    pub fn clear(&self) -> Result<u64, RegisterError> {
        self.binding.map_or(Ok(0), series::clear)
    }
}
