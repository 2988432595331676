//! Visual Studio: a link, its form for the web, and `.mcp.json` beside the solution with the keys of VS Code.

use super::vscode;
use super::words::encoded;
use super::{Host, Setup, Snippet, SnippetKind};

pub(super) struct VisualStudio;

const FILE: SnippetKind = SnippetKind::File { path: ".mcp.json" };

impl Host for VisualStudio {
    fn id(&self) -> &'static str {
        "visual-studio"
    }

    fn title(&self) -> &'static str {
        "Visual Studio"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let Some(config) = vscode::config(setup) else {
            return Vec::new();
        };
        let payload = vscode::payload(setup, &config);
        let text = encoded(&payload.to_string());
        let snippet = |title, kind, text: String| Snippet::new(self.id(), title, kind, text);
        vec![
            snippet(
                "Install in Visual Studio",
                SnippetKind::Link,
                format!("vsweb+mcp:/install?{text}"),
            )
            .shows(&payload),
            snippet(
                "Link for a README",
                SnippetKind::WebLink,
                format!("https://vs-open.link/mcp-install?{text}"),
            )
            .shows(&payload),
            snippet(
                "Add beside a solution",
                FILE,
                vscode::project_file(&setup.name, setup, config),
            ),
        ]
    }
}
