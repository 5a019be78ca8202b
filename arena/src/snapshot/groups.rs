//! The series of each family, as they come and go.

use super::series::{MOST, SeriesBatch, slot_of};
use crate::slot::{ARGUMENT_MASK, Slot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What names one family as its parent. A batch that a view has is copied before it is changed;
/// all others stay where they are.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// None is empty. In the order of their slots.
    batches: Arc<Vec<Arc<SeriesBatch>>>,
    len: usize,
    stride: usize,
}

impl Group {
    /// Of a family whose series have `stride` slots after the head.
    pub(super) fn new(stride: usize) -> Group {
        Group {
            stride,
            ..Group::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    pub(super) fn batches(&self) -> &Arc<Vec<Arc<SeriesBatch>>> {
        &self.batches
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        let batches = self.batches.iter();
        batches.flat_map(|batch| batch.ids().iter().copied().map(slot_of))
    }

    /// The batch that has this slot, or should have it.
    fn batch_of(&self, slot: u32) -> usize {
        let before = |batch: &Arc<SeriesBatch>| batch.first_slot() <= Some(slot);
        self.batches.partition_point(before).saturating_sub(1)
    }

    /// Adds a series whose slot no other has, with `stride` slots of its chain and so many bytes of
    /// label values.
    pub(super) fn insert(&mut self, tag: u64, slot: u32, chain: &[Slot], label_bytes: u16) {
        debug_assert_eq!(chain.len(), self.stride);
        let mut at = self.batch_of(slot);
        let batches = Arc::make_mut(&mut self.batches);
        if batches.is_empty() {
            batches.push(Arc::default());
        }
        let (Ok(mut place) | Err(mut place)) = batches[at].place(slot);
        if batches[at].len() >= MOST {
            // Where slots come in their order, and they mostly do, batches stay full.
            if place == MOST && at + 1 == batches.len() {
                batches.push(Arc::default());
                (at, place) = (at + 1, 0);
            } else {
                let rest = Arc::make_mut(&mut batches[at]).split_off(MOST / 2, self.stride);
                batches.insert(at + 1, Arc::new(rest));
                if place > MOST / 2 {
                    (at, place) = (at + 1, place - MOST / 2);
                }
            }
        }
        let id = tag | u64::from(slot);
        Arc::make_mut(&mut batches[at]).insert(place, id, chain, label_bytes);
        self.len += 1;
    }

    /// Whether it was there.
    fn remove(&mut self, tag: u64, slot: u32) -> bool {
        let at = self.batch_of(slot);
        let Some(batch) = self.batches.get(at) else {
            return false;
        };
        let place = match batch.place(slot) {
            Ok(place) if batch.ids()[place] & !ARGUMENT_MASK == tag => place,
            _ => return false,
        };
        let batches = Arc::make_mut(&mut self.batches);
        Arc::make_mut(&mut batches[at]).remove(place, self.stride);
        self.len -= 1;
        if batches[at].is_empty() {
            batches.remove(at);
        } else if batches[at].len() < MOST / 4 {
            // Half full at most, so that the next few that come do not split it again.
            let fits = |first: usize| match batches.get(first..first + 2) {
                Some([a, b]) => a.len() + b.len() <= MOST / 2,
                _ => false,
            };
            let first = [Some(at), at.checked_sub(1)].into_iter().flatten();
            if let Some(first) = first.into_iter().find(|first| fits(*first)) {
                let next = batches.remove(first + 1);
                Arc::make_mut(&mut batches[first]).append(&next);
            }
        }
        true
    }
}

/// The groups, by the slot and the tag of the family.
#[derive(Debug, Default)]
pub(super) struct Groups(BTreeMap<(u32, u64), Group>);

impl Groups {
    pub(super) fn get(&self, family: u32, tag: u64) -> Option<&Group> {
        self.0.get(&(family, tag))
    }

    pub(super) fn get_or(
        &mut self,
        family: u32,
        tag: u64,
        make: impl FnOnce() -> Group,
    ) -> &mut Group {
        self.0.entry((family, tag)).or_insert_with(make)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = ((u32, u64), &Group)> {
        self.0.iter().map(|(family, group)| (*family, group))
    }

    /// Takes off a series of whatever family was in the slot `family`.
    pub(super) fn remove_series(&mut self, family: u32, tag: u64, slot: u32) {
        let mut groups = self.0.range_mut((family, 0)..=(family, u64::MAX));
        let found = groups.find_map(|(key, group)| group.remove(tag, slot).then_some((key, group)));
        if let Some((key, group)) = found
            && group.len == 0
        {
            let key = *key;
            self.0.remove(&key);
        }
    }

    /// Takes off a whole group.
    pub(super) fn take(&mut self, family: u32, tag: u64) -> Option<Group> {
        self.0.remove(&(family, tag))
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use crate::slot::State;
    use crate::snapshot::LabelBytes;
    use std::collections::BTreeMap;

    fn tag(serial: u64) -> u64 {
        State::Ready { serial }.word()
    }

    /// Every slot with its tag and its chain.
    fn all(group: &Group) -> Vec<(u32, u64)> {
        let batches = group.batches.iter();
        batches
            .flat_map(|batch| batch.ids().iter())
            .map(|id| (slot_of(*id), id & !ARGUMENT_MASK))
            .collect()
    }

    #[test]
    fn a_group_has_what_came_and_did_not_go() {
        let mut group = Group::new(2);
        let mut expected = BTreeMap::new();
        let mut random = 1_u64;
        for turn in 0..20_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let slot = (random % 3_000) as u32;
            // Grows, then shrinks.
            let comes = random >> 32 & 3 != if turn < 10_000 { 0 } else { 3 } && turn < 15_000;
            match expected.remove(&slot) {
                Some(tag) => assert!(group.remove(tag, slot)),
                None if comes => {
                    expected.insert(slot, tag(turn));
                    group.insert(tag(turn), slot, &[Slot(slot), Slot(9)], slot as u16);
                }
                None => assert!(!group.remove(tag(turn), slot)),
            }
        }
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(
            (all(&group), group.len()),
            (expected, group.slots().count())
        );
        assert!(
            group
                .batches
                .iter()
                .all(|batch| !batch.is_empty() && batch.len() <= MOST)
        );
        for batch in group.batches.iter() {
            let slots = batch.ids().iter().map(|id| slot_of(*id) as usize);
            let (sum, most) = slots.fold((0, 0), |(sum, _), slot| (sum + slot, slot));
            assert_eq!(batch.label_bytes(), LabelBytes { sum, most });
        }
        for (slot, tag) in all(&group) {
            assert!(group.remove(tag, slot));
        }
        assert_eq!((group.len(), group.batches.len()), (0, 0));
    }

    #[test]
    fn one_that_comes_changes_one_batch_and_fills_the_others() {
        let mut group = Group::new(0);
        for slot in 0..10 * MOST as u32 {
            group.insert(tag(1), slot, &[], 5);
        }
        assert_eq!(group.batches.len(), 10);
        let before = group.batches.clone();
        assert!(group.remove(tag(1), 700));
        group.insert(tag(2), 700, &[], 5);
        let both = before.iter().zip(group.batches.iter());
        let same = both.filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(same, 9);
    }
}
