//! A tool as it was approved (its pin) and as it was last seen.

use serde::{Deserialize, Serialize};

use crate::protocol::Era;
use crate::server::as_words;
use crate::time::Timestamp;

/// What the server says about a tool's effects. Decisions use the approved annotations, never the live ones.
/// The defaults are those of the specification: not read-only, destructive, not idempotent, open world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ToolAnnotations {
    /// Changes nothing.
    pub read_only_hint: bool,
    /// May destroy something. Meaningful only when not read-only.
    pub destructive_hint: bool,
    /// Calling twice is like calling once.
    pub idempotent_hint: bool,
    /// Reaches things outside its own domain.
    pub open_world_hint: bool,
}

impl Default for ToolAnnotations {
    fn default() -> Self {
        Self {
            read_only_hint: false,
            destructive_hint: true,
            idempotent_hint: false,
            open_world_hint: true,
        }
    }
}

/// A tool definition as an upstream sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolDefinition {
    /// The tool's name.
    pub name: String,
    /// SHA-256 over the canonical form (RFC 8785) of the definition, hex.
    pub hash: String,
    /// The definition, as JSON text.
    pub definition: String,
    /// Its annotations.
    pub annotations: ToolAnnotations,
}

/// Where a tool stands. Derived from the approved and the live definition and the hidden mark, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolState {
    /// Approved, and the upstream still says the same.
    Approved,
    /// Seen, never approved.
    New,
    /// The upstream says something else than what was approved: hidden until approved again.
    Changed,
    /// Hidden by an admin.
    Hidden,
    /// Approved, but the last complete list did not have it.
    Missing,
}

as_words!(ToolState {
    Approved = "approved",
    New = "new",
    Changed = "changed",
    Hidden = "hidden",
    Missing = "missing",
});

/// One tool of one route in one era: what was approved and what was last seen.
///
/// A dual-era upstream may word a tool differently per era, so each era has its own pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// The tool's name.
    pub name: String,
    /// The era of the hop on which it was seen.
    pub era: Era,
    /// The approved definition.
    pub approved: Option<ToolDefinition>,
    /// The definition last seen; `None` when the last complete list lacked the tool.
    pub live: Option<ToolDefinition>,
    /// Hidden by an admin.
    pub hidden: bool,
    /// Actor label of who approved it.
    pub approved_by: Option<String>,
    /// When it was approved.
    pub approved_at: Option<Timestamp>,
    /// When it was last seen.
    pub seen_at: Option<Timestamp>,
}

impl Tool {
    /// Where the tool stands.
    pub fn state(&self) -> ToolState {
        match (&self.approved, &self.live) {
            _ if self.hidden => ToolState::Hidden,
            (None, _) => ToolState::New,
            (Some(_), None) => ToolState::Missing,
            (Some(approved), Some(live)) if approved.hash == live.hash => ToolState::Approved,
            (Some(_), Some(_)) => ToolState::Changed,
        }
    }

    /// Whether a caller with the right may call it. A missing tool stays callable: which tools a legacy server lists
    /// may depend on what its client declared, and the upstream answers for itself.
    pub fn is_callable(&self) -> bool {
        matches!(self.state(), ToolState::Approved | ToolState::Missing)
    }
}
