//! GitHub Copilot CLI: `~/.copilot/mcp-config.json`. Secrets come from environment variables, by name.

use serde_json::{Map, Value, json};

use super::words::{Spelled, file, variable, with_type};
use super::{Host, Launch, Setup, Snippet, SnippetKind};

pub(super) struct CopilotCli;

const FILE: SnippetKind = SnippetKind::File {
    path: "~/.copilot/mcp-config.json",
};

impl Host for CopilotCli {
    fn id(&self) -> &'static str {
        "copilot-cli"
    }

    fn title(&self) -> &'static str {
        "Copilot CLI"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let spelled = Spelled {
            setup,
            prompt: variable,
        };
        let config = spelled.config("url").filter(|_| setup.has_no_dollar());
        let Some(config) = config else {
            return Vec::new();
        };
        let text = file("mcpServers", setup, with_tools(setup, config));
        vec![Snippet::new(self.id(), "Add for yourself", FILE, text)]
    }
}

/// The fields in which Copilot's own hosts differ from others.
pub(super) fn with_tools(setup: &Setup, config: Map<String, Value>) -> Map<String, Value> {
    let kind = match setup.launch {
        Launch::Http { .. } => "http",
        Launch::Stdio { .. } | Launch::Bundle { .. } => "local",
    };
    let mut config = with_type(kind, config);
    config.insert("tools".to_owned(), json!(["*"]));
    config
}
