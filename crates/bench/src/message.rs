//! The pieces of a request that the load generator writes and the server looks for: one spelling for both.

/// The revision that the load speaks.
pub const REVISION: &str = "2026-07-28";
/// The revision of a session, which is what a host of the legacy era opens.
pub const SESSION_REVISION: &str = "2025-11-25";
/// Everything before the id.
pub const BEFORE_ID: &str = r#"{"jsonrpc":"2.0","id":"#;
/// Between the id and the text of an `echo`.
pub const BEFORE_TEXT: &str = r#","method":"tools/call","params":{"name":"echo","arguments":{"text":""#;
/// After the arguments: what every request of this revision carries.
pub const META: &str = concat!(
    r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
    r#""io.modelcontextprotocol/clientInfo":{"name":"bench-load","version":"1"},"#,
    r#""io.modelcontextprotocol/clientCapabilities":{}}"#,
);
/// What a progress event contains, and nothing else does.
pub const PROGRESS: &str = r#""method":"notifications/progress""#;
