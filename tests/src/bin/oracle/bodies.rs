//! One case: some boards, and their bodies in every style.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tallyboard::{Board, Location, Reader};
use tallyboard_exporter::encode::{Encoder, Escaping, Format, Source, Style};
use tempfile::TempDir;

use crate::chance::Chance;
use crate::filling::Filling;
use crate::texts;
use crate::truth::{BoardTruth, Body, CaseTruth};

/// Room for everything that chance may put on one.
const SLOTS: u32 = 4096;

const FORMATS: &[(&str, Format, bool)] = &[
    ("text", Format::Text, false),
    ("openmetrics", Format::OpenMetrics, false),
    ("openmetrics", Format::OpenMetrics, true),
    ("protobuf", Format::Protobuf, false),
];
const ESCAPINGS: &[(&str, Escaping)] = &[
    ("underscores", Escaping::Underscores),
    ("dots", Escaping::Dots),
    ("values", Escaping::Values),
    ("allow-utf-8", Escaping::AllowUtf8),
];

/// A way to write a body, and what it is called.
struct Writer {
    format: &'static str,
    escaping: &'static str,
    style: Style,
    encoder: Encoder,
}

impl Writer {
    fn all() -> Vec<Writer> {
        let styles = FORMATS
            .iter()
            .flat_map(|format| ESCAPINGS.iter().map(move |escaping| (format, escaping)));
        styles
            .map(|(&(format, of, created), &(escaping, how))| {
                let style = Style {
                    format: of,
                    escaping: how,
                    created,
                };
                Writer {
                    format,
                    escaping,
                    style,
                    encoder: Encoder::new(style),
                }
            })
            .collect()
    }

    fn write(&mut self, sources: &[Source<'_>]) -> Body {
        let mut bytes = Vec::new();
        let encoded = self.encoder.encode(sources, &mut bytes);
        self.encoder.finish(&mut bytes);
        Body {
            format: self.format,
            escaping: self.escaping,
            created: self.style.created,
            bytes: BASE64_STANDARD.encode(&bytes),
            clashes: encoded.clashes,
        }
    }
}

/// Everything of one seed. Half of it is counted when the encoders write for the first time, so that what they keep
/// is old when they write what is judged.
pub fn case(seed: u64) -> CaseTruth {
    let mut chance = Chance::new(seed);
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in shared memory");
    let names: Vec<String> = (0..6).map(|_| texts::name(&mut chance)).collect();
    let count = [1, 1, 2, 3][chance.below(4)];
    let labels = labels(&mut chance, count);
    let boards: Vec<Board> = (0..count).map(|number| board(&folder, number)).collect();
    let mut fillings: Vec<Filling<'_>> = boards.iter().map(Filling::new).collect();
    let mut readers: Vec<Reader> = boards.iter().map(Reader::new).collect();
    let mut writers = Writer::all();

    let mut grow = |fillings: &mut [Filling<'_>]| {
        for filling in fillings {
            for _ in 0..1 + chance.below(3) {
                filling.grow(&mut chance, &names);
            }
        }
    };
    let write = |writers: &mut [Writer], readers: &mut [Reader]| -> Vec<Body> {
        for reader in &mut *readers {
            reader.refresh();
        }
        let sources: Vec<Source<'_>> = (readers.iter().zip(&labels).zip(0..))
            .map(|((reader, label), id)| Source {
                id,
                label: label.as_deref(),
                reader,
            })
            .collect();
        writers
            .iter_mut()
            .map(|writer| writer.write(&sources))
            .collect()
    };
    grow(&mut fillings);
    write(&mut writers, &mut readers);
    grow(&mut fillings);
    let bodies = write(&mut writers, &mut readers);

    for (filling, reader) in fillings.iter_mut().zip(&readers) {
        filling.complete(reader);
    }
    let boards = (fillings.into_iter().zip(labels))
        .map(|(filling, label)| BoardTruth {
            label,
            families: filling.families,
        })
        .collect();
    CaseTruth {
        seed,
        pid: std::process::id(),
        boards,
        bodies,
    }
}

/// What tells the boards apart; a single one may go without.
fn labels(chance: &mut Chance, count: usize) -> Vec<Option<String>> {
    if count == 1 && chance.percent(70) {
        return vec![None];
    }
    // An exporter's boards all have names, and different ones.
    (0..count)
        .map(|number| Some(format!("{}{number}", texts::hostile(chance))))
        .collect()
}

fn board(folder: &TempDir, number: usize) -> Board {
    let location = Location::Path(folder.path().join(format!("{number}.board")));
    Board::options()
        .slots(SLOTS)
        .create(&location)
        .expect("a board in shared memory")
}
