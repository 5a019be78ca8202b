//! A storm of writers in three languages, killed, stopped and interrupted at any instruction.
//!
//! All count on one board, and each keeps books of what it has begun and done. An exporter is scraped all the while:
//! no scrape fails, no counter goes down, and each value is at least what was done before the scrape and at most
//! what was begun by its end. In the end the same holds of the board, and nothing is left of the dead.

mod lane;
mod scrapes;
mod truth;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use lane::{Lane, Language};
use rustix::process::set_child_subreaper;
use scrapes::Scrapes;
use tallyboard::{Board, Histogram, Location, Reader};
use tallyboard_tests::{PASSING_SECONDS, next_random};
use truth::Truth;

/// Fewer rows than processes that will have lived: each has to be taken over many times.
const ROWS: u32 = 40;
/// A stopped writer goes on by chance, once in so many looks.
const STOP_LOOKS: u64 = 40;

/// Kills, stops and interrupts writers on one board, and looks whether anything is lost or leaked.
#[derive(Parser)]
struct Options {
    /// How long, at least
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many writers are killed, at least
    #[arg(long, default_value_t = 1_000)]
    kills: u64,
    /// Of what is random [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// The writer in C
    #[arg(long)]
    c: Option<PathBuf>,
    /// The writer in Python
    #[arg(long)]
    python: Option<PathBuf>,
}

/// What was done to writers.
#[derive(Debug, Default)]
struct Deeds {
    kills: u64,
    stops: u64,
    signals: u64,
    moves: u64,
}

fn main() {
    let options = Options::parse();
    let seed = options.seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        u64::from(now.expect("after 1970").subsec_nanos())
    });
    println!("seed {seed}");
    // Children of the killed are waited for here.
    set_child_subreaper(Some(rustix::process::getpid())).expect("the option is known");
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in shared memory");
    let path = folder.path().join("torture.board");
    let board = Board::options()
        .processes(ROWS)
        .keep_dead(Duration::from_secs(1))
        .create(&Location::Path(path.clone()))
        .expect("a new board");

    let languages = languages(&options);
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut lanes: Vec<Lane> = languages
        .into_iter()
        .enumerate()
        .map(|(number, language)| Lane::start(folder.path(), &path, number, language, &mut random))
        .collect();
    let books: Vec<&Path> = lanes.iter().flat_map(Lane::books).collect();
    let scrapes = Scrapes::start(&path, folder.path(), Truth::open(&books));
    let truth = Truth::open(&books);
    let begun = Instant::now();
    let deeds = storm(&options, &board, &mut lanes, &scrapes, &mut random);
    let took = begun.elapsed();
    drop(lanes);

    // The dead are seen before anybody has reaped them.
    let (count, last) = scrapes.stop();
    last.assert_nobody_lives();
    println!("{deeds:?}, {count} scrapes, in {took:.0?}");
    for _ in 0..2 {
        board.reap();
        truth.assert_board(&board);
        // What the dead left in `all` is kept for a second.
        thread::sleep(Duration::from_millis(2_100));
    }
    assert_nothing_is_left(&board);
}

/// Half of the writers are in Rust; a language that is not there is Rust, too.
fn languages(options: &Options) -> Vec<Language> {
    let or_rust = |program: &Option<PathBuf>, language: fn(PathBuf) -> Language| {
        program.clone().map_or(Language::Rust, language)
    };
    let c = or_rust(&options.c, Language::C);
    let python = or_rust(&options.python, Language::Python);
    let mut languages = vec![Language::Rust; 4];
    languages.extend([c.clone(), c, python.clone(), python]);
    languages
}

fn storm(
    options: &Options,
    board: &Board,
    lanes: &mut [Lane],
    scrapes: &Scrapes,
    random: &mut u64,
) -> Deeds {
    let begun = Instant::now();
    let length = Duration::from_secs(options.seconds);
    let mut deeds = Deeds::default();
    let mut below = |end: usize| {
        *random = next_random(*random);
        (*random >> 24) as usize % end
    };
    for look in 0_u64.. {
        let part = begun.elapsed().as_secs_f64() / length.as_secs_f64().max(0.001);
        if part >= 1.0 && deeds.kills >= options.kills {
            break;
        }
        scrapes.check();
        for lane in lanes.iter_mut() {
            lane.check();
            if below(STOP_LOOKS as usize) == 0 {
                lane.go_on();
            }
        }
        if (deeds.kills as f64) < part * options.kills as f64 {
            let mut seed = below(usize::MAX) as u64;
            lanes[below(8)].replace(&mut seed);
            deeds.kills += 1;
        }
        let lane = &mut lanes[below(8)];
        match below(6) {
            0 => deeds.stops += u64::from(lane.stop()),
            1 | 2 => deeds.signals += u64::from(lane.interrupt()),
            3 => deeds.moves += u64::from(lane.move_to(below(1 << 16))),
            _ => {}
        }
        if look % 500 == 0 {
            board.reap();
        }
        thread::sleep(Duration::from_micros(below(2_000) as u64));
    }
    deeds
}

/// Ends all series: then only the definitions are there, and no slot is lost.
fn assert_nothing_is_left(board: &Board) {
    board.reap();
    let faults: Vec<String> = board.check().iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let stats = board.stats();
    println!(
        "{} processes reaped, {} parts of gauges folded, {} slots given back",
        stats.reaped, stats.folded, stats.reclaimed
    );
    assert!(
        stats.refused.iter().all(|(_, times)| *times == 0),
        "{stats:?}"
    );
    assert_eq!(stats.parts, 0, "what the dead contributed is not folded");
    assert_eq!(stats.processes_used, 0);
    truth::remove_all_series(board);
    board.reap();
    let stats = board.stats();
    assert_eq!((stats.series, stats.damaged), (0, 0));
    // A histogram's definition needs slots for its bounds: as many as it needs on a board where nobody died.
    let fresh = Board::open(&Location::Private).expect("a board");
    let histogram = |name: &str, label: &str| {
        let builder: tallyboard::Builder<Histogram> = fresh.histogram(name, "Durations.");
        builder.labels(&[label]).family().expect("there is room");
    };
    histogram("torture_seconds", "series");
    histogram(PASSING_SECONDS, "number");
    let expected = fresh.stats().slots_used - 2 + stats.families;
    // Writers that disagree about a help text would make one of these: not lost, and not meant.
    let mut reader = Reader::new(board);
    reader.refresh();
    let families = reader.families().iter();
    let reworded: Vec<&str> = families
        .filter(|family| family.words_tag != family.tag)
        .map(|family| family.name.as_str())
        .collect();
    assert_eq!(
        stats.slots_used, expected,
        "slots are lost, or definitions reworded {reworded:?}: {stats:?}"
    );
    println!("the definitions are left, and no other slot: {expected}");
}
