//! Cursor: `mcp.json` of the person and of the project.

use std::path::Path;

use super::{Client, Place, Surroundings};

pub(super) struct Cursor;

impl Client for Cursor {
    fn id(&self) -> &'static str {
        "cursor"
    }

    fn title(&self) -> &'static str {
        "Cursor"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        let file = |root: &Path| Place::usual(root.join(".cursor").join("mcp.json"));
        vec![file(&around.home), file(&around.project)]
    }
}
