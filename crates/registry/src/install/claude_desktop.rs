//! Claude Desktop: a connector by its URL, a bundle that is downloaded and checked, or the file of local servers. It
//! knows no variables: what is secret is written into the file by the person.

use super::words::{Shell, Spelled, blank, file};
use super::{Auth, Host, Launch, Setup, Snippet, SnippetKind};

pub(super) struct ClaudeDesktop;

const FILE: SnippetKind = SnippetKind::File {
    path: "claude_desktop_config.json",
};
const CONNECTOR: &str = "Settings > Connectors > Add custom connector. The server must be reachable from the internet: \
                         Anthropic's own network calls it.";
const BLANKS: &str =
    "Write your own values over what stands in angle brackets: this host knows no variables.";
const BUNDLE: &str = "Check the file before you open it: its SHA-256 must be the one below.";

impl Host for ClaudeDesktop {
    fn id(&self) -> &'static str {
        "claude-desktop"
    }

    fn title(&self) -> &'static str {
        "Claude Desktop"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let snippet = |title, kind, text: String| Snippet::new(self.id(), title, kind, text);
        match &setup.launch {
            // A connector has no field for a header.
            Launch::Http { .. } if setup.auth == Auth::Key => Vec::new(),
            Launch::Http { url, .. } => vec![
                snippet("Name", SnippetKind::Value, setup.title.clone()),
                snippet("Remote MCP server URL", SnippetKind::Value, url.clone()).note(CONNECTOR),
            ],
            Launch::Stdio { .. } => {
                let spelled = Spelled { setup, prompt: blank };
                let config = spelled.config("url").unwrap_or_default();
                let snippet = snippet("Add to Claude Desktop", FILE, file("mcpServers", setup, config));
                vec![if setup.prompts.is_empty() {
                    snippet
                } else {
                    snippet.note(BLANKS)
                }]
            }
            Launch::Bundle { url, sha256 } => {
                let mut all = vec![
                    snippet("Download the bundle", SnippetKind::Link, url.clone()).note(BUNDLE),
                    snippet("SHA-256", SnippetKind::Value, sha256.clone()),
                    snippet(
                        "Download and check on the command line",
                        SnippetKind::Command,
                        posix(setup, url, sha256),
                    ),
                ];
                if Shell::PowerShell.takes(setup) {
                    all.push(snippet(
                        "Download and check in PowerShell",
                        SnippetKind::PowerShell,
                        power_shell(setup, url, sha256),
                    ));
                }
                all
            }
        }
    }
}

fn posix(setup: &Setup, url: &str, sha256: &str) -> String {
    let name = format!("{}.mcpb", setup.key);
    format!(
        "curl -fsSL -o {name} -- {} && echo '{sha256}  {name}' | shasum -a 256 -c -",
        Shell::Posix.quoted(url)
    )
}

fn power_shell(setup: &Setup, url: &str, sha256: &str) -> String {
    let name = format!("{}.mcpb", setup.key);
    format!(
        "Invoke-WebRequest -Uri {} -OutFile {name}; (Get-FileHash {name} -Algorithm SHA256).Hash -eq '{sha256}'",
        Shell::PowerShell.quoted(url)
    )
}
