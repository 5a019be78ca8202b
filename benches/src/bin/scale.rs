//! A board of a million counters with two labels, and how fast it is encoded.
//!
//! ```text
//! scale board FILE    makes it
//! scale encode FILE   encodes it in each format, beside a copy of as many bytes; exits with 1 where
//!                     that is slower than 800 MB/s and than half of the copy
//! ```
//!
//! Both sides of a round run one right after the other, and each side's best round counts.

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use tallyboard::{Board, Location, Reader};
use tallyboard_benches::peers;
use tallyboard_exporter::encode::{Encoder, Escaping, Exposition, Format, Pass, Source, Style};

const SERIES: usize = 1_000_000;
const ROUNDS: usize = 7;
/// Bytes in a second that are enough on any machine.
const ENOUGH: f64 = 800e6;
/// As the server makes its bodies.
const PIECE: usize = 64 << 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["board", file] => board(file.as_ref()),
        ["encode", file] => return encode(file.as_ref()),
        _ => panic!("usage: scale board|encode FILE"),
    }
    ExitCode::SUCCESS
}

fn board(file: &Path) {
    let at = Location::Path(file.to_owned());
    // What is not a counter has room, too.
    let options = Board::options().slots(SERIES as u32 + 1024);
    let board = options.create(&at).expect("a board");
    peers::on_board(&board, SERIES);
}

fn encode(file: &Path) -> ExitCode {
    let board = Board::options().attach_read_only(&Location::Path(file.to_owned()));
    let board = board.expect("a board");
    let mut reader = Reader::new(&board);
    reader.refresh();
    let formats = [Format::Text, Format::OpenMetrics, Format::Protobuf];
    let kept = formats.into_iter().filter(|format| {
        let style = Style {
            format: *format,
            escaping: Escaping::Underscores,
            created: false,
        };
        !is_fast(&mut reader, style)
    });
    match kept.count() {
        0 => ExitCode::SUCCESS,
        slow => {
            eprintln!("{slow} formats are slower than 800 MB/s and than half of memcpy");
            ExitCode::FAILURE
        }
    }
}

fn is_fast(reader: &mut Reader, style: Style) -> bool {
    let mut encoder = Encoder::new(style);
    let mut expose = |reader: &Reader| {
        let source = Source {
            id: 0,
            label: None,
            reader,
        };
        Arc::new(encoder.expose(&[source]))
    };
    let exposition = expose(reader);
    let len = whole(&exposition);
    let (mut encoded, mut copied, mut exposed) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
    let from = vec![b'x'; len];
    let mut to = vec![0; len];
    for _ in 0..ROUNDS {
        exposed = exposed.min(seconds(|| {
            reader.refresh();
            black_box(expose(reader));
        }));
        encoded = encoded.min(seconds(|| assert_eq!(whole(&exposition), len)));
        copied = copied.min(seconds(|| {
            black_box(&mut to).copy_from_slice(black_box(&from))
        }));
    }
    let speed = |seconds: f64| len as f64 / seconds;
    let least = ENOUGH.min(speed(copied) / 2.0);
    println!(
        "{:?}: {:.0} MB at {:.0} MB/s, memcpy {:.0} MB/s (at least {:.0}); before the first byte {:.1} % of it",
        style.format,
        len as f64 / 1e6,
        speed(encoded) / 1e6,
        speed(copied) / 1e6,
        least / 1e6,
        100.0 * exposed / encoded,
    );
    speed(encoded) >= least
}

/// Makes a body in pieces, and says how long it is.
fn whole(exposition: &Arc<Exposition>) -> usize {
    let mut pass = Pass::new(exposition.clone(), Arc::default());
    let mut len = 0;
    loop {
        let mut piece = Vec::with_capacity(PIECE + PIECE / 8);
        let more = pass.fill(PIECE, &mut piece);
        len += black_box(&piece).len();
        if !more {
            assert_eq!(pass.series(), SERIES as u64);
            return len;
        }
    }
}

fn seconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}
