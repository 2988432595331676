//! Claude Code: `claude mcp add`, and `.mcp.json`. Secrets come from environment variables, by name.

use serde_json::{Map, Value};

use super::words::{Shell, Spelled, file, prefixed, variable, with_type};
use super::{Host, Launch, Setup, Snippet, SnippetKind};

pub(super) struct ClaudeCode;

const FILE: SnippetKind = SnippetKind::File { path: ".mcp.json" };

impl Host for ClaudeCode {
    fn id(&self) -> &'static str {
        "claude-code"
    }

    fn title(&self) -> &'static str {
        "Claude Code"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let Some(config) = config(setup) else {
            return Vec::new();
        };
        let snippet = |title, kind, text: String| Snippet::new(self.id(), title, kind, text);
        let mut snippets = vec![snippet(
            "Add on the command line",
            SnippetKind::Command,
            command(setup, Shell::Posix),
        )];
        if Shell::PowerShell.takes(setup) {
            snippets.push(snippet(
                "Add in PowerShell",
                SnippetKind::PowerShell,
                command(setup, Shell::PowerShell),
            ));
        }
        snippets.push(snippet(
            "Add to a project",
            FILE,
            file("mcpServers", setup, config),
        ));
        snippets
    }
}

fn command(setup: &Setup, shell: Shell) -> String {
    let mut words = vec!["claude mcp add".to_owned()];
    match &setup.launch {
        Launch::Http { url, headers } => {
            words.push(format!("--transport http {} {}", setup.key, shell.quoted(url)));
            for (name, value) in headers {
                let header = prefixed(format!("{name}: "), value);
                words.push(format!("--header {}", shell.word(&header, setup)));
            }
        }
        Launch::Stdio { command, args, env } => {
            words.push(setup.key.clone());
            for (name, value) in env {
                let pair = prefixed(format!("{name}="), value);
                words.push(format!("--env {}", shell.word(&pair, setup)));
            }
            words.push(shell.quoted("--"));
            words.push(shell.quoted(command));
            words.extend(args.iter().map(|word| shell.word(word, setup)));
        }
        Launch::Bundle { .. } => {}
    }
    words.join(" ")
}

pub(super) fn config(setup: &Setup) -> Option<Map<String, Value>> {
    let spelled = Spelled {
        setup,
        prompt: variable,
    };
    let mut config = spelled.config("url")?;
    let kind = match setup.launch {
        Launch::Http { .. } => "http",
        Launch::Stdio { .. } | Launch::Bundle { .. } => {
            config.entry("env").or_insert_with(|| Map::new().into());
            "stdio"
        }
    };
    Some(with_type(kind, config))
}
