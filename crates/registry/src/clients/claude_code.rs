//! Claude Code: `~/.claude.json`, for the person and for each project, and `.mcp.json` of this project.

use super::{Client, Form, Place, Surroundings};

pub(super) struct ClaudeCode;

impl Client for ClaudeCode {
    fn id(&self) -> &'static str {
        "claude-code"
    }

    fn title(&self) -> &'static str {
        "Claude Code"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        let own = around.home.join(".claude.json");
        vec![
            Place::usual(own.clone()),
            Place::new(own, Form::Json, &["projects", "*", "mcpServers"]),
            Place::usual(around.project.join(".mcp.json")),
        ]
    }
}
