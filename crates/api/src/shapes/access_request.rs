//! Requests for access.

use std::time::Duration;

use portreeve_access::{AccessTerms, NewAccessRequest, ShownAccessRequest};
use portreeve_core::grant::ToolScope;
use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::identity::ToolsScopeShape;
use crate::problem::Problem;
use crate::query::server_name;

/// Somebody asks to use a server.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccessRequest)]
pub(crate) struct AccessRequestShape {
    /// Its identity.
    name: String,
    /// The server.
    server: String,
    /// Who asks.
    caller: String,
    /// The groups that who asks belonged to at that moment.
    groups: Vec<String>,
    /// `"all"`, `"read-only"` or `{"named": [TOOL, ...]}`.
    #[schema(value_type = ToolsScopeShape)]
    tools: ToolScope,
    /// What for.
    reason: String,
    /// For how long it is wished, in seconds; absent for no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    for_seconds: Option<u64>,
    /// `open`, `granted`, `refused`, `withdrawn` or `expired`.
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    /// Until when somebody may decide.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    /// What who decided says about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The grant that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
    /// When that grant ends; absent for no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    granted_until: Option<Timestamp>,
    /// Whether you may decide.
    may_decide: bool,
}

/// A request to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewAccessRequest)]
pub(crate) struct NewAccessRequestShape {
    /// The server.
    server: String,
    /// `"all"`, `"read-only"` or `{"named": [TOOL, ...]}`; `"all"` if left out.
    #[serde(default = "every_tool")]
    #[schema(value_type = ToolsScopeShape, required = false)]
    tools: ToolScope,
    /// What for: plain text, at most 1,000 bytes. Whoever decides reads it.
    reason: String,
    /// For how long, in seconds: a minute to 366 days. With no end if left out.
    #[serde(default)]
    for_seconds: Option<u64>,
}

fn every_tool() -> ToolScope {
    ToolScope::All
}

/// What is granted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = AccessGrant)]
pub(crate) struct AccessGrantShape {
    /// For how long, in seconds: a minute to 366 days. With no end if left out.
    #[serde(default)]
    for_seconds: Option<u64>,
    /// Some of the tools that were asked for: `"read-only"` or `{"named": [TOOL, ...]}`. All of them if left out; never more.
    #[serde(default)]
    #[schema(value_type = Option<ToolsScopeShape>)]
    tools: Option<ToolScope>,
    /// What who asked is told, at most 1,000 bytes.
    #[serde(default)]
    note: Option<String>,
}

/// Why access is refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccessRefusal)]
pub(crate) struct AccessRefusalShape {
    /// What who asked is told, at most 1,000 bytes.
    pub(crate) note: String,
}

// === impl AccessRequestShape ===

impl AccessRequestShape {
    pub(crate) fn new(shown: ShownAccessRequest) -> Self {
        let request = shown.request;
        Self {
            name: request.id.to_string(),
            server: request.server.to_string(),
            caller: request.caller,
            groups: request.groups.iter().map(ToString::to_string).collect(),
            tools: request.tools,
            reason: request.reason,
            for_seconds: request.wished.map(|span| span.as_secs()),
            state: shown.state.as_str(),
            asked_at: request.asked_at,
            expires_at: request.expires_at,
            decided_by: request.decided_by,
            decided_at: request.decided_at,
            note: request.note,
            grant: request.grant.map(|grant| format!("grant:{grant}")),
            granted_until: request.granted_until,
            may_decide: shown.may_decide,
        }
    }
}

// === impl NewAccessRequestShape ===

impl NewAccessRequestShape {
    pub(crate) fn read(self) -> Result<NewAccessRequest, Problem> {
        Ok(NewAccessRequest {
            server: server_name(&self.server)?,
            tools: self.tools,
            reason: self.reason,
            wished: self.for_seconds.map(Duration::from_secs),
        })
    }
}

// === impl AccessGrantShape ===

impl AccessGrantShape {
    pub(crate) fn read(self) -> AccessTerms {
        AccessTerms {
            span: self.for_seconds.map(Duration::from_secs),
            tools: self.tools,
            note: self.note,
        }
    }
}
