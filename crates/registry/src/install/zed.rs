//! Zed: `context_servers` in its settings. It signs in by OAuth where no `Authorization` header is set, and knows no
//! variables.

use serde_json::{Map, json};

use super::words::{Spelled, blank, file};
use super::{Host, Launch, Setup, Snippet, SnippetKind};

pub(super) struct Zed;

const FILE: SnippetKind = SnippetKind::File {
    path: "~/.config/zed/settings.json",
};
const BLANKS: &str =
    "Write your own values over what stands in angle brackets: this host knows no variables.";

impl Host for Zed {
    fn id(&self) -> &'static str {
        "zed"
    }

    fn title(&self) -> &'static str {
        "Zed"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let spelled = Spelled { setup, prompt: blank };
        let Some(mut config) = spelled.config("url") else {
            return Vec::new();
        };
        if matches!(setup.launch, Launch::Stdio { .. }) {
            // Editions before the field was dropped need it, later ones pass it over.
            config.insert("source".to_owned(), json!("custom"));
            config.entry("env").or_insert_with(|| Map::new().into());
        }
        let snippet = Snippet::new(
            self.id(),
            "Add to the settings",
            FILE,
            file("context_servers", setup, config),
        );
        vec![if setup.prompts.is_empty() {
            snippet
        } else {
            snippet.note(BLANKS)
        }]
    }
}
