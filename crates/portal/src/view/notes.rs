//! Pages with one thing to say: welcome, secrets that are shown once, and what went wrong.

use askama::Template;

use crate::view::shell::Shell;
use crate::words::Piece;

/// The page behind a one-time link. Its form spends the link; looking at the page does not.
#[derive(Template)]
#[template(path = "welcome.html")]
pub(crate) struct WelcomePage {
    pub(crate) shell: Shell,
    pub(crate) host: String,
    pub(crate) link: String,
    /// Where the way goes on.
    pub(crate) next: String,
    pub(crate) token: String,
}

/// What went wrong, and what to do.
#[derive(Template)]
#[template(path = "failure.html")]
pub(crate) struct FailurePage {
    pub(crate) shell: Shell,
    pub(crate) status: u16,
    pub(crate) title: &'static str,
    pub(crate) text: Vec<Piece>,
    pub(crate) hint: Vec<Piece>,
    /// Whether signing in may help.
    pub(crate) invite: bool,
}

/// A text that can be copied.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) id: &'static str,
    pub(crate) label: String,
    pub(crate) text: String,
}

/// Something that is shown this once.
#[derive(Template)]
#[template(path = "shown.html")]
pub(crate) struct ShownPage {
    pub(crate) shell: Shell,
    pub(crate) lede: &'static str,
    pub(crate) items: Vec<Shown>,
    /// Where the way goes on, and what that is called.
    pub(crate) onward: (String, &'static str),
}
