//! Updates through handles, and what handles say.

use super::Model;
use super::register::Bound;
use super::room::SLOTS;
use super::series::Series;
use super::value::Value;
use tallyboard::Aggregation;

impl Model {
    /// The value that a handle is bound to, if that series has not ended.
    pub fn value(&mut self, bound: &Bound) -> Option<&mut Value> {
        self.series(bound).map(|series| &mut series.value)
    }

    /// What a gauge's handle says of itself.
    pub fn own_value(&mut self, bound: &Bound) -> f64 {
        let me = self.me;
        match self.value(bound) {
            Some(Value::Gauge(value)) => *value,
            Some(Value::Split(split)) if bound.owner == Some(me) => {
                let mine = split.part(me);
                mine.and_then(|part| part.value).unwrap_or(0.0)
            }
            _ => 0.0,
        }
    }

    /// Makes an update through a handle, which is bound anew if its series has ended. What
    /// cannot be bound goes nowhere.
    pub fn update(&mut self, bound: &mut Bound, update: impl FnOnce(&mut Value, &[f64])) {
        self.turns += 1;
        let (me, turn) = (self.me, self.turns);
        let aggregation = self.at(&bound.name, bound.place).aggregation;
        let is_split = aggregation != Aggregation::Last;
        if self.value(bound).is_none() {
            if is_split && bound.owner != Some(me) && self.used == SLOTS as usize {
                // It looks for its part first, and makes room for one in vain.
                self.sweep();
            }
            if self.bind(bound).is_err() {
                return;
            }
        } else if is_split && bound.owner != Some(me) {
            // Once for the part alone; what stands in its way is met again, and counted then.
            let before = self.refused.clone();
            if self.bind_part(bound).is_err() {
                self.refused = before;
                if self.bind(bound).is_err() {
                    return;
                }
            }
        }
        let family = self.at(&bound.name, bound.place);
        let series = family.series.get_mut(&bound.at).expect("just bound");
        series.was_touched = true;
        match &mut series.value {
            Value::Split(split) => {
                let part = split.part(me).expect("just bound");
                let mut value = Value::Gauge(part.value.unwrap_or(0.0));
                update(&mut value, &[]);
                if let Value::Gauge(value) = value {
                    part.value = Some(value);
                }
                part.turn = turn;
            }
            value => update(value, &family.bounds),
        }
    }

    /// The series that a handle is bound to, if it has not ended.
    pub(super) fn series(&mut self, bound: &Bound) -> Option<&mut Series> {
        let family = self.at(&bound.name, bound.place);
        let series = family.series.get_mut(&bound.at)?;
        (series.life == bound.life).then_some(series)
    }

    /// How many states a state set has.
    pub fn states(&mut self, bound: &Bound) -> usize {
        self.at(&bound.name, bound.place).states.len()
    }
}
