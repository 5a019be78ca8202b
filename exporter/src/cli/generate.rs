//! `tallyboard generate`

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use super::failure::Failure;

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// Write the manual pages and the shells' completions, for packages
///
/// Made from the definition of this command line, so that they say what it does. The same
/// program writes the same bytes.
#[derive(Args, Debug)]
pub(super) struct Generate {
    /// The folder to write into, which is made if it is not there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

impl Generate {
    pub(super) fn run(self, command: Command) -> Result<(), Failure> {
        let cannot = |error: io::Error| {
            Failure::Failed(format!(
                "cannot write into {}: {error}; choose a folder that can be written to",
                self.folder.display()
            ))
        };
        fs::create_dir_all(&self.folder).map_err(cannot)?;
        // The one that clap adds only says to run `--help`, and has no page to itself.
        let mut command = command.disable_help_subcommand(true);
        clap_mangen::generate_to(command.clone(), &self.folder).map_err(cannot)?;
        let name = command.get_name().to_owned();
        for shell in SHELLS {
            clap_complete::generate_to(shell, &mut command, &name, &self.folder).map_err(cannot)?;
        }
        writeln!(
            io::stdout().lock(),
            "manual pages and completions are in {}",
            self.folder.display()
        )?;
        Ok(())
    }
}
