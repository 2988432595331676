//! Copilot CLI: `mcp-config.json`, in its own folder or where the XDG variables say.

use super::{Client, Place, Surroundings};

pub(super) struct CopilotCli;

impl Client for CopilotCli {
    fn id(&self) -> &'static str {
        "copilot-cli"
    }

    fn title(&self) -> &'static str {
        "Copilot CLI"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        vec![
            Place::usual(around.home.join(".copilot").join("mcp-config.json")),
            Place::usual(around.config.join("copilot").join("mcp-config.json")),
        ]
    }
}
