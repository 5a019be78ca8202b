//! What the exporter says about itself and about the boards as such.

mod boards;
mod process;
mod workers;

use std::time::Duration;

use tallyboard::{Kind, LAYOUT_VERSION, Number};

use crate::boards::BoardSet;
use crate::encode::{FamilyWriter, Style};
use crate::failures::{Failures, REASONS};
use crate::workers::Workers;

/// A family of the exporter's own.
struct Own {
    name: &'static str,
    kind: Kind,
    help: &'static str,
}

const fn gauge(name: &'static str, help: &'static str) -> Own {
    Own {
        name,
        kind: Kind::Gauge,
        help,
    }
}

const fn counter(name: &'static str, help: &'static str) -> Own {
    Own {
        name,
        kind: Kind::Counter,
        help,
    }
}

const BUILD_INFO: Own = gauge(
    "tallyboard_build_info",
    "A metric with the constant value 1, labelled with the exporter's version and the layout version of boards it reads.",
);
const CLASHES: Own = gauge(
    "tallyboard_type_clashes",
    "Families left out of this scrape because an earlier family has their name with another type.",
);
const SCRAPES: Own = counter("tallyboard_scrapes_total", "Scrapes, this one included.");
const FAILED: Own = counter(
    "tallyboard_scrapes_failed_total",
    "Scrapes that were not answered to their end: `busy`, as many as --web.max-requests were being answered; `late`, the scraper's own timeout was over; `broken`, a board lost its memory or the exporter failed, and the log says more.",
);
const DURATION: Own = gauge(
    "tallyboard_scrape_duration_seconds",
    "How long this scrape took up to this line: to read and encode the boards, and for the client to take what stands before.",
);

/// The names that no board may take. Those of [the exporter's own process and
/// scrapes](Findings::exporter_metrics) are free where it does not tell of them.
pub(crate) fn reserved(exporter_metrics: bool) -> Vec<(&'static str, Kind)> {
    let of_exporter = process::all().chain([SCRAPES, FAILED, DURATION]);
    let of_exporter = of_exporter.filter(|_| exporter_metrics);
    let all = [BUILD_INFO, CLASHES].into_iter();
    let all = all.chain(boards::all()).chain(workers::all());
    all.chain(of_exporter)
        .map(|own| (own.name, own.kind))
        .collect()
}

/// What one scrape found out.
pub(crate) struct Findings<'a> {
    pub(crate) clashes: u64,
    pub(crate) scrapes: u64,
    pub(crate) failures: &'a Failures,
    pub(crate) took: Duration,
    pub(crate) workers: &'a Workers,
    /// Whether what is about the exporter alone is written, too.
    pub(crate) exporter_metrics: bool,
}

/// Appends all of it.
pub(crate) fn write(boards: &BoardSet, found: &Findings<'_>, style: Style, out: &mut Vec<u8>) {
    let layout = LAYOUT_VERSION.to_string();
    family(&BUILD_INFO, style, out).sample(
        &[
            ("version", env!("CARGO_PKG_VERSION")),
            ("layout_version", &layout),
        ],
        Number::Int(1),
    );
    boards::write(boards, style, out);
    family(&CLASHES, style, out).sample(&[], Number::Int(found.clashes));
    workers::write(found.workers, style, out);
    if !found.exporter_metrics {
        return;
    }
    process::write(style, out);
    family(&SCRAPES, style, out).sample(&[], Number::Int(found.scrapes));
    let mut failed = family(&FAILED, style, out);
    for (reason, word) in REASONS {
        let number = Number::Int(found.failures.number(reason));
        failed.sample(&[("reason", word)], number);
    }
    let took = Number::Float(found.took.as_secs_f64());
    family(&DURATION, style, out).sample(&[], took);
}

fn family<'a>(own: &Own, style: Style, out: &'a mut Vec<u8>) -> FamilyWriter<'a> {
    FamilyWriter::new(style, own.name, own.kind, own.help, out)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tallyboard::{Board, Location};

    use super::*;
    use crate::boards::BoardSpec;

    fn written(boards: &BoardSet, exporter_metrics: bool) -> String {
        let found = Findings {
            clashes: 0,
            scrapes: 1,
            failures: &Failures::default(),
            took: Duration::from_millis(2),
            workers: &Workers::default(),
            exporter_metrics,
        };
        let mut out = Vec::new();
        write(boards, &found, Style::PLAIN, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_family_is_reserved_and_named_as_prometheus_wants() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let at = Location::Path(directory.path().join("a.v1.board"));
        let board = Board::open(&at).unwrap();
        let jobs = board.counter("jobs_total", "").labels(&["job"]);
        let jobs = jobs.series_cap(1).family().unwrap();
        for job in ["a", "b"] {
            jobs.with(&[job]);
        }
        let waits = |bounds: &[f64]| board.histogram("wait", "").buckets(bounds).register();
        let _definitions = [waits(&[1.0]).unwrap(), waits(&[2.0]).unwrap()];
        let mut boards = BoardSet::new(vec![BoardSpec::one(at).unwrap()], None);
        boards.refresh();

        let text = written(&boards, true);
        let types = text.lines().filter(|line| line.starts_with("# TYPE "));
        let types: BTreeSet<&str> = types.map(|line| line.split(' ').nth(2).unwrap()).collect();
        // Of nobody.
        let workers = workers::all().map(|own| own.name);
        let types: BTreeSet<&str> = types.into_iter().chain(workers).collect();
        let reserved = reserved(true);
        assert_eq!(types, reserved.iter().map(|(name, _)| *name).collect());
        for (name, kind) in reserved {
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        }
    }

    #[test]
    fn what_is_about_the_exporter_alone_can_be_left_out() {
        let nowhere = BoardSet::new(Vec::new(), None);
        let all = written(&nowhere, true);
        assert!(all.contains("process_"), "{all}");
        assert!(all.contains("tallyboard_scrape_duration_seconds 0.002\n"));
        let without = written(&nowhere, false);
        assert!(without.contains("tallyboard_build_info{"));
        assert!(!without.contains("process_") && !without.contains("tallyboard_scrape"));
    }
}
