//! A scriptable upstream: a small MCP server of both eras whose tools can change, and which keeps what it was sent.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use portreeve_net::TlsAcceptor;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Which eras it speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Legacy,
    Modern,
    Both,
}

/// One request that it got.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    whose: Whose,
}

/// Who speaks: a host through Portreeve, or Portreeve for itself, which looks after its tools now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Host,
    Portreeve,
}

/// Answers instead of the usual; `None` leaves it to the usual. A GET comes as `{"method": "GET", "after": ID}`, with its
/// `Last-Event-ID`.
pub(crate) type Script = Arc<dyn Fn(&Value) -> Option<Response> + Send + Sync>;

#[derive(Default)]
struct Book {
    script: Option<Script>,
    tools: Vec<Value>,
    seen: Vec<Seen>,
    asked: Vec<(&'static str, HeaderMap)>,
    sessions: HashMap<String, Whose>,
    opened: u64,
    calls: u64,
    /// How long its answers may be kept, in milliseconds, and by whom, where it is not everybody.
    kept: (u64, Option<&'static str>),
}

struct Shared {
    speaks: Speaks,
    book: Mutex<Book>,
}

/// The running server.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

pub(crate) fn tool(name: &str, description: &str, read_only: bool) -> Value {
    json!({
        "name": name, "description": description, "inputSchema": {"type": "object"},
        "annotations": {"readOnlyHint": read_only}, "x-unknown": {"kept": [1, 2.50, "é"]},
    })
}

impl Upstream {
    pub(crate) async fn start(speaks: Speaks) -> Self {
        let (listener, address) = bind().await;
        let (upstream, router) = Self::made(speaks, format!("http://{address}/mcp"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        upstream
    }

    /// One that speaks HTTP/2 or HTTP/1.1 over TLS.
    pub(crate) async fn start_over_tls(speaks: Speaks, acceptor: TlsAcceptor) -> Self {
        let (listener, address) = bind().await;
        let (upstream, router) = Self::made(speaks, format!("https://{address}/mcp"));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (accepted, router) = (acceptor.acceptor().accept(stream), router.clone());
                tokio::spawn(async move {
                    let Ok(stream) = accepted.await else { return };
                    let builder = Builder::new(TokioExecutor::new());
                    let service = TowerToHyperService::new(router);
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        upstream
    }

    fn made(speaks: Speaks, url: String) -> (Self, Router) {
        let tools = vec![
            tool("echo", "Says it again", true),
            tool("wipe", "Deletes it", false),
            tool("slow", "Takes its time", true),
        ];
        let book = Mutex::new(Book {
            tools,
            ..Book::default()
        });
        let shared = Arc::new(Shared { speaks, book });
        let router = Router::new().route("/mcp", post(handle).get(listen).delete(end));
        let router = router
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        (Self { url, shared }, router)
    }

    /// Changes the tools.
    pub(crate) fn set_tools(&self, tools: Vec<Value>) {
        self.shared.book.lock().unwrap().tools = tools;
    }

    /// Says of what it answers that it may be kept so long, in milliseconds, and by whom.
    pub(crate) fn lets_keep(&self, ttl: u64, scope: &'static str) {
        self.shared.book.lock().unwrap().kept = (ttl, Some(scope));
    }

    /// Lets a script answer first.
    pub(crate) fn set_script(&self, script: impl Fn(&Value) -> Option<Response> + Send + Sync + 'static) {
        self.shared.book.lock().unwrap().script = Some(Arc::new(script));
    }

    /// What hosts sent. Portreeve looks after the tools in between, whenever it likes.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let book = self.shared.book.lock().unwrap();
        let of_hosts = book.seen.iter().filter(|seen| seen.whose == Whose::Host);
        of_hosts.cloned().collect()
    }

    /// The same with what Portreeve sent for itself.
    pub(crate) fn seen_of_all(&self) -> Vec<Seen> {
        self.shared.book.lock().unwrap().seen.clone()
    }

    /// How many messages of hosts it was sent.
    pub(crate) fn reached(&self) -> usize {
        let book = self.shared.book.lock().unwrap();
        book.seen.iter().filter(|seen| seen.whose == Whose::Host).count()
    }

    /// How often hosts asked it for this.
    pub(crate) fn asked_for(&self, method: &str) -> usize {
        let is_it = |seen: &&Seen| {
            let message: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
            seen.whose == Whose::Host && message["method"] == method
        };
        self.shared.book.lock().unwrap().seen.iter().filter(is_it).count()
    }

    /// The verbs and headers of everything that came without a message.
    pub(crate) fn asked(&self) -> Vec<(&'static str, HeaderMap)> {
        self.shared.book.lock().unwrap().asked.clone()
    }

    /// How many tools were called.
    pub(crate) fn calls(&self) -> u64 {
        self.shared.book.lock().unwrap().calls
    }

    /// Forgets what it was sent; sessions go on.
    pub(crate) fn forget(&self) {
        self.shared.book.lock().unwrap().seen.clear();
    }

    /// Forgets all sessions, as a restart would.
    pub(crate) fn forget_sessions(&self) {
        self.shared.book.lock().unwrap().sessions.clear();
    }
}

async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

impl Shared {
    fn scripted(&self, message: &Value) -> Option<Response> {
        let script = self.book.lock().unwrap().script.clone();
        script.and_then(|script| script(message))
    }
}

/// An event stream of these messages, which then stays open for so long.
pub(crate) fn events(messages: &[Value], open: Duration) -> Response {
    let text: String = messages
        .iter()
        .map(|message| format!("event: message\ndata: {message}\n\n"))
        .collect();
    let frames = stream::unfold(Some(text), move |text| async move {
        match text {
            Some(text) => Some((Ok::<_, std::io::Error>(text), None)),
            None => {
                tokio::time::sleep(open).await;
                None
            }
        }
    });
    ([("content-type", "text/event-stream")], Body::from_stream(frames)).into_response()
}

async fn listen(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let after = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let after = after.map(str::to_owned);
    shared.book.lock().unwrap().asked.push(("GET", headers));
    shared
        .scripted(&json!({"method": "GET", "after": after}))
        .unwrap_or_else(|| StatusCode::METHOD_NOT_ALLOWED.into_response())
}

async fn end(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> StatusCode {
    let session = headers
        .get("mcp-session-id")
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default();
    let mut book = shared.book.lock().unwrap();
    book.asked.push(("DELETE", headers.clone()));
    if book.sessions.remove(session).is_some() {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

fn error(status: StatusCode, id: &Value, code: i64, message: &str) -> Response {
    let body = json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}});
    (status, axum::Json(body)).into_response()
}

async fn handle(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let _: &RawValue = serde_json::from_slice(&body).expect("the gateway sends JSON");
    // A number may be larger than this reader takes.
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    {
        let mut book = shared.book.lock().unwrap();
        let whose = match headers.get("mcp-session-id").and_then(|id| id.to_str().ok()) {
            Some(session) => book.sessions.get(session).copied().unwrap_or(Whose::Host),
            None => whose(&message),
        };
        let headers = headers.clone();
        book.seen.push(Seen { headers, body, whose });
    }
    if let Some(scripted) = shared.scripted(&message) {
        return scripted;
    }
    let modern = headers.contains_key("mcp-method");
    let (method, id) = (
        message["method"].as_str().unwrap_or_default(),
        message["id"].clone(),
    );
    if modern && shared.speaks == Speaks::Legacy {
        return error(
            StatusCode::BAD_REQUEST,
            &Value::Null,
            -32000,
            "Bad Request: Server not initialized",
        );
    }
    if !modern && shared.speaks == Speaks::Modern {
        return error(
            StatusCode::BAD_REQUEST,
            &id,
            -32602,
            "Invalid params: `_meta` is missing",
        );
    }
    if method == "initialize" {
        return initialize(&shared, &message);
    }
    if !modern {
        let session = headers
            .get("mcp-session-id")
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default();
        if !shared.book.lock().unwrap().sessions.contains_key(session) {
            return error(StatusCode::NOT_FOUND, &Value::Null, -32001, "Session not found");
        }
    }
    if id.is_null() {
        return StatusCode::ACCEPTED.into_response();
    }
    if let Some(wait) = message["params"]["arguments"]["wait"].as_u64() {
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    answer(&shared, method, &message, modern)
}

/// By what the message says of its client.
fn whose(message: &Value) -> Whose {
    let params = &message["params"];
    let told = [
        &params["clientInfo"],
        &params["_meta"]["io.modelcontextprotocol/clientInfo"],
    ];
    if told.iter().any(|client| client["name"] == "portreeve") {
        Whose::Portreeve
    } else {
        Whose::Host
    }
}

fn initialize(shared: &Shared, message: &Value) -> Response {
    let session = {
        let mut book = shared.book.lock().unwrap();
        book.opened += 1;
        let session = format!("upstream-{}", book.opened);
        book.sessions.insert(session.clone(), whose(message));
        session
    };
    let result = json!({
        "protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {"listChanged": true}},
        "serverInfo": {"name": "scripted", "version": "1"},
    });
    let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
    ([("mcp-session-id", session)], axum::Json(body)).into_response()
}

fn answer(shared: &Shared, method: &str, message: &Value, modern: bool) -> Response {
    let mut result = match method {
        "server/discover" => {
            json!({"supportedVersions": ["2026-07-28", "2025-11-25", "2099-01-01"], "capabilities": {"tools": {}}})
        }
        "tools/list" => json!({"tools": shared.book.lock().unwrap().tools}),
        "tools/call" => {
            shared.book.lock().unwrap().calls += 1;
            return call(message, modern);
        }
        "ping" => json!({}),
        _ => return error(StatusCode::OK, &message["id"], -32601, "Method not found"),
    };
    if modern {
        result["resultType"] = "complete".into();
        let (ttl, scope) = shared.book.lock().unwrap().kept;
        result["ttlMs"] = ttl.into();
        result["cacheScope"] = scope.unwrap_or("public").into();
    }
    axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result})).into_response()
}

/// `echo` answers as JSON; `slow` as a stream: progress first, the result after `ms`.
fn call(message: &Value, modern: bool) -> Response {
    let arguments = &message["params"]["arguments"];
    let mut result =
        json!({"content": [{"type": "text", "text": arguments.to_string()}], "x-extra": {"n": 1}});
    if modern {
        result["resultType"] = "complete".into();
    }
    let reply = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
    if message["params"]["name"] != "slow" {
        return axum::Json(reply).into_response();
    }
    let token = message["params"]["_meta"]["progressToken"].clone();
    let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": 1}});
    let wait = Duration::from_millis(arguments["ms"].as_u64().unwrap_or(300));
    let events = stream::unfold(0, move |step| {
        let (progress, reply) = (progress.clone(), reply.clone());
        async move {
            let data = match step {
                0 => progress,
                1 => {
                    tokio::time::sleep(wait).await;
                    reply
                }
                _ => return None,
            };
            Some((
                Ok::<_, std::io::Error>(format!("event: message\ndata: {data}\n\n")),
                step + 1,
            ))
        }
    });
    ([("content-type", "text/event-stream")], Body::from_stream(events)).into_response()
}
