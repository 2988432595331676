//! Kiro: `mcp.json` of the person and of the project.

use std::path::Path;

use super::{Client, Place, Surroundings};

pub(super) struct Kiro;

impl Client for Kiro {
    fn id(&self) -> &'static str {
        "kiro"
    }

    fn title(&self) -> &'static str {
        "Kiro"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        let file = |root: &Path| Place::usual(root.join(".kiro").join("settings").join("mcp.json"));
        vec![file(&around.home), file(&around.project)]
    }
}
