//! `tallyboard dump`

mod by_process;
mod json;

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use tallyboard::Reader;

use super::board_option::BoardArgument;
use super::failure::Failure;
use crate::encode::{Encoder, Format, Source, Style};

/// Print everything on a board
///
/// JSON has all names as they are, whole numbers exactly, and the numbers that JSON does
/// not know as the strings "NaN", "+Inf" and "-Inf". In the other formats, characters that
/// older Prometheus versions do not allow in names are underscores. What each process contributes
/// to a gauge that is the sum (or the least, …) of several is in JSON, and in the text format in
/// comments.
#[derive(Args, Debug)]
pub(super) struct Dump {
    #[command(flatten)]
    board: BoardArgument,

    /// How to print it
    #[arg(long, value_enum, default_value_t = Shape::Text)]
    format: Shape,

    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// Prometheus text 0.0.4
    Text,
    /// OpenMetrics 1.0.0
    Openmetrics,
    /// One object with all families and their series
    Json,
}

impl Dump {
    pub(super) fn run(self) -> Result<(), Failure> {
        let board = self.board.read_only()?;
        let mut reader = Reader::new(&board);
        reader.refresh();
        let format = match self.format {
            _ if self.json => None,
            Shape::Json => None,
            Shape::Text => Some(Format::Text),
            Shape::Openmetrics => Some(Format::OpenMetrics),
        };
        let mut body = Vec::new();
        match format {
            Some(format) => {
                encode(&reader, format, &mut body);
                // OpenMetrics has no comments.
                if format == Format::Text {
                    by_process::write(&reader, &mut body)?;
                }
            }
            None => json::write(&board, &reader, &mut body)?,
        }
        self.board.complete(&board)?;
        let mut out = io::stdout().lock();
        out.write_all(&body)?;
        out.flush()?;
        Ok(())
    }
}

fn encode(reader: &Reader, format: Format, body: &mut Vec<u8>) {
    let mut encoder = Encoder::new(Style {
        format,
        ..Style::PLAIN
    });
    let source = Source {
        id: 0,
        label: None,
        reader,
    };
    encoder.encode(&[source], body);
    encoder.finish(body);
}
