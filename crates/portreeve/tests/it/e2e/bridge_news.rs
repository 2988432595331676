//! What servers say unasked, across eras: subscriptions of modern hosts to legacy servers, streams of legacy hosts in front
//! of modern ones.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Seen, Speaks, Upstream, events};
use crate::web::{LegacyHost, Stream, modern};

const OPEN: Duration = Duration::from_secs(30);
const ID: &str = "io.modelcontextprotocol/subscriptionId";

fn note(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

async fn subscribe(node: &Node, slug: &str) -> Stream {
    let wanted =
        json!({"toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": ["test://a"]});
    let (headers, body) = modern(
        Some(&node.key),
        7,
        "subscriptions/listen",
        json!({"notifications": wanted}),
    );
    node.web.open("POST", &node.endpoint(slug), &headers, body).await
}

async fn next(stream: &mut Stream) -> Value {
    let message = tokio::time::timeout(Duration::from_secs(20), stream.message()).await;
    message.expect("it comes in time").expect("the stream goes on")
}

/// A legacy server that tells of changes, for the first time only for a moment.
fn talkative(breaks: bool) -> impl Fn(&Value) -> Option<Response> + Send + Sync {
    let streams = std::sync::atomic::AtomicUsize::new(0);
    move |message| {
        let answer = |result: Value| {
            axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result})).into_response()
        };
        match message["method"].as_str()? {
            "initialize" => {
                let capabilities =
                    json!({"tools": {"listChanged": true}, "prompts": {}, "resources": {"subscribe": true}});
                let result = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": {"name": "s", "version": "1"}});
                Some(([("mcp-session-id", "only")], answer(result)).into_response())
            }
            "tools/list" => Some(answer(json!({"tools": []}))),
            "resources/subscribe" => Some(answer(json!({}))),
            "GET" => {
                let first = streams.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
                let alive = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
                let all = [
                    alive,
                    note("notifications/prompts/list_changed", json!({})),
                    note("notifications/resources/updated", json!({"uri": "test://a"})),
                    json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}),
                ];
                let open = if first && breaks { Duration::ZERO } else { OPEN };
                Some(events(if first { &all } else { &[] }, open))
            }
            method if method.starts_with("notifications/") => Some(StatusCode::ACCEPTED.into_response()),
            _ => None,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_modern_host_is_told_what_a_legacy_server_says_on_its_stream() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Legacy).await;
    upstream.set_script(talkative(true));
    let slug = node.add("com.acme/old", &upstream.url);
    let mut stream = subscribe(&node, &slug).await;
    assert_eq!(stream.status, 200);
    let acknowledged = next(&mut stream).await;
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(
        acknowledged["params"],
        json!({"_meta": {ID: 7}, "notifications": {"toolsListChanged": true, "resourceSubscriptions": ["test://a"]}})
    );
    let updated = next(&mut stream).await;
    assert_eq!(updated["method"], "notifications/resources/updated");
    assert_eq!(updated["params"], json!({"uri": "test://a", "_meta": {ID: 7}}));
    let changed = next(&mut stream).await;
    assert_eq!(changed["method"], "notifications/tools/list_changed");
    assert_eq!(changed["params"], json!({"_meta": {ID: 7}}));
    // The server's stream broke off; what was missed meanwhile nobody knows.
    let again = next(&mut stream).await;
    assert_eq!(
        again,
        changed.clone(),
        "told once more after the stream was opened again"
    );
    assert_eq!(
        next(&mut stream).await["method"],
        "notifications/resources/updated"
    );
    drop(stream);
    for _ in 0..200 {
        if upstream
            .asked()
            .iter()
            .any(|(verb, headers)| *verb == "DELETE" && headers["mcp-session-id"] == "only")
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the session of the subscription did not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn p21_a_server_without_a_stream_tells_nothing_and_ends_nothing() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Legacy).await;
    let slug = node.add("com.acme/old", &upstream.url);
    let mut stream = subscribe(&node, &slug).await;
    let acknowledged = next(&mut stream).await;
    assert_eq!(
        acknowledged["params"]["notifications"],
        json!({"toolsListChanged": true}),
        "what is decided here is told"
    );
    let more = tokio::time::timeout(Duration::from_millis(700), stream.message()).await;
    assert!(more.is_err(), "it stays open, and says nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_host_is_told_what_a_modern_server_says_to_subscribers() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Modern).await;
    let slug = node.add("com.acme/new", &upstream.url);
    upstream.set_script(|message| {
        let wanted = &message["params"]["notifications"];
        if message["method"] != "subscriptions/listen" {
            return None;
        }
        let meta = json!({ID: message["id"]});
        let mut all = vec![note(
            "notifications/subscriptions/acknowledged",
            json!({"_meta": meta, "notifications": wanted}),
        )];
        match wanted["resourceSubscriptions"][0].as_str() {
            Some(uri) => all.push(note(
                "notifications/resources/updated",
                json!({"_meta": meta, "uri": uri}),
            )),
            None => all.push(note("notifications/tools/list_changed", json!({"_meta": meta}))),
        }
        Some(events(&all, OPEN))
    });
    let host = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
    let mut stream = node
        .web
        .open("GET", &host.url, &host.headers, String::new())
        .await;
    assert_eq!(stream.status, 200);
    let changed = next(&mut stream).await;
    assert_eq!(
        changed,
        note("notifications/tools/list_changed", json!({"_meta": {}}))
    );
    let subscribed = host
        .request(json!(1), "resources/subscribe", json!({"uri": "test://a"}))
        .await;
    assert_eq!(
        (subscribed.status, &subscribed.json()["result"]),
        (200, &json!({}))
    );
    let updated = next(&mut stream).await;
    assert_eq!(
        updated,
        note(
            "notifications/resources/updated",
            json!({"_meta": {}, "uri": "test://a"})
        )
    );
    let unsubscribed = host
        .request(json!(2), "resources/unsubscribe", json!({"uri": "test://a"}))
        .await;
    assert_eq!(unsubscribed.json()["result"], json!({}));
    let listens = |seen: &Seen| {
        let message: Value = serde_json::from_slice(&seen.body).unwrap();
        message["method"] == "subscriptions/listen" && seen.headers["mcp-method"] == "subscriptions/listen"
    };
    // The wider subscription goes on: who wants less is told less, and the server is not asked again.
    assert_eq!(upstream.seen().iter().filter(|seen| listens(seen)).count(), 2);

    let second = node
        .web
        .open("GET", &host.url, &host.headers, String::new())
        .await;
    assert_eq!(second.status, 200);
    let end = tokio::time::timeout(Duration::from_secs(10), stream.message()).await;
    assert_eq!(end.expect("the older stream ends"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_a_legacy_server_closes_before_its_answer_is_taken_up_for_a_modern_host() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Legacy).await;
    let slug = node.add("com.acme/old", &upstream.url);
    let id = std::sync::Mutex::new(Value::Null);
    upstream.set_script(move |message| {
        let stream = |text: String| ([("content-type", "text/event-stream")], text).into_response();
        if message["method"] == "tools/call" {
            *id.lock().unwrap() = message["id"].clone();
            // A priming event, as 2025-11-25 has it, and nothing more.
            return Some(stream("id: one\nretry: 10\ndata:\n\n".to_owned()));
        }
        if message["method"] != "GET" {
            return None;
        }
        assert_eq!(message["after"], "one");
        let answer = json!({"jsonrpc": "2.0", "id": *id.lock().unwrap(), "result": {"content": []}});
        Some(stream(format!("id: two\ndata: {answer}\n\n")))
    });
    let (headers, body) = modern(
        Some(&node.key),
        1,
        "tools/call",
        json!({"name": "echo", "arguments": {}}),
    );
    let answer = node
        .web
        .ask("POST", &node.endpoint(&slug), &headers, body)
        .await
        .unwrap();
    assert!(
        !answer.text().contains("id: "),
        "identities of events stay on their hop: {}",
        answer.text()
    );
    let answer = answer.json();
    let result = &answer["result"];
    assert_eq!(
        (&answer["id"], &result["resultType"]),
        (&json!(1), &json!("complete"))
    );
    assert_eq!(result["content"], json!([]));
}
