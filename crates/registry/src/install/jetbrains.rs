//! JetBrains: Junie's file in a project, and what AI Assistant takes in its settings. Both know no variables.

use super::words::{Spelled, blank, file};
use super::{Host, Setup, Snippet, SnippetKind};

pub(super) struct JetBrains;

const JUNIE: SnippetKind = SnippetKind::File {
    path: ".junie/mcp/mcp.json",
};
const ASSISTANT: SnippetKind = SnippetKind::File {
    path: "Settings | Tools | AI Assistant | Model Context Protocol (MCP) > Add > As JSON",
};
const BLANKS: &str = "Write your own values over what stands in angle brackets: this host knows no variables. Keep the \
                      file out of version control then.";

impl Host for JetBrains {
    fn id(&self) -> &'static str {
        "jetbrains"
    }

    fn title(&self) -> &'static str {
        "JetBrains"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let spelled = Spelled { setup, prompt: blank };
        let Some(config) = spelled.config("url") else {
            return Vec::new();
        };
        let text = file("mcpServers", setup, config);
        let snippet = |title, kind| {
            let snippet = Snippet::new(self.id(), title, kind, text.clone());
            if setup.prompts.is_empty() {
                snippet
            } else {
                snippet.note(BLANKS)
            }
        };
        vec![
            snippet("Add to AI Assistant", ASSISTANT),
            snippet("Add to Junie", JUNIE),
        ]
    }
}
