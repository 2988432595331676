//! Notifications that come while a request is answered: whether they are about it, and in whose words.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Unbridgeable;
use crate::edit::Edit;
use crate::level::Level;
use crate::params::text;
use crate::splice::Splice;

/// What a notification of a server is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// How far a request is.
    Progress,
    /// A message for a log.
    Log,
    /// That something changed, which concerns whoever asked to be told.
    Change,
    /// Something that has no counterpart in the other era.
    Dropped,
    /// Something that is not known here.
    Other,
}

// === impl Notice ===

impl Notice {
    /// By its method.
    pub fn of(method: &str) -> Self {
        match method {
            "notifications/progress" => Self::Progress,
            "notifications/message" => Self::Log,
            "notifications/tools/list_changed"
            | "notifications/prompts/list_changed"
            | "notifications/resources/list_changed"
            | "notifications/resources/updated" => Self::Change,
            "notifications/cancelled"
            | "notifications/elicitation/complete"
            | "notifications/tasks/status"
            | "notifications/subscriptions/acknowledged" => Self::Dropped,
            _ => Self::Other,
        }
    }
}

/// A report of progress under the token that the host chose; `None` when it is about another request.
pub fn progress(
    body: &[u8],
    params: &str,
    ours: u64,
    token: &RawValue,
) -> Result<Option<Vec<u8>>, Unbridgeable> {
    let Some(raw) = Edit::of(params).value("progressToken") else {
        return Err(Unbridgeable);
    };
    // A server may give a number back as a text.
    let said = text(raw).unwrap_or(Cow::Borrowed(raw));
    if said.parse() != Ok(ours) {
        return Ok(None);
    }
    let mut splice = Splice::new(body);
    splice.replace(raw, token.get())?;
    Ok(Some(splice.finish()))
}

/// How grave a log message is.
pub fn log_level(params: &str) -> Option<Level> {
    Level::find(&text(Edit::of(params).value("level")?)?)
}
