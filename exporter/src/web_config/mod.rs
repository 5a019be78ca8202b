//! `--web.config.file`: TLS, users, headers and a limit on requests, in exporter-toolkit's
//! format.
//!
//! The file is read again for every request, and for every handshake so are the files that it
//! names: what they say counts from the next one on. Whether there is TLS at all is decided at
//! the start. A file that cannot be used refuses all requests and handshakes until it can, and
//! says so once in the log; it never opens what was closed.
//!
//! Every setting is done, or refused by its name when the exporter starts. None is taken and
//! ignored.

mod client;
mod file;
mod headers;
mod protocol;
mod rate;
mod tls;
mod users;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::HeaderMap;
use rustls::ServerConfig;

use file::File;
use rate::{Bucket, Rate};
use tls::{Material, Tls};
use users::{Authenticator, Users};

/// Anybody can cause such lines: ten at once, and then one in ten seconds.
const COMPLAINTS: Rate = Rate {
    interval: Duration::from_secs(10),
    burst: 10,
};

/// The file, and what it says.
pub(crate) struct WebConfig {
    path: PathBuf,
    has_tls: bool,
    /// Whether it has ever set anything. Relaxed: it is only used with `settings` locked.
    has_set: AtomicBool,
    authenticator: Authenticator,
    settings: Mutex<Seen<Vec<u8>, Settings>>,
    handshakes: Mutex<Seen<(Arc<Settings>, Material), ServerConfig>>,
    /// How often failed handshakes are worth a line in the log.
    complaints: Bucket,
}

/// What the file asks for.
#[derive(Debug)]
pub(crate) struct Settings {
    tls: Option<Tls>,
    users: Users,
    headers: HeaderMap,
    bucket: Option<Arc<Bucket>>,
    /// Whether it sets anything at all.
    is_empty: bool,
}

/// What came out when its sources were last looked at.
struct Seen<Sources, T> {
    sources: Option<Sources>,
    made: Result<Arc<T>, String>,
}

/// What is to be done with a request.
pub(crate) enum Verdict {
    /// It is to be answered, with these headers besides.
    Answer(HeaderMap),
    /// It is nobody's whom the file names; these headers besides.
    Unauthorized(HeaderMap),
    /// There were too many.
    TooMany,
    /// The file cannot be used.
    Broken,
}

impl WebConfig {
    /// Reads the file and all that it names.
    ///
    /// # Errors
    ///
    /// What cannot be read or done: the file, the line or the setting, and why.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let about = |problem: String| format!("{}: {problem}", path.display());
        let text = fs::read(path).map_err(|error| about(error.to_string()))?;
        let settings = Arc::new(Settings::parse(&text, path, None).map_err(about)?);
        let never = Seen {
            sources: None,
            made: Err(String::new()),
        };
        let config = Self {
            path: path.to_owned(),
            has_tls: settings.tls.is_some(),
            has_set: AtomicBool::new(!settings.is_empty),
            authenticator: Authenticator::new()?,
            settings: Mutex::new(Seen {
                sources: Some(text),
                made: Ok(settings.clone()),
            }),
            handshakes: Mutex::new(never),
            complaints: Bucket::new(COMPLAINTS, Instant::now()),
        };
        if let Some(tls) = &settings.tls {
            let material = tls.read().map_err(about)?;
            let made = tls.build(&material).map_err(about)?;
            *config.handshakes() = Seen {
                sources: Some((settings.clone(), material)),
                made: Ok(Arc::new(made)),
            };
        }
        Ok(config)
    }

    /// Whether connections begin with a handshake.
    pub(crate) fn has_tls(&self) -> bool {
        self.has_tls
    }

    /// Whether HTTP/2 is offered.
    pub(crate) fn has_http2(&self) -> bool {
        let seen = self.handshakes();
        let made = seen.made.as_ref();
        made.is_ok_and(|made| made.alpn_protocols.iter().any(|name| name == b"h2"))
    }

    /// Decides about a request with these headers. Reads the file, on a thread that may wait.
    pub(crate) async fn judge(self: &Arc<Self>, headers: &HeaderMap) -> Verdict {
        let config = self.clone();
        let settings = tokio::task::spawn_blocking(move || config.settings()).await;
        let Ok(Ok(settings)) = settings else {
            return Verdict::Broken;
        };
        let enough = |bucket: &Arc<Bucket>| bucket.take(Instant::now());
        if !settings.bucket.as_ref().is_none_or(enough) {
            return Verdict::TooMany;
        }
        let added = settings.headers.clone();
        let users = &settings.users;
        if users.is_empty() || self.authenticator.accepts(users, headers).await {
            Verdict::Answer(added)
        } else {
            Verdict::Unauthorized(added)
        }
    }

    /// What the next handshake needs; `None` if the files cannot be used. Reads them, on a
    /// thread that may wait.
    pub(crate) async fn handshake(self: &Arc<Self>) -> Option<Arc<ServerConfig>> {
        let config = self.clone();
        let made = tokio::task::spawn_blocking(move || config.server_config()).await;
        made.ok()?.ok()
    }

    /// Says in the log why there is no connection; of many that fail at once, only of some.
    pub(crate) fn tell_of_handshake(&self, peer: &str, why: &dyn std::fmt::Display) {
        if self.complaints.take(Instant::now()) {
            tracing::warn!("no TLS with {peer}: {why}");
        }
    }

    /// Looks at all of it now, and says in the log what cannot be used; returns whether all can.
    pub(crate) fn look(&self) -> bool {
        self.settings().is_ok() && (!self.has_tls || self.server_config().is_ok())
    }

    fn settings(&self) -> Result<Arc<Settings>, String> {
        let read = fs::read(&self.path).map_err(|error| error.to_string());
        let mut seen = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.made.as_ref().ok().cloned();
        let changed = seen.take(read, |text| {
            let made = Settings::parse(text, &self.path, before.as_deref())?;
            if made.is_empty && self.has_set.load(Relaxed) {
                // Most likely it is just being written, and its users have not come yet.
                return Err("sets nothing any more; restart the exporter if that is meant".into());
            }
            if made.tls.is_some() != self.has_tls {
                return Err("tls_server_config: came or went; restart the exporter".to_owned());
            }
            self.has_set.fetch_or(!made.is_empty, Relaxed);
            Ok(made)
        });
        if changed {
            self.authenticator.forget();
            self.tell(seen.made.as_ref().err());
        }
        seen.made.clone()
    }

    fn server_config(&self) -> Result<Arc<ServerConfig>, String> {
        let settings = self.settings()?;
        let tls = settings.tls.as_ref().ok_or("no tls_server_config")?;
        let read = tls.read().map(|material| (settings.clone(), material));
        let mut seen = self.handshakes();
        if seen.take(read, |(_, material)| tls.build(material)) {
            self.tell(seen.made.as_ref().err());
        }
        seen.made.clone()
    }

    fn handshakes(&self) -> MutexGuard<'_, Seen<(Arc<Settings>, Material), ServerConfig>> {
        let handshakes = self.handshakes.lock();
        handshakes.unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, problem: Option<&String>) {
        let path = self.path.display();
        match problem {
            None => tracing::info!("{path}: has changed and is used as it is now"),
            Some(problem) => tracing::error!(
                "{path}: {problem}; requests and handshakes that need it are refused"
            ),
        }
    }
}

impl<Sources: PartialEq, T> Seen<Sources, T> {
    /// Makes it anew if its sources are not what they were; says whether something came out
    /// that is worth a line in the log.
    fn take(
        &mut self,
        sources: Result<Sources, String>,
        make: impl FnOnce(&Sources) -> Result<T, String>,
    ) -> bool {
        let made = match sources {
            Ok(sources) if self.sources.as_ref() == Some(&sources) => return false,
            Ok(sources) => {
                let made = make(&sources).map(Arc::new);
                self.sources = Some(sources);
                made
            }
            Err(problem) => {
                self.sources = None;
                Err(problem)
            }
        };
        let is_new = match (&made, &self.made) {
            (Err(new), Err(old)) => new != old,
            _ => true,
        };
        self.made = made;
        is_new
    }
}

impl Settings {
    /// Reads the file's text. A limit on requests that was there `before` goes on counting.
    fn parse(text: &[u8], path: &Path, before: Option<&Self>) -> Result<Self, String> {
        let text = std::str::from_utf8(text).map_err(|error| format!("is not UTF-8: {error}"))?;
        let File {
            tls_server_config,
            http_server_config,
            basic_auth_users,
            rate_limit,
        } = File::parse(text)?;
        let is_empty = tls_server_config.is_none()
            && http_server_config.is_none()
            && basic_auth_users.is_none()
            && rate_limit.is_none();
        let http = http_server_config.unwrap_or_default();
        let directory = path.parent().unwrap_or(Path::new(""));
        let rate = Rate::checked(&rate_limit.unwrap_or_default())?;
        let bucket = rate.map(|rate| {
            let old = before.and_then(|before| before.bucket.clone());
            old.filter(|old| old.rate == rate)
                .unwrap_or_else(|| Arc::new(Bucket::new(rate, Instant::now())))
        });
        Ok(Self {
            tls: Tls::checked(
                tls_server_config.unwrap_or_default(),
                http.http2.unwrap_or(true),
                directory,
            )?,
            users: Users::checked(basic_auth_users.unwrap_or_default())?,
            headers: headers::checked(&http.headers.unwrap_or_default())?,
            bucket,
            is_empty,
        })
    }
}

/// One and the same reading of the file.
impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hash as far as its form goes.
    const HASH: &str = "$2b$04$8rPWoDlLvvxCCmZ1gP3dsOD0zEoEzLRmIPHr6MNTKw9Mw7xYzUoLG";

    fn written(text: &str) -> (tempfile::TempDir, WebConfig) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.yml");
        fs::write(&path, text).unwrap();
        let config = WebConfig::open(&path).unwrap_or_else(|error| panic!("{error}"));
        (directory, config)
    }

    #[test]
    fn a_change_counts_at_the_next_look() {
        let (_directory, config) = written("basic_auth_users: {}\n");
        let first = config.settings().unwrap();
        assert!(first.users.is_empty());
        assert!(Arc::ptr_eq(&first, &config.settings().unwrap()));
        fs::write(&config.path, format!("basic_auth_users:\n  a: {HASH}\n")).unwrap();
        assert!(!config.settings().unwrap().users.is_empty());
    }

    #[test]
    fn a_broken_file_opens_nothing() {
        let good = format!("basic_auth_users:\n  a: {HASH}\n");
        let (_directory, config) = written(&good);
        for broken in [
            "",
            "# all gone\n",
            "basic_auth_users: [",
            "users: {}",
            "\u{0}",
        ] {
            fs::write(&config.path, broken).unwrap();
            assert!(config.settings().is_err(), "{broken:?}");
            assert!(config.settings().is_err(), "{broken:?}, looked at again");
            fs::write(&config.path, &good).unwrap();
            assert!(config.settings().is_ok());
        }
        fs::remove_file(&config.path).unwrap();
        assert!(config.settings().is_err() && !config.look());
    }

    #[test]
    fn a_file_that_set_nothing_may_go_on_so() {
        let (_directory, config) = written("# nobody yet\n");
        let look = |text: &str| {
            fs::write(&config.path, text).unwrap();
            config.settings().is_ok()
        };
        assert!(look("# still nobody\n") && look(""));
        let users = format!("basic_auth_users:\n  a: {HASH}\n");
        assert!(look(&users) && !look(""));
    }

    #[test]
    fn tls_neither_comes_nor_goes() {
        let (_directory, config) = written("rate_limit: {interval: 1s, burst: 1}\n");
        fs::write(
            &config.path,
            "tls_server_config: {cert_file: a, key_file: b}\n",
        )
        .unwrap();
        assert!(config.settings().unwrap_err().contains("restart"));
    }

    #[test]
    fn a_limit_goes_on_counting_until_it_is_another() {
        let limit = "rate_limit: {interval: 1h, burst: 1}\n";
        let (_directory, config) = written(limit);
        let take = || {
            let settings = config.settings().unwrap();
            settings.bucket.as_ref().unwrap().take(Instant::now())
        };
        assert!(take() && !take());
        fs::write(&config.path, format!("{limit}basic_auth_users: {{}}\n")).unwrap();
        assert!(!take());
        fs::write(&config.path, "rate_limit: {interval: 2h, burst: 1}\n").unwrap();
        assert!(take());
    }
}
