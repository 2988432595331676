//! Header fields that are not a parameter's to set.

/// Fields that the gateway sets, or nobody.
const OURS: [&str; 34] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "cookie2",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "max-forwards",
    "origin",
    "set-cookie",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "user-agent",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-real-ip",
    "x-rewrite-url",
];
/// The same, by how they begin.
const OURS_BEGIN: [&str; 5] = ["proxy-", "sec-", "x-forwarded-", "mcp-", "x-original-"];

/// Whether no parameter may set a header field of this name: it frames the message, says who calls, or belongs to the way
/// there. An importer makes no argument of it, and the gateway would not send it.
pub fn is_reserved_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    OURS.contains(&name.as_str()) || OURS_BEGIN.iter().any(|start| name.starts_with(start))
}
