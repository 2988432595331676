//! `portreeve partner`: the partner's side, the reviewer's, and that of the catalogue's keepers, which work on files and need no
//! running Portreeve; and in `registry` what a running one makes of catalogues.

mod bundle;
mod check;
mod files;
mod init;
mod registry;
mod render;
mod sign;

use std::path::PathBuf;

use clap::{Arg, Args, Subcommand};
use portreeve_core::time::{Clock, SystemClock};

use super::{Connection, Failure, Global, Reply, own_key};

/// `portreeve partner`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum PartnerCommand {
    /// What a running Portreeve answers.
    #[command(flatten)]
    Registry(registry::RegistryCommand),
    /// Write the files of a new partner
    Init {
        /// The partner's folder; it is called as the partner is
        #[arg(value_name = "DIR", default_value = ".")]
        directory: PathBuf,
        /// Begin with a file of the Azure catalogue
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
    /// Check a partner, or a folder of partners
    Check(CheckArgs),
    /// Write a partner's servers as files of the Azure catalogue
    Export {
        /// The partner's folder
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Where the files go
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Print the JSON Schema of partner.toml
    Schema,
    /// Show the catalogue that this program carries
    List,
    /// Make a key to sign with, and print its public half
    Key {
        /// Where the private half goes; nobody else can read the file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Sign a partner's content with the key that its domain shows
    #[command(arg = hidden_key())]
    Sign(SignArgs),
    /// Sign a partner's content as its reviewer
    #[command(arg = hidden_key())]
    Approve {
        /// The partner's folder
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// The reviewer's private key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Who reviewed it
        #[arg(long, value_name = "NAME")]
        reviewer: String,
    },
    /// Make a signed catalogue of a folder of partners
    #[command(arg = hidden_key())]
    Bundle(BundleArgs),
    /// Say whether a catalogue can be trusted, and what stands in it
    Verify(VerifyArgs),
    /// Let an old key say that a new one signs from now on
    #[command(arg = hidden_key())]
    Rotate {
        /// The old private key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The new public key, as `portreeve partner key` prints it
        #[arg(long, value_name = "KEY")]
        to: String,
        /// Where the handover goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// What is checked, and how.
#[derive(Debug, Clone, Args)]
pub(crate) struct CheckArgs {
    /// A partner's folder, or a folder of partners
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Ask nobody: only what the files themselves show
    #[arg(long)]
    offline: bool,
    /// Print Markdown, fit for a comment on a pull request
    #[arg(long)]
    markdown: bool,
    /// Let addresses lead into private networks
    #[arg(long)]
    internal: bool,
    /// A configuration file whose `[egress]` and name server are taken
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Also write the evidence to a file, for `portreeve partner bundle`
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
}

/// What is signed for a domain.
#[derive(Debug, Clone, Args)]
pub(crate) struct SignArgs {
    /// The partner's folder
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The private key whose public half the domain shows
    #[arg(long, value_name = "FILE", required_unless_present = "statement")]
    key: Option<PathBuf>,
    /// Print what is to be signed, to sign it elsewhere (P-384, a key in hardware)
    #[arg(long, conflicts_with = "key")]
    statement: bool,
}

/// What is bundled.
#[derive(Debug, Clone, Args)]
pub(crate) struct BundleArgs {
    /// The folder of partners
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The private key that signs
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the catalogue goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What was withdrawn: a JSON list of `{"partner", "server", "what": "delisted" or "revoked", "reason"}`
    #[arg(long, value_name = "FILE")]
    withdrawn: Option<PathBuf>,
    /// What `portreeve partner check --evidence` wrote; without it every partner is unverified
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    /// The catalogue before this one; the version becomes the next
    #[arg(long, value_name = "FILE")]
    after: Option<PathBuf>,
    /// How long it is good
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// Handovers of keys that `portreeve partner rotate` wrote
    #[arg(long = "rotation", value_name = "FILE")]
    rotations: Vec<PathBuf>,
}

/// What is verified.
#[derive(Debug, Clone, Args)]
pub(crate) struct VerifyArgs {
    /// The catalogue
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Public keys that are trusted
    #[arg(long, value_name = "KEY", required = true, num_args = 1.., value_delimiter = ',')]
    keys: Vec<String>,
    /// Public keys of reviewers whose approval makes an official partner
    #[arg(long, value_name = "KEY", num_args = 1.., value_delimiter = ',')]
    reviewers: Vec<String>,
    /// The catalogue that is held: the other one must be newer
    #[arg(long, value_name = "FILE")]
    held: Option<PathBuf>,
}

fn hidden_key() -> Arg {
    own_key().hide(true)
}

/// Does what is asked for.
pub(crate) async fn run(global: &Global, command: PartnerCommand) -> Result<Reply, Failure> {
    let now = SystemClock.now();
    match command {
        PartnerCommand::Registry(command) => registry::run(&Connection::open(global)?, command).await,
        PartnerCommand::Init { directory, from } => init::run(&directory, from.as_deref()),
        PartnerCommand::Check(args) => check::run(&args, now).await,
        PartnerCommand::Export { directory, out } => init::export(&directory, &out),
        PartnerCommand::Schema => {
            let schema = portreeve_registry::partners::partner_schema();
            let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
            Ok(Reply::new(schema, text))
        }
        PartnerCommand::List => bundle::carried(now),
        PartnerCommand::Key { file } => sign::key(&file),
        PartnerCommand::Sign(args) => sign::sign(&args),
        PartnerCommand::Approve {
            directory,
            key,
            reviewer,
        } => sign::approve(&directory, &key, (&reviewer, now)),
        PartnerCommand::Bundle(args) => bundle::bundle(&args, now),
        PartnerCommand::Verify(args) => bundle::verify(&args, now),
        PartnerCommand::Rotate { key, to, out } => sign::rotate(&key, (&to, now), &out),
    }
}
