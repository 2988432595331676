//! Why a command failed: one line of reason, the details below it, and what to do next.
//!
//! Every command ends in a [`Reply`](super::reply::Reply) or in one of these; `cli.rs` prints both.

use std::fmt;

/// A command that did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What happened, in one line.
    reason: String,
    /// One line for each single problem, when there are several.
    details: Vec<String>,
    /// What to do next.
    hint: Option<String>,
    /// Whether the other side refused the content itself.
    of_content: bool,
}

impl Failure {
    /// A failure with its reason.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            details: Vec::new(),
            hint: None,
            of_content: false,
        }
    }

    /// Says what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Remembers that the content was refused (status 422).
    #[must_use]
    pub(crate) fn of_content_if(mut self, of_content: bool) -> Self {
        self.of_content = of_content;
        self
    }

    /// Whether the content was refused.
    pub(crate) fn is_of_content(&self) -> bool {
        self.of_content
    }

    /// Says what to do next, unless that has been said.
    #[must_use]
    pub(crate) fn or_hint(self, hint: impl Into<String>) -> Self {
        if self.hint.is_some() {
            self
        } else {
            self.hint(hint)
        }
    }

    /// Adds the single problems.
    #[must_use]
    pub(crate) fn details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", one_line(&self.reason))?;
        for detail in &self.details {
            write!(f, "\n  {}", one_line(detail))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {}", one_line(hint))?;
        }
        Ok(())
    }
}

/// Text from outside on one line, without characters that would move the terminal's cursor.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}
