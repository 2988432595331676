//! JSON-RPC and server-sent events as the sample server writes them; both eras answer through here.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

/// What a client sent: a request (method and id), a notification (method) or a response (neither needed here).
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: Option<Value>,
    pub(super) method: Option<String>,
    pub(super) params: Value,
}

/// A JSON-RPC error.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: i64,
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

/// The writing end of one event stream.
#[derive(Debug, Clone)]
pub(super) struct Stream(mpsc::Sender<Bytes>);

/// The value of a header, without the white space around it; `None` when absent or not text.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A response message.
pub(super) fn answer(id: &Value, outcome: Result<Value, Failure>) -> Value {
    match outcome {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(failure) => failure.to_message(id),
    }
}

/// An HTTP response with one JSON body.
pub(super) fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An HTTP response that carries a JSON-RPC error.
pub(super) fn refuse(status: StatusCode, id: Option<&Value>, failure: &Failure) -> Response {
    json_response(status, &failure.to_message(id.unwrap_or(&Value::Null)))
}

/// An HTTP response without a body.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

// === impl Message ===

impl Message {
    /// Reads one JSON-RPC message, or says why it is none.
    pub(super) fn read(body: Value) -> Result<Self, Failure> {
        let Value::Object(mut fields) = body else {
            return Err(Failure::new(-32600, "Invalid Request: a message is an object"));
        };
        if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(Failure::new(-32600, "Invalid Request: `jsonrpc` must be \"2.0\""));
        }
        let id = fields.remove("id");
        if id.as_ref().is_some_and(|id| !is_id(id)) {
            return Err(Failure::new(
                -32600,
                "Invalid Request: `id` must be a string or a whole number",
            ));
        }
        match (fields.remove("method"), has_answer(&fields)) {
            (Some(Value::String(method)), 0) => {
                let params = fields.remove("params").unwrap_or_else(|| json!({}));
                Ok(Self {
                    id,
                    method: Some(method),
                    params,
                })
            }
            (None, 1) => Ok(Self {
                id,
                method: None,
                params: Value::Null,
            }),
            _ => Err(Failure::new(
                -32600,
                "Invalid Request: neither a request nor a response",
            )),
        }
    }

    /// A key of `params._meta`.
    pub(super) fn meta(&self, key: &str) -> Option<&Value> {
        self.params.get("_meta")?.get(key)
    }
}

fn is_id(id: &Value) -> bool {
    id.is_string() || id.is_i64() || id.is_u64()
}

fn has_answer(fields: &Map<String, Value>) -> usize {
    usize::from(fields.contains_key("result")) + usize::from(fields.contains_key("error"))
}

// === impl Failure ===

impl Failure {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    pub(super) fn with(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    fn to_message(&self, id: &Value) -> Value {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(data) = &self.data {
            error["data"] = data.clone();
        }
        json!({"jsonrpc": "2.0", "id": id, "error": error})
    }
}

// === impl Stream ===

impl Stream {
    /// Opens a stream, with the response that the client reads it from. The first thing in it is a comment, so that
    /// the response head reaches the client at once, whatever sits in between.
    pub(super) fn open() -> (Self, Response) {
        let (sender, receiver) = mpsc::channel(16);
        // The channel is new and empty: the comment always fits.
        let _ = sender.try_send(Bytes::from_static(b": open\n\n"));
        let frames = stream::unfold(receiver, |mut receiver| async move {
            let frame = receiver.recv().await?;
            Some((Ok::<_, Infallible>(frame), receiver))
        });
        let mut response = Response::new(Body::from_stream(frames));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
        headers.insert(
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        );
        (Self(sender), response)
    }

    /// Sends one message. A client that went away is no error: whoever must stop then watches [`Stream::gone`].
    pub(super) async fn send(&self, message: &Value) {
        let _ = self
            .0
            .send(Bytes::from(format!("event: message\ndata: {message}\n\n")))
            .await;
    }

    /// Sends a comment, so that nobody in between takes the stream for dead.
    pub(super) async fn keep_alive(&self) {
        let _ = self.0.send(Bytes::from_static(b": keep-alive\n\n")).await;
    }

    /// Resolves when the client stopped reading.
    pub(super) async fn gone(&self) {
        self.0.closed().await;
    }
}
