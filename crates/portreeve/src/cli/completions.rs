//! `portreeve completions`: the script that teaches a shell the commands.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;

/// `portreeve completions`
#[derive(Debug, Clone, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

impl CompletionsArgs {
    /// Writes the script.
    pub(crate) fn write(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "portreeve", &mut script);
        to.write_all(&script)
    }
}
