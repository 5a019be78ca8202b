//! The command `tallyboard`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    tallyboard_exporter::main()
}
