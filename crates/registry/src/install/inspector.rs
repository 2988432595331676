//! MCP Inspector: the command that starts it, and its page with the server filled in.

use super::words::{Shell, encoded, prefixed};
use super::{Host, Launch, Setup, Snippet, SnippetKind};

pub(super) struct Inspector;

const NOTE: &str = "Start the inspector first. Its page asks for the token that it prints, unless you come from the \
                    address that it opens itself.";
const START: &str = "npx -y @modelcontextprotocol/inspector";

impl Host for Inspector {
    fn id(&self) -> &'static str {
        "inspector"
    }

    fn title(&self) -> &'static str {
        "MCP Inspector"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let snippet = |title, kind, text: String| Snippet::new(self.id(), title, kind, text);
        match &setup.launch {
            Launch::Http { url, .. } => vec![
                snippet("Start the inspector", SnippetKind::Command, START.to_owned()),
                snippet(
                    "Open it with this server",
                    SnippetKind::Link,
                    format!(
                        "http://localhost:6274/?transport=streamable-http&serverUrl={}",
                        encoded(url)
                    ),
                )
                .shows(&serde_json::json!({"transport": "streamable-http", "serverUrl": url}))
                .note(NOTE),
            ],
            Launch::Stdio { command, args, env } => {
                let mut words = vec![START.to_owned()];
                for (name, value) in env {
                    let pair = prefixed(format!("{name}="), value);
                    words.push(format!("-e {}", Shell::Posix.word(&pair, setup)));
                }
                words.push(format!("-- {command}"));
                words.extend(args.iter().map(|word| Shell::Posix.word(word, setup)));
                vec![snippet(
                    "Start the inspector with this server",
                    SnippetKind::Command,
                    words.join(" "),
                )]
            }
            Launch::Bundle { .. } => Vec::new(),
        }
    }
}
