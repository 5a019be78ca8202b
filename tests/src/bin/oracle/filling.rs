//! One board, filled by chance, and the truth about it.

use tallyboard::{Board, Builder, Family, FamilyView, Kind, Reader, RegisterError, SeriesView};

use crate::chance::Chance;
use crate::choice::Choice;
use crate::texts;
use crate::truth::{Counted, ExemplarTruth, FamilyTruth, SeriesTruth, bits};

/// Of all names and values of an exemplar.
const EXEMPLAR_CHARS: usize = 128;

/// The board and what was counted on it.
pub struct Filling<'b> {
    board: &'b Board,
    pub families: Vec<FamilyTruth>,
}

impl<'b> Filling<'b> {
    pub fn new(board: &'b Board) -> Filling<'b> {
        Filling {
            board,
            families: Vec::new(),
        }
    }

    /// Declares a family and counts on some series of it.
    pub fn grow(&mut self, chance: &mut Chance, names: &[String]) {
        let choice = match self.families.len() {
            len @ 1.. if chance.percent(15) => {
                let known = chance.below(len);
                Choice::like(chance, &self.families[known])
            }
            _ => Choice::new(chance, names),
        };
        // A definition that is refused, because its name has another type on the board or has a label that the
        // format needs, is refused to the program: there is nothing to be shown.
        let Ok(series) = self.count(chance, &choice) else {
            return;
        };
        let place = self
            .families
            .iter()
            .position(|known| known.is_same(&choice.truth));
        let place = place.unwrap_or_else(|| {
            self.families.push(choice.truth.clone());
            self.families.len() - 1
        });
        let family = &mut self.families[place];
        // What was said last holds.
        family.help = choice.truth.help;
        family.unit = choice.truth.unit;
        family.series.extend(series);
    }

    /// Declares what was chosen and counts; the series that are new.
    fn count(
        &self,
        chance: &mut Chance,
        choice: &Choice,
    ) -> Result<Vec<SeriesTruth>, RegisterError> {
        let FamilyTruth { name, help, .. } = &choice.truth;
        match choice.kind {
            Kind::Counter => {
                let family = declared(self.board.counter(name, help), choice)?;
                self.each(chance, choice, |chance, values, series| {
                    let counter = family.try_with(values)?;
                    let (whole, float) = match chance.below(3) {
                        0 => (texts::whole(chance), 0.0),
                        1 => (0, texts::amount(chance)),
                        _ => (texts::whole(chance), texts::amount(chance)),
                    };
                    counter.add(whole);
                    let exemplar = chance.percent(25).then(|| exemplar_labels(chance));
                    match &exemplar {
                        Some(labels) => {
                            counter.add_f64_with_exemplar(float, &borrowed(labels));
                            series.exemplars.push(exemplar_truth(0, labels, float));
                        }
                        None => {
                            counter.add_f64(float);
                        }
                    }
                    let (whole, float) = (whole.to_string(), bits(float));
                    series.counted = Counted::Counter { whole, float };
                    Ok(())
                })
            }
            Kind::Gauge => {
                let builder = self.board.gauge(name, help).aggregation(choice.aggregation);
                let family = declared(builder, choice)?;
                self.each(chance, choice, |chance, values, series| {
                    let gauge = family.try_with(values)?;
                    let set = chance.percent(90).then(|| texts::number(chance));
                    if let Some(value) = set {
                        gauge.set(value);
                    }
                    let set = set.map(bits);
                    series.counted = Counted::Gauge { set };
                    Ok(())
                })
            }
            Kind::Histogram => {
                let builder = self.board.histogram(name, help);
                let builder = match choice.native {
                    Some(native) => builder.native(native),
                    None => builder.buckets(&choice.bounds),
                };
                let family = declared(builder, choice)?;
                self.each(chance, choice, |chance, values, series| {
                    let histogram = family.try_with(values)?;
                    let observed = observations(chance);
                    for value in &observed {
                        if chance.percent(25) {
                            let labels = exemplar_labels(chance);
                            histogram.observe_with_exemplar(*value, &borrowed(&labels));
                            // Its place is found when the bounds are known.
                            series
                                .exemplars
                                .push(exemplar_truth(usize::MAX, &labels, *value));
                        } else {
                            histogram.observe(*value);
                        }
                    }
                    series.counted = Counted::Observed(observed.into_iter().map(bits).collect());
                    Ok(())
                })
            }
            Kind::Summary => {
                let family = declared(self.board.summary(name, help), choice)?;
                self.each(chance, choice, |chance, values, series| {
                    let summary = family.try_with(values)?;
                    let observed = observations(chance);
                    for value in &observed {
                        summary.observe(*value);
                    }
                    series.counted = Counted::Observed(observed.into_iter().map(bits).collect());
                    Ok(())
                })
            }
            Kind::Info => {
                let family = declared(self.board.info(name, help), choice)?;
                self.each(chance, choice, |chance, values, series| {
                    let info = family.try_with(values)?;
                    let mut pairs = Vec::new();
                    for _ in 0..chance.below(4) {
                        let pair = (texts::label(chance), texts::text(chance));
                        pairs.push(pair);
                    }
                    // It refuses names that are there twice; then it says nothing.
                    let said = info.set(&borrowed(&pairs)).is_ok();
                    pairs.sort();
                    series.counted = Counted::Info(if said { pairs } else { Vec::new() });
                    Ok(())
                })
            }
            Kind::StateSet => {
                let states: Vec<&str> = choice.truth.states.iter().map(String::as_str).collect();
                let family = declared(self.board.state_set(name, help, &states), choice)?;
                self.each(chance, choice, |chance, values, series| {
                    let place = chance.below(states.len());
                    family.try_with(values)?.set_place(place);
                    series.counted = Counted::State(place);
                    Ok(())
                })
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Calls `count` for some label values that the family has not yet.
    fn each(
        &self,
        chance: &mut Chance,
        choice: &Choice,
        mut count: impl FnMut(&mut Chance, &[&str], &mut SeriesTruth) -> Result<(), RegisterError>,
    ) -> Result<Vec<SeriesTruth>, RegisterError> {
        let known = self
            .families
            .iter()
            .find(|known| known.is_same(&choice.truth));
        let mut taken: Vec<Vec<String>> = known
            .map(|known| {
                known
                    .series
                    .iter()
                    .map(|series| series.labels.clone())
                    .collect()
            })
            .unwrap_or_default();
        let mut all = Vec::new();
        for _ in 0..chance.below(4) {
            let values: Vec<String> = choice.labels.iter().map(|_| texts::text(chance)).collect();
            let mut sorted: Vec<(&String, &String)> = choice.labels.iter().zip(&values).collect();
            sorted.sort();
            let labels: Vec<String> = sorted.into_iter().map(|(_, value)| value.clone()).collect();
            if taken.contains(&labels) {
                continue;
            }
            taken.push(labels.clone());
            let mut series = SeriesTruth {
                labels,
                created_unix_nanos: 0,
                counted: Counted::State(0),
                exemplars: Vec::new(),
            };
            let given: Vec<&str> = values.iter().map(String::as_str).collect();
            count(chance, &given, &mut series)?;
            all.push(series);
        }
        Ok(all)
    }

    /// Adds what the board alone knows: when series and exemplars came, and the bounds of native histograms.
    pub fn complete(&mut self, reader: &Reader) {
        for view in reader.families() {
            let mut families = self.families.iter_mut();
            let Some(family) = families.find(|family| is_shown_as(family, view)) else {
                // What is shown and was not declared is for the judges to find.
                continue;
            };
            family.bounds = view.bounds.iter().copied().map(bits).collect();
            for series in &mut family.series {
                let is_it = |shown: &SeriesView<'_>| {
                    reader.label_values(*shown).as_ref() == Some(&series.labels)
                };
                let Some(shown) = view.series.iter().find(is_it) else {
                    continue;
                };
                let created = reader.created_unix_nanos(shown);
                series.created_unix_nanos = created.expect("it lives");
                for exemplar in &mut series.exemplars {
                    if exemplar.place == usize::MAX {
                        let value =
                            f64::from_bits(u64::from_str_radix(&exemplar.value, 16).expect("bits"));
                        let below = view.bounds.iter().position(|bound| value <= *bound);
                        exemplar.place = below.unwrap_or(view.bounds.len());
                    }
                    let there = reader.exemplar(shown, exemplar.place);
                    exemplar.unix_nanos = there.map_or(0, |exemplar| exemplar.unix_nanos);
                }
            }
        }
    }
}

fn is_shown_as(family: &FamilyTruth, view: &FamilyView) -> bool {
    let bounds: Vec<String> = view.bounds.iter().copied().map(bits).collect();
    family.name == view.name
        && family.kind == view.kind.to_string()
        && family.labels == view.label_names
        && family.aggregation == view.aggregation.to_string()
        && family.states == view.states
        && match (&family.native, view.native) {
            (None, None) => family.bounds == bounds,
            (Some(asked), Some(window)) => {
                let (schema, signed) = (window.schema(), window.is_signed());
                let (first, last) = (window.first_index(), window.last_index());
                (asked.schema, asked.signed, asked.first, asked.last)
                    == (schema, signed, first, last)
            }
            _ => false,
        }
}

fn declared<M>(builder: Builder<M>, choice: &Choice) -> Result<Family<M>, RegisterError>
where
    Builder<M>: Declare<M>,
{
    builder.declare(&choice.truth.unit, &choice.labels)
}

/// What all builders can: their own bound is nobody else's to name.
trait Declare<M> {
    fn declare(self, unit: &str, labels: &[String]) -> Result<Family<M>, RegisterError>;
}

macro_rules! declare {
    ($($metric:ident)*) => {$(
        impl Declare<tallyboard::$metric> for Builder<tallyboard::$metric> {
            fn declare(
                self,
                unit: &str,
                labels: &[String],
            ) -> Result<Family<tallyboard::$metric>, RegisterError> {
                let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                self.unit(unit).labels(&labels).family()
            }
        }
    )*};
}

declare!(Counter Gauge Histogram Summary Info StateSet);

/// Either one of any size, or some whose sum is exact in any order.
fn observations(chance: &mut Chance) -> Vec<f64> {
    match chance.below(4) {
        0 => vec![texts::number(chance)],
        1 => Vec::new(),
        _ => (0..1 + chance.below(6))
            .map(|_| texts::dyadic(chance))
            .collect(),
    }
}

/// As many characters as there may be, and names that may be together.
fn exemplar_labels(chance: &mut Chance) -> Vec<(String, String)> {
    let mut labels: Vec<(String, String)> = Vec::new();
    let mut chars = 0;
    for _ in 0..chance.below(4) {
        let (name, mut value) = (texts::label(chance), texts::text(chance));
        if chance.percent(20) {
            let most = EXEMPLAR_CHARS.saturating_sub(chars + name.chars().count());
            value = "x".repeat(most);
        }
        let more = name.chars().count() + value.chars().count();
        let is_twin = labels.iter().any(|(other, _)| *other == name);
        if !is_twin && chars + more <= EXEMPLAR_CHARS {
            chars += more;
            labels.push((name, value));
        }
    }
    labels
}

fn exemplar_truth(place: usize, labels: &[(String, String)], value: f64) -> ExemplarTruth {
    ExemplarTruth {
        place,
        labels: labels.to_vec(),
        value: bits(value),
        unix_nanos: 0,
    }
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}
