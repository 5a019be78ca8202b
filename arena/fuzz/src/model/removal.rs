//! Series that are ended, and families that are given up when they have none.

use super::Model;
use super::definition::{Definition, Outcome};
use super::series::Series;

impl Model {
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
                    self.used -= older.all_slots(name);
                    older.newer_help = None;
                }
            }
        }
    }
}
