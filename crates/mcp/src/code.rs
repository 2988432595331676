//! JSON-RPC error codes, and those that MCP gives a meaning.

/// The body is not JSON.
pub const PARSE_ERROR: i64 = -32700;
/// The body is JSON, but not one JSON-RPC request.
pub const INVALID_REQUEST: i64 = -32600;
/// The method is not served.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// The parameters do not fit; also an unknown tool, and an unknown resource in the modern era.
pub const INVALID_PARAMS: i64 = -32602;
/// Something else went wrong on this side.
pub const INTERNAL_ERROR: i64 = -32603;
/// An unknown resource in the legacy era.
pub const RESOURCE_NOT_FOUND_LEGACY: i64 = -32002;
/// Pages that the user must see before the request can be answered (2025-11-25).
pub const PAGES_REQUIRED: i64 = -32042;
/// What the reference SDK answers to a request outside a session. It has no meaning of its own today.
pub const NOT_INITIALIZED: i64 = -32000;
/// A header and the body disagree, or a header is missing (2026-07-28).
pub const HEADER_MISMATCH: i64 = -32020;
/// The client lacks a capability that the request needs (2026-07-28).
pub const MISSING_CAPABILITY: i64 = -32021;
/// The protocol version is not served (2026-07-28).
pub const UNSUPPORTED_VERSION: i64 = -32022;
/// Portreeve's own: a limit was reached. Outside the range that JSON-RPC and MCP reserve.
pub const LIMITED: i64 = -31_429;
/// Portreeve's own: the upstream cannot be reached or broke off.
pub const UPSTREAM: i64 = -31_502;
