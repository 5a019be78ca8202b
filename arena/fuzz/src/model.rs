//! What a board must say after a sequence of operations: a map, and how many slots are left.

use std::collections::{BTreeMap, HashMap};
use tallyboard::{Aggregation, Kind, Native, RefusedReason};

/// Slots of the boards that are compared with a model.
pub const SLOTS: u32 = 64;
/// LAYOUT.md §8
const MAX_CHAIN: usize = 64;

/// A definition, as a caller gives it. Its labels are in the caller's order.
#[derive(Clone, Debug)]
pub struct Definition<'t> {
    /// The metric.
    pub name: &'t str,
    /// The words last declared are shown.
    pub help: &'static str,
    /// The type.
    pub kind: Kind,
    /// Of a gauge.
    pub aggregation: Aggregation,
    /// Label names.
    pub labels: &'t [&'t str],
    /// Of a histogram.
    pub bounds: &'t [f64],
    /// Of a native one, instead.
    pub native: Option<&'static Buckets>,
    /// Of a state set.
    pub states: &'t [&'static str],
    /// Series that it may have, 0 for any number.
    pub cap: u64,
}

/// What a registration comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is there.
    Ok,
    /// The definition is not allowed.
    Invalid,
    /// A metric of the name and another type is there.
    Clash(Kind),
    /// More or fewer values than label names.
    LabelCount,
    /// The board has no room, or no chain is that long.
    Refused(RefusedReason),
}

/// A series' value. Amounts are multiples of 1/4 and small, so that sums are exact in any order.
#[derive(Clone, Debug)]
pub enum Value {
    /// The two cells.
    Counter {
        /// Added as integers.
        integers: u64,
        /// Added as floats.
        floats: f64,
    },
    /// Set and added to.
    Gauge(f64),
    /// A gauge that is put together from what processes contribute.
    Split(Split),
    /// Observed.
    Histogram {
        /// Whose cells they are, if it is a native one.
        native: Option<&'static Buckets>,
        /// Observations in each, the one up to +Inf last.
        buckets: Vec<u64>,
        /// Of the observed values.
        sum: f64,
    },
    /// Observed.
    Summary {
        /// Observations.
        count: u64,
        /// Of the observed values.
        sum: f64,
    },
    /// Says what its annex says.
    Info,
    /// The number of the state that holds.
    State(usize),
}

/// Names and values.
pub type Pairs = Vec<(String, String)>;

/// What is said of a series, by the place where: of a bucket, else 0.
pub type Annexes = BTreeMap<usize, (Option<f64>, Pairs)>;

/// The buckets of a native histogram, and the cells that LAYOUT.md §10 gives it.
#[derive(Debug)]
pub struct Buckets {
    /// As it is asked for.
    pub native: Native,
    /// Each doubles: from 2^`first` - 1 on.
    pub first: i32,
    /// On each side.
    pub count: usize,
    /// Whether there are two.
    pub is_signed: bool,
}

impl Buckets {
    /// Beside the sum's.
    pub fn cells(&self) -> usize {
        self.count * (1 + usize::from(self.is_signed)) + 3
    }

    /// The cell of a value: they ascend with the values, and NaN is in the last.
    fn cell(&self, x: f64) -> usize {
        let bound = |index: i32| f64::from(index).exp2();
        let highest = self.first + self.count as i32 - 1;
        let positive = (self.first - 1..=highest).map(bound);
        let negative = (self.first - 1..=highest).rev().map(|index| -bound(index));
        // What ends a cell, and whether it is in it: the zero bucket has both of its ends, the
        // buckets below it are the mirror images of those above.
        let is_beyond: Vec<bool> = match self.is_signed {
            true => negative
                .map(|bound| x >= bound)
                .chain(positive.map(|bound| x > bound))
                .collect(),
            false => [x >= -bound(self.first - 1)]
                .into_iter()
                .chain(positive.map(|bound| x > bound))
                .collect(),
        };
        match x.is_nan() {
            true => self.cells() - 1,
            false => is_beyond.iter().filter(|beyond| **beyond).count(),
        }
    }

    /// The bounds of the classic buckets that stand for them: they double, too.
    fn classic_bounds(&self) -> Vec<f64> {
        let last = self.first + self.count as i32 - 1;
        (self.first - 1..=last)
            .map(|index| f64::from(index).exp2())
            .collect()
    }
}

/// A gauge of another aggregation than `last`.
#[derive(Clone, Debug, Default)]
pub struct Split {
    /// What those who left have contributed.
    folded: Option<f64>,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    owner: Owner,
    lives: bool,
    value: Option<f64>,
    /// When it was set last, counted in updates.
    turn: u64,
}

/// A process, from its first registration until it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    number: u64,
    pid: u32,
}

/// One definition of a name.
#[derive(Clone, Debug)]
pub struct Family {
    /// The type.
    pub kind: Kind,
    /// Of a gauge.
    pub aggregation: Aggregation,
    /// Sorted.
    pub labels: Vec<String>,
    /// Ascending.
    pub bounds: Vec<f64>,
    /// Of a native histogram.
    pub native: Option<&'static Buckets>,
    /// Of a state set.
    pub states: Vec<&'static str>,
    /// By the values in the order of `labels`.
    pub series: HashMap<Vec<String>, Series>,
    /// Registrations beyond the cap.
    pub overflows: u64,
    /// As the last declaration says.
    cap: u64,
    /// What its record says, and what a record of its own says instead.
    help: &'static str,
    newer_help: Option<&'static str>,
    /// It may have been given up, and come back.
    is_there: bool,
}

/// A series, from its registration to its end.
#[derive(Clone, Debug)]
pub struct Series {
    /// What it counts.
    pub value: Value,
    /// What is said of it.
    pub said: Annexes,
    /// Tells it from those of the same key.
    life: u64,
    slots: usize,
    /// Its value when expiry looked at it last.
    noted: Option<Vec<u64>>,
    was_touched: bool,
}

impl Family {
    /// The help that is shown.
    pub fn shown_help(&self) -> &'static str {
        self.newer_help.unwrap_or(self.help)
    }

    fn help_len(&self, help: &str) -> usize {
        let texts = self.labels.iter().map(String::as_str);
        let texts = texts.chain(self.states.iter().copied());
        let numbers = self.native.map_or(self.bounds.len(), |_| 1);
        6 + text_len(texts.chain(["", help])) + 8 * numbers
    }

    /// The place of the bucket that an observation is in.
    fn bucket(&self, x: f64) -> usize {
        let mut bounds = self.bounds.iter();
        bounds
            .position(|bound| x <= *bound)
            .unwrap_or(self.bounds.len())
    }
}

/// What a handle is for, and the series that it was bound to last.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The metric.
    pub name: String,
    /// The place of its definition among the name's.
    pub place: usize,
    values: Vec<String>,
    at: Vec<String>,
    life: u64,
    /// Of a split gauge: whose part it is bound to.
    owner: Option<Owner>,
}

/// Everything on a board, and what it refused.
#[derive(Debug)]
pub struct Model {
    /// All definitions of a name, the newest last.
    families: HashMap<String, Vec<Family>>,
    used: usize,
    refused: HashMap<RefusedReason, u64>,
    overflowed: u64,
    expired: u64,
    lives: u64,
    turns: u64,
    owners: u64,
    me: Owner,
}

impl Default for Model {
    fn default() -> Model {
        let pid = std::process::id();
        Model {
            families: HashMap::new(),
            used: 0,
            refused: HashMap::new(),
            overflowed: 0,
            expired: 0,
            lives: 0,
            turns: 0,
            owners: 0,
            me: Owner { number: 0, pid },
        }
    }
}

impl Model {
    /// How often a registration was refused for this reason.
    pub fn refused(&self, reason: RefusedReason) -> u64 {
        self.refused.get(&reason).copied().unwrap_or(0)
    }

    /// Slots in use.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Registrations that went beyond a cap.
    pub fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// Series that did not change.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    /// What a reader shows: of each name the newest definition that has series, or the newest of
    /// all if none has; and the number of series of the others.
    pub fn shown(&self) -> HashMap<&str, (&Family, u64)> {
        let mut shown = HashMap::new();
        for (name, versions) in &self.families {
            let there = || versions.iter().filter(|version| version.is_there);
            // Of equals the last.
            if let Some(chosen) = there().max_by_key(|version| !version.series.is_empty()) {
                let all: usize = there().map(|version| version.series.len()).sum();
                let hidden = (all - chosen.series.len()) as u64;
                shown.insert(name.as_str(), (chosen, hidden));
            }
        }
        shown
    }

    /// Finds or makes the family: where it stands.
    pub fn family(&mut self, definition: &Definition<'_>) -> Result<usize, Outcome> {
        let mut labels: Vec<String> = definition.labels.iter().map(|l| (*l).into()).collect();
        labels.sort();
        if !is_allowed(definition, &labels) {
            return Err(Outcome::Invalid);
        }
        let name = definition.name;
        let known = self.families.get(name).map_or(&[][..], Vec::as_slice);
        if let Some(other) = known.iter().find(|family| family.kind != definition.kind) {
            return Err(Outcome::Clash(other.kind));
        }
        let bounds = definition
            .native
            .map_or(definition.bounds.to_vec(), Buckets::classic_bounds);
        let first =
            |native: Option<&Buckets>| native.map(|native| (native.first, native.is_signed));
        let same = |family: &Family| {
            (
                &family.labels,
                &family.bounds,
                family.aggregation,
                &family.states[..],
            ) == (&labels, &bounds, definition.aggregation, definition.states)
                && first(family.native) == first(definition.native)
        };
        let known_at = known.iter().position(same);
        let place = known_at.unwrap_or(known.len());
        if known_at.is_none() {
            let family = Family {
                kind: definition.kind,
                aggregation: definition.aggregation,
                labels,
                bounds,
                native: definition.native,
                states: definition.states.to_vec(),
                series: HashMap::new(),
                overflows: 0,
                cap: 0,
                help: definition.help,
                newer_help: None,
                is_there: false,
            };
            // First, because what it makes room by does not count it.
            self.take(family.help_len(family.help) + 2 + name.len(), 0)?;
            let families = self.families.entry(name.into()).or_default();
            families.push(family);
            families[place].is_there = true;
        }
        self.begin(name, place)?;
        if definition.cap != 0 {
            self.at(name, place).cap = definition.cap;
        }
        self.declare_help(name, place, definition.help);
        Ok(place)
    }

    /// Makes a family anew that was given up.
    fn begin(&mut self, name: &str, place: usize) -> Result<(), Outcome> {
        let family = self.at(name, place);
        if !family.is_there {
            let len = family.help_len(family.help) + 2 + name.len();
            self.take(len, 0)?;
            let family = self.at(name, place);
            family.is_there = true;
            family.newer_help = None;
            family.overflows = 0;
        }
        Ok(())
    }

    /// Words that the board has no room for are counted as refused, and nothing else.
    fn declare_help(&mut self, name: &str, place: usize, help: &'static str) {
        let family = self.at(name, place);
        match family.newer_help {
            Some(newer) if newer == help => return,
            Some(newer) => {
                family.newer_help = None;
                self.used -= slots_for(text_len(["", newer].into_iter()), 0);
            }
            None => {}
        }
        if self.at(name, place).help == help {
            return;
        }
        let taken = self.take(text_len(["", help].into_iter()), 0);
        let family = self.at(name, place);
        if taken.is_ok() && family.is_there {
            family.newer_help = Some(help);
        } else if taken.is_ok() {
            // The room was made by giving the family itself up.
            self.used -= slots_for(text_len(["", help].into_iter()), 0);
        }
    }

    fn at(&mut self, name: &str, place: usize) -> &mut Family {
        &mut self.families.get_mut(name).expect("registered")[place]
    }

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

    fn key(
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
    fn bind(&mut self, bound: &mut Bound) -> Result<(), Outcome> {
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
            let (cells, value) = zero(family);
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
    fn bind_part(&mut self, bound: &mut Bound) -> Result<(), Outcome> {
        let me = self.me;
        let Some(Value::Split(split)) = self.value(bound) else {
            return Ok(());
        };
        if !split.parts.iter().any(|part| part.owner == me) {
            self.take(32, 2)?;
            let part = Part {
                owner: me,
                lives: true,
                value: None,
                turn: 0,
            };
            if let Some(Value::Split(split)) = self.value(bound) {
                split.parts.push(part);
            }
        }
        bound.owner = Some(me);
        Ok(())
    }

    /// The value that a handle is bound to, if that series has not ended.
    pub fn value(&mut self, bound: &Bound) -> Option<&mut Value> {
        let family = self.at(&bound.name, bound.place);
        let series = family.series.get_mut(&bound.at)?;
        (series.life == bound.life).then_some(&mut series.value)
    }

    /// What a gauge's handle says of itself.
    pub fn own_value(&mut self, bound: &Bound) -> f64 {
        let me = self.me;
        match self.value(bound) {
            Some(Value::Gauge(value)) => *value,
            Some(Value::Split(split)) if bound.owner == Some(me) => {
                let mine = split.parts.iter().find(|part| part.owner == me);
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
                let mut mine = split.parts.iter_mut();
                let part = mine.find(|part| part.owner == me).expect("just bound");
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

    /// Makes an update that was just made, and went where `bound` says, the exemplar of its bucket.
    pub fn exemplify(&mut self, bound: &Bound, x: f64, labels: &[(&str, &str)]) {
        let chars = labels
            .iter()
            .map(|(name, value)| name.chars().count() + value.chars().count());
        let is_bad = |(at, (name, _)): (usize, &(&str, &str))| {
            name.is_empty()
                || name.starts_with("__")
                || labels[..at].iter().any(|(before, _)| before == name)
        };
        if chars.sum::<usize>() > 128 || labels.iter().enumerate().any(is_bad) {
            self.refuse(RefusedReason::BadExemplar);
            return;
        }
        let family = self.at(&bound.name, bound.place);
        let place = match family.kind {
            Kind::Histogram => family.bucket(x),
            _ => 0,
        };
        let pairs = labels
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let _ = self.annex(bound, place, Some(x), pairs.collect());
    }

    /// What an info says from now on.
    pub fn say(&mut self, bound: &mut Bound, pairs: &[(&str, &str)]) -> Result<(), Outcome> {
        let mut pairs: Pairs = (pairs.iter())
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        pairs.sort();
        let labels = &self.at(&bound.name, bound.place).labels;
        let is_bad = |(at, (name, _)): (usize, &(String, String))| {
            name.is_empty()
                || name.starts_with("__")
                || labels.contains(name)
                || at > 0 && pairs[at - 1].0 == *name
        };
        if pairs.iter().enumerate().any(is_bad) {
            return Err(Outcome::Invalid);
        }
        // A series that has ended is told so by what it is to say.
        while !self.annex(bound, 0, None, pairs.clone())? {
            self.bind(bound)
                .map_err(|_| Outcome::Refused(RefusedReason::Overrun))?;
        }
        Ok(())
    }

    /// Puts this in place of what is said there; whether the series lives. Both are there for a moment.
    fn annex(
        &mut self,
        bound: &Bound,
        place: usize,
        value: Option<f64>,
        pairs: Pairs,
    ) -> Result<bool, Outcome> {
        let said = (value, pairs);
        if let Some(series) = self.series(bound)
            && value.is_none()
            && series.said.get(&place) == Some(&said)
        {
            return Ok(true);
        }
        let len = annex_len(&said);
        self.take(len, 0)?;
        let taken = slots_for(len, 0);
        let freed = match self.series(bound) {
            Some(series) => (series.said.insert(place, said))
                .map_or(0, |before| slots_for(annex_len(&before), 0)),
            None => taken,
        };
        self.used -= freed;
        Ok(self.series(bound).is_some())
    }

    fn series(&mut self, bound: &Bound) -> Option<&mut Series> {
        let series = self
            .at(&bound.name, bound.place)
            .series
            .get_mut(&bound.at)?;
        (series.life == bound.life).then_some(series)
    }

    /// How many states a state set has.
    pub fn states(&mut self, bound: &Bound) -> usize {
        self.at(&bound.name, bound.place).states.len()
    }

    /// Ends a series; whether there was one.
    pub fn remove(
        &mut self,
        definition: &Definition<'_>,
        values: &[&str],
    ) -> Result<bool, Outcome> {
        let (place, values) = self.key(definition, values)?;
        // A declaration that found no room may have given the family up.
        self.begin(definition.name, place)?;
        let ended = self.at(definition.name, place).series.remove(&values);
        Ok(ended
            .map(|series| self.used -= series.all_slots())
            .is_some())
    }

    /// Ends all series of a family; how many there were.
    pub fn clear(&mut self, definition: &Definition<'_>) -> Result<u64, Outcome> {
        let place = self.family(definition)?;
        self.begin(definition.name, place)?;
        let ended = std::mem::take(&mut self.at(definition.name, place).series);
        self.used -= ended.values().map(Series::all_slots).sum::<usize>();
        Ok(ended.len() as u64)
    }

    /// What a reaper does: definitions that were replaced and have no series are given up.
    pub fn sweep(&mut self) {
        for (name, versions) in &mut self.families {
            let Some(newest) = versions.iter().rposition(|version| version.is_there) else {
                continue;
            };
            for older in &mut versions[..newest] {
                if older.is_there && older.series.is_empty() {
                    older.is_there = false;
                    self.used -= slots_for(older.help_len(older.help) + 2 + name.len(), 0);
                    if let Some(newer) = older.newer_help.take() {
                        self.used -= slots_for(text_len(["", newer].into_iter()), 0);
                    }
                }
            }
        }
    }

    /// Whether it can be told what expiry does: a series that was updated and has the same value
    /// again may have changed on the board or not.
    pub fn knows_what_expires(&self) -> bool {
        let series = self.families.values().flatten();
        let mut series = series.flat_map(|family| family.series.values());
        series.all(|series| !series.was_touched || series.noted != Some(series.bits()))
    }

    /// Ends what has not changed since it was looked at last; how many.
    pub fn expire(&mut self) -> u64 {
        let (mut expired, mut freed) = (0, 0);
        for family in self.families.values_mut().flatten() {
            if family.kind == Kind::Info {
                continue;
            }
            family.series.retain(|_, series| {
                let bits = Some(series.bits());
                let stays = series.noted != bits;
                series.noted = bits;
                series.was_touched = false;
                if !stays {
                    expired += 1;
                    freed += series.all_slots();
                }
                stays
            });
        }
        self.used -= freed;
        self.expired += expired;
        expired
    }

    /// This process goes on as another, with rows and parts of its own.
    pub fn fork(&mut self) {
        self.owners += 1;
        self.me = Owner {
            number: self.owners,
            pid: std::process::id(),
        };
    }

    /// This process takes itself off the list; what it registers later is another's.
    pub fn leave(&mut self) {
        let me = self.me;
        let mut freed = 0;
        for family in self.families.values_mut().flatten() {
            let aggregation = family.aggregation;
            for series in family.series.values_mut() {
                let Value::Split(split) = &mut series.value else {
                    continue;
                };
                let Some(at) = split.parts.iter().position(|part| part.owner == me) else {
                    continue;
                };
                series.was_touched = true;
                let value = split.parts[at].value;
                if aggregation == Aggregation::All && value.is_some() {
                    split.parts[at].lives = false;
                    continue;
                }
                split.parts.remove(at);
                freed += 1;
                if let (false, Some(fold), Some(value)) =
                    (aggregation.is_live(), fold(aggregation), value)
                {
                    split.folded = Some(split.folded.map_or(value, |sum| fold(sum, value)));
                }
            }
        }
        self.used -= freed;
        self.fork();
    }

    fn refuse(&mut self, reason: RefusedReason) -> Outcome {
        *self.refused.entry(reason).or_default() += 1;
        Outcome::Refused(reason)
    }

    /// Takes the slots of a record, if there are so many.
    fn take(&mut self, text_len: usize, cells: usize) -> Result<(), Outcome> {
        let slots = slots_for(text_len, cells);
        if slots > MAX_CHAIN {
            return Err(self.refuse(RefusedReason::TooLong));
        }
        if self.used + slots > SLOTS as usize {
            self.sweep();
        }
        if self.used + slots > SLOTS as usize {
            return Err(self.refuse(RefusedReason::BoardFull));
        }
        self.used += slots;
        Ok(())
    }
}

impl Series {
    /// With the parts of a gauge.
    fn all_slots(&self) -> usize {
        let parts = match &self.value {
            Value::Split(split) => split.parts.len(),
            _ => 0,
        };
        let said = self.said.values().map(|said| slots_for(annex_len(said), 0));
        self.slots + parts + said.sum::<usize>()
    }

    /// Its value, where NaN is like NaN.
    fn bits(&self) -> Vec<u64> {
        match &self.value {
            Value::Counter { integers, floats } => vec![*integers, floats.to_bits()],
            Value::Gauge(value) => vec![value.to_bits()],
            Value::Split(split) => {
                let of = |value: Option<f64>| value.map_or(u64::MAX, f64::to_bits);
                let parts = split.parts.iter();
                let parts = parts.flat_map(|p| [p.owner.number, u64::from(p.lives), of(p.value)]);
                parts.chain([of(split.folded)]).collect()
            }
            Value::Histogram { buckets, sum, .. } => {
                buckets.iter().copied().chain([sum.to_bits()]).collect()
            }
            Value::Summary { count, sum } => vec![*count, sum.to_bits()],
            Value::Info => Vec::new(),
            Value::State(state) => vec![*state as u64],
        }
    }
}

impl Split {
    /// As a reader puts it together; `None` leaves it out.
    pub fn combined(&self, how: Aggregation) -> Option<f64> {
        let parts = self.parts.iter().filter(|part| part.lives);
        if how == Aggregation::LiveLast {
            let set = parts.filter_map(|part| Some((part.turn, part.value?)));
            return set.max_by_key(|(turn, _)| *turn).map(|(_, value)| value);
        }
        let fold = fold(how)?;
        let values = parts.filter_map(|part| part.value);
        match how {
            Aggregation::Sum | Aggregation::LiveSum => {
                Some(self.folded.into_iter().chain(values).sum())
            }
            _ => self.folded.into_iter().chain(values).reduce(fold),
        }
    }

    /// By pid, of all that are shown for themselves.
    pub fn by_process(&self) -> BTreeMap<String, f64> {
        // A process that left and came back is shown as it is now.
        let parts = self.parts.iter();
        let set = parts.filter_map(|part| Some((part.owner.pid.to_string(), part.value?)));
        set.collect()
    }
}

fn fold(how: Aggregation) -> Option<fn(f64, f64) -> f64> {
    match how {
        Aggregation::Sum | Aggregation::LiveSum => Some(|a, b| a + b),
        Aggregation::Min | Aggregation::LiveMin => Some(f64::min),
        Aggregation::Max | Aggregation::LiveMax => Some(f64::max),
        _ => None,
    }
}

impl Value {
    /// Of a metric of this type, to be thrown away.
    pub fn nothing(kind: Kind) -> Value {
        zero_of(kind, Aggregation::Last, 0, None).1
    }

    /// As `Counter::add`.
    pub fn add(&mut self, n: u64) {
        if let Value::Counter { integers, .. } = self {
            *integers = integers.wrapping_add(n);
        }
    }

    /// As `Counter::add_f64`.
    pub fn add_f64(&mut self, x: f64) -> bool {
        let is_taken = x >= 0.0 && x.is_finite();
        if let Value::Counter { floats, .. } = self
            && is_taken
        {
            *floats += x;
        }
        is_taken
    }

    /// As the `observe` of a histogram with these bounds, or of a summary.
    pub fn observe(&mut self, bounds: &[f64], x: f64) {
        match self {
            Value::Histogram {
                native,
                buckets,
                sum,
            } => {
                // NaN is in no bucket but the last.
                let classic = || bounds.iter().position(|bound| x <= *bound);
                let bucket = match native {
                    Some(native) => native.cell(x),
                    None => classic().unwrap_or(bounds.len()),
                };
                // Of what is thrown away there is one.
                let bucket = bucket.min(buckets.len() - 1);
                buckets[bucket] += 1;
                *sum += x;
            }
            Value::Summary { count, sum } => {
                *count += 1;
                *sum += x;
            }
            Value::Counter { .. }
            | Value::Gauge(_)
            | Value::Split(_)
            | Value::Info
            | Value::State(_) => unreachable!("nothing to observe"),
        }
    }
}

/// A new series of this type and its number of cells: LAYOUT.md §10.
fn zero(family: &Family) -> (usize, Value) {
    let Family {
        kind,
        aggregation,
        native,
        ..
    } = *family;
    zero_of(kind, aggregation, family.bounds.len(), native)
}

fn zero_of(
    kind: Kind,
    aggregation: Aggregation,
    bounds: usize,
    native: Option<&'static Buckets>,
) -> (usize, Value) {
    match kind {
        Kind::Counter => {
            let (integers, floats) = (0, 0.0);
            (2, Value::Counter { integers, floats })
        }
        Kind::Gauge if aggregation == Aggregation::Last => (1, Value::Gauge(0.0)),
        Kind::Gauge => (1, Value::Split(Split::default())),
        Kind::Histogram => {
            let buckets = vec![0; native.map_or(bounds + 1, Buckets::cells)];
            let cells = buckets.len() + 1;
            let value = Value::Histogram {
                native,
                buckets,
                sum: 0.0,
            };
            (cells, value)
        }
        Kind::Info => (0, Value::Info),
        Kind::StateSet => (1, Value::State(0)),
        _ => (2, Value::Summary { count: 0, sum: 0.0 }),
    }
}

/// LAYOUT.md §8: 192 bytes in a head, 248 in a continuation; three cells in a unit.
fn slots_for(text_len: usize, cells: usize) -> usize {
    let for_text = 1 + text_len.saturating_sub(192).div_ceil(248);
    for_text.max(cells.div_ceil(3))
}

/// LAYOUT.md §9: its key, an exemplar's value, and fields of text.
fn annex_len((value, pairs): &(Option<f64>, Pairs)) -> usize {
    let texts = pairs
        .iter()
        .flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    8 + value.map_or(0, |_| 8) + text_len(texts)
}

/// LAYOUT.md §9: fields of text.
fn text_len<'t>(texts: impl Iterator<Item = &'t str>) -> usize {
    texts.map(|text| 2 + text.len()).sum()
}

/// The rules of Prometheus; `labels` are the definition's, sorted.
fn is_allowed(definition: &Definition<'_>, labels: &[String]) -> bool {
    let reserved = match definition.kind {
        Kind::Histogram => "le",
        Kind::Summary => "quantile",
        Kind::Gauge if definition.aggregation.is_by_process() => "pid",
        _ => "",
    };
    let (bounds, states) = (definition.bounds, definition.states);
    let is_state_set = definition.kind == Kind::StateSet;
    is_state_set != states.is_empty()
        && states
            .iter()
            .enumerate()
            .all(|(at, state)| !state.is_empty() && !states[..at].contains(state))
        && !(is_state_set && labels.iter().any(|label| label == definition.name))
        && !definition.name.is_empty()
        && labels.windows(2).all(|pair| pair[0] != pair[1])
        && labels
            .iter()
            .all(|l| !l.is_empty() && !l.starts_with("__") && l != reserved)
        && bounds.iter().all(|bound| bound.is_finite())
        && bounds.windows(2).all(|pair| pair[0] < pair[1])
}

/// Whether two numbers are the same value; NaN is.
pub fn is_same(one: f64, two: f64) -> bool {
    one == two || (one.is_nan() && two.is_nan())
}
