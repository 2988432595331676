//! Gemini CLI: `gemini mcp add`, and `.gemini/settings.json`. Secrets come from environment variables, by name.

use super::words::{Shell, Spelled, file, variable};
use super::{Host, Launch, Setup, Snippet, SnippetKind};

pub(super) struct Gemini;

const FILE: SnippetKind = SnippetKind::File {
    path: ".gemini/settings.json",
};

impl Host for Gemini {
    fn id(&self) -> &'static str {
        "gemini-cli"
    }

    fn title(&self) -> &'static str {
        "Gemini CLI"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        // It reads `$NAME` everywhere in its settings.
        let spelled = Spelled {
            setup,
            prompt: variable,
        };
        let config = spelled.config("httpUrl").filter(|_| setup.has_no_dollar());
        let Some(config) = config else {
            return Vec::new();
        };
        let mut snippets = Vec::new();
        if let Launch::Http { url, headers } = &setup.launch
            && headers.is_empty()
        {
            let command = format!(
                "gemini mcp add --transport http {} {}",
                setup.key,
                Shell::Posix.quoted(url)
            );
            snippets.push(Snippet::new(
                self.id(),
                "Add on the command line",
                SnippetKind::Command,
                command,
            ));
        }
        let text = file("mcpServers", setup, config);
        snippets.push(Snippet::new(self.id(), "Add to a project", FILE, text));
        snippets
    }
}
