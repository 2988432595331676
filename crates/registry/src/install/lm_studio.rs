//! LM Studio: a deep link with a base64 configuration, and `mcp.json`. It knows no variables, so a setup with a secret
//! has no link: a person would have to find it in the file again.

use serde_json::Value;

use super::words::{Spelled, base64, blank, encoded, file};
use super::{Host, Setup, Snippet, SnippetKind};

pub(super) struct LmStudio;

const FILE: SnippetKind = SnippetKind::File {
    path: "~/.lmstudio/mcp.json",
};
const BLANKS: &str =
    "Write your own values over what stands in angle brackets: this host knows no variables.";

impl Host for LmStudio {
    fn id(&self) -> &'static str {
        "lm-studio"
    }

    fn title(&self) -> &'static str {
        "LM Studio"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let spelled = Spelled { setup, prompt: blank };
        let Some(config) = spelled.config("url") else {
            return Vec::new();
        };
        let text = file("mcpServers", setup, config.clone());
        let in_file = Snippet::new(self.id(), "Add for yourself", FILE, text);
        if !setup.prompts.is_empty() {
            return vec![in_file.note(BLANKS)];
        }
        let shown = Value::Object(config);
        let query = format!("name={}&config={}", encoded(&setup.key), base64(&shown));
        let link = |title, kind, address: &str| {
            Snippet::new(self.id(), title, kind, format!("{address}?{query}")).shows(&shown)
        };
        vec![
            link("Install in LM Studio", SnippetKind::Link, "lmstudio://add_mcp"),
            link(
                "Link for a README",
                SnippetKind::WebLink,
                "https://lmstudio.ai/install-mcp",
            ),
            in_file,
        ]
    }
}
