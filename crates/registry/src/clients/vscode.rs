//! VS Code and its insiders' edition: `mcp.json` and the older `settings.json`, of the person and of the workspace.

use super::{Client, Form, Place, Surroundings};

pub(super) struct VsCode {
    id: &'static str,
    title: &'static str,
    folder: &'static str,
    /// The workspace's files are read by one edition only, else all of them would be found twice.
    reads_workspace: bool,
}

impl VsCode {
    pub(super) const STABLE: Self = Self {
        id: "vscode",
        title: "VS Code",
        folder: "Code",
        reads_workspace: true,
    };
    pub(super) const INSIDERS: Self = Self {
        id: "vscode-insiders",
        title: "VS Code Insiders",
        folder: "Code - Insiders",
        reads_workspace: false,
    };
}

impl Client for VsCode {
    fn id(&self) -> &'static str {
        self.id
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        let mut folders = vec![around.config.join(self.folder).join("User")];
        if self.reads_workspace {
            folders.push(around.project.join(".vscode"));
        }
        let files = |folder: &std::path::PathBuf| {
            [
                Place::new(folder.join("mcp.json"), Form::Json, &["servers"]),
                Place::new(folder.join("settings.json"), Form::Json, &["mcp", "servers"]),
                // Settings may be written flat.
                Place::new(folder.join("settings.json"), Form::Json, &["mcp.servers"]),
            ]
        };
        folders.iter().flat_map(files).collect()
    }
}
