//! The arguments of `portreeve config`.

use std::path::PathBuf;

use clap::Subcommand;

/// `portreeve config`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read a configuration file, and say what is wrong with it
    Check {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the JSON Schema of the configuration file
    Schema,
}
