//! A registry that pulls its partners from a shelf of the test's own: what lies on it, whoever put it there.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::desk::{Desk, portreeve_json};
use crate::node::Node;

/// What is served, and how often it was taken.
#[derive(Default)]
struct Laid {
    bytes: Vec<u8>,
    unchanged: u32,
}

/// Everything that a test of pulled partners needs.
pub(super) struct Pulling {
    pub(super) desk: Desk,
    laid: Arc<Mutex<Laid>>,
    config: String,
}

impl Pulling {
    /// A desk, a keeper's key, and a shelf on which nothing lies.
    pub(super) async fn start() -> Self {
        let desk = Desk::start().await;
        let key = |name: &str| {
            let (code, made) = portreeve_json(&["partner", "key", &desk.text(name)]);
            assert_eq!(code, 0);
            made["publicKey"].as_str().unwrap().to_owned()
        };
        let (keeper, reviewer) = (key("keeper.key"), key("reviewer.key"));
        let laid: Arc<Mutex<Laid>> = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let shelf = Router::new()
            .route("/catalogue.json", get(hand_out))
            .with_state(Arc::clone(&laid));
        tokio::spawn(async move { axum::serve(listener, shelf).await });
        let config = desk.text("registry.toml");
        let text = format!(
            "{}[partners]\nurl = \"http://{at}/catalogue.json\"\nkeys = [\"{keeper}\"]\nreviewers = [\"{reviewer}\"]\n\
             private_hosts = [\"{}\"]\npull_seconds = 1\nverify_seconds = 1\nverify_listed = 0\n",
            fs::read_to_string(desk.at("check.toml")).unwrap(),
            desk.vendor.secure
        );
        fs::write(&config, text).unwrap();
        Self { desk, laid, config }
    }

    /// A node of this registry.
    pub(super) async fn node(&self) -> Node {
        Node::start_with(&["--config", &self.config]).await
    }

    /// Another node of the same installation.
    pub(super) async fn beside(&self, node: &Node) -> Node {
        Node::start_beside(node, &["--config", &self.config]).await
    }

    /// Bundles the desk's partners and lays them onto the shelf; the file keeps its name.
    pub(super) fn lay(&self, out: &str, more: &[&str]) {
        self.lay_bytes(self.bundled(out, "keeper.key", more));
    }

    /// The desk's partners as a catalogue that this key signed; the file keeps its name.
    pub(super) fn bundled(&self, out: &str, key: &str, more: &[&str]) -> Vec<u8> {
        let (folder, key, path) = (self.desk.folder(), self.desk.text(key), self.desk.text(out));
        let fixed = ["partner", "bundle", &folder, "--key", &key, "--out", &path];
        let (code, made) = portreeve_json(&[&fixed, more].concat());
        assert_eq!(code, 0, "{made}");
        fs::read(path).unwrap()
    }

    /// Makes a key, and says its public half.
    pub(super) fn key(&self, name: &str) -> String {
        let (code, made) = portreeve_json(&["partner", "key", &self.desk.text(name)]);
        assert_eq!(code, 0, "{made}");
        made["publicKey"].as_str().unwrap().to_owned()
    }

    /// Changes the configuration of nodes that start from now on.
    pub(super) fn configure(&self, from: &str, to: &str) {
        let text = fs::read_to_string(&self.config).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&self.config, text.replacen(from, to, 1)).unwrap();
    }

    pub(super) fn lay_bytes(&self, bytes: Vec<u8>) {
        self.laid.lock().unwrap().bytes = bytes;
    }

    /// How often somebody was told that nothing is new.
    pub(super) fn unchanged(&self) -> u32 {
        self.laid.lock().unwrap().unchanged
    }

    /// What the checks find, as a file.
    pub(super) fn evidence(&self) -> String {
        let (folder, evidence) = (self.desk.folder(), self.desk.text("evidence.json"));
        let config = self.desk.text("check.toml");
        let check = [
            "partner",
            "check",
            &folder,
            "--internal",
            "--config",
            &config,
            "--evidence",
            &evidence,
        ];
        let (code, found) = portreeve_json(&check);
        assert_eq!(code, 0, "{found:#}");
        evidence
    }
}

async fn hand_out(State(laid): State<Arc<Mutex<Laid>>>, headers: HeaderMap) -> Response {
    let mut laid = laid.lock().unwrap();
    if laid.bytes.is_empty() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let etag = format!("\"{}\"", portreeve_inspect::sha256_hex(&laid.bytes));
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes())
    {
        laid.unchanged += 1;
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([(header::ETAG, etag)], laid.bytes.clone()).into_response()
}

/// Waits until that is so, and says how long it took.
pub(super) async fn until<T>(what: &str, mut asked: impl AsyncFnMut() -> Option<T>) -> (T, Duration) {
    let begun = Instant::now();
    loop {
        if let Some(found) = asked().await {
            return (found, begun.elapsed());
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "never: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The desk's partner as a node lists it, for who has this key.
pub(super) async fn harbour(node: &Node, key: &str) -> Option<Value> {
    let url = format!("{}/api/v1/partners/harbour", node.url);
    let headers = [("authorization", format!("Bearer {key}"))];
    let answer = node.web.ask("GET", &url, &headers, String::new()).await.ok()?;
    (answer.status == 200).then(|| answer.json()["items"][0].clone())
}

/// How a node's last pull ended.
pub(super) async fn last_pull(node: &Node) -> Value {
    node.api("GET", "/partner-catalogue", None).await.json()["lastPull"].clone()
}

/// Asks a route for its tools: the status, and what is said.
pub(super) async fn tools(node: &Node, slug: &str) -> (u16, String) {
    asked(
        node,
        slug,
        &json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}),
    )
    .await
}

/// Calls its tool: the status, what is said, and when.
pub(super) async fn called(node: &Node, slug: &str) -> (u16, String, Instant) {
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
        "name": "find_berth", "arguments": {"length": 12},
    }});
    let (status, text) = asked(node, slug, &call).await;
    (status, text, Instant::now())
}

async fn asked(node: &Node, slug: &str, message: &Value) -> (u16, String) {
    let mut headers = vec![
        ("authorization", format!("Bearer {}", node.key)),
        ("accept", "application/json, text/event-stream".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"},
    }});
    let answer = node
        .web
        .ask("POST", &node.endpoint(slug), &headers, hello.to_string())
        .await
        .unwrap();
    if answer.status != 200 {
        return (answer.status, answer.text());
    }
    headers.push(("mcp-session-id", answer.header("mcp-session-id").to_owned()));
    headers.push(("mcp-protocol-version", "2025-06-18".to_owned()));
    let answer = node
        .web
        .ask("POST", &node.endpoint(slug), &headers, message.to_string())
        .await
        .unwrap();
    (answer.status, answer.text())
}
