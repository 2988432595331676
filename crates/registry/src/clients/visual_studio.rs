//! Visual Studio: `.mcp.json` of the person. That of a solution is read with Claude Code, whose file has the same name.

use super::{Client, Form, Place, Surroundings};

pub(super) struct VisualStudio;

impl Client for VisualStudio {
    fn id(&self) -> &'static str {
        "visual-studio"
    }

    fn title(&self) -> &'static str {
        "Visual Studio"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        vec![
            Place::new(around.home.join(".mcp.json"), Form::Json, &["servers"]),
            Place::new(around.project.join(".mcp.json"), Form::Json, &["servers"]),
            Place::new(
                around.project.join(".vs").join("mcp.json"),
                Form::Json,
                &["servers"],
            ),
        ]
    }
}
