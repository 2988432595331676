//! The Copilot coding agent: JSON for the settings of a repository. It cannot sign in; its secrets have a prefix of
//! their own, and are named with a dollar.

use super::copilot_cli::with_tools;
use super::words::{Spelled, file};
use super::{Host, Launch, Piece, Prompt, Setup, Snippet, SnippetKind};

pub(super) struct CopilotCodingAgent;

const FILE: SnippetKind = SnippetKind::File {
    path: "Settings > Copilot > Coding agent > MCP configuration",
};
const NOTE: &str = "It does not sign in to servers: make a key, and store it in the repository's Copilot environment as \
                    a secret whose name begins with `COPILOT_MCP_`.";

impl Host for CopilotCodingAgent {
    fn id(&self) -> &'static str {
        "copilot-coding-agent"
    }

    fn title(&self) -> &'static str {
        "Copilot coding agent"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        // Only headers and the environment are filled in.
        let Some(setup) = setup
            .without_sign_in()
            .filter(|setup| setup.has_no_dollar() && !asks_in_arguments(setup))
        else {
            return Vec::new();
        };
        let spelled = Spelled {
            setup,
            prompt: secret,
        };
        let Some(config) = spelled.config("url") else {
            return Vec::new();
        };
        let text = file("mcpServers", setup, with_tools(setup, config));
        let snippet = Snippet::new(self.id(), "Add to a repository", FILE, text);
        vec![if setup.prompts.is_empty() {
            snippet
        } else {
            snippet.note(NOTE)
        }]
    }
}

fn secret(prompt: &Prompt) -> String {
    format!("$COPILOT_MCP_{}", prompt.variable())
}

/// Whether a word of the command holds an answer, which not every host fills in there.
pub(super) fn asks_in_arguments(setup: &Setup) -> bool {
    let Launch::Stdio { args, .. } = &setup.launch else {
        return false;
    };
    let asks = |piece: &Piece| matches!(piece, Piece::Prompt(_));
    args.iter().any(|words| words.0.iter().any(asks))
}
