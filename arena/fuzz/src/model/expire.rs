//! Series that have not changed.

use super::Model;
use tallyboard::Kind;

impl Model {
    /// Whether it can be told what expiry does: a series that was updated and has the same value
    /// again may have changed on the board or not.
    pub fn knows_what_expires(&self) -> bool {
        let series = self.families.values().flatten();
        let mut series = series.flat_map(|family| family.series.values());
        series.all(|series| !series.was_touched || series.noted != Some(series.value.bits()))
    }

    /// Ends what has not changed since it was looked at last; how many.
    pub fn expire(&mut self) -> u64 {
        let (mut expired, mut freed) = (0, 0);
        for family in self.families.values_mut().flatten() {
            if family.kind == Kind::Info {
                continue;
            }
            family.series.retain(|_, series| {
                let bits = Some(series.value.bits());
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
}
