//! Series that are ended, and families that are given up when they have none.

use super::Model;
use super::definition::{Definition, Outcome};
use super::room::{slots_for, text_len};
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
                    self.used -= slots_for(older.help_len(older.help) + 2 + name.len(), 0);
                    if let Some(newer) = older.newer_help.take() {
                        self.used -= slots_for(text_len(["", newer].into_iter()), 0);
                    }
                }
            }
        }
    }
}
