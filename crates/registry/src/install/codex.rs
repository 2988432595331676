//! Codex CLI: `codex mcp add`, and a table of `~/.codex/config.toml`. It names environment variables in fields of their
//! own; a value that is more than one variable has no words there.

use super::copilot_coding_agent::asks_in_arguments;
use super::words::{Shell, string};
use super::{Host, Launch, Piece, Setup, Snippet, SnippetKind, Words};

pub(super) struct Codex;

const FILE: SnippetKind = SnippetKind::File {
    path: "~/.codex/config.toml",
};

impl Host for Codex {
    fn id(&self) -> &'static str {
        "codex"
    }

    fn title(&self) -> &'static str {
        "Codex CLI"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let Some(table) = table(setup) else {
            return Vec::new();
        };
        let mut snippets = Vec::new();
        if let Some(command) = command(setup) {
            snippets.push(Snippet::new(
                self.id(),
                "Add on the command line",
                SnippetKind::Command,
                command,
            ));
        }
        snippets.push(Snippet::new(self.id(), "Add for yourself", FILE, table));
        snippets
    }
}

/// The variable that a text is, where it is nothing else behind this beginning.
fn only<'a>(setup: &'a Setup, words: &Words, beginning: &str) -> Option<&'a super::Prompt> {
    let place = match (words.0.as_slice(), beginning) {
        ([Piece::Prompt(place)], "") => place,
        ([Piece::Text(text), Piece::Prompt(place)], beginning) if text == beginning => place,
        _ => return None,
    };
    setup.prompts.get(*place)
}

fn literal(words: &Words) -> Option<String> {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => Some(text.clone()),
        Piece::Prompt(_) => None,
    };
    words.0.iter().map(piece).collect()
}

/// A command, where nothing has to be asked for: what the shell fills in would stand in the file.
fn command(setup: &Setup) -> Option<String> {
    let shell = Shell::Posix;
    let mut words = vec![format!("codex mcp add {}", setup.key)];
    match &setup.launch {
        Launch::Http { url, headers } => {
            words.push(format!("--url {}", shell.quoted(url)));
            match headers.as_slice() {
                [] => {}
                [(name, value)] if name.eq_ignore_ascii_case("authorization") => {
                    let variable = only(setup, value, "Bearer ")?.variable();
                    words.push(format!("--bearer-token-env-var {variable}"));
                }
                _ => return None,
            }
        }
        Launch::Stdio { command, args, env } if setup.prompts.is_empty() => {
            for (name, value) in env {
                let pair = format!("{name}={}", literal(value)?);
                words.push(format!("--env {}", shell.quoted(&pair)));
            }
            words.push(format!("-- {command}"));
            words.extend(args.iter().map(|word| shell.word(word, setup)));
        }
        Launch::Stdio { .. } | Launch::Bundle { .. } => return None,
    }
    Some(words.join(" "))
}

fn table(setup: &Setup) -> Option<String> {
    let mut lines = vec![format!("[mcp_servers.{}]", setup.key)];
    match &setup.launch {
        Launch::Http { url, headers } => {
            lines.push(format!("url = {}", string(url)));
            let (mut fixed, mut named) = (Vec::new(), Vec::new());
            for (name, value) in headers {
                let is_authorization = name.eq_ignore_ascii_case("authorization");
                if let Some(text) = literal(value) {
                    fixed.push(format!("{} = {}", string(name), string(&text)));
                } else if let Some(prompt) = only(setup, value, "Bearer ").filter(|_| is_authorization) {
                    lines.push(format!("bearer_token_env_var = {}", string(&prompt.variable())));
                } else {
                    let variable = only(setup, value, "")?.variable();
                    named.push(format!("{} = {}", string(name), string(&variable)));
                }
            }
            inline("http_headers", &fixed, &mut lines);
            inline("env_http_headers", &named, &mut lines);
        }
        Launch::Stdio { command, args, env } if !asks_in_arguments(setup) => {
            lines.push(format!("command = {}", string(command)));
            let args: Option<Vec<String>> = args.iter().map(|words| Some(string(&literal(words)?))).collect();
            lines.push(format!("args = [{}]", args?.join(", ")));
            let (mut fixed, mut named) = (Vec::new(), Vec::new());
            for (name, value) in env {
                match literal(value) {
                    Some(text) => fixed.push(format!("{} = {}", string(name), string(&text))),
                    None => {
                        // It takes a variable over under the name that the server knows, and no other.
                        only(setup, value, "").filter(|prompt| prompt.id == *name)?;
                        named.push(string(name));
                    }
                }
            }
            inline("env", &fixed, &mut lines);
            if !named.is_empty() {
                lines.push(format!("env_vars = [{}]", named.join(", ")));
            }
        }
        Launch::Stdio { .. } | Launch::Bundle { .. } => return None,
    }
    Some(lines.join("\n") + "\n")
}

fn inline(name: &str, members: &[String], lines: &mut Vec<String>) {
    if !members.is_empty() {
        lines.push(format!("{name} = {{ {} }}", members.join(", ")));
    }
}
