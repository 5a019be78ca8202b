//! An exporter, and a thread that scrapes it again and again and looks at every answer.

use std::collections::HashMap;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tallyboard_tests::{PASSING, is_made_of};

use crate::truth::{Truth, item_of};

/// Only tells an exporter that does not start from one that is slow.
const HUNG: Duration = Duration::from_secs(60);

pub(crate) struct Scrapes {
    exporter: Child,
    thread: Option<JoinHandle<(u64, Scrape)>>,
    is_over: Arc<AtomicBool>,
}

/// The samples of one answer: the value by name and labels, as they are written.
pub(crate) struct Scrape(HashMap<String, String>);

impl Scrapes {
    pub(crate) fn start(board: &Path, folder: &Path, truth: Truth) -> Scrapes {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("its address").to_string();
        drop(free);
        let beside = std::env::current_exe().expect("a path");
        let log = File::create(folder.join("exporter.log")).expect("a new file");
        let exporter = Command::new(beside.with_file_name("tallyboard"))
            .args(["serve", "--web.listen-address", &address, "--board"])
            .arg(board)
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .expect("the exporter starts");
        let since = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(since.elapsed() < HUNG, "the exporter does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let told = is_over.clone();
        let thread = thread::spawn(move || {
            let mut last: HashMap<String, f64> = HashMap::new();
            for count in 1.. {
                // Relaxed: it says nothing about other memory. Looked at before the scrape, so that the last one
                // begins after the word.
                let is_last = told.load(Ordering::Relaxed);
                let done = truth.done();
                let scrape = Scrape::get(&address);
                scrape.check(&done, &truth.begun(), &mut last);
                if is_last {
                    return (count, scrape);
                }
            }
            unreachable!("it goes on until it is told")
        });
        Scrapes {
            exporter,
            thread: Some(thread),
            is_over,
        }
    }

    /// That nothing was wrong with a scrape yet.
    pub(crate) fn check(&self) {
        let is_there = self
            .thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished());
        assert!(is_there, "a scrape was wrong: see above");
    }

    /// How many there were, and one that was begun after this call.
    pub(crate) fn stop(mut self) -> (u64, Scrape) {
        self.is_over.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("it is stopped once");
        thread.join().expect("no scrape was wrong")
    }
}

impl Drop for Scrapes {
    fn drop(&mut self) {
        let _ = self.exporter.kill();
        let _ = self.exporter.wait();
    }
}

impl Scrape {
    /// By a client that takes a body that is cut short for an error.
    fn get(address: &str) -> Scrape {
        let answer = ureq::get(format!("http://{address}/metrics")).call();
        let mut answer = answer.expect("the exporter answers with 200");
        let body = answer.body_mut().read_to_string();
        let body = body.expect("a whole body, in UTF-8");
        let mut samples = HashMap::new();
        for line in body.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').expect("a sample");
            value.parse::<f64>().expect("a number");
            let twin = samples.insert(series.to_owned(), value.to_owned());
            assert!(twin.is_none(), "{series} is there twice");
        }
        Scrape(samples)
    }

    /// `done` is from before the scrape, `begun` from after it, `last` what counters were before.
    fn check(&self, done: &[u64], begun: &[u64], last: &mut HashMap<String, f64>) {
        for (series, text) in &self.0 {
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let value: f64 = text.parse().expect("a number");
            let label = |label: &str| -> Option<usize> {
                let (_, rest) = labels.split_once(&format!("{label}=\""))?;
                rest.split_once('"')?.0.parse().ok()
            };
            if name == PASSING {
                let number = label("number").expect("a number") as u64;
                let value = text.parse().expect("a whole number");
                assert!(is_made_of(value, number), "{series} has the value {value}");
            }
            if let Some(item) = item_of(name, label("series")) {
                assert!(
                    done[item] as f64 <= value && value <= begun[item] as f64,
                    "{series}: done {}, shown {value}, begun {}",
                    done[item],
                    begun[item]
                );
            }
            let never_goes_down = matches!(
                name,
                "torture_total"
                    | "torture_signals_total"
                    | "torture_seconds_bucket"
                    | "torture_seconds_count"
            );
            if never_goes_down {
                let before = last.insert(series.clone(), value).unwrap_or(0.0);
                assert!(before <= value, "{series} went from {before} to {value}");
            }
        }
        let gone = last.keys().find(|series| !self.0.contains_key(*series));
        assert!(gone.is_none(), "{gone:?} is not there any more");
    }

    /// That gauges of the living show nobody.
    pub(crate) fn assert_nobody_lives(&self) {
        for (series, value) in self
            .0
            .iter()
            .filter(|(series, _)| series.starts_with("torture_live"))
        {
            assert!(
                series == "torture_livesum" && value.parse() == Ok(0.0),
                "nobody lives, and {series} is {value}"
            );
        }
        assert!(
            self.0.contains_key("torture_livesum"),
            "livesum is not there"
        );
    }
}
