//! Gemini CLI: `mcpServers` in its settings. `httpUrl` is Streamable HTTP there, and `url` is HTTP+SSE.

use std::path::Path;

use serde_json::Value;

use super::{Client, Launch, Place, Surroundings, read};

pub(super) struct Gemini;

impl Client for Gemini {
    fn id(&self) -> &'static str {
        "gemini-cli"
    }

    fn title(&self) -> &'static str {
        "Gemini CLI"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        let file = |root: &Path| Place::usual(root.join(".gemini").join("settings.json"));
        vec![file(&around.home), file(&around.project)]
    }

    fn launch(&self, value: &Value) -> Result<Launch, &'static str> {
        let Some(server) = value.as_object() else {
            return Err(read::NEITHER);
        };
        let names_a_type = server.contains_key("type") || server.contains_key("httpUrl");
        match read::text(server, &["url"]) {
            Some(url) if !names_a_type => read::remote(url, true, read::pairs(server, &["headers"])),
            _ => read::common(value),
        }
    }
}
