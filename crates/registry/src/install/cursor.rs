//! Cursor: a deep link with a base64 configuration, and `.cursor/mcp.json`. Secrets come from environment variables.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Host, Launch, Prompt, Setup, Snippet, SnippetKind, Words, encoded, pretty};

pub(super) struct Cursor;

impl Host for Cursor {
    fn id(&self) -> &'static str {
        "cursor"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let snippet = |title, kind, text| Snippet {
            host: self.id(),
            title,
            kind,
            text,
        };
        let file = SnippetKind::File {
            path: ".cursor/mcp.json",
        };
        vec![
            snippet("Install in Cursor", SnippetKind::Link, link(setup)),
            snippet("Add to a project", file, pretty(&project_file(setup))),
        ]
    }
}

fn link(setup: &Setup) -> String {
    let config = STANDARD.encode(config(setup).to_string());
    format!(
        "cursor://anysphere.cursor-deeplink/mcp/install?name={}&config={}",
        encoded(&setup.key),
        encoded(&config)
    )
}

fn project_file(setup: &Setup) -> Value {
    let mut servers = Map::new();
    servers.insert(setup.key.clone(), config(setup));
    json!({ "mcpServers": servers })
}

fn config(setup: &Setup) -> Value {
    let shown = |prompt: &Prompt| format!("${{env:{}}}", prompt.variable());
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
