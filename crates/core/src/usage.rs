//! Usage: one event per request that reached a route, written behind; rolled up by the minute.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::name::ServerName;
use crate::server::as_words;
use crate::time::Timestamp;

/// How a request ended, seen from its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UsageOutcome {
    /// A result.
    Ok,
    /// A result with `isError`, or a JSON-RPC error of the upstream.
    ToolError,
    /// The upstream could not be reached, or broke off.
    UpstreamError,
    /// Refused by authentication, authorization or validation.
    Refused,
    /// Refused by a rate limit.
    Limited,
    /// The caller went away first.
    Cancelled,
}

as_words!(UsageOutcome {
    Ok = "ok",
    ToolError = "tool-error",
    UpstreamError = "upstream-error",
    Refused = "refused",
    Limited = "limited",
    Cancelled = "cancelled",
});

/// One finished request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageEvent {
    /// When it began.
    pub at: Timestamp,
    /// The server behind the route.
    pub server: ServerName,
    /// The JSON-RPC method.
    pub method: Arc<str>,
    /// The tool, for `tools/call`. Only approved names: a caller cannot grow this set.
    pub tool: Option<Arc<str>>,
    /// The caller's label.
    pub caller: Arc<str>,
    /// The OAuth client that acted, where it came with a token.
    pub client: Option<Arc<str>>,
    /// How it ended.
    pub outcome: UsageOutcome,
    /// Microseconds from the request's head to the end of the answer's body.
    pub latency_us: u64,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
}

/// What a usage question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageQuery {
    /// From this moment on.
    pub from: Timestamp,
    /// Up to, not including, this moment.
    pub to: Timestamp,
    /// Only this server.
    pub server: Option<ServerName>,
    /// Only this OAuth client.
    pub client: Option<String>,
}

/// Usage of one tool (or one method that is not a tool call) in a time range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageRow {
    /// The server.
    pub server: ServerName,
    /// The JSON-RPC method.
    pub method: String,
    /// The tool, for `tools/call`.
    pub tool: Option<String>,
    /// All requests, refused ones included.
    pub calls: u64,
    /// Those that ended in `tool-error` or `upstream-error`.
    pub errors: u64,
    /// Those that ended in `refused`.
    pub refused: u64,
    /// Those that ended in `limited`.
    pub limited: u64,
    /// Median latency in microseconds of the requests that were neither refused nor limited.
    pub p50_us: Option<u64>,
    /// 95th percentile of the same.
    pub p95_us: Option<u64>,
    /// Bytes of request bodies.
    pub bytes_in: u64,
    /// Bytes of answer bodies.
    pub bytes_out: u64,
}
