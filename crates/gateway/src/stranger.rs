//! Answers to callers who were granted nothing on a route: those of a server that has nothing. Nothing of the real
//! server is told or touched.

use http::{Response, StatusCode};
use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::method::Method;
use portreeve_mcp::{answer, code};
use serde_json::{Value, json};

use crate::accept::inbound::Call;
use crate::respond::{Body, json as json_answer};

fn server_info() -> Value {
    json!({"name": "portreeve", "version": env!("CARGO_PKG_VERSION")})
}

/// The answer of a server that has nothing.
pub fn answer(call: &Call) -> Response<Body> {
    let result = match call.era {
        Era::Legacy => legacy(call),
        Era::Modern => modern(call.method),
    };
    let body = match result {
        Some(result) => answer::result(&call.id, result),
        None => refusal(call),
    };
    json_answer(StatusCode::OK, body)
}

fn legacy(call: &Call) -> Option<Value> {
    Some(match call.method {
        Method::Initialize => json!({
            "protocolVersion": proposed(call).unwrap_or(Revision::NEWEST_LEGACY).as_str(),
            "capabilities": {"tools": {"listChanged": true}},
            "serverInfo": server_info(),
        }),
        Method::Ping | Method::SetLevel => json!({}),
        method => json!({list_of(method)?: []}),
    })
}

fn modern(method: Method) -> Option<Value> {
    let mut result = match method {
        Method::Discover => json!({
            "supportedVersions": [Revision::V2026_07_28.as_str()],
            "capabilities": {"tools": {}},
            "_meta": {"io.modelcontextprotocol/serverInfo": server_info()},
        }),
        method => json!({list_of(method)?: []}),
    };
    if let Some(fields) = result.as_object_mut() {
        fields.insert("resultType".to_owned(), "complete".into());
        fields.insert("ttlMs".to_owned(), 0.into());
        fields.insert("cacheScope".to_owned(), "private".into());
    }
    Some(result)
}

fn list_of(method: Method) -> Option<&'static str> {
    Some(match method {
        Method::ListTools => "tools",
        Method::ListResources => "resources",
        Method::ListTemplates => "resourceTemplates",
        Method::ListPrompts => "prompts",
        _ => return None,
    })
}

fn proposed(call: &Call) -> Option<Revision> {
    let raw = call.body.get(call.proposed_version.clone()?)?;
    let text: String = serde_json::from_slice(raw).ok()?;
    text.parse::<Revision>()
        .ok()
        .filter(|revision| revision.era() == Era::Legacy)
}

fn refusal(call: &Call) -> Vec<u8> {
    let target = call.target.as_deref().unwrap_or_default();
    let (code, message, data) = match (call.method, call.era) {
        (Method::ReadResource | Method::Subscribe | Method::Unsubscribe, Era::Legacy) => (
            code::RESOURCE_NOT_FOUND_LEGACY,
            format!("Resource not found: {target}"),
            Some(json!({"uri": target})),
        ),
        (Method::ReadResource, Era::Modern) => (
            code::INVALID_PARAMS,
            format!("Resource not found: {target}"),
            Some(json!({"uri": target})),
        ),
        (Method::GetPrompt, _) => (code::INVALID_PARAMS, format!("Unknown prompt: {target}"), None),
        (Method::Complete, _) => (code::INVALID_PARAMS, "Unknown reference".to_owned(), None),
        _ => (code::METHOD_NOT_FOUND, "Method not found".to_owned(), None),
    };
    answer::error(Some(&call.id), code, &message, data.as_ref())
}
