//! Claude Desktop: `claude_desktop_config.json`.

use super::{Client, Place, Surroundings};

pub(super) struct ClaudeDesktop;

impl Client for ClaudeDesktop {
    fn id(&self) -> &'static str {
        "claude-desktop"
    }

    fn title(&self) -> &'static str {
        "Claude Desktop"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        let file = around.config.join("Claude").join("claude_desktop_config.json");
        vec![Place::usual(file)]
    }
}
