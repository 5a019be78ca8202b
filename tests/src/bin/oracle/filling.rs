//! One board, filled by chance, and the truth about it.

use tallyboard::{
    Aggregation, Board, Builder, Family, FamilyView, Kind, Native, Reader, RegisterError,
};

use crate::chance::Chance;
use crate::texts;
use crate::truth::{
    AGGREGATIONS, Counted, ExemplarTruth, FamilyTruth, KINDS, NativeTruth, SeriesTruth, bits,
};

/// Of all names and values of an exemplar.
const EXEMPLAR_CHARS: usize = 128;

/// The board and what was counted on it.
pub struct Filling<'b> {
    board: &'b Board,
    pub families: Vec<FamilyTruth>,
}

/// What chance has chosen for one declaration.
struct Choice {
    truth: FamilyTruth,
    /// In the order in which they are declared: the board has them sorted.
    labels: Vec<String>,
    kind: Kind,
    aggregation: Aggregation,
    bounds: Vec<f64>,
    native: Option<Native>,
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
                choose_like(chance, &self.families[known])
            }
            _ => choose(chance, names),
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
                        if choice.native.is_none() && chance.percent(25) {
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
                let mut shown = view.series.iter();
                let Some(shown) = shown.find(|shown| shown.label_values == series.labels) else {
                    continue;
                };
                series.created_unix_nanos = shown.created_unix_nanos;
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

fn choose(chance: &mut Chance, names: &[String]) -> Choice {
    let kind = *chance.one_of(KINDS);
    let name = match names {
        [_, ..] if chance.percent(70) => chance.one_of(names).clone(),
        _ => texts::name(chance),
    };
    let count = chance.below(4);
    let labels = (0..count).map(|_| texts::label(chance)).collect();
    choice(chance, kind, name, labels)
}

/// Another version of a metric that is there: with other words, and sometimes with other labels.
fn choose_like(chance: &mut Chance, known: &FamilyTruth) -> Choice {
    let is_of = |kind: &&Kind| kind.to_string() == known.kind;
    let kind = *KINDS.iter().find(is_of).unwrap_or(&Kind::Counter);
    let mut labels = known.labels.clone();
    if chance.percent(30) {
        labels.push(texts::label(chance));
    }
    choice(chance, kind, known.name.clone(), labels)
}

fn choice(chance: &mut Chance, kind: Kind, name: String, labels: Vec<String>) -> Choice {
    let aggregation = match kind {
        Kind::Gauge if chance.percent(60) => *chance.one_of(AGGREGATIONS),
        _ => Aggregation::Last,
    };
    let unit = match kind {
        Kind::Info | Kind::StateSet => String::new(),
        _ => texts::unit(chance, &name),
    };
    let native = (kind == Kind::Histogram && chance.percent(35)).then(|| native(chance));
    let bounds = match (kind, &native) {
        (Kind::Histogram, None) => bounds(chance),
        _ => Vec::new(),
    };
    let mut states: Vec<String> = Vec::new();
    if kind == Kind::StateSet {
        for _ in 0..=chance.below(3) {
            let state = texts::text(chance);
            if !state.is_empty() && !states.contains(&state) {
                states.push(state);
            }
        }
        if states.is_empty() {
            states.push("only".to_owned());
        }
    }
    let mut sorted = labels.clone();
    sorted.sort();
    Choice {
        truth: FamilyTruth {
            kind: kind.to_string(),
            help: texts::text(chance),
            unit,
            aggregation: aggregation.to_string(),
            labels: sorted,
            bounds: bounds.iter().copied().map(bits).collect(),
            native: native.as_ref().map(|(_, truth)| truth.clone()),
            states,
            series: Vec::new(),
            name,
        },
        labels,
        kind,
        aggregation,
        bounds,
        native: native.map(|(native, _)| native),
    }
}

fn bounds(chance: &mut Chance) -> Vec<f64> {
    let count = chance.below(5);
    let numbers = (0..count).map(|_| match chance.below(3) {
        0 => texts::number(chance),
        1 => texts::dyadic(chance),
        _ => 10_f64.powi(chance.below(24) as i32 - 8),
    });
    let mut bounds: Vec<f64> = numbers.filter(|bound| bound.is_finite()).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup_by(|a, b| a == b);
    bounds
}

/// From one power of two to the one two doublings above it, so that the window is known without asking a board.
fn native(chance: &mut Chance) -> (Native, NativeTruth) {
    let schema = chance.below(13) as i8 - 4;
    let exponent = chance.below(20) as i32 - 10;
    let index = |exponent: i32| match schema {
        0.. => exponent << schema,
        // The bucket holds several powers of two, the greatest of which is its bound.
        _ => (exponent + (1 << -schema) - 1) >> -schema,
    };
    // The finest have room for no more.
    let highest = if schema > 6 { exponent } else { exponent + 2 };
    let native = Native::new()
        .schema(schema)
        .range(2_f64.powi(exponent), 2_f64.powi(highest));
    let signed = schema < 5 && chance.percent(40);
    let truth = NativeTruth {
        schema,
        first: index(exponent),
        last: index(highest),
        signed,
    };
    (
        if signed {
            native.with_negative()
        } else {
            native
        },
        truth,
    )
}

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
