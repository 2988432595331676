//! A node that serves one scripted server, and what a host of either era says to it.

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::{Answer, Headers, LegacyHost, modern};

pub(crate) struct Served {
    pub(crate) node: Node,
    pub(crate) upstream: Upstream,
    pub(crate) slug: String,
    /// The MCP endpoint.
    pub(crate) url: String,
}

/// Headers and a body.
pub(crate) type Request = (Vec<(&'static str, String)>, String);

impl Served {
    pub(crate) async fn start(speaks: Speaks) -> Self {
        Self::start_with(&[], speaks).await
    }

    pub(crate) async fn start_with(flags: &[&str], speaks: Speaks) -> Self {
        let node = Node::start_with(flags).await;
        let upstream = Upstream::start(speaks).await;
        let slug = node.add("com.acme/billing", &upstream.url);
        let url = node.endpoint(&slug);
        Self {
            node,
            upstream,
            slug,
            url,
        }
    }

    /// Asks the endpoint.
    pub(crate) async fn ask(&self, verb: &str, headers: Headers<'_>, body: &str) -> Answer {
        let answer = self.node.web.ask(verb, &self.url, headers, body.to_owned());
        answer.await.expect("an answer")
    }

    /// Posts headers and a body.
    pub(crate) async fn post(&self, request: &Request) -> Answer {
        self.ask("POST", &request.0, &request.1).await
    }

    /// A modern request of the admin.
    pub(crate) fn modern(&self, id: i64, method: &str, params: Value) -> Request {
        modern(Some(&self.node.key), id, method, params)
    }

    /// A legacy host with the admin's key.
    pub(crate) async fn legacy(&self) -> LegacyHost {
        LegacyHost::connect(&self.node.web, &self.url, Some(&self.node.key)).await
    }

    /// How many messages of hosts reached the server.
    pub(crate) fn reached(&self) -> usize {
        self.upstream.reached()
    }

    /// The same for a server that speaks the legacy era alone.
    pub(crate) async fn is_well_in_the_legacy_era(&self) {
        let host = self.legacy().await;
        let params = json!({"name": "echo", "arguments": {"well": true}});
        let answer = host.request(json!(9), "tools/call", params).await;
        assert_eq!((answer.status, &answer.json()["id"]), (200, &json!(9)));
        let log = self.node.log_text();
        assert!(!log.contains("panicked"), "{log}");
    }

    /// The node serves on as if nothing had been, in both eras, and nothing in it panicked.
    pub(crate) async fn is_well(&self) {
        let request = self.modern(
            9,
            "tools/call",
            json!({"name": "echo", "arguments": {"well": true}}),
        );
        let answer = self.post(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["id"], 9);
        let log = self.node.log_text();
        assert!(!log.contains("panicked"), "{log}");
    }
}

/// The same headers, one of them with another value, or without it.
pub(crate) fn with(
    headers: &[(&'static str, String)],
    name: &'static str,
    value: Option<&str>,
) -> Vec<(&'static str, String)> {
    let others = headers.iter().filter(|(other, _)| *other != name).cloned();
    others
        .chain(value.map(|value| (name, value.to_owned())))
        .collect()
}

/// An error answer, whole but for its words: id, code and data.
pub(crate) fn error_of(answer: &Answer) -> (u16, Value, Value, Value) {
    let json = answer.json();
    assert_eq!(json["jsonrpc"], "2.0", "{json}");
    assert!(json.get("result").is_none(), "{json}");
    let error = &json["error"];
    assert!(error["message"].is_string(), "{json}");
    (
        answer.status,
        error["code"].clone(),
        json.get("id").cloned().unwrap_or(json!("none")),
        error["data"].clone(),
    )
}
