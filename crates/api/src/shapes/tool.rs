//! Tools with their pins, as they are shown and decided on.

use portreeve_core::time::Timestamp;
use portreeve_core::tool::{ToolAnnotations, ToolDefinition};
use portreeve_registry::{ToolChoice, ToolView};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::server::raw;
use crate::content;
use crate::problem::Problem;

/// A tool of a server in one era.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Tool)]
pub(crate) struct ToolShape {
    pub(crate) name: String,
    /// The era in which it was seen: `legacy` or `modern`.
    pub(crate) era: String,
    /// `approved`, `new`, `changed`, `hidden` or `missing`.
    state: &'static str,
    /// What the tool says about itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The approved annotations, else the live ones.
    #[schema(value_type = Option<Annotations>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<ToolAnnotations>,
    /// The definition that was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved: Option<DefinitionShape>,
    /// The definition that was seen last.
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<DefinitionShape>,
    /// What changed since it was approved.
    changes: Vec<ChangeShape>,
    /// Why no host gets to know of it in this era, although it may be approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    approved_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    seen_at: Option<Timestamp>,
}

/// A tool definition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ToolDefinition)]
struct DefinitionShape {
    /// SHA-256 of its canonical form (RFC 8785), hex.
    hash: String,
    /// The definition as the server sent it.
    #[schema(value_type = Object)]
    definition: Box<RawValue>,
}

/// What a tool says about its effects.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only described; the noun in core is what is shown")]
pub(crate) struct Annotations {
    read_only_hint: bool,
    destructive_hint: bool,
    idempotent_hint: bool,
    open_world_hint: bool,
}

/// One difference between the approved and the live definition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Change)]
struct ChangeShape {
    /// Where: `/inputSchema/properties/amount/type`.
    path: String,
    /// What was approved; absent when there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    /// What is there now; absent when there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// Which tools are approved: these, or every one that waits.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ApproveTools {
    /// These tools.
    tools: Option<Vec<String>>,
    /// Every tool that waits.
    #[serde(default)]
    all: bool,
}

impl ApproveTools {
    /// The choice that was made; it must be one of the two.
    pub(crate) fn choice(self) -> Result<ToolChoice, Problem> {
        match (self.tools, self.all) {
            (None, true) => Ok(ToolChoice::All),
            (Some(tools), false) if !tools.is_empty() => Ok(ToolChoice::Named(tools)),
            _ => Err(content::field(
                "tools",
                "name tools, or say `\"all\": true`, and not both",
            )),
        }
    }
}

/// What a definition says about itself.
#[derive(Debug, Deserialize)]
struct Words {
    description: Option<String>,
}

impl ToolShape {
    pub(crate) fn new(view: &ToolView) -> Self {
        let tool = &view.tool;
        let shown = tool.approved.as_ref().or(tool.live.as_ref());
        let words = shown.and_then(|definition| serde_json::from_str::<Words>(&definition.definition).ok());
        Self {
            name: tool.name.clone(),
            era: tool.era.to_string(),
            state: view.state.as_str(),
            description: words.and_then(|words| words.description),
            annotations: shown.map(|definition| definition.annotations),
            approved: tool.approved.as_ref().map(DefinitionShape::new),
            live: tool.live.as_ref().map(DefinitionShape::new),
            changes: view
                .changes
                .iter()
                .map(|change| ChangeShape {
                    path: change.path.clone(),
                    before: change.before.clone(),
                    after: change.after.clone(),
                })
                .collect(),
            problem: view.problem.clone(),
            approved_by: tool.approved_by.clone(),
            approved_at: tool.approved_at,
            seen_at: tool.seen_at,
        }
    }
}

impl DefinitionShape {
    fn new(definition: &ToolDefinition) -> Self {
        Self {
            hash: definition.hash.clone(),
            definition: raw(&definition.definition),
        }
    }
}
