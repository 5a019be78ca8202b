//! From the files onto the board: first what can fail, then what cannot.

use std::collections::BTreeSet;
use std::fmt::Display;

use tallyboard::{Aggregation, Board, Counter, FamilyView, Gauge, Histogram, Kind, Reader};
use tallyboard::{RegisterError, Summary};

use super::Failure;
use super::metric::{Definition, Metric, Metrics, SeriesByLabels, Value};
use super::sample::EXACT;

type Step = Box<dyn FnOnce()>;

/// Every series is registered, and nothing is added yet.
#[derive(Default)]
pub(super) struct Plan {
    steps: Vec<Step>,
    /// What takes off the board again what would be seen there without its value.
    undo: Vec<Step>,
}

impl Plan {
    /// Registers all series.
    ///
    /// # Errors
    ///
    /// The first metric that the files do not agree about, that the board has otherwise, or that
    /// it refuses. No value is on it then, at most series that are 0.
    pub(super) fn make(board: &Board, metrics: &Metrics) -> Result<Self, Failure> {
        let mut reader = Reader::new(board);
        reader.refresh();
        for (name, metric) in metrics.iter() {
            agree(name, metric, known(&reader, name)).map_err(refusal)?;
        }
        let mut plan = Self::default();
        for (name, metric) in metrics.iter() {
            let known = known(&reader, name);
            for (definition, series) in &metric.definitions {
                let family = Family {
                    board,
                    name,
                    help: known.map_or(&metric.help, |family| &family.help),
                    unit: known.map_or("", |family| &family.unit),
                    definition,
                };
                let there = known.map(|family| label_values(&reader, family));
                let registered = family.register(series, &there.unwrap_or_default(), &mut plan);
                registered.map_err(refusal)?;
            }
        }
        Ok(plan)
    }

    /// Adds all values.
    pub(super) fn carry_out(mut self) {
        self.undo.clear();
        for step in self.steps.drain(..) {
            step();
        }
    }
}

impl Drop for Plan {
    fn drop(&mut self) {
        for step in self.undo.drain(..) {
            step();
        }
    }
}

/// A metric on the board.
struct Family<'a> {
    board: &'a Board,
    name: &'a str,
    help: &'a str,
    unit: &'a str,
    definition: &'a Definition,
}

/// Registers the series and plans what to do with each. A macro, because what the builders of
/// the metric types have in common has no public name.
macro_rules! register {
    ($family:expr, $builder:expr, $series:expr, $plan:expr, $add:expr) => {{
        let names = $family.definition.label_names.iter();
        let names: Vec<&str> = names.map(String::as_str).collect();
        let family = $builder.unit($family.unit).labels(&names).family()?;
        for (values, value) in $series {
            let texts: Vec<&str> = values.iter().map(String::as_str).collect();
            let (metric, value) = (family.try_with(&texts)?, value.clone());
            $plan.steps.push(Box::new(move || $add(&metric, value)));
            if $family.is_believed() {
                let (family, values) = (family.clone(), values.clone());
                $plan.undo.push(Box::new(move || {
                    let texts: Vec<&str> = values.iter().map(String::as_str).collect();
                    // A damaged board, which `check` tells.
                    let _ = family.remove(&texts);
                }));
            }
        }
    }};
}

impl Family<'_> {
    /// Whether an import believes what the board says of a series, be it that nobody has set it.
    fn is_believed(&self) -> bool {
        self.definition.kind == Kind::Gauge && self.definition.aggregation == Aggregation::Last
    }

    /// Registers the series; those `there` are on the board already.
    fn register(
        &self,
        series: &SeriesByLabels,
        there: &BTreeSet<Vec<String>>,
        plan: &mut Plan,
    ) -> Result<(), RegisterError> {
        let Self {
            board, name, help, ..
        } = self;
        match self.definition.kind {
            Kind::Counter => {
                register!(self, board.counter(name, help), series, plan, count);
            }
            Kind::Summary => {
                register!(self, board.summary(name, help), series, plan, sum_up);
            }
            Kind::Histogram => {
                let histogram = board.histogram(name, help);
                let histogram = histogram.buckets(&self.definition.bounds);
                register!(self, histogram, series, plan, distribute);
            }
            Kind::Gauge if self.is_believed() => {
                let new = series.iter().filter(|(values, _)| !there.contains(*values));
                register!(self, board.gauge(name, help), new, plan, set);
            }
            Kind::Gauge => {
                let how = self.definition.aggregation;
                let gauge = board.gauge(name, help).aggregation(how);
                let add = if how == Aggregation::Sum { add } else { set };
                register!(self, gauge, series, plan, add);
            }
            // prometheus_client has no files of other types.
            _ => {}
        }
        Ok(())
    }
}

fn count(counter: &Counter, value: Value) {
    if let Value::Counted(value) = value {
        // Whole numbers as such, so that the counter goes on exactly.
        if value.fract() == 0.0 && value <= EXACT {
            counter.add(value as u64);
        } else {
            counter.add_f64(value);
        }
    }
}

fn sum_up(summary: &Summary, value: Value) {
    if let Value::Summed { count, sum } = value {
        summary.add_counted(count, sum);
    }
}

fn distribute(histogram: &Histogram, value: Value) {
    if let Value::Buckets { counts, sum } = value {
        histogram.add_counted(&counts, sum);
    }
}

fn set(gauge: &Gauge, value: Value) {
    if let Value::Is { value, .. } = value {
        gauge.set(value);
    }
}

fn add(gauge: &Gauge, value: Value) {
    if let Value::Is { value, .. } = value {
        gauge.add(value);
    }
}

/// The metric as it is shown from the board.
fn known<'r>(reader: &'r Reader, name: &str) -> Option<&'r FamilyView> {
    reader.families().iter().find(|family| family.name == name)
}

fn label_values(reader: &Reader, family: &FamilyView) -> BTreeSet<Vec<String>> {
    let series = family.series.iter();
    series
        .filter_map(|series| reader.label_values(series))
        .collect()
}

/// Whether the files agree about a metric, and the board with them. It would keep two definitions
/// of a name, and show one.
fn agree(name: &str, metric: &Metric, known: Option<&FamilyView>) -> Result<(), String> {
    if let [(first, _), (second, _), ..] = &metric.definitions[..] {
        return Err(format!(
            "{name} is in some files a {first}, in others a {second}, and one could be shown; \
             take the files of one kind out of the directory"
        ));
    }
    let (Some((definition, _)), Some(family)) = (metric.definitions.first(), known) else {
        return Ok(());
    };
    let on_board = Definition {
        kind: family.kind,
        aggregation: family.aggregation,
        label_names: family.label_names.clone(),
        bounds: family.bounds.clone(),
    };
    if family.native.is_some() {
        return Err(format!(
            "{name} is a native histogram on the board, whose buckets are others than the files have"
        ));
    }
    if on_board != *definition {
        return Err(format!(
            "{name} is a {definition} in the files and a {on_board} on the board"
        ));
    }
    Ok(())
}

fn refusal(what: impl Display) -> Failure {
    Failure::Failed(format!(
        "{what}; nothing was imported (--without leaves a metric out)"
    ))
}

#[cfg(test)]
mod tests {
    use tallyboard::Location;

    use super::*;
    use crate::cli::import_multiproc::db_file::{Entry, Key};
    use crate::cli::import_multiproc::metric;
    use crate::cli::import_multiproc::sample::FileKind;

    /// It stayed as 0, and the next import believed it.
    #[test]
    fn a_gauge_is_taken_off_again_when_the_next_series_of_its_metric_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = Location::Path(folder.path().join("full.v1.board"));
        let options = Board::options().slots(64).allow_any_filesystem(true);
        let board = options.create(&at).unwrap();
        let entries = (0..100).map(|room| Entry {
            key: Key {
                metric: "heat".to_owned(),
                sample: "heat".to_owned(),
                labels: [("room".to_owned(), room.to_string())].into(),
                help: String::new(),
            },
            value: 20.5,
            unix_seconds: 7.0,
        });
        let mut metrics = Metrics::default();
        let series = metric::series_of(FileKind::Gauge(Aggregation::Last), entries).unwrap();
        series.into_iter().for_each(|series| metrics.add(series));
        assert!(Plan::make(&board, &metrics).is_err());
        let mut reader = Reader::new(&board);
        reader.refresh();
        let family = known(&reader, "heat").unwrap();
        assert_eq!(family.series.len(), 0);
    }
}
