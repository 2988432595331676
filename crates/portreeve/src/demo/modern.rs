//! The modern era (2026-07-28): every request carries what it needs, and is checked in the order of the specification.

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::harbour::{Harbour, Work};
use super::inspection::Inspection;
use super::wire::{Failure, Message, Stream, answer, empty, header, json_response, refuse};
use super::{Port, legacy, listen};

/// The modern revision that this server speaks.
const REVISION: &str = "2026-07-28";
const VERSION_HEADER: &str = "mcp-protocol-version";
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
const SERVER_INFO_KEY: &str = "io.modelcontextprotocol/serverInfo";
/// Clients may keep lists for this long; a change is announced to those who listen.
const LIST_TTL_MS: u64 = 60_000;

/// Whether the request carries a marker of the modern era.
pub(super) fn is_meant(headers: &HeaderMap, message: &Message) -> bool {
    is_named(headers) || message.meta(VERSION_KEY).is_some()
}

/// Whether the protocol header names a modern revision. Revisions are dates, so they compare as text.
pub(super) fn is_named(headers: &HeaderMap) -> bool {
    headers
        .get_all(VERSION_HEADER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|named| named.trim() >= REVISION)
}

/// Answers a POST of one message.
pub(super) async fn post(port: &Port, headers: &HeaderMap, message: Message) -> Response {
    let Some(method) = message.method.as_deref() else {
        let failure = Failure::new(
            -32600,
            "Invalid Request: a response to a request that was never sent",
        );
        return refuse(StatusCode::BAD_REQUEST, None, &failure);
    };
    // Notifications are taken without the checks: clients send them without the headers.
    let Some(id) = &message.id else {
        return empty(StatusCode::ACCEPTED);
    };
    let checked = check_versions(headers, &message).and_then(|()| check_headers(headers, method, &message));
    if let Err(failure) = checked {
        return refuse(StatusCode::BAD_REQUEST, Some(id), &failure);
    }
    match method {
        "server/discover" => complete(id, method, Ok(discover())),
        "subscriptions/listen" => listen::subscribe(port, id.clone(), &message),
        _ => match port.harbour.begin(method, &message.params) {
            Some(Work::Done(outcome)) => complete(id, method, outcome),
            Some(Work::Slow(inspection)) => inspect(id, &message, inspection).await,
            None => {
                let failure = Failure::new(-32601, format!("Method not found: {method}"));
                refuse(StatusCode::NOT_FOUND, Some(id), &failure)
            }
        },
    }
}

fn discover() -> Value {
    let mut versions = vec![REVISION];
    versions.extend(legacy::REVISIONS);
    json!({
        "supportedVersions": versions,
        "capabilities": Harbour::capabilities(),
        "instructions": Harbour::instructions(),
    })
}

/// Header and `_meta` must agree on the revision, `_meta` must be complete, and the revision must be spoken here.
fn check_versions(headers: &HeaderMap, message: &Message) -> Result<(), Failure> {
    let named = single(headers, VERSION_HEADER)?;
    let meant = message.meta(VERSION_KEY);
    match (named, meant.and_then(Value::as_str)) {
        (None, _) => return Err(mismatch("the header MCP-Protocol-Version is missing")),
        (Some(named), Some(meant)) if named != meant => {
            return Err(mismatch(&format!(
                "MCP-Protocol-Version is `{named}`, `_meta` says `{meant}`"
            )));
        }
        (Some(_), Some(_)) => {}
        (Some(_), None) => return Err(invalid_meta(VERSION_KEY)),
    }
    if !message.meta(CAPABILITIES_KEY).is_some_and(Value::is_object) {
        return Err(invalid_meta(CAPABILITIES_KEY));
    }
    match named {
        Some(named) if named != REVISION => Err(Failure::new(-32022, "Unsupported protocol version")
            .with(json!({"supported": [REVISION], "requested": named}))),
        _ => Ok(()),
    }
}

/// The headers that intermediaries read must say what the body says.
fn check_headers(headers: &HeaderMap, method: &str, message: &Message) -> Result<(), Failure> {
    match single(headers, "mcp-method")? {
        None => return Err(mismatch("the header Mcp-Method is missing")),
        Some(named) if named != method => {
            return Err(mismatch(&format!(
                "Mcp-Method is `{named}`, the body says `{method}`"
            )));
        }
        Some(_) => {}
    }
    let key = match method {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        _ => return Ok(()),
    };
    let Some(named) = single(headers, "mcp-name")?.map(decoded) else {
        return Err(mismatch("the header Mcp-Name is missing"));
    };
    match message.params.get(key).and_then(Value::as_str) {
        Some(meant) if named.as_deref() == Some(meant) => Ok(()),
        Some(_) => Err(mismatch(&format!("Mcp-Name and `params.{key}` differ"))),
        None => Err(Failure::new(
            -32602,
            format!("Invalid params: `{key}` is missing"),
        )),
    }
}

/// The header's only value. Two values could be read differently by two readers.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Failure> {
    if headers.get_all(name).iter().count() > 1 {
        return Err(mismatch(&format!("the header {name} stands there twice")));
    }
    Ok(header(headers, name))
}

/// Undoes the encoding of values that do not fit into a header; `None` when it is broken.
fn decoded(value: &str) -> Option<String> {
    match value
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="))
    {
        None => Some(value.to_owned()),
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).ok()?).ok(),
    }
}

fn mismatch(what: &str) -> Failure {
    Failure::new(-32020, format!("Header mismatch: {what}"))
}

fn invalid_meta(key: &str) -> Failure {
    Failure::new(-32602, format!("Invalid params: `_meta` lacks `{key}`"))
}

fn complete(id: &Value, method: &str, outcome: Result<Value, Failure>) -> Response {
    json_response(StatusCode::OK, &answer(id, in_this_era(method, outcome)))
}

/// Adds what this era wants in every result, and maps the one error code that it dropped.
fn in_this_era(method: &str, outcome: Result<Value, Failure>) -> Result<Value, Failure> {
    let mut result = match outcome {
        Ok(result) => result,
        Err(failure) if failure.code == -32002 => {
            return Err(Failure {
                code: -32602,
                ..failure
            });
        }
        Err(failure) => return Err(failure),
    };
    result["resultType"] = json!("complete");
    result["_meta"] = json!({SERVER_INFO_KEY: Harbour::identity()});
    if method == "server/discover" || method == "resources/read" || method.ends_with("/list") {
        result["ttlMs"] = json!(LIST_TTL_MS);
        result["cacheScope"] = json!("public");
    }
    Ok(result)
}

/// Runs the slow tool. A client that goes away stops it in this era.
async fn inspect(id: &Value, message: &Message, inspection: Inspection) -> Response {
    let method = "tools/call";
    let Some(token) = message.meta("progressToken").cloned() else {
        return complete(id, method, Ok(inspection.run(None).await));
    };
    let (stream, response) = Stream::open();
    let id = id.clone();
    tokio::spawn(async move {
        tokio::select! {
            result = inspection.run(Some((&stream, &token))) => {
                stream.send(&answer(&id, in_this_era(method, Ok(result)))).await;
            }
            () = stream.gone() => {}
        }
    });
    response
}
