//! A list that only grows, and is read and added to through a shared borrow.

use std::sync::OnceLock;

/// Readers never wait. Who adds waits only for a thread that is storing a link at the same place,
/// which is storing a pointer: of a fork, a child has a chance of nanoseconds to find it taken.
#[derive(Debug)]
pub(super) struct Chain<T> {
    first: OnceLock<Box<Link<T>>>,
}

#[derive(Debug)]
pub(super) struct Link<T> {
    pub(super) value: T,
    next: Chain<T>,
}

impl<T> Link<T> {
    /// Whether nothing was added after it.
    pub(super) fn is_last(&self) -> bool {
        self.next.first.get().is_none()
    }
}

impl<T> Default for Chain<T> {
    fn default() -> Self {
        let first = OnceLock::new();
        Chain { first }
    }
}

impl<T> Chain<T> {
    /// From the oldest to the newest.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let mut at = self;
        std::iter::from_fn(move || {
            let link = at.first.get()?;
            at = &link.next;
            Some(&link.value)
        })
    }

    pub(super) fn last(&self) -> Option<&Link<T>> {
        let mut last = self.first.get()?;
        while let Some(next) = last.next.first.get() {
            last = next;
        }
        Some(last)
    }

    /// Adds a value after what was the last; nothing, if it is not any more.
    pub(super) fn add_after(&self, last: Option<&Link<T>>, value: T) {
        let next = Chain::default();
        let at = last.map_or(self, |last| &last.next);
        let _ = at.first.set(Box::new(Link { value, next }));
    }

    /// The first value that `fits`, or the one that `make` makes, added at the end.
    pub(super) fn find_or_add(&self, fits: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.iter().find(|value| fits(value)) {
            return value;
        }
        // Made outside the cell, which is taken for no longer than storing takes.
        let next = Chain::default();
        let mut made = Box::new(Link {
            value: make(),
            next,
        });
        let mut at = self;
        loop {
            if let Some(link) = at.first.get() {
                if fits(&link.value) {
                    return &link.value;
                }
                at = &link.next;
            } else if let Err(link) = at.first.set(made) {
                // Another thread was first: its value is looked at next.
                made = link;
            } else if let Some(link) = at.first.get() {
                return &link.value;
            } else {
                unreachable!("a cell that was set is set");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_add_the_same_values_add_each_once() {
        let chain = Chain::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for value in 0..100 {
                        assert_eq!(*chain.find_or_add(|had| *had == value, || value), value);
                    }
                });
            }
        });
        let values: Vec<i32> = chain.iter().copied().collect();
        let mut sorted = values.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_eq!(
            values, sorted,
            "each thread added in order, so the list is in order"
        );
    }
}
