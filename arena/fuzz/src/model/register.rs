//! Handles: registered, and bound to the series that their values name.

use super::Model;
use super::annex::Annexes;
use super::definition::{Definition, Outcome};
use super::process::Owner;
use super::room::{slots_for, text_len};
use super::series::Series;
use super::value::Value;
use tallyboard::{Kind, RefusedReason};

/// What a handle is for, and the series that it was bound to last.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The metric.
    pub name: String,
    /// The place of its definition among the name's.
    pub place: usize,
    values: Vec<String>,
    pub(super) at: Vec<String>,
    pub(super) life: u64,
    /// Of a split gauge: whose part it is bound to.
    pub(super) owner: Option<Owner>,
}

impl Model {
    /// Finds or makes the series with these values, in the order of the definition's labels.
    pub fn register(
        &mut self,
        definition: &Definition<'_>,
        values: &[&str],
    ) -> Result<Bound, Outcome> {
        let (place, values) = self.key(definition, values)?;
        let mut bound = Bound {
            name: definition.name.into(),
            place,
            at: values.clone(),
            values,
            life: 0,
            owner: None,
        };
        self.bind(&mut bound)?;
        Ok(bound)
    }

    pub(super) fn key(
        &mut self,
        definition: &Definition<'_>,
        values: &[&str],
    ) -> Result<(usize, Vec<String>), Outcome> {
        let place = self.family(definition)?;
        if values.len() != definition.labels.len() {
            return Err(Outcome::LabelCount);
        }
        let mut pairs: Vec<_> = definition.labels.iter().zip(values).collect();
        pairs.sort();
        let values = pairs.iter().map(|(_, value)| (**value).into()).collect();
        Ok((place, values))
    }

    /// Binds a handle to the series that its values name now.
    pub(super) fn bind(&mut self, bound: &mut Bound) -> Result<(), Outcome> {
        let at = self.find_or_make(&bound.name, bound.place, &bound.values)?;
        bound.life = self.at(&bound.name, bound.place).series[&at].life;
        bound.at = at;
        self.bind_part(bound)
    }

    /// The values under which the series is found: its own, or `overflow`.
    fn find_or_make(
        &mut self,
        name: &str,
        place: usize,
        values: &[String],
    ) -> Result<Vec<String>, Outcome> {
        loop {
            self.begin(name, place)?;
            let family = self.at(name, place);
            let mut values = values.to_vec();
            if family.series.contains_key(&values) {
                return Ok(values);
            }
            let is_gauge = matches!(family.kind, Kind::Gauge | Kind::Info | Kind::StateSet);
            // The series that counts what goes beyond the cap is none of those.
            let is_overflow =
                |values: &&Vec<String>| !is_gauge && values.iter().all(|value| value == "overflow");
            let beyond = family.series.keys().filter(is_overflow).count();
            if family.cap > 0 && (family.series.len() - beyond) as u64 >= family.cap {
                family.overflows += 1;
                self.overflowed += 1;
                if is_gauge {
                    return Err(self.refuse(RefusedReason::FamilyFull));
                }
                let family = self.at(name, place);
                values = vec!["overflow".into(); family.labels.len()];
                if family.series.contains_key(&values) {
                    return Ok(values);
                }
            }
            let family = self.at(name, place);
            let (cells, value) = Value::zero(
                family.kind,
                family.aggregation,
                family.bounds.len(),
                family.native,
            );
            let len = text_len(values.iter().map(String::as_str));
            self.take(len, cells)?;
            let slots = slots_for(len, cells);
            self.lives += 1;
            let life = self.lives;
            let family = self.at(name, place);
            if !family.is_there {
                // The room was made by giving the family itself up: once more.
                self.used -= slots;
                continue;
            }
            let series = Series {
                value,
                said: Annexes::new(),
                life,
                slots,
                noted: None,
                was_touched: false,
            };
            family.series.insert(values.clone(), series);
            return Ok(values);
        }
    }

    /// Finds or makes this process's part of a split gauge.
    pub(super) fn bind_part(&mut self, bound: &mut Bound) -> Result<(), Outcome> {
        let me = self.me;
        let Some(Value::Split(split)) = self.value(bound) else {
            return Ok(());
        };
        if split.part(me).is_none() {
            self.take(32, 2)?;
            if let Some(Value::Split(split)) = self.value(bound) {
                split.join(me);
            }
        }
        bound.owner = Some(me);
        Ok(())
    }
}
