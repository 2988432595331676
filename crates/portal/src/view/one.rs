//! The page of one thing: what is said about it, and the forms that change it.

use askama::Template;

use crate::view::form::{FieldKind, FormView, Tab};
use crate::view::shell::Shell;

/// Where the page belongs.
#[derive(Debug, Clone)]
pub(crate) struct Crumb {
    pub(crate) href: String,
    pub(crate) text: String,
}

/// A form with what stands above it.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) title: String,
    pub(crate) text: &'static str,
    pub(crate) form: FormView,
}

/// The page.
#[derive(Template)]
#[template(path = "one.html")]
pub(crate) struct OnePage {
    pub(crate) shell: Shell,
    pub(crate) crumbs: Vec<Crumb>,
    /// Pages that belong together with this one.
    pub(crate) tabs: Vec<Tab>,
    pub(crate) lede: String,
    pub(crate) findings_title: &'static str,
    pub(crate) findings: Vec<String>,
    pub(crate) parts: Vec<Part>,
}

// === impl Crumb ===

impl Crumb {
    pub(crate) fn new(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            href: href.into(),
            text: text.into(),
        }
    }
}

// === impl Part ===

impl Part {
    pub(crate) fn new(title: impl Into<String>, text: &'static str, form: FormView) -> Self {
        Self {
            title: title.into(),
            text,
            form,
        }
    }
}

// === impl OnePage ===

impl OnePage {
    pub(crate) fn new(shell: Shell, lede: impl Into<String>, crumbs: Vec<Crumb>) -> Self {
        Self {
            shell,
            crumbs,
            tabs: Vec::new(),
            lede: lede.into(),
            findings_title: "",
            findings: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Puts one more form on the page.
    pub(crate) fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }
}
