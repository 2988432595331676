//! Hosts that say one thing to the gateway and another to the server behind it.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::{LegacyHost, modern};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_an_id_is_no_notification() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    node.cli_json(&["tool", "hide", "com.acme/billing", "wipe"]);
    let host = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
    let seen = upstream.seen().len();
    let call = json!({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "wipe", "arguments": {}}});
    let refused = host.post(call.clone()).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].clone()),
        (400, json!(-32600))
    );
    let (headers, _) = modern(
        Some(&node.key),
        1,
        "tools/call",
        json!({"name": "echo", "arguments": {}}),
    );
    let refused = node
        .web
        .ask("POST", &node.endpoint(&slug), &headers, call.to_string())
        .await
        .unwrap();
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(upstream.seen().len(), seen, "the server saw none of it");
    let noted = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
    assert_eq!(host.post(noted).await.status, 202);
    assert_eq!(upstream.seen().len(), seen + 1, "notifications pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_other_letters_is_refused_where_it_decides() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Legacy).await;
    let slug = node.add("com.acme/old", &upstream.url);
    let host = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
    let seen = upstream.seen().len();
    for params in [
        json!({"name": "echo", "Name": "wipe", "arguments": {}}),
        json!({"NAME": "wipe", "name": "echo", "arguments": {}}),
        json!({"name": "echo", "argument\u{17f}": {}}),
    ] {
        let refused = host.request(json!(1), "tools/call", params.clone()).await;
        assert_eq!(
            (refused.status, refused.json()["error"]["code"].clone()),
            (400, json!(-32602)),
            "{params}"
        );
    }
    let twofold = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "Method": "tools/call", "params": {"name": "wipe"}});
    assert_eq!(host.post(twofold).await.status, 400);
    assert_eq!(upstream.seen().len(), seen, "the server saw none of it");
    let inside = json!({"name": "echo", "arguments": {"Name": "x", "name": "y"}});
    let answer = host.request(json!(1), "tools/call", inside).await;
    assert_eq!(
        answer.status,
        200,
        "arguments are the tool's own: {}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_what_is_written_down_and_mirrored() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let (mut headers, body) = modern(
        Some(&node.key),
        1,
        "resources/read",
        json!({"uri": "file:///pay.csv", "name": "harmless"}),
    );
    headers.retain(|(name, _)| *name != "mcp-name");
    headers.push(("mcp-name", "file:///pay.csv".to_owned()));
    node.web
        .ask("POST", &node.endpoint(&slug), &headers, body)
        .await
        .unwrap();
    let seen = upstream.seen();
    assert_eq!(seen.last().unwrap().headers["mcp-name"], "file:///pay.csv");
    let audit = node
        .api("GET", "/audit?action=resources/read&limit=1", None)
        .await
        .json();
    assert_eq!(audit["items"][0]["target"], "file:///pay.csv", "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_modern_cancellation_cannot_name_a_request_of_somebody_else() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let seen = upstream.seen().len();
    let (headers, _) = modern(Some(&node.key), 1, "notifications/cancelled", json!({}));
    let note = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    let noted = node
        .web
        .ask("POST", &node.endpoint(&slug), &headers, note.to_string())
        .await
        .unwrap();
    assert_eq!((noted.status, noted.text().as_str()), (202, ""), "T16");
    assert_eq!(upstream.seen().len(), seen, "it stays here");
}

/// Sends bytes, and waits until the other side closes. `None`: it does not.
async fn raw(node: &Node, bytes: &[u8], patience: Duration) -> Option<String> {
    let mut stream = TcpStream::connect(node.url.trim_start_matches("http://"))
        .await
        .unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(patience, stream.read_to_end(&mut answer)).await;
    read.ok().map(|_| String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_do_not_begin_are_closed() {
    let node = Node::start().await;
    let begun = Instant::now();
    let patience = Duration::from_secs(25);
    let starts: [&[u8]; 4] = [b"", b"P", b"PRI * HTTP", b"GET /healthz HTTP/1.1\r\nHost: a"];
    let closed = futures_util::future::join_all(starts.map(|start| raw(&node, start, patience))).await;
    assert!(
        closed.iter().all(Option::is_some),
        "{closed:?} after {:?}",
        begun.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_2_another_host_is_refused_on_every_path() {
    let node = Node::start().await;
    for path in ["/", "/v0.1/servers", "/api/v1/servers", "/healthz", "/s/x/mcp"] {
        for hosts in ["Host: evil.example", "Host: evil.example\r\nHost: localhost"] {
            let request = format!("GET {path} HTTP/1.1\r\n{hosts}\r\nConnection: close\r\n\r\n");
            let answer = raw(&node, request.as_bytes(), Duration::from_secs(5))
                .await
                .unwrap();
            assert!(answer.starts_with("HTTP/1.1 403"), "{path} {hosts}: {answer}");
        }
    }
}
