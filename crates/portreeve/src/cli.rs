//! The command line: what can be typed, and the commands that talk to a running Portreeve.
//!
//! `main.rs` parses with [`Cli::read`] and keeps for itself what runs in this process (`serve`, `config`, `call`,
//! `why`, `audit verify --data`). Everything else goes to [`run`], which opens one connection, does one thing, prints
//! it and says how the process ends.

mod connection;
mod duration;
mod failure;
mod reply;

mod serve;

mod access;
mod approval;
mod assessment;
mod document;
mod import;
mod publish;
mod search;
mod server;
mod tool;
mod waiting;

mod deployment;
mod environment;
mod metadata;

mod registry;

mod export_policy;
mod policy;
mod route;

mod client;
mod grant;
mod key;
mod secret;
mod user;

mod webhook;

mod audit;
mod doctor;
mod usage;
mod whoami;

mod call;
mod completions;
mod config;
mod partner;
mod why;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, value_parser};
use portreeve_core::secret::Secret;
use url::Url;

pub(crate) use audit::{AuditCommand, verdict as audit_verdict};
pub(crate) use call::CallArgs;
pub(crate) use completions::CompletionsArgs;
pub(crate) use config::ConfigCommand;
pub(crate) use connection::Connection;
pub(crate) use failure::Failure;
pub(crate) use partner::{PartnerCommand, run as run_partner};
pub(crate) use reply::{Reply, Verdict};
pub(crate) use serve::ServeArgs;
pub(crate) use why::WhyArgs;

/// An MCP registry and gateway in one binary.
#[derive(Debug, Parser)]
#[command(name = "portreeve", version, propagate_version = false, max_term_width = 100)]
pub(crate) struct Cli {
    /// What all commands take.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What all commands take.
///
/// The identifiers of the arguments are long on purpose: `server add` and `grant add` have a `--url` and a `--key` of
/// their own, and take these two as `--portreeve-url` and `--portreeve-key` ([`own_url`], [`own_key`]).
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Global {
    /// The running Portreeve
    #[arg(
        id = PORTREEVE_URL, long = "url", value_name = "URL", global = true,
        env = "PORTREEVE_URL", hide_env_values = true, default_value = "http://127.0.0.1:8080"
    )]
    pub(crate) url: Url,

    /// The API key [default: the content of `admin.key` in the data directory]
    #[arg(
        id = PORTREEVE_KEY, long = "key", value_name = "KEY", global = true,
        env = "PORTREEVE_KEY", hide_env_values = true, value_parser = as_secret
    )]
    pub(crate) key: Option<Secret>,

    /// The data directory [default: $XDG_DATA_HOME/portreeve or ~/.local/share/portreeve]
    #[arg(
        id = PORTREEVE_DATA, long = "data", value_name = "DIR", global = true,
        env = "PORTREEVE_DATA", hide_env_values = true
    )]
    pub(crate) data: Option<PathBuf>,

    /// Print the API's JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Whether `--data` was typed, and not taken from the environment.
    #[arg(skip)]
    pub(crate) data_typed: bool,
}

const PORTREEVE_URL: &str = "portreeve_url";
const PORTREEVE_KEY: &str = "portreeve_key";
const PORTREEVE_DATA: &str = "portreeve_data";

/// Everything that can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the registry, the gateway and the portal
    Serve(ServeArgs),
    /// What is done by a running Portreeve.
    #[command(flatten)]
    Remote(Remote),
    /// Call a tool through the gateway, as yourself
    Call(CallArgs),
    /// Explain what the gateway would decide, and why
    Why(WhyArgs),
    /// Check the configuration file, or print its JSON Schema
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Find and register partners' servers; write, check and sign a partner catalogue
    #[command(subcommand)]
    Partner(PartnerCommand),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
}

/// What is done by a running Portreeve.
#[derive(Debug, Subcommand)]
pub(crate) enum Remote {
    /// Register servers, and lead them through their life
    #[command(subcommand)]
    Server(server::ServerCommand),
    /// Publish a server.json over the registry API
    Publish(publish::PublishArgs),
    /// Find servers by what they are called, do, and what their tools are called
    Search(search::SearchArgs),
    /// Take entries over from other registries and catalogues
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// See what waits for a decision, and approve what was imported
    #[command(subcommand)]
    Waiting(waiting::WaitingCommand),
    /// Approve, hide and show the tools of a server
    #[command(subcommand)]
    Tool(tool::ToolCommand),
    /// Say where servers run, in which environment and version
    #[command(subcommand)]
    Deployment(deployment::DeploymentCommand),
    /// Make and describe environments
    #[command(subcommand)]
    Environment(environment::EnvironmentCommand),
    /// Define custom properties of servers, environments and deployments
    #[command(subcommand)]
    Metadata(metadata::MetadataCommand),
    /// Make registries: views of the entries, each with a path and readers of its own
    #[command(subcommand)]
    Registry(registry::RegistryCommand),
    /// Look at the gateway's routes, and change them
    #[command(subcommand)]
    Route(route::RouteCommand),
    /// Look at the policies of a route, and change them
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Print the files that make hosts use what is approved, and nothing else
    ExportPolicy(export_policy::ExportPolicyArgs),
    /// Look at calls that a person must allow first, and decide
    #[command(subcommand)]
    Approval(approval::ApprovalCommand),
    /// Make and revoke API keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Enter OAuth clients, look at those that registered themselves, and remove them
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Make users, put them into groups, disable them
    #[command(subcommand)]
    User(user::UserCommand),
    /// Keep named secrets, which are sealed and never shown again
    #[command(subcommand)]
    Secret(secret::SecretCommand),
    /// Tell others of changes, by signed requests
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// Grant rights to keys, users and groups, and take them back
    #[command(subcommand)]
    Grant(grant::GrantCommand),
    /// Write rules as text beside the grants: check, try, test and save them
    #[command(subcommand)]
    Access(access::AccessCommand),
    /// Read and verify the audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Show calls, errors and latencies
    Usage(usage::UsageArgs),
    /// Examine the installation
    Doctor,
    /// Show who the key belongs to
    Whoami,
}

// === impl Global ===

impl Global {
    /// The data directory that was named, else the default one.
    pub(crate) fn data_directory(&self) -> PathBuf {
        self.data
            .clone()
            .unwrap_or_else(crate::environment::default_data_directory)
    }
}

// === impl Cli ===

impl Cli {
    /// Reads the command line. The error prints itself and knows its exit code (2; 0 for `--help`).
    pub(crate) fn read<I>(arguments: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator,
        I::Item: Into<OsString> + Clone,
    {
        let mut matches = Self::command().try_get_matches_from(arguments)?;
        let data_typed = typed(&matches, PORTREEVE_DATA);
        let mut cli = Self::from_arg_matches_mut(&mut matches)?;
        cli.global.data_typed = data_typed;
        Ok(cli)
    }
}

/// Whether an argument was typed, at the command itself or at one of its parents.
fn typed(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
        || matches.subcommand().is_some_and(|(_, below)| typed(below, id))
}

/// The running Portreeve, for a command whose own `--url` is something else.
fn own_url() -> Arg {
    Arg::new(PORTREEVE_URL)
        .long("portreeve-url")
        .value_name("URL")
        .value_parser(value_parser!(Url))
        .help("The running Portreeve (`--url` before the command, or PORTREEVE_URL)")
        .help_heading("Connection")
}

/// The API key, for a command whose own `--key` is something else.
fn own_key() -> Arg {
    Arg::new(PORTREEVE_KEY)
        .long("portreeve-key")
        .value_name("KEY")
        .value_parser(as_secret)
        .help("The API key to call with (`--key` before the command, or PORTREEVE_KEY)")
        .help_heading("Connection")
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a parser that may fail")]
fn as_secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text.trim()))
}

// === running ===

/// Does what a running Portreeve is asked for, prints the answer, and says how the process ends.
pub(crate) fn run(global: &Global, command: Remote) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return print(global, Err(Failure::new(format!("cannot start: {error}")))),
    };
    let result = runtime.block_on(answer(global, command));
    print(global, result)
}

/// Prints a result as all commands do: replies to standard output, failures to standard error.
pub(crate) fn print(global: &Global, result: Result<Reply, Failure>) -> ExitCode {
    match result {
        Ok(reply) => {
            let text = if global.json {
                reply.body.to_string()
            } else {
                reply.text
            };
            // Nobody is left to be told when the reader has gone (`portreeve server list | head`).
            let _ = writeln!(io::stdout().lock(), "{text}");
            match reply.verdict {
                Verdict::Good => ExitCode::SUCCESS,
                Verdict::Bad => ExitCode::FAILURE,
            }
        }
        Err(failure) => {
            let _ = writeln!(io::stderr().lock(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn answer(global: &Global, command: Remote) -> Result<Reply, Failure> {
    let connection = Connection::open(global)?;
    match command {
        Remote::Server(command) => server::run(&connection, command).await,
        Remote::Publish(args) => publish::run(&connection, &args).await,
        Remote::Search(args) => search::run(&connection, &args).await,
        Remote::Import(command) => import::run(&connection, &global.data_directory(), command).await,
        Remote::Waiting(command) => waiting::run(&connection, command).await,
        Remote::Tool(command) => tool::run(&connection, command).await,
        Remote::Deployment(command) => deployment::run(&connection, command).await,
        Remote::Environment(command) => environment::run(&connection, command).await,
        Remote::Metadata(command) => metadata::run(&connection, command).await,
        Remote::Registry(command) => registry::run(&connection, command).await,
        Remote::Route(command) => route::run(&connection, command).await,
        Remote::Policy(command) => policy::run(&connection, command).await,
        Remote::ExportPolicy(args) => export_policy::run(&connection, &args).await,
        Remote::Approval(command) => approval::run(&connection, command).await,
        Remote::Key(command) => key::run(&connection, command).await,
        Remote::Client(command) => client::run(&connection, command).await,
        Remote::User(command) => user::run(&connection, command).await,
        Remote::Secret(command) => secret::run(&connection, command).await,
        Remote::Webhook(command) => webhook::run(&connection, command).await,
        Remote::Grant(command) => grant::run(&connection, command).await,
        Remote::Access(command) => access::run(&connection, command).await,
        Remote::Audit(command) => audit::run(&connection, command).await,
        Remote::Usage(args) => usage::run(&connection, &args).await,
        Remote::Doctor => doctor::run(&connection).await,
        Remote::Whoami => whoami::run(&connection).await,
    }
}
