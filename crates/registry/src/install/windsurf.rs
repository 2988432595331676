//! Windsurf: `~/.codeium/windsurf/mcp_config.json`. Its link leads to its own registry only, so there is none here.

use super::words::{Spelled, env_variable, file};
use super::{Host, Setup, Snippet, SnippetKind};

pub(super) struct Windsurf;

const FILE: SnippetKind = SnippetKind::File {
    path: "~/.codeium/windsurf/mcp_config.json",
};

impl Host for Windsurf {
    fn id(&self) -> &'static str {
        "windsurf"
    }

    fn title(&self) -> &'static str {
        "Windsurf"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let spelled = Spelled {
            setup,
            prompt: env_variable,
        };
        let Some(config) = spelled.config("serverUrl") else {
            return Vec::new();
        };
        let text = file("mcpServers", setup, config);
        vec![Snippet::new(self.id(), "Add for yourself", FILE, text)]
    }
}
