//! Calls that a person must allow first.

use portreeve_access::ShownApproval;
use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A call that is held back until a person allows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CallApproval)]
pub(crate) struct ApprovalShape {
    /// Its identity.
    name: String,
    /// The server.
    server: String,
    /// The route.
    route: String,
    tool: String,
    /// The arguments as they were sent: an object, or their text where they are none.
    arguments: serde_json::Value,
    /// Who wants to make the call.
    caller: String,
    /// Who may decide, besides managers.
    approvers: Vec<String>,
    /// Whether the caller may, too.
    by_caller: bool,
    /// `waiting`, `approved`, `denied` or `used`.
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    /// Until when a decision counts.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    /// Why it was denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whether you may decide.
    may_decide: bool,
}

/// Why a call is not allowed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Denial)]
pub(crate) struct DenialShape {
    /// What the caller is told, at most 1,000 bytes.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

// === impl ApprovalShape ===

impl ApprovalShape {
    pub(crate) fn new(shown: ShownApproval) -> Self {
        let approval = shown.approval;
        Self {
            name: approval.id.to_string(),
            server: approval.server.to_string(),
            route: approval.slug.to_string(),
            tool: approval.tool,
            arguments: serde_json::from_str(&shown.arguments).unwrap_or_else(|_| shown.arguments.into()),
            caller: approval.caller,
            approvers: approval.approvers.into_iter().collect(),
            by_caller: approval.by_caller,
            state: approval.state.as_str(),
            asked_at: approval.asked_at,
            expires_at: approval.expires_at,
            decided_by: approval.decided_by,
            decided_at: approval.decided_at,
            reason: approval.reason,
            may_decide: shown.may_decide,
        }
    }
}
