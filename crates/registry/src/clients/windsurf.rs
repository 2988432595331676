//! Windsurf: `mcp_config.json`.

use super::{Client, Place, Surroundings};

pub(super) struct Windsurf;

impl Client for Windsurf {
    fn id(&self) -> &'static str {
        "windsurf"
    }

    fn title(&self) -> &'static str {
        "Windsurf"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        let file = around
            .home
            .join(".codeium")
            .join("windsurf")
            .join("mcp_config.json");
        vec![Place::usual(file)]
    }
}
