//! `portreeve import clients`: what the hosts of this machine are set up to use, as entries. It shows what it found and
//! exactly what would be sent, and sends that only when a person says so. With `--rewrite` the hosts use the gateway's
//! routes from then on.
//!
//! Before: nothing. After: entries wait for approval as all others do; backups lie in the data directory.

mod backup;
mod form;
mod jsonc;
mod look;
mod registered;
mod rewrite;
mod show;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use portreeve_core::name::ServerName;
use portreeve_registry::clients::{CLIENTS, Proposals, Surroundings, System, proposals};
use serde_json::{Value, json};

use super::super::connection::{Connection, api_path};
use super::super::{Failure, Reply};
use crate::environment;
use look::Looked;
use registered::Standing;

/// What stands for a namespace while nobody named one.
const NO_NAMESPACE: &str = "your.namespace";

/// `portreeve import clients`
#[derive(Debug, Clone, Args)]
pub(crate) struct ClientsArgs {
    /// The namespace of the names that are proposed, as in `com.acme` [default: that of a right to publish]
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Only the files of this host, as `server install --list` names it; may be given several times
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
    /// The project whose files are read [default: the working directory]
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// The home folder [default: $HOME]
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Only show what was found and what would be sent
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do it without a question; without this and without a terminal nothing is sent or written
    #[arg(long, short)]
    yes: bool,
    /// Keep the entries as drafts
    #[arg(long, conflicts_with = "approve")]
    draft: bool,
    /// Approve them at once, where the caller may
    #[arg(long)]
    approve: bool,
    /// Take servers of this machine's own addresses as well, and grant the private hosts that entries need
    #[arg(long)]
    internal: bool,
    /// Point the hosts at the gateway's routes, for servers that have one; a backup is made first
    #[arg(long)]
    rewrite: bool,
    /// Put back what a backup holds: the last one, or the one with this number
    #[arg(
        long,
        value_name = "NUMBER",
        num_args = 0..=1,
        conflicts_with_all = ["rewrite", "approve", "draft", "dry_run", "host", "namespace"]
    )]
    restore: Option<Option<u32>>,
}

/// All that is known before anything is done.
struct Plan {
    looked: Looked,
    made: Proposals,
    standings: Vec<Standing>,
    namespace: String,
    /// Why the running Portreeve could not be asked.
    unasked: Option<Failure>,
}

pub(crate) async fn run(connection: &Connection, data: &Path, args: &ClientsArgs) -> Result<Reply, Failure> {
    if let Some(number) = args.restore {
        return backup::restore(data, number, |question| may_write(args, question));
    }
    check(args)?;
    let looked = look::look(&surroundings(args)?, &args.host);
    let plan = plan(connection, args, looked).await?;
    let mut body = show::body(&plan, args);
    let mut text = show::text(&plan, args);
    let asks = !args.yes && !args.dry_run && has_terminal();
    let has_new = plan.standings.contains(&Standing::New);
    if args.dry_run || !(args.yes || asks) {
        if args.rewrite && plan.unasked.is_none() {
            let planned = rewrite::plan(connection, &plan.looked, &plan.served()).await?;
            text.push_str(&show::pointed(&planned, "would be pointed at the gateway"));
            body["rewrite"] = planned.to_json();
        }
        text.push_str("\n\nNothing was sent or written. `--yes` does it.");
        return Ok(Reply::new(body, text));
    }
    if let Some(failure) = plan.unasked {
        return Err(failure);
    }
    // With a question, what is asked about stands above it, and is not said again.
    if asks {
        say(&text)?;
        text = String::new();
    }
    if has_new && (args.yes || asked(&format!("Register these at {}?", connection.base()))?) {
        if plan.namespace == NO_NAMESPACE {
            return Err(
                Failure::new("no namespace is known for the names: your rights name none")
                    .hint("name one, as in `--namespace com.acme`"),
            );
        }
        let done = registered::register(connection, &plan.made, &plan.standings, args).await;
        text.push_str(&show::registered(&done));
        body["registered"] = done.iter().map(registered::Done::to_json).collect();
    }
    let mut is_bad = body.get("registered").is_some_and(show::has_refused);
    if args.rewrite {
        let standings = registered::standings(connection, &plan.made, args.internal).await?;
        let plan = Plan { standings, ..plan };
        let planned = rewrite::plan(connection, &plan.looked, &plan.served()).await?;
        if asks {
            say(&show::pointed(&planned, "would be pointed at the gateway"))?;
        }
        if !planned.changes.is_empty() && (args.yes || asked("Write these files?")?) {
            let written = rewrite::write(data, &planned)?;
            text.push_str(&show::pointed(&planned, "are pointed at the gateway"));
            text.push_str(&show::written(&written));
            is_bad |= !written.failures.is_empty();
            body["written"] = written.to_json();
        } else if planned.changes.is_empty() {
            text.push_str(&show::pointed(&planned, "are pointed at the gateway"));
        }
        body["rewrite"] = planned.to_json();
    }
    Ok(Reply::new(body, text.trim_start().to_owned()).bad_if(is_bad))
}

fn check(args: &ClientsArgs) -> Result<(), Failure> {
    if let Some(host) = args
        .host
        .iter()
        .find(|host| !CLIENTS.iter().any(|client| client.id() == host.as_str()))
    {
        let known: Vec<&str> = CLIENTS.iter().map(|client| client.id()).collect();
        return Err(Failure::new(format!("no files of a host `{host}` are read"))
            .hint(format!("these are: {}", known.join(", "))));
    }
    if let Some(namespace) = &args.namespace
        && let Err(error) = format!("{namespace}/name").parse::<ServerName>()
    {
        return Err(
            Failure::new(format!("`{namespace}` is no namespace: {}", error.reason))
                .hint("a namespace looks like `com.acme`"),
        );
    }
    Ok(())
}

fn surroundings(args: &ClientsArgs) -> Result<Surroundings, Failure> {
    let system = match () {
        () if cfg!(windows) => System::Windows,
        () if cfg!(target_os = "macos") => System::MacOs,
        () => System::Linux,
    };
    let variable = |name: &str| environment::variable(name).map(PathBuf::from);
    // A home that was named has its own settings, and not those of whoever types.
    let config = match (&args.home, system) {
        (Some(_), _) | (None, System::MacOs) => None,
        (None, System::Windows) => variable("APPDATA"),
        (None, System::Linux) => variable("XDG_CONFIG_HOME"),
    };
    let home = args
        .home
        .clone()
        .or_else(|| variable("HOME"))
        .or_else(|| variable("USERPROFILE"));
    let home = home.ok_or_else(|| {
        Failure::new("the home folder is not known").hint("name it with `--home DIR`, or set HOME")
    })?;
    let project = match &args.project {
        Some(project) => project.clone(),
        None => std::env::current_dir()
            .map_err(|error| Failure::new(format!("cannot tell the working directory: {error}")))?,
    };
    Ok(Surroundings::new(
        system,
        absolute(&home)?,
        config,
        absolute(&project)?,
    ))
}

/// A folder that stays the same one wherever somebody stands: a backup remembers files by their whole path.
fn absolute(folder: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(folder)
        .map_err(|error| Failure::new(format!("cannot tell where `{}` is: {error}", folder.display())))
}

/// Makes proposals, and asks the running Portreeve what it has of them. Only a look may do without it.
async fn plan(connection: &Connection, args: &ClientsArgs, looked: Looked) -> Result<Plan, Failure> {
    let whoami = connection.get(&api_path!("whoami")).await;
    let (granted, unasked) = match whoami {
        Ok(answer) => (registered::namespace(&answer.body), None),
        Err(failure) => (None, Some(failure)),
    };
    let namespace = args.namespace.clone().or(granted);
    let namespace = namespace.unwrap_or_else(|| NO_NAMESPACE.to_owned());
    let origins = match &unasked {
        None => registered::origins(connection).await,
        Some(_) => vec![connection.base().clone()],
    };
    let made = proposals(&looked.found, &namespace, &origins);
    let standings = match &unasked {
        None => registered::standings(connection, &made, args.internal).await?,
        Some(_) => registered::unknown(&made, args.internal),
    };
    Ok(Plan {
        looked,
        made,
        standings,
        namespace,
        unasked,
    })
}

// === impl Plan ===

impl Plan {
    /// The places of what is registered already, with the name that it has there.
    fn served(&self) -> Vec<(usize, String)> {
        let pairs = self.made.proposals.iter().zip(&self.standings);
        let known = pairs.filter_map(|(proposal, standing)| match standing {
            Standing::Known { name } => Some((&proposal.seen, name)),
            Standing::New | Standing::Routed { .. } | Standing::Local => None,
        });
        known
            .flat_map(|(seen, name)| seen.iter().map(|place| (*place, name.clone())))
            .collect()
    }
}

// === at a terminal ===

fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether files may be written: `--yes` said so, or a person says so now. Where nobody can be asked, nobody agreed.
fn may_write(args: &ClientsArgs, question: &str) -> Result<bool, Failure> {
    if args.yes {
        return Ok(true);
    }
    if !has_terminal() {
        return Err(
            Failure::new("nothing was written: there is no terminal to ask at")
                .hint("`--yes` does it without a question"),
        );
    }
    asked(question)
}

fn say(text: &str) -> Result<(), Failure> {
    writeln!(io::stderr().lock(), "{text}").map_err(|error| Failure::new(format!("cannot write: {error}")))
}

fn asked(question: &str) -> Result<bool, Failure> {
    let failed = |error: io::Error| Failure::new(format!("cannot ask: {error}"));
    let mut terminal = io::stderr().lock();
    write!(terminal, "{question} [y/N] ")
        .and_then(|()| terminal.flush())
        .map_err(failed)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The request that registers a document: exactly what is sent, and what is shown.
fn request(document: &Value, args: &ClientsArgs) -> Value {
    json!({
        "document": document, "internal": args.internal, "approve": args.approve, "draft": args.draft,
    })
}
