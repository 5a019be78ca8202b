//! `basic_auth_users`: who may ask, and whether who asks is one of them.
//!
//! A password is compared with its bcrypt hash once, one comparison at a time, because each is
//! a good part of a second of work on purpose. What came out is kept, under a keyed digest, so
//! that no password stays in memory; also when who asked has hung up meanwhile, or a scraper
//! that waits for less than a comparison takes would never get in. Somebody who is not a user is compared with the hash of
//! somebody who is, and refused whatever comes out: how long it takes says nothing.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bcrypt::HashParts;
use hyper::HeaderMap;
use hyper::header;
use ring::hmac;
use ring::rand::SystemRandom;
use tokio::sync::Semaphore;

/// Findings of each kind that are kept. Anybody can cause refusals, so they must not push out
/// what users have earned, nor grow.
const KEPT: usize = 100;

/// Costs that are taken: bcrypt's least, and a good minute of work. Each more doubles it; bcrypt
/// itself goes on to 31, which is more than a day in which nobody else is let in.
const COSTS: std::ops::RangeInclusive<u32> = 4..=20;

/// The users and their hashes.
#[derive(Debug, Default)]
pub(super) struct Users(BTreeMap<String, String>);

impl Users {
    /// Takes the setting.
    ///
    /// # Errors
    ///
    /// A hash that is not bcrypt's, or one that costs too much; names the user, not the hash.
    pub(super) fn checked(given: BTreeMap<String, Option<String>>) -> Result<Self, String> {
        let mut users = BTreeMap::new();
        for (name, hash) in given {
            let hash = hash.unwrap_or_default();
            // The crate itself looks at the cost only when it compares.
            match hash.parse::<HashParts>().map(|parts| parts.get_cost()) {
                Ok(cost) if COSTS.contains(&cost) => {}
                Ok(cost @ 21..=31) => {
                    return Err(format!(
                        "basic_auth_users.{name}: a cost of {cost} takes too long to compare; \
                         hash the password again with one of at most {}",
                        COSTS.end()
                    ));
                }
                _ => {
                    return Err(format!(
                        "basic_auth_users.{name}: the value is not a bcrypt hash, such as \
                         `htpasswd -nBC 10 {name}` prints"
                    ));
                }
            }
            users.insert(name, hash);
        }
        Ok(Self(users))
    }

    /// Whether everybody may ask.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A keyed digest of a name, a hash and a password.
type Digest = [u8; 32];

/// What was found out so far.
pub(super) struct Authenticator {
    key: hmac::Key,
    known: Arc<Mutex<Known>>,
    /// One comparison at a time.
    turn: Arc<Semaphore>,
}

#[derive(Default)]
struct Known {
    accepted: HashSet<Digest>,
    refused: HashSet<Digest>,
}

impl Authenticator {
    /// One that knows nothing yet.
    ///
    /// # Errors
    ///
    /// The kernel has no random numbers.
    pub(super) fn new() -> Result<Self, String> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| "no random numbers can be had".to_owned())?;
        Ok(Self {
            key,
            known: Arc::default(),
            turn: Arc::new(Semaphore::new(1)),
        })
    }

    /// Forgets everything, as when there are other users.
    pub(super) fn forget(&self) {
        *locked(&self.known) = Known::default();
    }

    /// Whether a request with these headers is a user's.
    pub(super) async fn accepts(&self, users: &Users, headers: &HeaderMap) -> bool {
        let Some((name, password)) = credentials(headers) else {
            return false;
        };
        let own = users.0.get(&name);
        let Some(hash) = own.or_else(|| users.0.values().next()) else {
            return false;
        };
        let digest = self.digest(&name, hash, &password);
        if let Some(known) = self.look_up(&digest) {
            return known;
        }
        let Ok(turn) = self.turn.clone().acquire_owned().await else {
            return false;
        };
        // Somebody may have found out while this one waited.
        if let Some(known) = self.look_up(&digest) {
            return known;
        }
        let (hash, known, is_user) = (hash.clone(), self.known.clone(), own.is_some());
        let limit = KEPT.max(users.0.len());
        // Goes on when nobody waits for it any more, and so has its turn until it is done.
        let compared = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let matches = bcrypt::verify(password, &hash).unwrap_or(false);
            let accepted = matches && is_user;
            locked(&known).note(digest, accepted, limit);
            accepted
        });
        compared.await.unwrap_or(false)
    }

    fn look_up(&self, digest: &Digest) -> Option<bool> {
        let known = locked(&self.known);
        if known.accepted.contains(digest) {
            Some(true)
        } else if known.refused.contains(digest) {
            Some(false)
        } else {
            None
        }
    }

    fn digest(&self, name: &str, hash: &str, password: &[u8]) -> Digest {
        let mut context = hmac::Context::with_key(&self.key);
        // With their lengths, or one could lend a byte to the next.
        for part in [name.as_bytes(), hash.as_bytes(), password] {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let mut digest = Digest::default();
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }
}

impl Known {
    /// Keeps a finding; of those who were let in, as many as `users`.
    fn note(&mut self, digest: Digest, accepted: bool, users: usize) {
        let (kind, limit) = if accepted {
            (&mut self.accepted, users)
        } else {
            (&mut self.refused, KEPT)
        };
        if kind.len() >= limit {
            kind.clear();
        }
        kind.insert(digest);
    }
}

fn locked(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name and the password of an `Authorization: Basic …`.
fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8(decoded[..colon].to_vec()).ok()?;
    Some((name, decoded[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the password `right`, with the least cost there is.
    fn users() -> Users {
        let hash = bcrypt::hash("right", 4).unwrap();
        Users::checked(BTreeMap::from([("alice".to_owned(), Some(hash))])).unwrap()
    }

    fn asking(name: &str, password: &str) -> HeaderMap {
        let value = BASE64_STANDARD.encode(format!("{name}:{password}"));
        let mut headers = HeaderMap::new();
        let value = format!("Basic {value}").parse().unwrap();
        headers.insert(header::AUTHORIZATION, value);
        headers
    }

    fn accepts(of: &Authenticator, users: &Users, headers: &HeaderMap) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(of.accepts(users, headers))
    }

    #[test]
    fn right_wrong_unknown_and_none() {
        let (users, of) = (users(), Authenticator::new().unwrap());
        for _ in 0..2 {
            assert!(accepts(&of, &users, &asking("alice", "right")));
            assert!(!accepts(&of, &users, &asking("alice", "wrong")));
            // The password of the hash that an unknown user is compared with.
            assert!(!accepts(&of, &users, &asking("bob", "right")));
            assert!(!accepts(&of, &users, &asking("", "right")));
            assert!(!accepts(&of, &users, &HeaderMap::new()));
        }
        let known = locked(&of.known);
        assert_eq!((known.accepted.len(), known.refused.len()), (1, 3));
    }

    #[test]
    fn what_is_known_is_bounded_and_refusals_push_nobody_out() {
        let (users, of) = (users(), Authenticator::new().unwrap());
        assert!(accepts(&of, &users, &asking("alice", "right")));
        for number in 0..KEPT + 5 {
            accepts(&of, &users, &asking("mallory", &number.to_string()));
        }
        let known = locked(&of.known);
        assert_eq!((known.accepted.len(), known.refused.len()), (1, 5));
    }

    #[test]
    fn who_hangs_up_takes_neither_the_turn_nor_the_finding_along() {
        // Some tenths of a second: long enough to hang up in.
        let hash = bcrypt::hash("right", 9).unwrap();
        let given = BTreeMap::from([("alice".to_owned(), Some(hash))]);
        let (users, of) = (
            Users::checked(given).unwrap(),
            Authenticator::new().unwrap(),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let headers = asking("alice", "right");
            let mut asked = Box::pin(of.accepts(&users, &headers));
            // Once: it has begun.
            let begun = std::future::poll_fn(|context| {
                let polled = asked.as_mut().poll(context);
                std::task::Poll::Ready(polled.is_pending())
            });
            assert!(begun.await);
            drop(asked);
            assert_eq!(of.turn.available_permits(), 0, "its turn is not over");
            let _turn = of.turn.acquire().await.unwrap();
            assert_eq!(locked(&of.known).accepted.len(), 1);
        });
    }

    #[test]
    fn no_part_lends_to_the_next() {
        let of = Authenticator::new().unwrap();
        assert_ne!(of.digest("a", "bc", b"d"), of.digest("ab", "c", b"d"));
        assert_eq!(of.digest("a", "bc", b"d"), of.digest("a", "bc", b"d"));
    }

    #[test]
    fn what_is_no_hash_is_refused_by_name() {
        for hash in [
            "",
            "secret",
            "$2y$10$short",
            "$2y$99$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
            "$2y$21$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
            "$2y$03$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
        ] {
            let given = BTreeMap::from([("alice".to_owned(), Some(hash.to_owned()))]);
            let error = Users::checked(given).unwrap_err();
            assert!(error.starts_with("basic_auth_users.alice: "), "{error}");
            assert!(hash.is_empty() || !error.contains(hash));
        }
    }

    #[test]
    fn what_is_no_basic_authorization_is_none() {
        for value in ["Bearer YTpi", "Basic", "Basic !", "Basic YWI="] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            assert_eq!(credentials(&headers), None, "{value}");
        }
    }
}
