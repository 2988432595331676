//! Audit events, the report of a verification, usage, and the findings of the doctor, as they are shown.

use portreeve_core::audit::{AuditOutcome, AuditReport, ChainedEvent};
use portreeve_core::doctor::{Check, CheckStatus};
use portreeve_core::time::Timestamp;
use portreeve_core::usage::UsageRow;
use serde::Serialize;
use utoipa::ToSchema;

/// An event of the audit log. Members without a value are left out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEvent)]
pub(crate) struct EventShape {
    /// The same as `id`.
    name: String,
    id: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What: `tools/call`, `server.approve`, `key.create`, ...
    action: String,
    /// `permitted`, `refused`, `done` or `failed`.
    outcome: &'static str,
    /// Who, as a label: `key:deploy`, `user:admin`, `anonymous`, `system`.
    actor: String,
    /// The stable identity behind the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    /// The key that was presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The OAuth client that acted with an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    /// The route's slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    /// The tool, resource, prompt, key, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// The names of the arguments and a keyed digest of all of them, never their values.
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<ArgumentsShape>,
    /// The policies that decided.
    policies: Vec<String>,
    /// Why it was refused or failed, as a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The HTTP status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The HTTP status of the upstream's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_status: Option<u16>,
    /// Whether a copy of an earlier answer served, in place of one of the upstream.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cached: bool,
    /// Microseconds from the request's head to the answer's head.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    /// What changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<serde_json::Value>,
    /// The node in whose chain it is.
    node: String,
    /// Its place in that chain, from 1.
    sequence: i64,
    /// SHA-256 over the previous hash, the sequence and the stored bytes, hex.
    hash: String,
}

/// The arguments of a call, without their values.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ArgumentsDigest)]
struct ArgumentsShape {
    keys: Vec<String>,
    hmac: String,
}

/// What a verification of the audit log found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditReport)]
pub(crate) struct ReportShape {
    /// Events read.
    events: u64,
    /// Signed checkpoints read.
    checkpoints: u64,
    /// What is wrong; empty when everything verifies.
    findings: Vec<FindingShape>,
}

/// One thing that is wrong with a chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditFinding)]
struct FindingShape {
    node: String,
    sequence: i64,
    problem: String,
}

/// Usage of one tool, or of one method that is not a tool call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Usage)]
pub(crate) struct UsageShape {
    /// The tool, else the method.
    name: String,
    server: String,
    /// The JSON-RPC method.
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    /// All requests, refused ones included.
    calls: u64,
    errors: u64,
    refused: u64,
    limited: u64,
    /// Median latency in microseconds; null when nothing was passed on.
    p50_us: Option<u64>,
    /// 95th percentile of the same.
    p95_us: Option<u64>,
    bytes_in: u64,
    bytes_out: u64,
}

/// One thing that the doctor examined.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Check)]
pub(crate) struct CheckShape {
    name: String,
    /// `ok`, `warning` or `failure`.
    status: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl From<ChainedEvent> for EventShape {
    fn from(chained: ChainedEvent) -> Self {
        let event = chained.event;
        Self {
            name: event.id.to_string(),
            id: event.id.to_string(),
            at: event.at,
            action: event.action,
            outcome: match event.outcome {
                AuditOutcome::Permitted => "permitted",
                AuditOutcome::Refused => "refused",
                AuditOutcome::Done => "done",
                AuditOutcome::Failed => "failed",
            },
            actor: event.actor,
            principal: event.principal,
            key: event.key,
            client: event.client,
            server: event.server,
            route: event.route,
            target: event.target,
            arguments: event.arguments.map(|digest| ArgumentsShape {
                keys: digest.keys,
                hmac: digest.hmac,
            }),
            policies: event.policies,
            reason: event.reason,
            status: event.status,
            upstream_status: event.upstream_status,
            cached: event.cached,
            latency_us: event.latency_us,
            request_id: event.request_id,
            traceparent: event.traceparent,
            detail: event.detail,
            node: chained.node.to_string(),
            sequence: chained.sequence,
            hash: chained.hash,
        }
    }
}

impl From<AuditReport> for ReportShape {
    fn from(report: AuditReport) -> Self {
        let findings = report.findings.into_iter().map(|finding| FindingShape {
            node: finding.node,
            sequence: finding.sequence,
            problem: finding.problem,
        });
        Self {
            events: report.events,
            checkpoints: report.checkpoints,
            findings: findings.collect(),
        }
    }
}

impl From<UsageRow> for UsageShape {
    fn from(row: UsageRow) -> Self {
        Self {
            name: row.tool.clone().unwrap_or_else(|| row.method.clone()),
            server: row.server.to_string(),
            method: row.method,
            tool: row.tool,
            calls: row.calls,
            errors: row.errors,
            refused: row.refused,
            limited: row.limited,
            p50_us: row.p50_us,
            p95_us: row.p95_us,
            bytes_in: row.bytes_in,
            bytes_out: row.bytes_out,
        }
    }
}

impl From<Check> for CheckShape {
    fn from(check: Check) -> Self {
        Self {
            name: check.name,
            status: match check.status {
                CheckStatus::Ok => "ok",
                CheckStatus::Warning => "warning",
                CheckStatus::Failure => "failure",
            },
            detail: check.detail,
            hint: check.hint,
        }
    }
}
