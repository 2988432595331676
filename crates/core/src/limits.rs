//! Every limit on what comes from outside, in one place.

use std::time::Duration;

/// Limits in bytes, items and time. One value per installation; the defaults are what is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Request head, in bytes.
    pub head_bytes: usize,
    /// Header fields in a request head.
    pub head_fields: usize,
    /// Time for a request head to arrive.
    pub head_read: Duration,
    /// Body of a request to an MCP endpoint.
    pub mcp_body_bytes: usize,
    /// Body of any other request.
    pub api_body_bytes: usize,
    /// Time for a request body to arrive.
    pub body_read: Duration,
    /// A result or an SSE event that must be held whole (lists, rewritten answers).
    pub held_result_bytes: usize,
    /// One page of a tool list when the gateway discovers tools.
    pub tool_list_pages: usize,
    /// Tools of one server.
    pub tools_per_server: usize,
    /// One tool definition.
    pub tool_definition_bytes: usize,
    /// A server.json document.
    pub document_bytes: usize,
    /// Open streams of one node.
    pub streams_per_node: usize,
    /// Open streams of one caller.
    pub streams_per_caller: usize,
    /// Legacy sessions of one node.
    pub sessions_per_node: usize,
    /// Legacy sessions of one caller.
    pub sessions_per_caller: usize,
    /// A legacy session without a request lives this long.
    pub session_idle: Duration,
    /// Silence on a stream after which a comment is sent.
    pub keep_alive: Duration,
    /// A tool discovery as a whole.
    pub probe: Duration,
    /// Requests of one legacy session that are under way at once.
    pub requests_per_session: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 16 * 1024,
            head_fields: 64,
            head_read: Duration::from_secs(10),
            mcp_body_bytes: 4 * 1024 * 1024,
            api_body_bytes: 1024 * 1024,
            body_read: Duration::from_secs(60),
            held_result_bytes: 8 * 1024 * 1024,
            tool_list_pages: 100,
            tools_per_server: 5_000,
            tool_definition_bytes: 256 * 1024,
            document_bytes: 256 * 1024,
            streams_per_node: 20_000,
            streams_per_caller: 64,
            sessions_per_node: 50_000,
            sessions_per_caller: 1_000,
            session_idle: Duration::from_secs(24 * 60 * 60),
            keep_alive: Duration::from_secs(15),
            probe: Duration::from_secs(10),
            requests_per_session: 256,
        }
    }
}

impl Limits {
    /// Small limits, so that a test reaches them.
    pub fn for_tests() -> Self {
        Self {
            mcp_body_bytes: 64 * 1024,
            api_body_bytes: 64 * 1024,
            body_read: Duration::from_secs(2),
            held_result_bytes: 256 * 1024,
            streams_per_node: 100,
            streams_per_caller: 8,
            sessions_per_node: 100,
            sessions_per_caller: 16,
            keep_alive: Duration::from_millis(200),
            probe: Duration::from_secs(2),
            ..Self::default()
        }
    }
}
