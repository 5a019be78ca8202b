//! `tallyboard serve`

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tallyboard::{BoardOptions, Location};

use super::failure::Failure;
use super::logging::Logging;
use super::service_manager;
use super::signals::{SignalledRuntime, StopSignals};
use crate::boards::{BoardSet, BoardSpec};
use crate::config::{
    parse_cap, parse_count, parse_duration, parse_group, parse_max_requests, parse_mode,
    parse_telemetry_path, parse_ttl,
};
use crate::maintenance::Maintenance;
use crate::scrape::Scraper;
use crate::server::{ListenAddress, Server};
use crate::web_config::WebConfig;

/// Serve boards to Prometheus
///
/// Waits for boards that are not there yet, and follows boards that are removed and made
/// again. SIGTERM and SIGINT let scrapes in flight end. No program that counts ever waits
/// for a scrape. systemd is told when it is up, if it asked for that; then SIGHUP, which
/// otherwise stops, looks at the web configuration and says in the log whether it can be used.
///
/// Nothing that is served needs permission to write to a board. Where there is that, boards
/// are kept in order once a second: what dead processes left is taken over or given back,
/// and the programs on a board that was unlinked or replaced move to the one that is there
/// now. Elsewhere the programs that count do the former as they register.
///
/// With more than one --board, or a glob, each series has a label `board`: the name of a
/// board that was given by name, else the whole location (/run/tallyboard/web.v1.board),
/// also for what a glob has matched. If two boards have a metric of one name with different
/// types, the one on the later board is left out and counted in tallyboard_type_clashes.
#[derive(Args, Debug)]
pub(super) struct Serve {
    /// Where to listen: :PORT for all interfaces, or HOST:PORT; may be given more than once
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = ":10777"
    )]
    listen: Vec<ListenAddress>,

    /// Listen at the sockets that systemd has passed, and at no address
    #[arg(long = "web.systemd-socket")]
    systemd_socket: bool,

    /// TLS, users, headers and a limit on requests, in the format of Prometheus's exporters;
    /// read again when it changes
    #[arg(long = "web.config.file", value_name = "FILE")]
    web_config: Option<PathBuf>,

    /// The path of the metrics
    #[arg(
        long = "web.telemetry-path",
        value_name = "PATH",
        default_value = "/metrics",
        value_parser = parse_telemetry_path
    )]
    telemetry_path: String,

    /// Scrapes that are answered at once; one more is answered 503. 0 for no limit
    #[arg(
        long = "web.max-requests",
        value_name = "N",
        default_value = "40",
        value_parser = parse_max_requests
    )]
    max_requests: usize,

    /// Leave out the metrics of the exporter itself, as node_exporter does by this flag: process_*,
    /// tallyboard_scrapes_total and tallyboard_scrape_duration_seconds. tallyboard_build_info and
    /// what it tells of the boards and of the programs on them stay
    #[arg(long = "web.disable-exporter-metrics")]
    disable_exporter_metrics: bool,

    /// A board: a path, a name, shm:NAME, or a glob of one of these; may be given more than
    /// once [default: $TALLYBOARD, or the name "default"]
    #[arg(long = "board", value_name = "LOCATION")]
    boards: Vec<OsString>,

    /// Make boards that are not there (not for globs)
    #[arg(long = "board.create")]
    create: bool,

    /// Permission bits of boards that are made, in octal [default: 0600]
    #[arg(
        long = "board.mode",
        value_name = "OCTAL",
        value_parser = parse_mode,
        requires = "create"
    )]
    mode: Option<u32>,

    /// Group of boards that are made: a name or a number
    #[arg(
        long = "board.group",
        value_name = "GROUP",
        value_parser = parse_group,
        requires = "create"
    )]
    group: Option<u32>,

    /// Slots of boards that are made [default: 16384]
    #[arg(
        long = "board.slots",
        value_name = "N",
        value_parser = parse_count,
        requires = "create"
    )]
    slots: Option<u32>,

    /// Series that each metric may have on boards that are made [default: any number]
    #[arg(
        long = "board.series-cap",
        value_name = "N",
        value_parser = parse_cap,
        requires = "create"
    )]
    series_cap: Option<u64>,

    /// How long boards that are made show the gauges of a dead process for themselves, where
    /// each process has its own [default: 5m]
    #[arg(
        long = "board.keep-dead",
        value_name = "DURATION",
        value_parser = parse_duration,
        requires = "create"
    )]
    keep_dead: Option<Duration>,

    /// Make boards also on filesystems that are not memory; there, writeback can stop writers
    // The alias is the flag that the refusal names.
    #[arg(
        long = "board.allow-any-filesystem",
        alias = "allow-any-filesystem",
        requires = "create"
    )]
    allow_any_filesystem: bool,

    /// End series whose value has not changed for this long, such as 7d, on boards that may be
    /// written to; one that changes later begins again from zero [default: never]
    #[arg(long = "series.ttl", value_name = "DURATION", value_parser = parse_ttl)]
    ttl: Option<Duration>,

    #[command(flatten)]
    logging: Logging,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.logging.begin();
        let boards = BoardSet::new(self.specs()?, self.options());
        // Before the first board is mapped.
        tallyboard::guard_readers()
            .map_err(|error| Failure::Failed(format!("cannot handle SIGBUS: {error}")))?;
        let SignalledRuntime { runtime, signals } = SignalledRuntime::new()?;
        runtime.block_on(self.serve(boards, signals))
    }

    async fn serve(self, boards: BoardSet, mut signals: StopSignals) -> Result<(), Failure> {
        let mut scraper = Scraper::new(boards);
        if self.disable_exporter_metrics {
            scraper = scraper.without_exporter_metrics();
        }
        let mut server = if self.systemd_socket {
            Server::from_systemd(&self.telemetry_path, scraper).map_err(Failure::Failed)?
        } else {
            Server::bind(&self.listen, &self.telemetry_path, scraper).map_err(Failure::failed)?
        };
        let web_config = self.web_config()?;
        if let Some(config) = &web_config {
            server = server.with_web_config(config.clone());
        }
        if self.max_requests > 0 {
            server = server.with_max_requests(self.max_requests);
        }
        let server = server.with_maintenance(Maintenance::new(self.ttl));
        let places = server.places();
        for place in &places {
            tracing::info!("listening on {place}");
        }
        service_manager::ready(&places);
        tokio::spawn(service_manager::stay_alive());
        let stop = async {
            while signals.next().await.is_hangup() && service_manager::is_there() {
                service_manager::reload(|| {
                    let well = web_config.as_ref().is_none_or(|config| config.look());
                    tracing::info!("reloaded; the web configuration can be used: {well}");
                });
            }
            service_manager::stopping();
            tracing::info!("stopping");
        };
        server
            .run(stop)
            .await
            .map_err(|error| Failure::Failed(format!("cannot serve: {error}")))
    }

    fn web_config(&self) -> Result<Option<Arc<WebConfig>>, Failure> {
        let Some(path) = &self.web_config else {
            return Ok(None);
        };
        let config = WebConfig::open(path).map_err(Failure::Failed)?;
        let state = if config.has_tls() { "on" } else { "off" };
        tracing::info!(http2 = config.has_http2(), "TLS is {state}");
        Ok(Some(Arc::new(config)))
    }

    fn specs(&self) -> Result<Vec<BoardSpec>, Failure> {
        if self.boards.is_empty() {
            let spec = BoardSpec::one(Location::from_env()?);
            return Ok(vec![spec.map_err(Failure::Usage)?]);
        }
        let specs = self.boards.iter().map(|text| BoardSpec::parse(text));
        specs.collect::<Result<_, _>>().map_err(Failure::Usage)
    }

    fn options(&self) -> Option<BoardOptions> {
        if !self.create {
            return None;
        }
        let mut options = BoardOptions::new().allow_any_filesystem(self.allow_any_filesystem);
        if let Some(mode) = self.mode {
            options = options.mode(mode);
        }
        if let Some(group) = self.group {
            options = options.group(group);
        }
        if let Some(slots) = self.slots {
            options = options.slots(slots);
        }
        if let Some(series) = self.series_cap {
            options = options.series_cap(series);
        }
        if let Some(duration) = self.keep_dead {
            options = options.keep_dead(duration);
        }
        Some(options)
    }
}
