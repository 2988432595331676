//! Zed: `context_servers` in its settings, of the person and of the project. An older form has the command as an object.

use std::path::PathBuf;

use super::{Client, Form, Place, Surroundings, System};

pub(super) struct Zed;

impl Client for Zed {
    fn id(&self) -> &'static str {
        "zed"
    }

    fn title(&self) -> &'static str {
        "Zed"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        let own = match around.system {
            System::Windows => around.config.join("Zed"),
            System::Linux => around.config.join("zed"),
            System::MacOs => around.home.join(".config").join("zed"),
        };
        let file =
            |folder: PathBuf| Place::new(folder.join("settings.json"), Form::Json, &["context_servers"]);
        vec![file(own), file(around.project.join(".zed"))]
    }
}
