//! The page about hosts: the address of the gallery, and what a check saw.

use askama::Template;

use crate::view::shell::Shell;

/// What a check saw.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The tone of the notice.
    pub(crate) tone: &'static str,
    /// What it saw, as sentences.
    pub(crate) text: String,
    /// What was asked; nothing where nothing was.
    pub(crate) url: Option<String>,
    /// What one should know besides.
    pub(crate) notes: Vec<String>,
}

impl Seen {
    pub(crate) fn good(text: String) -> Self {
        Self::new("notice-good", text)
    }

    pub(crate) fn bad(text: String) -> Self {
        Self::new("notice-bad", text)
    }

    fn new(tone: &'static str, text: String) -> Self {
        Self {
            tone,
            text,
            url: None,
            notes: Vec::new(),
        }
    }

    pub(crate) fn of(mut self, url: String) -> Self {
        self.url = Some(url);
        self
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "hosts.html")]
pub(crate) struct HostsPage {
    pub(crate) shell: Shell,
    /// What is given to a host.
    pub(crate) gallery: String,
    pub(crate) is_https: bool,
    /// What stands in the field.
    pub(crate) asked: String,
    pub(crate) seen: Option<Seen>,
}
