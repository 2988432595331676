//! A modern host in front of a server that speaks only the legacy era.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::IntoResponse as _;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::node::Node;
use crate::upstream::{Seen, Speaks, Upstream, events};
use crate::web::{Answer, modern};

async fn ask(node: &Node, slug: &str, id: i64, method: &str, mut params: Value) -> Answer {
    params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({"name": "test", "version": "1"});
    let (headers, body) = modern(Some(&node.key), id, method, params);
    let url = node.endpoint(slug);
    node.web.ask("POST", &url, &headers, body).await.unwrap()
}

async fn call(node: &Node, slug: &str, id: i64, tool: &str, arguments: Value) -> Answer {
    ask(
        node,
        slug,
        id,
        "tools/call",
        json!({"name": tool, "arguments": arguments}),
    )
    .await
}

fn sent(upstream: &Upstream, method: &str) -> Vec<Seen> {
    let is = |seen: &Seen| {
        let message: Value = serde_json::from_slice(&seen.body).unwrap();
        message["method"] == method && message["params"]["clientInfo"]["name"] != "portreeve"
    };
    upstream.seen_of_all().into_iter().filter(is).collect()
}

async fn until(what: &str, is: impl Fn() -> bool) {
    for _ in 0..200 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what} did not happen");
}

async fn pair() -> (Node, Upstream, String) {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Legacy).await;
    let slug = node.add("com.acme/old", &upstream.url);
    upstream.forget();
    (node, upstream, slug)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_modern_host_uses_a_legacy_server() {
    let (node, upstream, slug) = pair().await;
    let discovered = ask(&node, &slug, 1, "server/discover", json!({})).await.json();
    let result = &discovered["result"];
    assert_eq!(
        result["supportedVersions"],
        json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"])
    );
    assert_eq!(result["capabilities"], json!({"tools": {"listChanged": true}}));
    assert_eq!(
        (&result["resultType"], &result["ttlMs"]),
        (&json!("complete"), &json!(0))
    );
    let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server["name"], "scripted");

    let listed = ask(&node, &slug, 2, "tools/list", json!({})).await;
    let tools = &listed.json()["result"];
    assert_eq!(tools["tools"][0]["x-unknown"], json!({"kept": [1, 2.50, "é"]}));
    assert_eq!(tools["tools"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        (&tools["cacheScope"], &tools["resultType"]),
        (&json!("private"), &json!("complete"))
    );
    let again = ask(&node, &slug, 3, "tools/list", json!({})).await;
    assert_eq!(again.text(), listed.text().replace("\"id\":2", "\"id\":3"));

    let (headers, body) = modern(
        Some(&node.key),
        4,
        "tools/call",
        json!({"name": "echo", "arguments": {"q": 1}, "_meta": {"progressToken": "mine", "x/y": [1.50]}}),
    );
    let body = body.replace("\"id\":4", "\"id\":\"four\"");
    let answer = node
        .web
        .ask("POST", &node.endpoint(&slug), &headers, body)
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert_eq!(
        (&answer["id"], &answer["result"]["resultType"]),
        (&json!("four"), &json!("complete"))
    );
    assert_eq!(answer["result"]["x-extra"], json!({"n": 1}));
    assert_eq!(answer["result"]["content"][0]["text"], "{\"q\":1}");

    let calls = sent(&upstream, "tools/call");
    let message: Value = serde_json::from_slice(&calls[0].body).unwrap();
    assert_eq!(
        message["params"]["_meta"],
        json!({"progressToken": message["id"], "x/y": [1.5]})
    );
    assert!(message["id"].is_u64());
    let header = |name: &str| calls[0].headers.get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("mcp-protocol-version"), Some("2025-11-25"));
    assert!(header("mcp-session-id").is_some_and(|id| id.starts_with("upstream-")));
    assert_eq!((header("mcp-method"), header("mcp-name")), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn p5_p19_progress_and_the_end_of_a_host_reach_the_other_side_in_its_words() {
    let (node, upstream, slug) = pair().await;
    let params = json!({"name": "slow", "arguments": {"ms": 50}, "_meta": {"progressToken": "p"}});
    let answer = ask(&node, &slug, 1, "tools/call", params).await;
    let mut events = answer.events().into_iter();
    let progress = events.next().unwrap();
    assert_eq!(progress["method"], "notifications/progress");
    assert_eq!(progress["params"], json!({"progressToken": "p", "progress": 1}));
    let end = events.next().unwrap();
    assert_eq!(
        (&end["id"], &end["result"]["resultType"]),
        (&json!(1), &json!("complete"))
    );
    assert!(
        sent(&upstream, "notifications/cancelled").is_empty(),
        "it was answered"
    );

    let (headers, body) = modern(
        Some(&node.key),
        2,
        "tools/call",
        json!({"name": "slow", "arguments": {"ms": 20_000}, "_meta": {"progressToken": 9}}),
    );
    let mut stream = node.web.open("POST", &node.endpoint(&slug), &headers, body).await;
    let first = stream.message().await.unwrap();
    assert_eq!(first["params"]["progressToken"], 9);
    drop(stream);
    until("a cancellation", || {
        !sent(&upstream, "notifications/cancelled").is_empty()
    })
    .await;
    let cancelled: Value =
        serde_json::from_slice(&sent(&upstream, "notifications/cancelled")[0].body).unwrap();
    let calls = sent(&upstream, "tools/call");
    let call: Value = serde_json::from_slice(&calls.last().unwrap().body).unwrap();
    assert_eq!(cancelled["params"]["requestId"], call["id"]);
    until("the end of its session", || {
        upstream.asked().iter().any(|(verb, _)| *verb == "DELETE")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_server_that_forgot_its_sessions_is_introduced_to_once_more() {
    let (node, upstream, slug) = pair().await;
    assert_eq!(ask(&node, &slug, 1, "tools/list", json!({})).await.status, 200);
    upstream.forget_sessions();
    upstream.forget();
    let lists = (0..8).map(|id| ask(&node, &slug, id, "tools/list", json!({})));
    for (id, answer) in futures_util::future::join_all(lists)
        .await
        .into_iter()
        .enumerate()
    {
        assert_eq!((answer.status, &answer.json()["id"]), (200, &json!(id)));
    }
    assert_eq!(
        sent(&upstream, "initialize").len(),
        1,
        "one flight for all of them"
    );
    upstream.set_script(|message| {
        (message["method"] == "tools/list").then(|| StatusCode::NOT_FOUND.into_response())
    });
    let lost = ask(&node, &slug, 9, "tools/list", json!({})).await;
    assert_eq!(
        (lost.status, &lost.json()["id"]),
        (502, &json!(9)),
        "never as a status of the host's own"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_leaves_during_the_handshake_leaves_no_session_behind() {
    let (node, upstream, slug) = pair().await;
    let gate = Arc::new(Notify::new());
    let door = Arc::clone(&gate);
    upstream.set_script(move |message| {
        if message["method"] == "notifications/initialized" {
            return Some(StatusCode::ACCEPTED.into_response());
        }
        if message["method"] != "initialize" {
            return None;
        }
        let result = json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "slow", "version": "1"}});
        let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": result}).to_string();
        let door = Arc::clone(&door);
        let late = futures_util::stream::once(async move {
            door.notified().await;
            Ok::<_, Infallible>(answer)
        });
        let headers = [("content-type", "application/json"), ("mcp-session-id", "late")];
        Some((headers, axum::body::Body::from_stream(late)).into_response())
    });
    let about = json!({"io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"}});
    let params = json!({"name": "echo", "arguments": {}, "_meta": about});
    let (headers, body) = modern(Some(&node.key), 1, "tools/call", params);
    let (web, url) = (node.web.clone(), node.endpoint(&slug));
    let host = tokio::spawn(async move { web.ask("POST", &url, &headers, body).await });
    until("the handshake", || !sent(&upstream, "initialize").is_empty()).await;
    host.abort();
    // The node sees that the host went away; then the server answers.
    tokio::time::sleep(Duration::from_secs(1)).await;
    gate.notify_waiters();
    until("the end of the session", || {
        let asked = upstream.asked();
        asked
            .iter()
            .any(|(verb, headers)| *verb == "DELETE" && headers["mcp-session-id"] == "late")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_asks_in_the_middle_of_a_call_is_answered_that_nobody_can() {
    let (node, upstream, slug) = pair().await;
    upstream.set_script(|message| {
        let question = json!({"jsonrpc": "2.0", "id": "q", "method": "sampling/createMessage", "params": {}});
        let alive = json!({"jsonrpc": "2.0", "id": "p", "method": "ping"});
        let log = |level: &str| json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": level, "data": 1}});
        let other = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 0, "progress": 1}});
        let end = json!({"jsonrpc": "2.0", "id": message["id"], "result": {"content": [], "isError": true}});
        let all = [question, alive, other, log("info"), log("error"), end];
        (message["method"] == "tools/call").then(|| events(&all, Duration::ZERO))
    });
    let params =
        json!({"name": "echo", "_meta": {"io.modelcontextprotocol/logLevel": "warning", "progressToken": 1}});
    let answer = ask(&node, &slug, 1, "tools/call", params).await.events();
    assert_eq!(answer.len(), 2, "{answer:?}");
    assert_eq!(answer[0]["params"]["level"], "error");
    assert_eq!(answer[1]["result"]["isError"], true);
    let answers = || {
        let read = |seen: Seen| serde_json::from_slice::<Value>(&seen.body).unwrap();
        let mut all: Vec<Value> = upstream
            .seen_of_all()
            .into_iter()
            .map(read)
            .filter(|message| message.get("method").is_none())
            .collect();
        all.sort_by_key(|message| message["id"].to_string());
        all
    };
    until("two answers", || answers().len() == 2).await;
    let answers = answers();
    assert_eq!(answers[0]["result"], json!({}));
    assert_eq!(
        (&answers[1]["id"], &answers[1]["error"]["code"]),
        (&json!("q"), &json!(-32601))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn p3_concurrent_calls_with_one_id_never_cross_on_shared_sessions() {
    let (node, _upstream, slug) = pair().await;
    let calls = (0..40).map(|number| {
        let (node, slug) = (&node, &slug);
        async move {
            let name = if number % 3 == 0 { "slow" } else { "echo" };
            let answer = call(node, slug, 1, name, json!({"n": number, "ms": 20 + number % 7})).await;
            let answer = answer.json();
            let text = answer["result"]["content"][0]["text"]
                .as_str()
                .unwrap_or_default();
            let echoed: Value = serde_json::from_str(text).unwrap_or_default();
            assert_eq!((&answer["id"], &echoed["n"]), (&json!(1), &json!(number)));
        }
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p23_errors_have_the_codes_and_the_status_of_the_hosts_era() {
    let (node, upstream, slug) = pair().await;
    let unknown = ask(&node, &slug, 1, "prompts/list", json!({})).await;
    assert_eq!(
        (unknown.status, &unknown.json()["error"]["code"]),
        (404, &json!(-32601))
    );
    upstream.set_script(|message| {
        let error = json!({"code": -32002, "message": "Not there", "data": {"uri": "a://b", "x": 1}});
        let body = json!({"jsonrpc": "2.0", "id": message["id"], "error": error});
        (message["method"] == "resources/read").then(|| axum::Json(body).into_response())
    });
    let missing = ask(&node, &slug, 2, "resources/read", json!({"uri": "a://b"})).await;
    assert_eq!(missing.status, 200);
    assert_eq!(
        missing.json()["error"],
        json!({"code": -32602, "message": "Not there", "data": {"uri": "a://b", "x": 1}})
    );
}
