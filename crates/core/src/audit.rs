//! Events of the audit log. Fields of who, what, where, how it was decided; never values of arguments.

use serde::{Deserialize, Serialize};

use crate::id::{EventId, NodeId};
use crate::time::Timestamp;

/// How an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditOutcome {
    /// A request was allowed and passed on.
    Permitted,
    /// A request was refused by Portreeve.
    Refused,
    /// A change was made.
    Done,
    /// It was allowed, but failed (an upstream that did not answer, for example).
    Failed,
}

/// The keys of a call's arguments and a keyed digest of the whole, instead of their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgumentsDigest {
    /// The top-level argument names, in the order of the request, at most 64.
    pub keys: Vec<String>,
    /// HMAC-SHA-256 of the arguments' bytes with an installation key, hex.
    pub hmac: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Identity.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What: `tools/call`, `tools/list`, `server.approve`, `key.create`, `sign-in`, ...
    pub action: String,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Who, as a label (`key:deploy`, `user:admin`, `anonymous`, `system`).
    pub actor: String,
    /// The stable identity behind the label (`key:<uuid>`, `user:<uuid>`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The key that was presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The OAuth client that acted with an access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The route's slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The tool, resource or prompt, at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Argument names and digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<ArgumentsDigest>,
    /// The policies that decided: `grant:<id>`, `route:anonymous`, `rate_limit`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// Why it was refused or failed: a word such as `unauthenticated`, `unknown-tool`, `rate-limited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The HTTP status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The HTTP status of the upstream's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    /// Whether a copy of an earlier answer served, so that the upstream was not asked, or could not answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// Microseconds from the request's head to the answer's head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// The request's identity, also in the answer's `x-request-id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The caller's trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What changed, for changes: small, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<serde_json::Value>,
}

impl AuditEvent {
    /// An event with only its required fields.
    pub fn new(id: EventId, at: Timestamp, action: impl Into<String>, actor: &crate::caller::Caller) -> Self {
        Self {
            id,
            at,
            action: action.into(),
            outcome: AuditOutcome::Done,
            actor: actor.label.to_string(),
            principal: Some(actor.principal.to_string()),
            key: actor.key.map(|key| key.to_string()),
            client: actor.token.as_ref().map(|token| token.client.to_string()),
            server: None,
            route: None,
            target: None,
            arguments: None,
            policies: Vec::new(),
            reason: None,
            status: None,
            upstream_status: None,
            cached: false,
            latency_us: None,
            request_id: None,
            traceparent: None,
            detail: None,
        }
    }
}

/// An event as it stands in a chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChainedEvent {
    /// The node whose chain it is in.
    pub node: NodeId,
    /// Its place there, from 1.
    pub sequence: i64,
    /// SHA-256 over the previous hash, the sequence and the stored bytes, hex.
    pub hash: String,
    /// The event.
    pub event: AuditEvent,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// Events read, over all chains.
    pub events: u64,
    /// Signed checkpoints read, over all chains.
    pub checkpoints: u64,
    /// What is wrong; empty when everything verifies.
    pub findings: Vec<AuditFinding>,
}

/// One thing that is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditFinding {
    /// The chain.
    pub node: String,
    /// The entry.
    pub sequence: i64,
    /// What is wrong there, as a sentence.
    pub problem: String,
}
