//! The arguments of `portreeve why`.

use clap::Args;

use super::call::ToolArguments;

/// `portreeve why`
#[derive(Debug, Clone, Args)]
pub(crate) struct WhyArgs {
    /// Whose call: `key:NAME`, `user:NAME` or `anonymous` [default: the caller]
    #[arg(long = "as", value_name = "WHO")]
    pub(crate) who: Option<String>,
    /// The server's name, as in `com.acme/billing`, or the slug of its route
    pub(crate) name: String,
    /// The tool's name
    pub(crate) tool: String,
    #[command(flatten)]
    pub(crate) arguments: ToolArguments,
}
