//! A host that speaks HTTP+SSE (2024-11-05): one stream, and messages beside it.

use serde_json::{Value, json};

use crate::node::Node;
use crate::web::{Answer, Stream, Web};

pub(crate) struct SseHost {
    web: Web,
    pub(crate) stream: Stream,
    /// Where its messages go.
    pub(crate) messages: String,
    pub(crate) key: String,
}

pub(crate) fn bearer(key: &str) -> Vec<(&'static str, String)> {
    vec![("authorization", format!("Bearer {key}"))]
}

impl SseHost {
    pub(crate) async fn open(node: &Node, slug: &str, key: &str) -> Self {
        let url = node.endpoint(slug).replace("/mcp", "/sse");
        let mut stream = node.web.open("GET", &url, &bearer(key), String::new()).await;
        assert_eq!(stream.status, 200);
        assert_eq!(stream.headers["content-type"], "text/event-stream");
        let first = stream.event().await.expect("an event");
        assert_eq!(first.name.as_deref(), Some(&b"endpoint"[..]));
        let place = String::from_utf8(first.data.expect("a place").to_vec()).unwrap();
        let wanted = format!("/s/{slug}/messages?sessionId=");
        assert!(place.starts_with(&wanted), "{place}");
        Self {
            web: node.web.clone(),
            messages: format!("{}{place}", node.url),
            stream,
            key: key.to_owned(),
        }
    }

    /// One that has shaken hands.
    pub(crate) async fn ready(node: &Node, slug: &str, key: &str) -> Self {
        let mut host = Self::open(node, slug, key).await;
        let params = json!({"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let hello = host.ask(json!("h"), "initialize", params).await;
        assert_eq!(hello["result"]["protocolVersion"], "2024-11-05", "{hello}");
        let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(host.post(&note).await.status, 202);
        host
    }

    pub(crate) async fn post_as(&self, key: Option<&str>, message: &str) -> Answer {
        let headers = key.map(bearer).unwrap_or_default();
        let answer = self.web.ask("POST", &self.messages, &headers, message.to_owned());
        answer.await.expect("an answer")
    }

    pub(crate) async fn post(&self, message: &Value) -> Answer {
        self.post_as(Some(&self.key), &message.to_string()).await
    }

    /// Sends a request, which is answered 202, and reads the next message of the stream.
    pub(crate) async fn ask(&mut self, id: Value, method: &str, params: Value) -> Value {
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let answer = self.post(&message).await;
        assert_eq!((answer.status, answer.text().as_str()), (202, ""), "{method}");
        let said = self.stream.message().await.expect("an answer on the stream");
        assert_eq!(said["id"], id, "{said}");
        said
    }
}
