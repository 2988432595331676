//! Portreeve's own conversation with a server: one handshake, then requests, in the newest era both speak.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use portreeve_core::limits::Limits;
use portreeve_core::protocol::{Era, Revision};
use portreeve_core::secret::Secret;
use portreeve_mcp::envelope::{Message, Outcome};
use portreeve_mcp::mirror::Mirrors;
use portreeve_mcp::params::text;
use portreeve_mcp::result::{Discovered, Initialized, ToolName, ToolPage};
use portreeve_mcp::{answer, code, sse};
use portreeve_net::{Egress, ResponseBody, read_body};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::error::ClientError;
use crate::exchange::{Exchange, Reply, ReplyBody, Upstream};

/// A server with which the handshake is done.
#[derive(Debug)]
pub struct Connection {
    egress: Egress,
    upstream: Upstream,
    bearer: Option<Secret>,
    era: Era,
    version: String,
    session: Option<String>,
    /// What the server says about itself, as it was written.
    server_info: Option<String>,
    next_id: AtomicU64,
    limits: Limits,
}

/// A request.
#[derive(Clone, Copy)]
struct Asked<'a> {
    method: &'a str,
    params: &'a Map<String, Value>,
    /// The headers that repeat its arguments.
    repeated: Option<&'a HeaderMap>,
}

/// What a server sends while a request is under way.
pub type OnNotification<'a> = &'a mut (dyn FnMut(&str, Option<&RawValue>) + Send);

/// The capabilities that discovery declares, so that the pins are the full set: some servers show tools only to
/// clients that can elicit, sample or name roots.
fn capabilities() -> Value {
    json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {"listChanged": true}})
}

fn client_info() -> Value {
    json!({"name": "portreeve", "version": env!("CARGO_PKG_VERSION")})
}

impl Connection {
    /// Connects in the modern era. `Ok(None)` when the server says, in one of the ways servers have for it, that it
    /// does not speak it; an answer that settles nothing (401, 5xx, a timeout) is an error.
    pub async fn modern(
        egress: &Egress,
        upstream: &Upstream,
        bearer: Option<Secret>,
        limits: &Limits,
    ) -> Result<Option<Self>, ClientError> {
        let mut connection = Self::new(egress, upstream, bearer, limits, Revision::V2026_07_28);
        let outcome = connection
            .request("server/discover", Map::new(), &mut |_, _| ())
            .await;
        let result = match outcome {
            Ok(result) => result,
            Err(ClientError::Rpc {
                code: -32020 | -32021,
                ..
            }) => return Ok(Some(connection)),
            Err(
                ClientError::Rpc { .. }
                | ClientError::Status {
                    status: 400 | 404 | 405,
                    ..
                }
                | ClientError::NotMcp(_),
            ) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let Ok(discovered) = serde_json::from_str::<Discovered<'_>>(result.get()) else {
            return Ok(None);
        };
        if !discovered
            .supported_versions
            .iter()
            .any(|version| *version == connection.version)
        {
            return Ok(None);
        }
        connection.server_info = modern_server_info(&result);
        Ok(Some(connection))
    }

    /// Connects in the legacy era: `initialize`, `notifications/initialized`.
    pub async fn legacy(
        egress: &Egress,
        upstream: &Upstream,
        bearer: Option<Secret>,
        limits: &Limits,
    ) -> Result<Self, ClientError> {
        let connection = Self::new(egress, upstream, bearer, limits, Revision::NEWEST_LEGACY);
        let hello = (capabilities(), client_info());
        connection
            .initialize(hello)
            .await
            .map(|(connection, _)| connection)
    }

    /// Connects in the legacy era for somebody else, who declares these capabilities and says this about itself. Says what
    /// the server answered to `initialize`.
    pub async fn legacy_for(
        egress: &Egress,
        upstream: &Upstream,
        limits: &Limits,
        hello: (Value, Option<Value>),
    ) -> Result<(Self, Box<RawValue>), ClientError> {
        let connection = Self::new(egress, upstream, None, limits, Revision::NEWEST_LEGACY);
        let (capabilities, info) = hello;
        connection
            .initialize((capabilities, info.unwrap_or_else(client_info)))
            .await
    }

    async fn initialize(
        self,
        (capabilities, client_info): (Value, Value),
    ) -> Result<(Self, Box<RawValue>), ClientError> {
        let mut connection = self;
        let params = json!({
            "protocolVersion": connection.version, "capabilities": capabilities, "clientInfo": client_info,
        });
        let id = connection.next_id.fetch_add(1, Ordering::Relaxed);
        let body = answer::request(Some(id), "initialize", &params);
        let exchange = Exchange {
            bearer: connection.bearer.as_ref(),
            ..Exchange::default()
        };
        let reply = connection
            .upstream
            .post(&connection.egress, exchange, body.into())
            .await?;
        connection.session = reply.session.clone();
        let result = connection.outcome(reply, id, &mut |_, _| ()).await?;
        let initialized: Initialized<'_> =
            serde_json::from_str(result.get()).map_err(|error| ClientError::NotMcp(error.to_string()))?;
        connection.server_info = initialized.server_info.map(|info| info.get().to_owned());
        connection.version = initialized.protocol_version.into_owned();
        connection.notify("notifications/initialized").await?;
        Ok((connection, result))
    }

    fn new(
        egress: &Egress,
        upstream: &Upstream,
        bearer: Option<Secret>,
        limits: &Limits,
        revision: Revision,
    ) -> Self {
        Self {
            egress: egress.clone(),
            upstream: upstream.clone(),
            bearer,
            era: revision.era(),
            version: revision.as_str().to_owned(),
            session: None,
            server_info: None,
            next_id: AtomicU64::new(1),
            limits: limits.clone(),
        }
    }

    /// The era of this connection.
    pub fn era(&self) -> Era {
        self.era
    }

    /// The version that was agreed on.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The session, where the server keeps one (legacy).
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// What the server says about itself, as JSON; unverified.
    pub fn server_info(&self) -> Option<&str> {
        self.server_info.as_deref()
    }

    /// Sends a request and waits for its result. Notifications on the way go to `on_notification`; requests of the
    /// server are answered with "method not found", since nobody is here to be asked.
    ///
    /// A call whose arguments the server wants repeated in headers is sent again with those: it was not run.
    pub async fn request(
        &self,
        method: &str,
        params: Map<String, Value>,
        on_notification: OnNotification<'_>,
    ) -> Result<Box<RawValue>, ClientError> {
        let asked = Asked {
            method,
            params: &params,
            repeated: None,
        };
        match self.ask(asked, &mut *on_notification).await {
            Err(
                error @ ClientError::Rpc {
                    code: code::HEADER_MISMATCH,
                    ..
                },
            ) if method == "tools/call" => {
                let Some(headers) = self.repeated(&params).await else {
                    return Err(error);
                };
                let repeated = Some(&headers);
                self.ask(Asked { repeated, ..asked }, on_notification).await
            }
            outcome => outcome,
        }
    }

    async fn ask(&self, asked: Asked<'_>, on: OnNotification<'_>) -> Result<Box<RawValue>, ClientError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut params = asked.params.clone();
        let name = ["name", "uri"]
            .iter()
            .find_map(|key| params.get(*key))
            .and_then(Value::as_str)
            .map(str::to_owned);
        if self.era == Era::Modern {
            self.add_meta(&mut params);
        }
        let body = answer::request(Some(id), asked.method, &params);
        let modern = self.era == Era::Modern;
        let exchange = Exchange {
            method: modern.then_some(asked.method),
            name: if modern { name.as_deref() } else { None },
            params: asked.repeated,
            ..self.exchange()
        };
        let reply = self.upstream.post(&self.egress, exchange, body.into()).await?;
        self.outcome(reply, id, on).await
    }

    /// The headers that repeat the arguments of a call, by what the server's list says now.
    async fn repeated(&self, params: &Map<String, Value>) -> Option<HeaderMap> {
        let name = params.get("name").and_then(Value::as_str)?;
        let arguments = params.get("arguments").map(Value::to_string);
        let mut place = Map::new();
        for _ in 0..self.limits.tool_list_pages {
            let asked = Asked {
                method: "tools/list",
                params: &place,
                repeated: None,
            };
            let page = self.ask(asked, &mut |_, _| ()).await.ok()?;
            let page: ToolPage<'_> = serde_json::from_str(page.get()).ok()?;
            let is_it = |tool: &&&RawValue| {
                serde_json::from_str::<ToolName<'_>>(tool.get()).is_ok_and(|tool| tool.name == name)
            };
            if let Some(tool) = page.tools.iter().find(is_it) {
                let mirrors = Mirrors::of_tool(tool.get()).ok()?;
                let headers = mirrors.headers(arguments.as_deref()).ok()?;
                return (!headers.is_empty()).then_some(headers);
            }
            let cursor = page.next_cursor.and_then(|cursor| text(cursor.get()))?;
            place = Map::from_iter([("cursor".to_owned(), Value::from(cursor.into_owned()))]);
        }
        None
    }

    fn add_meta(&self, params: &mut Map<String, Value>) {
        let meta = params.entry("_meta").or_insert_with(|| json!({}));
        if let Some(meta) = meta.as_object_mut() {
            meta.insert(
                "io.modelcontextprotocol/protocolVersion".into(),
                self.version.clone().into(),
            );
            meta.insert(
                "io.modelcontextprotocol/clientCapabilities".into(),
                capabilities(),
            );
            meta.insert("io.modelcontextprotocol/clientInfo".into(), client_info());
        }
    }

    async fn notify(&self, method: &str) -> Result<(), ClientError> {
        let body = answer::request(None, method, json!({}));
        let reply = self
            .upstream
            .post(&self.egress, self.exchange(), body.into())
            .await?;
        if reply.status.is_success() {
            Ok(())
        } else {
            Err(self.refusal(reply).await)
        }
    }

    /// Ends a legacy session. What the server makes of it does not matter.
    pub async fn close(self) {
        if self.session.is_some() {
            let ended = self.upstream.end_session(&self.egress, self.exchange()).await;
            if let Err(error) = ended {
                tracing::debug!(error = %error, "the server did not take the end of the session");
            }
        }
    }

    fn exchange(&self) -> Exchange<'_> {
        Exchange {
            protocol_version: Some(&self.version),
            session: self.session.as_deref(),
            bearer: self.bearer.as_ref(),
            ..Exchange::default()
        }
    }

    async fn outcome(
        &self,
        reply: Reply,
        id: u64,
        on: OnNotification<'_>,
    ) -> Result<Box<RawValue>, ClientError> {
        let limit = self.limits.held_result_bytes;
        let status = reply.status;
        match reply.body {
            ReplyBody::Json(body) => {
                let bytes = read_body(body, limit, self.upstream.timeout).await?;
                match parse_outcome(&bytes, None) {
                    Some(outcome) => outcome,
                    None => Err(ClientError::Status {
                        status: status.as_u16(),
                        reason: None,
                    }),
                }
            }
            ReplyBody::Events(body) if status.is_success() => self.read_events(body, id, on).await,
            _ => Err(self.refusal(reply).await),
        }
    }

    async fn refusal(&self, reply: Reply) -> ClientError {
        let status = reply.status.as_u16();
        let (ReplyBody::Json(body) | ReplyBody::Events(body) | ReplyBody::Other(body)) = reply.body;
        let text = read_body(body, 64 * 1024, Duration::from_secs(3))
            .await
            .unwrap_or_default();
        if reply.status.is_success() {
            return ClientError::NotMcp(format!("status {status} with neither JSON nor an event stream"));
        }
        let reason = String::from_utf8_lossy(&text)
            .chars()
            .take(200)
            .filter(|c| !c.is_control())
            .collect::<String>();
        ClientError::Status {
            status,
            reason: Some(reason).filter(|reason| !reason.is_empty()),
        }
    }

    async fn read_events(
        &self,
        mut body: ResponseBody,
        id: u64,
        on: OnNotification<'_>,
    ) -> Result<Box<RawValue>, ClientError> {
        let mut reader = sse::Reader::new(self.limits.held_result_bytes);
        let (wait, mut room) = (self.upstream.timeout, self.limits.streamed_result_bytes);
        let mut deadline = Instant::now() + wait;
        loop {
            let frame = tokio::time::timeout_at(deadline, body.frame())
                .await
                .map_err(|_| ClientError::Timeout(wait.as_secs()))?;
            let Some(frame) = frame else {
                return Err(ClientError::NotMcp(
                    "the stream ended without an answer".to_owned(),
                ));
            };
            let frame =
                frame.map_err(|error| ClientError::NotMcp(format!("the stream broke off: {error}")))?;
            let data = frame.data_ref().map_or(&[][..], |data| data);
            room = room.checked_sub(data.len()).ok_or_else(|| {
                let limit = self.limits.streamed_result_bytes;
                ClientError::NotMcp(format!("its stream is longer than {limit} bytes"))
            })?;
            reader.feed(data);
            while let Some(event) = reader
                .next_event()
                .map_err(|error| ClientError::NotMcp(error.to_string()))?
            {
                // Whole events are signs of life; bytes are not, since one a second would do.
                deadline = Instant::now() + wait;
                let Some(data) = event.data else { continue };
                if let Some(outcome) = self.take_message(&data, id, on).await {
                    return outcome;
                }
            }
        }
    }

    async fn take_message(
        &self,
        data: &Bytes,
        id: u64,
        on: OnNotification<'_>,
    ) -> Option<Result<Box<RawValue>, ClientError>> {
        match Message::parse(data) {
            Ok(Message::Notification { method, params }) => {
                on(&method, params);
                None
            }
            Ok(Message::Request { id, .. }) => {
                let refusal = answer::error(Some(id), code::METHOD_NOT_FOUND, "Method not found", None);
                let sent = self
                    .upstream
                    .post(&self.egress, self.exchange(), refusal.into())
                    .await;
                if let Err(error) = sent {
                    tracing::debug!(error = %error, "a request of the server could not be refused");
                }
                None
            }
            Ok(Message::Response { .. }) => parse_outcome(data, Some(id)),
            Err(error) => Some(Err(ClientError::NotMcp(error.to_string()))),
        }
    }
}

fn modern_server_info(result: &RawValue) -> Option<String> {
    let value: Value = serde_json::from_str(result.get()).ok()?;
    value
        .pointer("/_meta/io.modelcontextprotocol~1serverInfo")
        .map(Value::to_string)
}

/// The outcome in a response; `None` when it is the response to another request.
fn parse_outcome(bytes: &[u8], wanted: Option<u64>) -> Option<Result<Box<RawValue>, ClientError>> {
    let (id, outcome) = match Message::parse(bytes) {
        Ok(Message::Response { id, outcome }) => (id, outcome),
        Ok(_) => return Some(Err(ClientError::NotMcp("expected a response".to_owned()))),
        Err(error) => return Some(Err(ClientError::NotMcp(error.to_string()))),
    };
    if let (Some(wanted), Some(id)) = (wanted, id)
        && id.get() != wanted.to_string()
    {
        return None;
    }
    Some(match outcome {
        Outcome::Result(result) => Ok(result.to_owned()),
        Outcome::Error(error) => Err(rpc_error(error)),
    })
}

fn rpc_error(error: &RawValue) -> ClientError {
    #[derive(Deserialize)]
    struct Wire {
        #[serde(default)]
        code: i64,
        #[serde(default)]
        message: String,
    }
    match serde_json::from_str::<Wire>(error.get()) {
        Ok(wire) => ClientError::Rpc {
            code: wire.code,
            message: wire.message.chars().take(500).collect(),
            error: error.get().to_owned(),
        },
        Err(_) => ClientError::NotMcp("its error is not a JSON-RPC error".to_owned()),
    }
}
