//! A call for somebody whom this process knows already, such as the visitor of a page: the corridor that hosts walk, with
//! the caller in hand instead of a credential. Policies, limits, pins and records are the same.
//!
//! Before: a face found out who asks. The caller travels in an extension of the request, which nothing that comes over a
//! network can carry.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use portreeve_core::caller::Caller;
use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::{header, sse};
use serde_json::{Map, Value, json};

use crate::Gateway;
use crate::respond::Body;

/// Who calls, where that is known without a credential.
#[derive(Debug, Clone)]
pub(crate) struct KnownCaller(pub(crate) Caller);

/// Why a call has no answer that could be shown. What the gateway or the server refuses is an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsoleError {
    /// It is too large for a page.
    #[error("the answer has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// It took too long.
    #[error("there was no answer within {} s", .limit.as_secs())]
    Late {
        /// The limit.
        limit: Duration,
    },
    /// The stream ended before it, or it is none.
    #[error("the answer ended early (HTTP {status})")]
    Broken {
        /// The status that it began with.
        status: u16,
    },
}

impl Gateway {
    /// Calls a tool of a route, and answers with the response as JSON-RPC has it: a member `result` or a member `error`.
    ///
    /// # Errors
    ///
    /// When nothing came that could be shown.
    pub async fn call_for(
        self: &Arc<Self>,
        caller: &Caller,
        (slug, tool): (&str, &str),
        arguments: Map<String, Value>,
    ) -> Result<Value, ConsoleError> {
        let limit = self.limits.console_wait;
        let is_legacy = self
            .loader
            .find(slug)
            .is_some_and(|route| route.lacks(Era::Modern));
        let params = json!({"name": tool, "arguments": arguments});
        let call = async {
            if is_legacy {
                self.legacy(caller, slug, params).await
            } else {
                self.modern(caller, (slug, tool), params).await
            }
        };
        tokio::time::timeout(limit, call)
            .await
            .unwrap_or(Err(ConsoleError::Late { limit }))
    }

    async fn modern(
        self: &Arc<Self>,
        caller: &Caller,
        (slug, tool): (&str, &str),
        mut params: Value,
    ) -> Result<Value, ConsoleError> {
        let revision = Revision::V2026_07_28.as_str();
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": revision,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": client(),
        });
        let repeated = self.repeated(slug, tool, &params);
        let name = header::encode(tool);
        let mut headers = vec![
            (header::PROTOCOL_VERSION, revision),
            (header::METHOD, "tools/call"),
            (header::NAME, &*name),
        ];
        headers.extend(
            repeated
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.to_str().ok()?))),
        );
        let message = message(1, "tools/call", params);
        let response = self.ask(caller, slug, &headers, &message).await;
        self.answer(response).await
    }

    /// The headers that repeat arguments, as the tool wants it.
    fn repeated(&self, slug: &str, tool: &str, params: &Value) -> HeaderMap {
        let route = self.loader.find(slug);
        let served = route.as_ref().and_then(|route| route.tool(Era::Modern, tool));
        let mirrors = served.and_then(|served| served.mirrors.as_ref().ok());
        let arguments = params.get("arguments").map(Value::to_string);
        mirrors
            .and_then(|mirrors| mirrors.headers(arguments.as_deref()).ok())
            .unwrap_or_default()
    }

    /// A session of one call.
    async fn legacy(
        self: &Arc<Self>,
        caller: &Caller,
        slug: &str,
        params: Value,
    ) -> Result<Value, ConsoleError> {
        let revision = Revision::V2025_11_25.as_str();
        let hello = json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": client()});
        let opened = self
            .ask(caller, slug, &[], &message(0, "initialize", hello))
            .await;
        let session = opened.headers().get(header::SESSION_ID).cloned();
        let opened = self.answer(opened).await?;
        if opened.get("error").is_some() {
            return Ok(opened);
        }
        let agreed = opened.pointer("/result/protocolVersion").and_then(Value::as_str);
        let mut headers = vec![(header::PROTOCOL_VERSION, agreed.unwrap_or(revision))];
        let session = session.as_ref().and_then(|session| session.to_str().ok());
        headers.extend(session.map(|session| (header::SESSION_ID, session)));
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        drop(self.ask(caller, slug, &headers, &ready).await);
        let response = self
            .ask(caller, slug, &headers, &message(1, "tools/call", params))
            .await;
        let answer = self.answer(response).await;
        if session.is_some() {
            let end = self.request(caller, slug, (Method::DELETE, &headers), Bytes::new());
            drop(Box::pin(self.handle(end)).await);
        }
        answer
    }

    async fn ask(
        self: &Arc<Self>,
        caller: &Caller,
        slug: &str,
        headers: &[(HeaderName, &str)],
        message: &Value,
    ) -> Response<Body> {
        let body = Bytes::from(message.to_string());
        Box::pin(self.handle(self.request(caller, slug, (Method::POST, headers), body))).await
    }

    /// A request to the endpoint of a route, by somebody who is known.
    pub(crate) fn request(
        &self,
        caller: &Caller,
        slug: &str,
        (method, headers): (Method, &[(HeaderName, &str)]),
        body: Bytes,
    ) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        // A slug that is none finds no route, as from outside.
        if let Ok(uri) = format!("/s/{slug}/mcp").parse() {
            *request.uri_mut() = uri;
        }
        let fields = request.headers_mut();
        put(fields, HOST, self.public_url.authority());
        put(fields, CONTENT_TYPE, "application/json");
        put(fields, ACCEPT, "application/json, text/event-stream");
        for (name, value) in headers {
            put(fields, name.clone(), value);
        }
        request.extensions_mut().insert(KnownCaller(caller.clone()));
        request
    }

    /// The response in a body, be it alone or the last of a stream.
    async fn answer(&self, response: Response<Body>) -> Result<Value, ConsoleError> {
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE);
        let is_stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let limit = self.limits.held_result_bytes;
        let broken = || ConsoleError::Broken {
            status: status.as_u16(),
        };
        let mut body = response.into_body();
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| broken())?.into_data() else {
                continue;
            };
            if bytes.len() + data.len() > limit {
                return Err(ConsoleError::TooLarge { limit });
            }
            bytes.extend_from_slice(&data);
        }
        if !is_stream {
            return serde_json::from_slice(&bytes).map_err(|_| broken());
        }
        let mut events = sse::Reader::new(limit);
        events.feed(&bytes);
        let mut last = None;
        while let Ok(Some(event)) = events.next_event() {
            let message: Option<Value> = event.data.and_then(|data| serde_json::from_slice(&data).ok());
            last = message.filter(|message| message.get("id").is_some()).or(last);
        }
        last.ok_or_else(broken)
    }
}

fn client() -> Value {
    json!({"name": "portreeve-portal", "version": env!("CARGO_PKG_VERSION")})
}

fn message(id: u32, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
