//! The pages to sign in: the ways there are, and the question for a code.

use askama::Template;

use crate::view::shell::Shell;

/// Name and password, with what was wrong with them.
#[derive(Debug, Clone, Default)]
pub(crate) struct LocalForm {
    pub(crate) name: String,
    pub(crate) problem: Option<String>,
}

/// How to get in.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignInPage {
    pub(crate) shell: Shell,
    /// Addresses and titles.
    pub(crate) providers: Vec<(String, String)>,
    pub(crate) local: Option<LocalForm>,
    pub(crate) next: String,
    pub(crate) token: String,
}

/// The question for a code.
#[derive(Template)]
#[template(path = "code.html")]
pub(crate) struct CodePage {
    pub(crate) shell: Shell,
    pub(crate) ticket: String,
    pub(crate) token: String,
    pub(crate) problem: Option<String>,
}

/// After signing out.
#[derive(Template)]
#[template(path = "signed_out.html")]
pub(crate) struct SignedOutPage {
    pub(crate) shell: Shell,
    pub(crate) heading: &'static str,
    pub(crate) said: String,
    /// A provider's title, and where to sign out of it.
    pub(crate) way: Option<(String, String)>,
}
