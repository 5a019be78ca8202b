//! Lists of what is kept.

use super::{Kept, Place};
use core::ptr;

/// Values that are kept, in a list that only grows.
pub(crate) struct List<T: 'static>(Place<Node<T>>);

struct Node<T: 'static> {
    value: &'static T,
    next: Place<Node<T>>,
}

impl<T: Sync> List<T> {
    pub(crate) const fn new() -> List<T> {
        List(Place::new())
    }

    /// The values, the latest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static T> + use<T> {
        Self::from(self.0.get())
    }

    fn from(first: Option<&'static Node<T>>) -> impl Iterator<Item = &'static T> + use<T> {
        core::iter::successors(first, |node| node.next.get()).map(|node| node.value)
    }

    /// Adds `value`, unless one that is the `same` is there; which of the two the list has.
    /// `None` if there was no memory for its place. Lock-free.
    pub(crate) fn add(&self, value: &'static T, same: impl Fn(&T) -> bool) -> Option<&'static T> {
        let node = Kept::new(Node {
            value,
            next: Place::new(),
        })?
        .forever();
        loop {
            let first = self.0.get();
            if let Some(theirs) = Self::from(first).find(|theirs| same(theirs)) {
                return Some(theirs);
            }
            if let Some(first) = first {
                node.next.set(first);
            }
            if self.0.replace(first, node) {
                return Some(value);
            }
        }
    }

    /// As [`add`](Self::add), for a value that is to be dropped if it is not added.
    pub(crate) fn add_owned(
        &self,
        value: Kept<T>,
        same: impl Fn(&T) -> bool,
    ) -> Option<&'static T> {
        // SAFETY: as in `forever` if it was added. If it was not, `add` has left no reference
        // to it where anyone could find one, and this one ends with this function.
        let kept: &'static T = unsafe { value.0.as_ref() };
        let chosen = self.add(kept, same);
        if chosen.is_some_and(|chosen| ptr::eq(chosen, kept)) {
            return Some(value.forever());
        }
        chosen
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_a_list_does_not_take_is_dropped_and_what_it_takes_is_not() {
        struct Counted(u32, #[expect(dead_code)] Arc<()>);
        static LIST: List<Counted> = List::new();
        let count = Arc::new(());
        let add = |name| {
            let value = Kept::new(Counted(name, count.clone())).unwrap();
            LIST.add_owned(value, |other| other.0 == name).unwrap()
        };
        let first = add(1);
        assert_eq!(Arc::strong_count(&count), 2);
        assert!(ptr::eq(add(1), first));
        assert_eq!(Arc::strong_count(&count), 2);
        add(2);
        let names: Vec<u32> = LIST.iter().map(|value| value.0).collect();
        assert_eq!(names, [2, 1]);
    }
}
