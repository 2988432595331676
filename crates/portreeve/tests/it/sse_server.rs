//! A server of 2024-11-05: a stream on which it writes everything, and a place for messages. Its tools do what tests need.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::upstream::tool;

/// What it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Over which of its streams.
    pub(crate) stream: String,
    pub(crate) headers: HeaderMap,
    pub(crate) message: Value,
}

#[derive(Default)]
struct Book {
    open: HashMap<String, mpsc::UnboundedSender<String>>,
    opened: usize,
    /// What its first event says instead of the usual.
    endpoint: Option<String>,
    seen: Vec<Seen>,
}

/// The running server.
#[derive(Clone)]
pub(crate) struct SseServer {
    pub(crate) url: String,
    book: Arc<Mutex<Book>>,
}

impl SseServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let url = format!("http://{}/deep/sse", listener.local_addr().expect("an address"));
        let server = Self {
            url,
            book: Arc::default(),
        };
        let router = Router::new()
            .route("/deep/sse", get(open))
            .route("/deep/message", post(take))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    /// Names another place for messages from now on.
    pub(crate) fn name_endpoint(&self, endpoint: &str) {
        self.book.lock().unwrap().endpoint = Some(endpoint.to_owned());
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.book.lock().unwrap().seen.clone()
    }

    /// The methods that it was sent, in order.
    pub(crate) fn methods(&self) -> Vec<String> {
        let method = |seen: &Seen| seen.message["method"].as_str().unwrap_or("answer").to_owned();
        self.seen().iter().map(method).collect()
    }

    pub(crate) fn forget(&self) {
        self.book.lock().unwrap().seen.clear();
    }

    /// How many streams were ever opened.
    pub(crate) fn opened(&self) -> usize {
        self.book.lock().unwrap().opened
    }

    /// How many streams are read by somebody.
    pub(crate) fn open(&self) -> usize {
        let book = self.book.lock().unwrap();
        book.open.values().filter(|stream| !stream.is_closed()).count()
    }

    /// Waits until so many are.
    pub(crate) async fn wait_for_open(&self, wanted: usize) {
        for _ in 0..400 {
            if self.open() == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{} streams are open, not {wanted}", self.open());
    }

    /// Ends every stream.
    pub(crate) fn break_streams(&self) {
        self.book.lock().unwrap().open.clear();
    }

    /// Knows no stream any more, and leaves them open.
    pub(crate) fn lose_sessions(&self) {
        let mut book = self.book.lock().unwrap();
        let streams: Vec<_> = book.open.drain().collect();
        let renamed = streams
            .into_iter()
            .map(|(id, stream)| (format!("lost-{id}"), stream));
        book.open.extend(renamed);
    }

    /// Says something on every stream.
    pub(crate) fn say(&self, message: &Value) {
        for stream in self.book.lock().unwrap().open.values() {
            let _ = stream.send(event(message));
        }
    }
}

fn event(message: &Value) -> String {
    format!("event: message\ndata: {message}\n\n")
}

async fn open(State(server): State<SseServer>) -> Response {
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut book = server.book.lock().unwrap();
    book.opened += 1;
    let id = format!("stream-{}", book.opened);
    let endpoint = book
        .endpoint
        .clone()
        .unwrap_or("message?sessionId={id}".to_owned());
    let endpoint = endpoint.replace("{id}", &id);
    let _ = sender.send(format!(": hello\n\nevent: endpoint\ndata: {endpoint}\n\n"));
    book.open.insert(id, sender);
    drop(book);
    let frames = stream::unfold(receiver, |mut receiver| async move {
        let text = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(text), receiver))
    });
    ([("content-type", "text/event-stream")], Body::from_stream(frames)).into_response()
}

async fn take(
    State(server): State<SseServer>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let message: Value = serde_json::from_slice(&body).expect("JSON");
    let id = query.get("sessionId").cloned().unwrap_or_default();
    let stream = {
        let mut book = server.book.lock().unwrap();
        book.seen.push(Seen {
            stream: id.clone(),
            headers,
            message: message.clone(),
        });
        book.open.get(&id).cloned()
    };
    let Some(stream) = stream else {
        return (StatusCode::BAD_REQUEST, "No transport found for sessionId").into_response();
    };
    tokio::spawn(async move { answer(&server, &message, &stream).await });
    (StatusCode::ACCEPTED, "Accepted").into_response()
}

async fn answer(server: &SseServer, message: &Value, stream: &mpsc::UnboundedSender<String>) {
    let id = &message["id"];
    let say = |message: Value| drop(stream.send(event(&message)));
    let result = |result: Value| json!({"jsonrpc": "2.0", "id": id, "result": result});
    let text = |text: String| result(json!({"content": [{"type": "text", "text": text}]}));
    match message["method"].as_str().unwrap_or("answer") {
        "initialize" => say(result(json!({
            "protocolVersion": "2024-11-05", "capabilities": {"tools": {}, "logging": {}},
            "serverInfo": {"name": "old", "version": "1"},
        }))),
        "tools/list" => {
            let tools = ["echo", "slow", "ask", "fall"].map(|name| tool(name, "Does it", true));
            say(result(json!({"tools": tools})));
        }
        "tools/call" => {
            let arguments = &message["params"]["arguments"];
            match message["params"]["name"].as_str().unwrap_or_default() {
                "slow" => {
                    let token = &message["params"]["_meta"]["progressToken"];
                    say(json!({"jsonrpc": "2.0", "method": "notifications/progress",
                               "params": {"progressToken": token, "progress": 1}}));
                    tokio::time::sleep(Duration::from_millis(arguments["ms"].as_u64().unwrap_or(300))).await;
                    say(text(arguments.to_string()));
                }
                "ask" => {
                    say(json!({"jsonrpc": "2.0", "id": "q", "method": "roots/list"}));
                    let roots = server.answer_to("q").await;
                    say(text(roots.to_string()));
                }
                "fall" => server.break_streams(),
                _ => say(text(arguments.to_string())),
            }
        }
        _ if id.is_null() || message["method"].is_null() => {}
        _ => say(result(json!({}))),
    }
}

impl SseServer {
    /// Waits for the answer to a request of its own.
    async fn answer_to(&self, id: &str) -> Value {
        for _ in 0..400 {
            let seen = self.seen();
            let found = seen
                .iter()
                .find(|seen| seen.message["id"] == id && seen.message["method"].is_null());
            if let Some(found) = found {
                return found.message["result"].clone();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Value::Null
    }
}
