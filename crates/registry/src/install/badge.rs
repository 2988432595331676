//! A badge for a README: Markdown with a link that GitHub lets pass, and an image that Portreeve serves itself.

use super::{Host, Setup, Snippet, SnippetKind, vscode};

/// Where the image is.
pub const BADGE_PATH: &str = "/badges/install-vscode.svg";

/// The image. It holds nothing of any entry, so that it is the same for everybody.
pub fn badge_image() -> &'static str {
    include_str!("badge.svg")
}

/// A README, as a place where a server is offered.
pub(super) struct Readme;

const NOTE: &str = "Who clicks it opens VS Code with the configuration. The image comes from this Portreeve.";

impl Host for Readme {
    fn id(&self) -> &'static str {
        "readme"
    }

    fn title(&self) -> &'static str {
        "README badge"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let (Some(link), Some(origin)) = (vscode::readme_link(setup), &setup.origin) else {
            return Vec::new();
        };
        // What ends a link in Markdown is encoded already, but for these two.
        let link = link.replace('(', "%28").replace(')', "%29");
        let text = format!("[![Install in VS Code]({origin}{BADGE_PATH})]({link})");
        let snippet = Snippet::new(self.id(), "Markdown", SnippetKind::Markdown, text);
        vec![snippet.note(NOTE)]
    }
}
