//! Served to installed: what a person clicks or pastes so that a host uses a server.
//!
//! Before: `serve`. After: the host reads the gateway's address and signs the person in, or asks for the key. No snippet
//! carries a secret value; where one is needed there is a prompt or the name of an environment variable. To add a host:
//! one file, and one line in `HOSTS`.

mod setup;
mod words;

mod vscode;

mod visual_studio;

mod copilot_cli;
mod copilot_coding_agent;
mod copilot_studio;
mod foundry;

mod claude_code;
mod claude_desktop;

mod codex;
mod cursor;
mod gemini;
mod goose;
mod jetbrains;
mod kiro;
mod lm_studio;
mod windsurf;
mod zed;

mod inspector;

mod badge;
mod connector;
mod installable;
mod offers;

use serde_json::{Map, Value};

pub use badge::{BADGE_PATH, badge_image};
pub use connector::Connector;
pub use installable::Installable;
pub use offers::{HostOffer, Installation, Offer};
pub use setup::{Auth, Door, Launch, Piece, Prompt, Setup, Words};

/// The hosts, in the order in which they are shown.
const HOSTS: [&dyn Host; 20] = [
    &vscode::VsCode::STABLE,
    &vscode::VsCode::INSIDERS,
    &visual_studio::VisualStudio,
    &copilot_studio::CopilotStudio,
    &foundry::Foundry,
    &claude_code::ClaudeCode,
    &claude_desktop::ClaudeDesktop,
    &cursor::Cursor,
    &copilot_cli::CopilotCli,
    &copilot_coding_agent::CopilotCodingAgent,
    &codex::Codex,
    &gemini::Gemini,
    &jetbrains::JetBrains,
    &windsurf::Windsurf,
    &kiro::Kiro,
    &zed::Zed,
    &goose::Goose,
    &lm_studio::LmStudio,
    &inspector::Inspector,
    &badge::Readme,
];

/// The hosts whose snippets an agent is told: it knows its own, and a long answer costs it dearly.
const FOR_AGENTS: [&str; 3] = ["vscode", "claude-code", "cursor"];

/// A host that servers are installed into.
pub trait Host: Send + Sync {
    /// Its name in links and in the API.
    fn id(&self) -> &'static str;

    /// Its name for people.
    fn title(&self) -> &'static str;

    /// What one clicks or pastes. Nothing where the host has no words for the setup.
    fn snippets(&self, setup: &Setup) -> Vec<Snippet>;
}

/// Something to click or to paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The host.
    pub host: &'static str,
    /// What it does, for people.
    pub title: &'static str,
    /// What kind of text it is.
    pub kind: SnippetKind,
    /// The text.
    pub text: String,
    /// What stands in a link, as the host reads it.
    pub shows: Option<String>,
    /// What a person should know about it, as sentences.
    pub note: Option<&'static str>,
    /// Whether the host looks the server up in the registry that is its gallery.
    pub is_looked_up: bool,
}

/// What kind of text a snippet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnippetKind {
    /// A link to click.
    Link,
    /// A link of the web that leads to the host, for a text that others read.
    WebLink,
    /// A command for a POSIX shell.
    Command,
    /// A command for PowerShell.
    PowerShell,
    /// What to put into a file.
    File {
        /// Its path, in a project unless it begins with `~`.
        path: &'static str,
    },
    /// What to put into a field of a form; the title is the field's name.
    Value,
    /// What to put into a text in Markdown.
    Markdown,
}

// === impl SnippetKind ===

impl SnippetKind {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::WebLink => "web-link",
            Self::Command => "command",
            Self::PowerShell => "powershell",
            Self::File { .. } => "file",
            Self::Value => "value",
            Self::Markdown => "markdown",
        }
    }
}

// === impl Snippet ===

impl Snippet {
    fn new(host: &'static str, title: &'static str, kind: SnippetKind, text: impl Into<String>) -> Self {
        Self {
            host,
            title,
            kind,
            text: text.into(),
            shows: None,
            note: None,
            is_looked_up: false,
        }
    }

    fn shows(mut self, value: &Value) -> Self {
        self.shows = Some(words::pretty(value));
        self
    }

    fn note(mut self, note: &'static str) -> Self {
        self.note = Some(note);
        self
    }

    fn looked_up(mut self) -> Self {
        self.is_looked_up = true;
        self
    }
}

/// What an agent is told about a version, host by host: the best way only, entered as its route is entered. Nothing when
/// it has neither a remote nor a package that a host can run.
pub fn snippets(found: &Installation) -> Vec<Snippet> {
    let hosts = found.offers.first().map_or(&[][..], |offer| &offer.hosts);
    hosts
        .iter()
        .filter(|host| FOR_AGENTS.contains(&host.id))
        .flat_map(|host| host.snippets.clone())
        .collect()
}

/// What goes into a host's configuration, and what the person is asked for, in the words of VS Code: `${input:ID}`.
pub fn config(setup: &Setup) -> (Map<String, Value>, Value) {
    (vscode::config(setup).unwrap_or_default(), vscode::inputs(setup))
}

/// The same in the words of Claude Code, which takes answers from environment variables.
pub(crate) fn claude_code_config(setup: &Setup) -> Value {
    claude_code::config(setup).unwrap_or_default().into()
}
