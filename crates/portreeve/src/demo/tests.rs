//! The sample server from outside: whole requests in, whole answers out.

mod chandler;
mod legacy;
mod modern;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;
use tower::ServiceExt;

use super::{Descriptions, Port, router, start};

/// A port whose wording and life the test holds in its hands.
struct Fixture {
    router: Router,
    wording: watch::Sender<Descriptions>,
    alive: watch::Sender<()>,
}

/// What came back; a stream is still open.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
}

impl Fixture {
    fn new() -> Self {
        let (wording, descriptions) = watch::channel(Descriptions::new());
        let (alive, stopped) = watch::channel(());
        Self {
            router: router(Port::new(descriptions, stopped)),
            wording,
            alive,
        }
    }

    async fn send(&self, method: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri("/mcp")
            .header("host", "127.0.0.1:1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self
            .router
            .clone()
            .oneshot(request.body(body.into()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    async fn post(&self, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send("POST", headers, body.to_string()).await
    }
}

impl Answer {
    /// Status and JSON body; `null` for an empty one.
    async fn json(self) -> (StatusCode, Value) {
        let bytes = self.body.collect().await.unwrap().to_bytes();
        let value = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap()
        };
        (self.status, value)
    }

    /// Status and error code.
    async fn code(self) -> (u16, i64) {
        let (status, body) = self.json().await;
        (
            status.as_u16(),
            body["error"]["code"].as_i64().unwrap_or_default(),
        )
    }

    /// The next message of a stream, without the comments; `None` at its end.
    async fn event(&mut self) -> Option<Value> {
        loop {
            let frame = timeout(Duration::from_secs(5), self.body.frame())
                .await
                .unwrap()?
                .unwrap();
            let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
            if let Some(data) = text.strip_prefix("event: message\ndata: ") {
                return Some(serde_json::from_str(data.trim_end()).unwrap());
            }
            assert!(text.starts_with(':'), "neither a message nor a comment: {text}");
        }
    }
}

fn revised(text: &str) -> Descriptions {
    Descriptions::from([("list_ships".to_owned(), text.to_owned())])
}

#[tokio::test]
async fn foreign_pages_and_broken_bodies_are_refused() {
    let port = Fixture::new();
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    assert_eq!(
        port.post(&[("origin", "https://evil.example")], &ping)
            .await
            .status,
        403
    );
    assert_eq!(port.send("GET", &[("origin", "null")], "").await.status, 403);
    assert_eq!(
        port.post(&[("origin", "http://localhost:3000")], &ping)
            .await
            .status,
        400
    );
    assert_eq!(port.send("POST", &[], "{").await.code().await, (400, -32700));
    for broken in [
        json!([]),
        json!(7),
        json!({"id": 1, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": null, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 1, "result": {}, "error": {}}),
    ] {
        assert_eq!(
            port.post(&[], &broken).await.code().await,
            (400, -32600),
            "{broken}"
        );
    }
    let huge = "x".repeat(super::LARGEST_REQUEST + 1);
    assert_eq!(port.send("POST", &[], huge).await.status, 413);
}

#[tokio::test]
async fn both_eras_list_the_same_definitions() {
    let port = Fixture::new();
    let session = legacy::open(&port, "2025-11-25").await;
    let old = legacy::ask(&port, &session, "tools/list", json!({})).await;
    let new = modern::ask(&port, "tools/list", json!({})).await;
    assert_eq!(old["result"]["tools"], new["result"]["tools"]);
    let names: Vec<_> = old["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["name"])
        .collect();
    assert_eq!(names, ["list_ships", "release_mooring", "inspect_cargo"]);
}

#[tokio::test]
async fn a_started_server_answers_over_the_network() {
    let server = start(0).await.unwrap();
    let address = server
        .url
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/mcp")
        .unwrap();
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.writable().await.unwrap();
    let request = format!("DELETE /mcp HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.try_write(request.as_bytes()).unwrap();
    stream.readable().await.unwrap();
    let mut head = [0; 64];
    let read = stream.try_read(&mut head).unwrap();
    assert!(
        head[..read].starts_with(b"HTTP/1.1 400"),
        "{:?}",
        String::from_utf8_lossy(&head[..read])
    );
}
