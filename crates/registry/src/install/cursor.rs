//! Cursor: a deep link with a base64 configuration, and `.cursor/mcp.json`. Secrets come from environment variables.

use serde_json::{Map, Value};

use super::words::{Spelled, base64, encoded, env_variable, file, with_type};
use super::{Host, Launch, Setup, Snippet, SnippetKind};

pub(super) struct Cursor;

const FILE: SnippetKind = SnippetKind::File {
    path: ".cursor/mcp.json",
};

impl Host for Cursor {
    fn id(&self) -> &'static str {
        "cursor"
    }

    fn title(&self) -> &'static str {
        "Cursor"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let Some(config) = config(setup) else {
            return Vec::new();
        };
        let shown = Value::Object(config.clone());
        let link = format!(
            "cursor://anysphere.cursor-deeplink/mcp/install?name={}&config={}",
            encoded(&setup.key),
            base64(&shown)
        );
        vec![
            Snippet::new(self.id(), "Install in Cursor", SnippetKind::Link, link).shows(&shown),
            Snippet::new(
                self.id(),
                "Add to a project",
                FILE,
                file("mcpServers", setup, config),
            ),
        ]
    }
}

fn config(setup: &Setup) -> Option<Map<String, Value>> {
    let spelled = Spelled {
        setup,
        prompt: env_variable,
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
