//! `tallyboard import-multiproc`

mod db_file;
mod directory;
mod mapped;
mod metric;
mod onto_board;
mod sample;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use tallyboard::Aggregation;

use super::board_option::BoardOption;
use super::failure::Failure;
use directory::Directory;
use mapped::Mapped;
use metric::{Metrics, Series};
use onto_board::Plan;
use sample::FileKind;

const MEANING: &str = "\
What is taken over:
  Counters, histograms and summaries are added to what the board has. Of gauges, `sum` is
  added, `min` and `max` count as one more process's value, and `mostrecent` is set where the
  board does not have the series yet: what it has is newer. The rest is left out, and said:
  `all`, since a series for a process can only be that process's own, and what begins with
  `live`, since those processes do not count on the board.

Once:
  A file is *.db.importing while its values are being added and *.db.imported afterwards, so
  that to import a directory again adds only what came since. If an import is ended halfway,
  the next one refuses to guess what is on the board, and says what can be done.

In this order:
  Stop the programs that write to the directory, import it, start them with Tallyboard. A
  file that a process still has open is left as it is; so is one that is damaged. The exit
  status is 1 then, and the other files are imported. If the board has no room for a metric,
  or has another definition of it, nothing is imported: --without leaves that metric out.";

/// Take over the values of a directory of prometheus_client's multiprocess mode
///
/// So that counters do not fall on the day when programs change to Tallyboard. DIR is what was
/// PROMETHEUS_MULTIPROC_DIR. The board is made if it is not there.
#[derive(Args, Debug)]
#[command(after_help = MEANING)]
pub(super) struct ImportMultiproc {
    /// The directory with the files of the processes, counter_PID.db and so on
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// A metric to leave out; may be given more than once
    #[arg(long, value_name = "METRIC")]
    without: Vec<String>,

    #[command(flatten)]
    board: BoardOption,
}

/// What the files say together.
#[derive(Default)]
struct Found {
    metrics: Metrics,
    files: Vec<String>,
    /// Gauges that no other process can keep.
    left_out: BTreeMap<String, Aggregation>,
    /// Files that stay as they are.
    refused: usize,
}

impl ImportMultiproc {
    pub(super) fn run(self) -> Result<(), Failure> {
        let location = self.board.shared_location()?;
        let directory = Directory::lock(&self.directory)?;
        let found = self.read(&directory)?;
        if found.files.is_empty() {
            return self.conclude(&found, "nothing to import");
        }
        let board = self.board.open_at(&location)?;
        directory.begin(&found.files)?;
        let done = Plan::make(&board, &found.metrics).map(Plan::carry_out);
        board.leave();
        done.inspect_err(|_| directory.give_up(&found.files))?;
        directory.end(&found.files)?;
        let (metrics, series) = found.metrics.count();
        let files = found.files.len();
        let done = format!("{files} files with {series} series of {metrics} metrics imported");
        self.conclude(&found, &done)
    }

    /// Reads all files. Says on stderr which ones it cannot use.
    fn read(&self, directory: &Directory) -> Result<Found, Failure> {
        let mut found = Found::default();
        let mapped = Mapped::look();
        for name in directory.files()? {
            match self.read_file(directory, &name, &mapped) {
                Ok((kind, series)) => {
                    found.take(kind, series);
                    found.files.push(name);
                }
                Err(why) => {
                    eprintln!("tallyboard: {name} is left as it is: {why}");
                    found.refused += 1;
                }
            }
        }
        Ok(found)
    }

    /// Reads one file as a whole, or not at all.
    fn read_file(
        &self,
        directory: &Directory,
        name: &str,
        mapped: &Mapped,
    ) -> Result<(FileKind, Vec<Series>), String> {
        let path = directory.path(name);
        let kind = FileKind::of(name)
            .ok_or("its name is none that prometheus_client gives; take it out of the directory")?;
        // A pipe could be waited for until the end of time.
        if !path.is_file() {
            return Err("it is no regular file; take it out of the directory".to_owned());
        }
        if let Some(user) = mapped.user_of(&path) {
            return Err(user.to_string());
        }
        let bytes = fs::read(&path).map_err(|error| format!("it cannot be read: {error}"))?;
        let entries = db_file::read(&bytes).map_err(|damage| damage.to_string())?;
        let wanted = entries.into_iter();
        let wanted = wanted.filter(|entry| !entry.key.is_of(&self.without));
        let series = metric::series_of(kind, wanted).map_err(|strange| strange.to_string())?;
        Ok((kind, series))
    }

    fn conclude(&self, found: &Found, done: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        writeln!(out, "{}: {done}", self.directory.display())?;
        for (name, how) in &found.left_out {
            writeln!(out, "left out: {name}, a gauge for each process ({how})")?;
        }
        match found.refused {
            0 => Ok(()),
            refused => Err(Failure::Failed(format!(
                "{refused} files were not imported; the lines above say why"
            ))),
        }
    }
}

impl Found {
    fn take(&mut self, kind: FileKind, series: Vec<Series>) {
        for series in series {
            match kind {
                FileKind::Gauge(how) if how.is_live() || how.is_by_process() => {
                    self.left_out.insert(series.metric, how);
                }
                _ => self.metrics.add(series),
            }
        }
    }
}
