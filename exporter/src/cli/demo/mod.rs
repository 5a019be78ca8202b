//! `tallyboard demo`
//!
//! ```text
//! workers   24 processes that count records, phase by phase, each with a ledger of its own
//! crew      starts them, kills them all the time, replaces them, keeps the ledgers of the dead
//! audit     holds the board against the ledgers: done ≤ value ≤ begun, at every moment
//! serve     the exporter itself, on a thread
//! ```

mod audit;
mod crew;
mod ledger;
mod phase;
mod screen;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clap::Args;
use tallyboard::{BoardOptions, Location};
use tokio::sync::oneshot;

use self::audit::Auditor;
use self::crew::Crew;
use self::ledger::LedgerDirectory;
use self::phase::Meters;
use self::screen::Screen;
use super::failure::Failure;
use super::signals::SignalledRuntime;
use super::temporary_board::TemporaryBoard;
use crate::boards::{BoardSet, BoardSpec};
use crate::config::parse_duration;
use crate::scrape::Scraper;
use crate::server::{ListenAddress, Server};

pub(super) use self::worker::Worker;

/// How often the books are checked.
const AUDIT_INTERVAL: Duration = Duration::from_millis(50);

/// See it work: 24 processes count records and are killed all the time; no count is lost
///
/// Makes a board of its own, serves it, and checks continuously that each counter lies
/// between the updates that workers have begun and those that they have done, which each
/// worker writes down in memory of its own. Ctrl-C ends it and leaves nothing behind.
///
/// Exits with 0 if no count was lost, else with 1.
#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Where to serve the board: :PORT for all interfaces, or HOST:PORT
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = ":10777"
    )]
    listen: Vec<ListenAddress>,

    /// How many processes count
    #[arg(
        long,
        value_name = "N",
        default_value_t = 24,
        value_parser = clap::value_parser!(u32).range(1..=500)
    )]
    workers: u32,

    /// End by itself after so long, such as 30s
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    duration: Option<Duration>,

    /// Time between two kills
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "100ms",
        value_parser = parse_duration
    )]
    kill_every: Duration,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        // Before there is anything to leave behind.
        let signals = SignalledRuntime::new()?;
        let temporary = TemporaryBoard::create("demo", &BoardOptions::new())?;
        // The workers find the metrics on the board: none of them can be killed before its
        // metrics are known to the auditor.
        Meters::register(temporary.board())?;
        let web = Web::start(signals, &self.listen, temporary.location())?;
        let ledgers = LedgerDirectory::create(temporary.location())?;
        let mut crew = Crew::new(temporary.location(), ledgers, self.workers);
        let auditor = Auditor::attach(temporary.location())?;

        let mut screen = Screen::new();
        screen.welcome(self.workers, &web.url)?;
        let outcome = self.work(&web.stopped, &mut crew, auditor, &mut screen);
        web.end();
        outcome
    }

    /// Runs the show, then holds the last count against what the dead have left.
    fn work(
        &self,
        stopped: &Receiver<()>,
        crew: &mut Crew,
        mut auditor: Auditor,
        screen: &mut Screen,
    ) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut last_kill = begun;
        crew.fill()?;
        let is_over = || {
            self.duration
                .is_some_and(|duration| begun.elapsed() >= duration)
        };
        while stopped.recv_timeout(AUDIT_INTERVAL) == Err(RecvTimeoutError::Timeout) && !is_over() {
            if last_kill.elapsed() >= self.kill_every {
                crew.kill_one()?;
                last_kill = Instant::now();
            }
            crew.fill()?;
            let books = auditor.audit(crew);
            screen.show(&books, crew.killed(), begun.elapsed())?;
        }
        crew.end()?;
        let books = auditor.audit(crew);
        screen.farewell(&books, crew.killed())?;
        books.verdict()?;
        if is_over() && !books.are_telling() {
            return Err(Failure::Failed(
                "not all phases were reached; give it a longer --duration".to_owned(),
            ));
        }
        Ok(())
    }
}

/// The exporter on a thread of its own. The main thread starts the workers: they die with
/// the thread that started them, so it must be one that stays.
struct Web {
    thread: JoinHandle<io::Result<()>>,
    /// Hears when a signal has come.
    stopped: Receiver<()>,
    end: oneshot::Sender<()>,
    /// What to open.
    url: String,
}

impl Web {
    fn start(
        SignalledRuntime {
            runtime,
            mut signals,
        }: SignalledRuntime,
        listen: &[ListenAddress],
        board: &Location,
    ) -> Result<Self, Failure> {
        let spec = BoardSpec::one(board.clone()).map_err(Failure::Failed)?;
        let scraper = Scraper::new(BoardSet::new(vec![spec], None));
        let server = Server::bind(listen, "/metrics", scraper).map_err(Failure::failed)?;
        let url = server
            .local_addresses()
            .first()
            .map(url)
            .unwrap_or_default();

        let (tell, stopped) = channel();
        let (end, ended) = oneshot::channel();
        let serve = async move {
            let signalled = async move {
                signals.wait().await;
                // The counting ends first; what is served until then is still growing.
                let _ = tell.send(());
            };
            tokio::spawn(signalled);
            let end = async {
                let _ = ended.await;
            };
            server.run(end).await
        };
        let thread = std::thread::Builder::new()
            .name("exporter".to_owned())
            .spawn(move || runtime.block_on(serve))
            .map_err(|error| Failure::Failed(format!("cannot start the exporter: {error}")))?;
        Ok(Self {
            thread,
            stopped,
            end,
            url,
        })
    }

    fn end(self) {
        let _ = self.end.send(());
        let _ = self.thread.join();
    }
}

/// The address for a browser on this machine.
fn url(address: &SocketAddr) -> String {
    if address.ip().is_unspecified() || address.ip().is_loopback() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}
