//! The arguments of `portreeve why`.

use clap::Args;

use super::call::ToolArguments;

/// `portreeve why`
#[derive(Debug, Clone, Args)]
pub(crate) struct WhyArgs {
    /// Whose call: `key:NAME`, `user:NAME` or `anonymous` [default: the caller]
    #[arg(long = "as", value_name = "WHO")]
    pub(crate) who: Option<String>,
    /// As if the call came through this OAuth client
    #[arg(long, value_name = "ID")]
    pub(crate) client: Option<String>,
    /// As if its access token had this scope; may be given several times [default: all of the route's]
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<String>,
    /// As if the caller were in this group as well; may be given several times
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Vec<String>,
    /// The server's name, as in `com.acme/billing`, or the slug of its route
    pub(crate) name: String,
    /// The tool's name
    pub(crate) tool: String,
    #[command(flatten)]
    pub(crate) arguments: ToolArguments,
}
