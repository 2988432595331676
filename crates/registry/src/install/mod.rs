//! Served to installed: what a person clicks or pastes so that a host uses a server.
//!
//! Before: `serve`. After: the host reads the gateway's address and asks the person for the key. No snippet carries a
//! secret value; where one is needed there is a prompt or the name of an environment variable. To add a host: one file,
//! and one line in `HOSTS`.

mod setup;

mod claude_code;
mod cursor;
mod vscode;

use serde_json::{Map, Value};

use crate::serve::Served;
pub use setup::{Launch, Piece, Prompt, Setup, Words};

/// The hosts, in the order in which they are shown.
const HOSTS: [&dyn Host; 3] = [&vscode::VsCode, &claude_code::ClaudeCode, &cursor::Cursor];

/// A host that servers are installed into.
pub trait Host: Send + Sync {
    /// Its name in links and in the API.
    fn id(&self) -> &'static str;

    /// What one clicks or pastes.
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
}

/// What kind of text a snippet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnippetKind {
    /// A link to click.
    Link,
    /// A command for a POSIX shell.
    Command,
    /// What to put into a file.
    File {
        /// Its path in a project.
        path: &'static str,
    },
}

/// Everything that there is for a version, host by host. Nothing when it has neither a remote nor a package that a host
/// can run.
pub fn snippets(served: &Served) -> Vec<Snippet> {
    let Some(setup) = Setup::of(&served.server.to_map()) else {
        return Vec::new();
    };
    HOSTS.iter().flat_map(|host| host.snippets(&setup)).collect()
}

/// What goes into a host's configuration, and what the person is asked for, in the words of VS Code: `${input:ID}`.
pub fn config(setup: &Setup) -> (Map<String, Value>, Value) {
    (vscode::config(setup), vscode::inputs(setup))
}

/// The same in the words of Claude Code, which takes answers from environment variables.
pub(crate) fn claude_code_config(setup: &Setup) -> Value {
    claude_code::config(setup)
}

// === shared by the hosts ===

/// Indented JSON, for files.
fn pretty(value: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// What `encodeURIComponent` of JavaScript encodes.
fn encoded(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'!')
        .remove(b'~')
        .remove(b'*');
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}
