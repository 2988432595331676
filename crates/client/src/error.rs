//! What can go wrong between Portreeve and a server.

use portreeve_net::NetError;

/// Why a server could not be asked, or did not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// The network, or the egress guard.
    #[error(transparent)]
    Net(#[from] NetError),
    /// An HTTP status that is not an answer of MCP.
    #[error("the server answered {status}{}", reason.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
    Status {
        /// The status.
        status: u16,
        /// The message of a JSON-RPC error in the body, or the start of a text.
        reason: Option<String>,
    },
    /// A JSON-RPC error.
    #[error("the server answered error {code}: {message}")]
    Rpc {
        /// The code.
        code: i64,
        /// The message, at most 500 characters.
        message: String,
        /// The whole `error` object.
        error: String,
    },
    /// An answer that is not MCP.
    #[error("the server's answer is not MCP: {0}")]
    NotMcp(String),
    /// An answer that is packed, although that was not asked for. It is not unpacked.
    #[error("the server's answer is encoded as `{0}`, although only `identity` was accepted")]
    Encoded(String),
    /// No room for one more: for a stream of HTTP+SSE, or for a request over one.
    #[error("{0} are under way already, and no more can be")]
    Crowded(usize),
    /// The answer did not come in time.
    #[error("the server did not answer within {0} s")]
    Timeout(u64),
}
