//! JetBrains: `mcp.json` of Junie, of the person and of the project, and that of GitHub Copilot in these editors.

use std::path::Path;

use super::{Client, Form, Place, Surroundings, System};

pub(super) struct JetBrains;

impl Client for JetBrains {
    fn id(&self) -> &'static str {
        "jetbrains"
    }

    fn title(&self) -> &'static str {
        "JetBrains"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        let junie = |root: &Path| Place::usual(root.join(".junie").join("mcp").join("mcp.json"));
        let copilot = match around.system {
            System::Windows => around.home.join("AppData").join("Local").join("github-copilot"),
            System::Linux | System::MacOs => around.home.join(".config").join("github-copilot"),
        };
        let copilot = copilot.join("intellij").join("mcp.json");
        vec![
            junie(&around.home),
            junie(&around.project),
            Place::new(copilot, Form::Json, &["servers"]),
        ]
    }
}
