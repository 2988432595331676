//! LM Studio: `mcp.json`.

use super::{Client, Place, Surroundings};

pub(super) struct LmStudio;

impl Client for LmStudio {
    fn id(&self) -> &'static str {
        "lm-studio"
    }

    fn title(&self) -> &'static str {
        "LM Studio"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        vec![Place::usual(around.home.join(".lmstudio").join("mcp.json"))]
    }
}
