//! Messages that Portreeve writes itself: errors, small results, requests of its own.

use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
struct ErrorAnswer<'a> {
    jsonrpc: &'static str,
    id: Option<&'a RawValue>,
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: i64,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a serde_json::Value>,
}

/// An error answer. Without an id it says `"id":null`.
pub fn error(id: Option<&RawValue>, code: i64, message: &str, data: Option<&serde_json::Value>) -> Vec<u8> {
    let answer = ErrorAnswer {
        jsonrpc: "2.0",
        id,
        error: ErrorBody { code, message, data },
    };
    // Serialising these types into memory cannot fail: no maps with odd keys, no custom code.
    serde_json::to_vec(&answer).unwrap_or_default()
}

#[derive(Serialize)]
struct Failure<'a> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    error: &'a RawValue,
}

/// Somebody else's error as the answer to a request.
pub fn failure(id: &RawValue, error: &RawValue) -> Vec<u8> {
    serde_json::to_vec(&Failure {
        jsonrpc: "2.0",
        id,
        error,
    })
    .unwrap_or_default()
}

#[derive(Serialize)]
struct ResultAnswer<'a, T> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    result: T,
}

/// A result answer.
pub fn result<T: Serialize>(id: &RawValue, result: T) -> Vec<u8> {
    serde_json::to_vec(&ResultAnswer {
        jsonrpc: "2.0",
        id,
        result,
    })
    .unwrap_or_default()
}

#[derive(Serialize)]
struct Request<'a, T> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    method: &'a str,
    params: T,
}

/// A request; a notification when there is no id.
pub fn request<T: Serialize>(id: Option<u64>, method: &str, params: T) -> Vec<u8> {
    serde_json::to_vec(&Request {
        jsonrpc: "2.0",
        id,
        method,
        params,
    })
    .unwrap_or_default()
}
