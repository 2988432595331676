//! What a developer's hosts are set up to use: where each host keeps its configuration, how one server stands in it,
//! and the `server.json` that can be made of it without a secret.
//!
//! Before: the command line reads the files of this machine. After: it shows what would be sent, sends it, and may
//! point the hosts at the gateway instead. Nothing here opens a file. To add a host: one file, and one line in
//! `CLIENTS`.

mod argument;
mod identity;
mod package;
mod private;
mod proposal;
mod read;
mod runner;

mod claude_code;
mod claude_desktop;
mod codex;
mod copilot_cli;
mod cursor;
mod gemini;
mod goose;
mod jetbrains;
mod kiro;
mod lm_studio;
mod visual_studio;
mod vscode;
mod windsurf;
mod zed;

use std::path::{Path, PathBuf};

use portreeve_core::secret::Secret;
use serde_json::Value;
use url::Url;

pub use identity::Identity;
pub use proposal::{Proposal, Proposals, proposals};

/// The hosts, in the order in which their files are read.
pub const CLIENTS: [&dyn Client; 15] = [
    &vscode::VsCode::STABLE,
    &vscode::VsCode::INSIDERS,
    &visual_studio::VisualStudio,
    &claude_code::ClaudeCode,
    &claude_desktop::ClaudeDesktop,
    &cursor::Cursor,
    &copilot_cli::CopilotCli,
    &codex::Codex,
    &gemini::Gemini,
    &jetbrains::JetBrains,
    &windsurf::Windsurf,
    &kiro::Kiro,
    &zed::Zed,
    &goose::Goose,
    &lm_studio::LmStudio,
];
/// Servers that are read of one file.
const MOST_SERVERS: usize = 500;

/// A host whose configuration is read.
pub trait Client: Send + Sync {
    /// Its name, the same as in `install`.
    fn id(&self) -> &'static str;

    /// Its name for people.
    fn title(&self) -> &'static str;

    /// The files that it reads, whether they exist or not.
    fn places(&self, around: &Surroundings) -> Vec<Place>;

    /// One server as it stands in its file.
    ///
    /// # Errors
    ///
    /// With the reason, as a sentence, when it is none that could be registered.
    fn launch(&self, value: &Value) -> Result<Launch, &'static str> {
        read::common(value)
    }
}

/// The machine and the person whose hosts are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// Which system's paths hold.
    pub system: System,
    /// The home folder.
    pub home: PathBuf,
    /// Where programs keep settings: `$XDG_CONFIG_HOME`, `Library/Application Support`, `%APPDATA%`.
    pub config: PathBuf,
    /// The project, for files that lie in one.
    pub project: PathBuf,
}

/// An operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux and its relatives.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON, with comments and trailing commas.
    Json,
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
}

/// A place where servers stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// How it is written.
    pub form: Form,
    /// The members that lead to the servers; `*` is every member.
    pub under: &'static [&'static str],
}

/// A server as one host is set up to use it. Its values are the person's own, and never leave the machine.
#[derive(Debug, Clone)]
pub struct Found {
    /// The host.
    pub host: &'static str,
    /// The host's name for people.
    pub title: &'static str,
    /// The file.
    pub file: PathBuf,
    /// How the file is written.
    pub form: Form,
    /// The members that lead to it, its name last.
    pub at: Vec<String>,
    /// How it is reached, or why that is nothing to register.
    pub launch: Result<Launch, &'static str>,
}

/// How a host reaches a server, with everything that may be a secret as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// Over the network.
    Remote {
        /// The transport, as `server.json` names it.
        transport: &'static str,
        /// The address, which may hold a credential.
        url: Secret,
        /// Headers by name.
        headers: Vec<(String, Secret)>,
    },
    /// As a process.
    Process {
        /// The program.
        command: String,
        /// Its arguments.
        args: Vec<Secret>,
        /// Its environment by name.
        env: Vec<(String, Secret)>,
    },
}

// === impl Surroundings ===

impl Surroundings {
    /// The surroundings of a person, from what the environment says.
    pub fn new(system: System, home: PathBuf, config: Option<PathBuf>, project: PathBuf) -> Self {
        let usual = || match system {
            System::Linux => home.join(".config"),
            System::MacOs => home.join("Library").join("Application Support"),
            System::Windows => home.join("AppData").join("Roaming"),
        };
        let config = config.filter(|path| path.is_absolute()).unwrap_or_else(usual);
        Self {
            system,
            home,
            config,
            project,
        }
    }
}

// === impl Place ===

impl Place {
    fn new(path: PathBuf, form: Form, under: &'static [&'static str]) -> Self {
        Self { path, form, under }
    }

    /// A JSON file whose servers stand under `mcpServers`, as most hosts have it.
    fn usual(path: PathBuf) -> Self {
        Self::new(path, Form::Json, &["mcpServers"])
    }
}

// === impl Found ===

impl Found {
    /// The name that the person gave it.
    pub fn name(&self) -> &str {
        self.at.last().map_or("", String::as_str)
    }

    /// What it is, for a table: an address without anything secret in it, or a program.
    pub fn shown(&self) -> String {
        match &self.launch {
            Ok(Launch::Remote { url, .. }) => private::shown_url(url.expose()),
            Ok(Launch::Process { command, .. }) => {
                let name = Path::new(command).file_name();
                name.map_or_else(|| command.clone(), |name| name.to_string_lossy().into_owned())
            }
            Err(_) => "-".to_owned(),
        }
    }

    /// Whether it leads to this Portreeve already, which is known under these addresses.
    pub fn leads_to(&self, origins: &[Url]) -> bool {
        let address = match &self.launch {
            Ok(Launch::Remote { url, .. }) => Url::parse(url.expose()).ok(),
            _ => None,
        };
        address.is_some_and(|address| origins.iter().any(|origin| is_within(&address, origin)))
    }
}

/// Whether an address is one of those that a Portreeve answers hosts at.
fn is_within(address: &Url, origin: &Url) -> bool {
    let base = origin.path().trim_end_matches('/');
    let rest = address.path().strip_prefix(base);
    // The parser writes schemes and hosts in small letters, and leaves the usual port out.
    address.origin() == origin.origin()
        && rest.is_some_and(|rest| {
            rest.trim_end_matches('/') == "/mcp"
                || rest.starts_with("/s/")
                || rest.starts_with("/registries/")
        })
}

/// The servers of one file that was read, by one host.
pub fn found(client: &dyn Client, place: &Place, file: &Value) -> Vec<Found> {
    let mut places: Vec<(Vec<String>, &Value)> = vec![(Vec::new(), file)];
    for step in place.under {
        places = places
            .into_iter()
            .flat_map(|(at, value)| below(&at, value, step))
            .collect();
    }
    let servers = places.iter().flat_map(|(at, value)| below(at, value, "*"));
    servers
        .filter(|(_, value)| value.is_object())
        .take(MOST_SERVERS)
        .map(|(at, value)| Found {
            host: client.id(),
            title: client.title(),
            file: place.path.clone(),
            form: place.form,
            launch: client.launch(value),
            at,
        })
        .collect()
}

fn below<'a>(at: &[String], value: &'a Value, step: &str) -> Vec<(Vec<String>, &'a Value)> {
    let members = value.as_object().into_iter().flatten();
    members
        .filter(|(name, _)| step == "*" || name.as_str() == step)
        .map(|(name, value)| {
            let mut at = at.to_vec();
            at.push(name.clone());
            (at, value)
        })
        .collect()
}
