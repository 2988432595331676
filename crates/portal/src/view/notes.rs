//! Pages with one thing to say: sign-in, welcome, and what went wrong.

use askama::Template;

use crate::view::shell::Shell;
use crate::words::Piece;

/// How to get in.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignInPage {
    pub(crate) shell: Shell,
}

/// The page behind a one-time link. Its form spends the link; looking at the page does not.
#[derive(Template)]
#[template(path = "welcome.html")]
pub(crate) struct WelcomePage {
    pub(crate) shell: Shell,
    pub(crate) host: String,
    pub(crate) link: String,
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
