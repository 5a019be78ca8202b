//! `tallyboard serve`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::failure::Failure;
use super::logging::Logging;
use super::made_boards::MadeBoards;
use super::served_boards::ServedBoards;
use super::service_manager;
use super::signals::{SignalledRuntime, StopSignals};
use crate::boards::BoardSet;
use crate::config::{parse_max_requests, parse_telemetry_path, parse_ttl};
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
/// At the path of the metrics, ?name[]=NAME asks for some families, ?created=true for the _created
/// lines of OpenMetrics. A scrape ends when the time is over that the scraper gives it
/// (X-Prometheus-Scrape-Timeout-Seconds). / shows the boards in the browser, /-/healthy says that
/// the exporter runs, /-/ready that a board is mapped.
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
    /// read again when it changes. An empty name is none
    // Theirs have the empty name as a default, and unit files that spell it out.
    #[arg(
        long = "web.config.file",
        value_name = "FILE",
        value_parser = OsStringValueParser::new().map(PathBuf::from)
    )]
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
    /// tallyboard_scrapes_total, tallyboard_scrapes_failed_total and
    /// tallyboard_scrape_duration_seconds. tallyboard_build_info and what it tells of the boards and
    /// of the programs on them stay
    #[arg(long = "web.disable-exporter-metrics")]
    disable_exporter_metrics: bool,

    #[command(flatten)]
    boards: ServedBoards,

    #[command(flatten)]
    made: MadeBoards,

    /// End series whose value has not changed for this long, such as 7d, on boards that may be
    /// written to; one that changes later begins again from zero. Infos stay [default: never]
    #[arg(long = "series.ttl", value_name = "DURATION", value_parser = parse_ttl)]
    ttl: Option<Duration>,

    #[command(flatten)]
    logging: Logging,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.logging.begin();
        let boards = self.boards.set(self.made.options())?;
        let SignalledRuntime { runtime, signals } = SignalledRuntime::new()?;
        let served = runtime.block_on(self.serve(boards, signals));
        // Not by dropping it, which waits for the pool: a password may take a minute to compare.
        runtime.shutdown_background();
        served
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
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting tallyboard");
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
        let given = self.web_config.as_ref();
        let Some(path) = given.filter(|path| !path.as_os_str().is_empty()) else {
            return Ok(None);
        };
        let config = WebConfig::open(path)
            .map_err(|problem| Failure::Failed(format!("--web.config.file {problem}")))?;
        let state = if config.has_tls() { "on" } else { "off" };
        tracing::info!(http2 = config.has_http2(), "TLS is {state}");
        Ok(Some(Arc::new(config)))
    }
}
