//! Responses: results of either era, and errors, around the id as it came.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use hyper::Response;

use crate::body::{Answer, Events};

/// Which era a request is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

impl Era {
    /// What a result begins with.
    pub(crate) fn opening(self) -> &'static str {
        match self {
            Self::Legacy => "",
            Self::Modern => r#""resultType":"complete","#,
        }
    }

    /// What a list or a discovery ends with.
    pub(crate) fn caching(self) -> &'static str {
        match self {
            Self::Legacy => "",
            Self::Modern => r#","ttlMs":60000,"cacheScope":"public""#,
        }
    }
}

/// The text of a result; `fields` are the result's own.
pub(crate) fn result(id: &str, fields: &str) -> Bytes {
    let mut text = String::with_capacity(fields.len() + id.len() + 48);
    for part in [r#"{"jsonrpc":"2.0","id":"#, id, r#","result":{"#, fields, "}}"] {
        text.push_str(part);
    }
    Bytes::from(text)
}

/// The text of a tool's result. `text` is a JSON string with its quotes.
pub(crate) fn content(id: &str, era: Era, text: &[u8]) -> Bytes {
    let parts: [&[u8]; 7] = [
        br#"{"jsonrpc":"2.0","id":"#,
        id.as_bytes(),
        br#","result":{"#,
        era.opening().as_bytes(),
        br#""content":[{"type":"text","text":"#,
        text,
        br#"}],"isError":false}}"#,
    ];
    Bytes::from(parts.concat())
}

/// The text of an error.
pub(crate) fn error(id: &str, code: i32, message: &str) -> Bytes {
    Bytes::from(format!(
        r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}"#
    ))
}

/// A JSON response.
pub(crate) fn json(status: StatusCode, body: Bytes) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(Some(body)));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// A response without a body.
pub(crate) fn empty(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(None));
    *response.status_mut() = status;
    if status == StatusCode::METHOD_NOT_ALLOWED {
        let post = HeaderValue::from_static("POST");
        response.headers_mut().insert(ALLOW, post);
    }
    response
}

/// A stream that ends.
pub(crate) fn events(events: Events) -> Response<Answer> {
    stream(Answer::Events(events))
}

/// A stream that does not.
pub(crate) fn held(first: Bytes) -> Response<Answer> {
    stream(Answer::Held(Some(first)))
}

/// The result as the last event of a stream.
pub(crate) fn last_event(result: &Bytes) -> Bytes {
    Bytes::from([b"event: message\ndata: ", &result[..], b"\n\n"].concat())
}

fn stream(body: Answer) -> Response<Answer> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // nginx holds a stream back until a buffer is full unless it is told.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
