//! How many connections there are, and which one goes when there are too many.
//!
//! A connection owes an answer or rests. When there is no room for another one, one that rests
//! is dismissed: first those that have never asked for anything, longest-resting first. So
//! whoever opens connections and says nothing pushes out their own kind, and a scraper that
//! asks is served. If none rests, who comes waits until one does or ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// All connections of a server.
pub(super) struct Crowd {
    limit: usize,
    members: Mutex<Members>,
    /// Somebody has left or begun to rest.
    room: Notify,
}

#[derive(Default)]
struct Members {
    present: usize,
    /// How many wait to be admitted.
    waiting: usize,
    /// How many have been dismissed and are still there. Never more than wait: a wake-up that
    /// was not meant for anybody must not cost a place.
    leaving: usize,
    /// Counts how often somebody began to rest.
    turn: u64,
    resting: BTreeMap<Rest, Arc<Notify>>,
}

/// Smaller is dismissed earlier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rest {
    has_asked: bool,
    turn: u64,
}

impl Crowd {
    /// Room for `limit` connections.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            members: Mutex::default(),
            room: Notify::new(),
        })
    }

    /// Waits for room, and makes some where it can. The place rests until it says otherwise.
    pub(super) async fn admit(self: &Arc<Self>) -> Place {
        self.members().waiting += 1;
        let waiting = Waiting(self);
        while !self.members().admits(self.limit) {
            // What happened since the lock was given back is kept for us.
            self.room.notified().await;
        }
        drop(waiting);
        let place = Place {
            crowd: self.clone(),
            dismissed: Arc::default(),
            rest: Mutex::new(None),
        };
        place.rest(false);
        place
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever waits to be admitted, until they are or give up.
struct Waiting<'a>(&'a Crowd);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.members().waiting -= 1;
    }
}

impl Members {
    /// Whether there is room, which is taken then; else sees to it that there will be.
    fn admits(&mut self, limit: usize) -> bool {
        if self.present < limit {
            self.present += 1;
            return true;
        }
        if self.leaving < self.waiting
            && let Some((_, dismissed)) = self.resting.pop_first()
        {
            self.leaving += 1;
            dismissed.notify_one();
        }
        false
    }

    /// Ends a rest, also that of somebody who was dismissed from it.
    fn wake(&mut self, rest: Rest) {
        if self.resting.remove(&rest).is_none() {
            self.leaving -= 1;
        }
    }
}

/// A connection's place, which it leaves when this is dropped.
pub(super) struct Place {
    crowd: Arc<Crowd>,
    dismissed: Arc<Notify>,
    rest: Mutex<Option<Rest>>,
}

impl Place {
    /// The connection owes nothing from now on.
    pub(super) fn rest(&self, has_asked: bool) {
        let mut own = self.own();
        let mut members = self.crowd.members();
        if let Some(before) = own.take() {
            members.wake(before);
        }
        members.turn += 1;
        let rest = Rest {
            has_asked,
            turn: members.turn,
        };
        members.resting.insert(rest, self.dismissed.clone());
        *own = Some(rest);
        if members.present >= self.crowd.limit {
            self.crowd.room.notify_one();
        }
    }

    /// The connection owes an answer from now on.
    pub(super) fn work(&self) {
        if let Some(rest) = self.own().take() {
            self.crowd.members().wake(rest);
        }
    }

    /// Waits until somebody else needs the place.
    pub(super) async fn dismissed(&self) {
        self.dismissed.notified().await;
    }

    fn own(&self) -> MutexGuard<'_, Option<Rest>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.work();
        self.crowd.members().present -= 1;
        self.crowd.room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    /// Whether the future is ready now.
    async fn is_ready<T>(future: impl Future<Output = T>) -> bool {
        let mut future = pin!(future);
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
    }

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(test);
    }

    #[test]
    fn the_silent_go_first_and_then_the_longest_resting() {
        run(async {
            let crowd = Crowd::new(3);
            let asked_first = crowd.admit().await;
            let asked_then = crowd.admit().await;
            let silent = crowd.admit().await;
            for place in [&asked_first, &asked_then] {
                place.work();
                place.rest(true);
            }
            assert!(!is_ready(crowd.admit()).await);
            assert!(is_ready(silent.dismissed()).await);
            assert!(!is_ready(asked_first.dismissed()).await);
            drop(silent);
            let fourth = crowd.admit().await;
            fourth.work();
            assert!(!is_ready(crowd.admit()).await);
            assert!(is_ready(asked_first.dismissed()).await);
            assert!(!is_ready(asked_then.dismissed()).await);
        });
    }

    #[test]
    fn who_owes_an_answer_is_never_dismissed() {
        run(async {
            let crowd = Crowd::new(1);
            let busy = crowd.admit().await;
            busy.work();
            let mut next = pin!(crowd.admit());
            assert!(!is_ready(next.as_mut()).await && !is_ready(busy.dismissed()).await);
            busy.rest(true);
            assert!(!is_ready(next.as_mut()).await);
            assert!(is_ready(busy.dismissed()).await);
            drop(busy);
            assert!(is_ready(next).await);
        });
    }
}
