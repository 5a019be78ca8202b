//! `tallyboard textfile`

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::time::MissedTickBehavior;

use super::failure::Failure;
use super::logging::Logging;
use super::served_boards::ServedBoards;
use super::signals::{SignalledRuntime, StopSignals};
use crate::config::parse_interval;
use crate::encode::Style;
use crate::scrape::Scraper;

/// What the node exporter is to read, whoever it runs as.
const MODE: u32 = 0o644;

/// Write boards to a file for node_exporter's textfile collector
///
/// For machines where a node_exporter is scraped already and no further port is wanted. The
/// file is replaced as a whole, has no timestamps, and node_exporter says how old it is
/// (node_textfile_mtime_seconds). On SIGTERM and SIGINT it is written once more and stays:
/// counters do not go down because this command ended.
///
/// It holds what `serve` would show but for what is about the exporter's own process. Boards are
/// only read; the programs that count keep them in order. node_exporter answers with an error
/// when a series is there twice: so let one command write all boards, and have no metrics on
/// them that are called like its own (node_..., go_...).
#[derive(Args, Debug)]
pub(super) struct Textfile {
    /// The file, in the directory that node_exporter's --collector.textfile.directory names;
    /// its name has to end in .prom
    #[arg(long, value_name = "FILE.prom", value_parser = parse_output)]
    output: PathBuf,

    /// Time between two writes, such as 10s
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_interval)]
    interval: Duration,

    /// Write it once and end; it is an error then if no board is there
    #[arg(long, conflicts_with = "interval")]
    once: bool,

    #[command(flatten)]
    boards: ServedBoards,

    #[command(flatten)]
    logging: Logging,
}

impl Textfile {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.logging.begin();
        let scraper = Scraper::new(self.boards.set(None)?).without_exporter_metrics();
        if self.once {
            return self.write_once(scraper);
        }
        let SignalledRuntime { runtime, signals } = SignalledRuntime::new()?;
        runtime.block_on(self.write_on(scraper, signals))
    }

    fn write_once(&self, mut scraper: Scraper) -> Result<(), Failure> {
        if !scraper.follow().is_ready() {
            return Err(Failure::Failed(
                "there is no board to read; the lines above say why".to_owned(),
            ));
        }
        self.write(&mut scraper).map_err(Failure::Failed)
    }

    async fn write_on(self, mut scraper: Scraper, mut signals: StopSignals) -> Result<(), Failure> {
        // What cannot be written at all is said now and not only in the log.
        self.write(&mut scraper).map_err(Failure::Failed)?;
        let mut tick = tokio::time::interval(self.interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.tick().await;
        let mut problem = None;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = signals.wait() => break,
            }
            let failed = self.write(&mut scraper).err();
            if let Some(failed) = &failed
                && problem.as_ref() != Some(failed)
            {
                tracing::warn!("{failed}; it is tried again");
            }
            problem = failed;
        }
        self.write(&mut scraper).map_err(Failure::Failed)
    }

    fn write(&self, scraper: &mut Scraper) -> Result<(), String> {
        let mut text = Vec::new();
        scraper.scrape(Style::PLAIN, &mut text);
        let written = replace(&self.output, &text);
        written.map_err(|error| format!("cannot write {}: {error}", self.output.display()))
    }
}

/// Replaces the file as a whole: who reads it sees the one before or this one. What a kill leaves
/// does not end in `.prom`, so nobody takes it for metrics.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    // A bare name has the empty path for a parent.
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut file = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".tmp")
        .tempfile_in(directory)?;
    file.write_all(text)?;
    // Now, since the umask does not count here.
    file.as_file()
        .set_permissions(Permissions::from_mode(MODE))?;
    file.persist(path)?;
    Ok(())
}

/// A file that the collector would read.
fn parse_output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_read = path
        .extension()
        .is_some_and(|extension| extension == "prom");
    if is_read {
        Ok(path)
    } else {
        Err("node_exporter reads only files whose names end in .prom".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_what_the_collector_reads_is_written() {
        assert!(parse_output("/var/lib/node_exporter/tallyboard.prom").is_ok());
        for text in ["", "tallyboard", "tallyboard.prom.tmp", ".prom", "/"] {
            assert!(parse_output(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.prom");
        for text in ["first", "second"] {
            replace(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, MODE);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let nowhere = directory.path().join("nowhere").join("a.prom");
        assert!(replace(&nowhere, b"").is_err());
    }
}
