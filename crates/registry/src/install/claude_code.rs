//! Claude Code: `claude mcp add`, and `.mcp.json`. Secrets come from environment variables, by name.

use serde_json::{Map, Value, json};

use super::{Host, Launch, Piece, Prompt, Setup, Snippet, SnippetKind, Words, pretty};

pub(super) struct ClaudeCode;

impl Host for ClaudeCode {
    fn id(&self) -> &'static str {
        "claude-code"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let snippet = |title, kind, text| Snippet {
            host: self.id(),
            title,
            kind,
            text,
        };
        vec![
            snippet("Add on the command line", SnippetKind::Command, command(setup)),
            snippet(
                "Add to a project",
                SnippetKind::File { path: ".mcp.json" },
                pretty(&project_file(setup)),
            ),
        ]
    }
}

fn command(setup: &Setup) -> String {
    let mut words = vec!["claude mcp add".to_owned()];
    match &setup.launch {
        Launch::Http { url, headers } => {
            words.push(format!("--transport http {} {}", setup.key, quoted(url)));
            for (name, value) in headers {
                let mut header = vec![Piece::Text(format!("{name}: "))];
                header.extend(value.0.iter().cloned());
                words.push(format!("--header {}", shell(&Words(header), setup)));
            }
        }
        Launch::Stdio { command, args, env } => {
            words.push(setup.key.clone());
            for (name, value) in env {
                let mut pair = vec![Piece::Text(format!("{name}="))];
                pair.extend(value.0.iter().cloned());
                words.push(format!("--env {}", shell(&Words(pair), setup)));
            }
            words.push("--".to_owned());
            words.push(quoted(command));
            words.extend(args.iter().map(|word| shell(word, setup)));
        }
    }
    words.join(" ")
}

/// One word of a POSIX shell, in which only our own variables mean anything.
fn shell(words: &Words, setup: &Setup) -> String {
    let variable = |prompt: &Prompt| format!("${{{}}}", prompt.variable());
    let is_plain = |piece: &Piece| match piece {
        Piece::Text(text) => !text.contains(['"', '$', '`', '\\', '!']),
        Piece::Prompt(_) => true,
    };
    let asks = words.0.iter().any(|piece| matches!(piece, Piece::Prompt(_)));
    if asks && words.0.iter().all(is_plain) {
        return format!("\"{}\"", words.render(&setup.prompts, variable));
    }
    // Texts in single quotes, variables in double quotes, side by side.
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => quoted(text),
        Piece::Prompt(place) => match setup.prompts.get(*place) {
            Some(prompt) => format!("\"{}\"", variable(prompt)),
            None => String::new(),
        },
    };
    words.0.iter().map(piece).collect()
}

fn quoted(text: &str) -> String {
    let is_safe = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&b);
    if !text.is_empty() && text.bytes().all(is_safe) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn project_file(setup: &Setup) -> Value {
    let mut servers = Map::new();
    servers.insert(setup.key.clone(), config(setup));
    json!({ "mcpServers": servers })
}

pub(super) fn config(setup: &Setup) -> Value {
    let shown = |prompt: &Prompt| format!("${{{}}}", prompt.variable());
    let pairs = |pairs: &[(String, Words)]| -> Map<String, Value> {
        let pair =
            |(name, words): &(String, Words)| (name.clone(), json!(words.render(&setup.prompts, shown)));
        pairs.iter().map(pair).collect()
    };
    match &setup.launch {
        Launch::Http { url, headers } if headers.is_empty() => json!({"type": "http", "url": url}),
        Launch::Http { url, headers } => json!({"type": "http", "url": url, "headers": pairs(headers)}),
        Launch::Stdio { command, args, env } => {
            let args: Vec<String> = args
                .iter()
                .map(|words| words.render(&setup.prompts, shown))
                .collect();
            json!({"type": "stdio", "command": command, "args": args, "env": pairs(env)})
        }
    }
}
