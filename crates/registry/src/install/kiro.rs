//! Kiro: a link of the web that opens it, and `.kiro/settings/mcp.json`. Secrets come from environment variables.

use serde_json::Value;

use super::words::{Spelled, encoded, file, variable};
use super::{Host, Setup, Snippet, SnippetKind};

pub(super) struct Kiro;

const FILE: SnippetKind = SnippetKind::File {
    path: ".kiro/settings/mcp.json",
};

impl Host for Kiro {
    fn id(&self) -> &'static str {
        "kiro"
    }

    fn title(&self) -> &'static str {
        "Kiro"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let spelled = Spelled {
            setup,
            prompt: variable,
        };
        let Some(config) = spelled.config("url") else {
            return Vec::new();
        };
        let shown = Value::Object(config.clone());
        let link = format!(
            "https://kiro.dev/launch/mcp/add?name={}&config={}",
            encoded(&setup.key),
            encoded(&shown.to_string())
        );
        vec![
            Snippet::new(self.id(), "Install in Kiro", SnippetKind::Link, link).shows(&shown),
            Snippet::new(
                self.id(),
                "Add to a project",
                FILE,
                file("mcpServers", setup, config),
            ),
        ]
    }
}
