//! A server of raw bytes: it speaks MCP well enough to be approved, and does to calls whatever a test wants.

use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::upstream::tool;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) head: String,
    /// Its body; null when a deed took over before the body was read.
    pub(crate) message: Value,
}

/// What is done to a call. Gives the connection back if it goes on.
type Deed =
    Arc<dyn Fn(TcpStream, Asked) -> Pin<Box<dyn Future<Output = Option<TcpStream>> + Send>> + Send + Sync>;

/// When a deed takes over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// A call was read whole.
    Called,
    /// The head of any request was read, and nothing of its body.
    HeadRead,
}

#[derive(Default)]
struct Shared {
    deed: Mutex<Option<(When, Deed)>>,
    calls: AtomicUsize,
    connections: AtomicUsize,
}

/// The running server.
pub(crate) struct Rogue {
    pub(crate) url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Rogue {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::SeqCst);
                connections.spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { url, shared, task }
    }

    /// Does this to every call from now on.
    pub(crate) fn on_call<F, Done>(&self, deed: F)
    where
        F: Fn(TcpStream, Asked) -> Done + Send + Sync + 'static,
        Done: Future<Output = Option<TcpStream>> + Send + 'static,
    {
        self.on(When::Called, deed);
    }

    /// Does this from now on.
    pub(crate) fn on<F, Done>(&self, when: When, deed: F)
    where
        F: Fn(TcpStream, Asked) -> Done + Send + Sync + 'static,
        Done: Future<Output = Option<TcpStream>> + Send + 'static,
    {
        let deed: Deed = Arc::new(move |stream, asked| Box::pin(deed(stream, asked)));
        *self.shared.deed.lock().unwrap() = Some((when, deed));
    }

    /// Answers every call with these bytes and closes the connection.
    pub(crate) fn say(&self, bytes: impl Fn(&Value) -> Vec<u8> + Send + Sync + 'static) {
        let bytes = Arc::new(bytes);
        self.on_call(move |mut stream, asked| {
            let bytes = Arc::clone(&bytes);
            async move {
                let _ = stream.write_all(&bytes(&asked.message["id"])).await;
                let _ = stream.shutdown().await;
                None
            }
        });
    }

    /// Behaves again.
    pub(crate) fn behave(&self) {
        *self.shared.deed.lock().unwrap() = None;
    }

    /// How many calls came.
    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }

    /// How many connections came.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Goes away: the port is closed, and so is every connection.
    pub(crate) async fn stop(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    while let Some(head) = read_head(&mut stream).await {
        let deed = shared.deed.lock().unwrap().clone();
        let mut asked = Asked {
            head,
            message: Value::Null,
        };
        if let Some((When::HeadRead, deed)) = &deed {
            match deed(stream, asked).await {
                Some(back) => stream = back,
                None => return,
            }
            continue;
        }
        let Some(message) = read_body(&mut stream, &asked.head).await else {
            return;
        };
        asked.message = message;
        if asked.message["method"] == "tools/call" {
            shared.calls.fetch_add(1, Ordering::SeqCst);
            if let Some((_, deed)) = deed {
                match deed(stream, asked).await {
                    Some(back) => stream = back,
                    None => return,
                }
                continue;
            }
        }
        if stream.write_all(&well(&asked.message)).await.is_err() {
            return;
        }
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

async fn read_body(stream: &mut TcpStream, head: &str) -> Option<Value> {
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// What a server that behaves answers, in both eras and without sessions.
pub(crate) fn well(message: &Value) -> Vec<u8> {
    let mut result = match message["method"].as_str().unwrap_or_default() {
        "server/discover" => json!({"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}),
        "initialize" => json!({
            "protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {}},
            "serverInfo": {"name": "rogue", "version": "1"},
        }),
        "tools/list" => json!({"tools": [tool("echo", "Says it again", true)]}),
        "tools/call" => {
            json!({"content": [{"type": "text", "text": message["params"]["arguments"].to_string()}]})
        }
        _ if message["id"].is_null() => {
            return b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec();
        }
        _ => json!({}),
    };
    result["resultType"] = "complete".into();
    let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": result}).to_string();
    json_answer(&body)
}

/// A JSON answer with its length.
pub(crate) fn json_answer(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// The head of an event stream that ends with its connection.
pub(crate) const STREAM: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// The bytes of an event stream that ends with its connection.
pub(crate) fn stream(text: &str) -> Vec<u8> {
    [STREAM, text.as_bytes()].concat()
}

/// The result of a call, as JSON.
pub(crate) fn result(id: &Value, text: &str) -> String {
    let content = json!([{"type": "text", "text": text}]);
    json!({"jsonrpc": "2.0", "id": id, "result": {"content": content, "resultType": "complete"}}).to_string()
}

/// Writes byte by byte, several in each second, until the other side has enough.
pub(crate) async fn drip(stream: &mut TcpStream, bytes: impl IntoIterator<Item = u8>) {
    for byte in bytes {
        if stream.write_all(&[byte]).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Closes with a reset instead of an end.
pub(crate) fn reset(stream: TcpStream) {
    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop(stream);
}

/// Waits until the other side goes away.
pub(crate) async fn hang(mut stream: TcpStream) -> Option<TcpStream> {
    let mut nothing = [0; 1024];
    while stream.read(&mut nothing).await.is_ok_and(|read| read > 0) {}
    None
}
