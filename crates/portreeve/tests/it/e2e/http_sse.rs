//! Hosts of 2024-11-05: one stream, and messages beside it (S13), through the same corridor as every other host.

use std::time::Duration;

use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::served::{Served, error_of};
use crate::sse_host::{SseHost, bearer};
use crate::upstream::{Speaks, events};

fn stream_url(served: &Served) -> String {
    served.url.replace("/mcp", "/sse")
}

async fn open(served: &Served, key: &str) -> SseHost {
    SseHost::open(&served.node, &served.slug, key).await
}

async fn ready(served: &Served, key: &str) -> SseHost {
    SseHost::ready(&served.node, &served.slug, key).await
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_answers_come_on_the_stream_and_messages_are_answered_202() {
    for speaks in [Speaks::Legacy, Speaks::Both] {
        let served = Served::start(speaks).await;
        let mut host = ready(&served, &served.node.key).await;
        let list = host.ask(json!(1), "tools/list", json!({})).await;
        let names: Vec<_> = list["result"]["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["echo", "wipe", "slow"]);
        let params = json!({"name": "echo", "arguments": {"say": "ahoy\r\nthere\u{2028}"}});
        let called = host.ask(json!("2"), "tools/call", params).await;
        let text = called["result"]["content"][0]["text"].as_str().unwrap();
        let said: Value = serde_json::from_str(text).unwrap();
        assert_eq!(said["say"], "ahoy\r\nthere\u{2028}");
        let unknown = json!({"name": "no-such", "arguments": {}});
        let refused = host.ask(json!(3), "tools/call", unknown).await;
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
        served.is_well().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_comes_before_the_answer_and_other_messages_do_not_wait_for_it() {
    let served = Served::start(Speaks::Legacy).await;
    let mut host = ready(&served, &served.node.key).await;
    let slow = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "slow", "arguments": {"ms": 1_500}, "_meta": {"progressToken": "p"}},
    });
    assert_eq!(host.post(&slow).await.status, 202);
    let first = host.stream.message().await.unwrap();
    assert_eq!(first["method"], "notifications/progress", "{first}");
    assert_eq!(first["params"]["progressToken"], "p");
    // It is still under way.
    let pong = host.ask(json!(2), "ping", json!({})).await;
    assert_eq!(pong["result"], json!({}));
    let last = host.stream.message().await.unwrap();
    assert_eq!(last["id"], 1, "{last}");
    assert!(last["result"]["content"].is_array(), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_takes_messages_of_its_own_caller_alone() {
    let served = Served::start(Speaks::Legacy).await;
    let other = served.node.new_key("other");
    served
        .node
        .cli_json(&["grant", "add", "--key", "other", "--all-servers"]);
    let mut host = ready(&served, &served.node.key).await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    let foreign = host.post_as(Some(&other), &ping).await;
    assert_eq!(foreign.status, 404);
    assert_eq!(host.post_as(None, &ping).await.status, 401);
    assert_eq!(host.post_as(Some("prv_wrong"), &ping).await.status, 401);
    // Of a route, too: a stream of one is none of another.
    let second = crate::upstream::Upstream::start(Speaks::Legacy).await;
    let slug = served.node.add("com.acme/second", &second.url);
    let place = host.messages.clone();
    host.messages = place.replace(&served.slug, &slug);
    assert_eq!(
        host.post_as(Some(&host.key.clone()), &ping).await.body,
        foreign.body
    );
    for named in ["", "?sessionId=", "?sessionId=a&sessionId=b", "?sessionid=x"] {
        host.messages = format!("{}{named}", place.split('?').next().unwrap());
        let status = host.post_as(Some(&host.key.clone()), &ping).await.status;
        assert!(matches!(status, 400 | 404), "{named}: {status}");
    }
    host.messages = place;
    assert_eq!(host.ask(json!(5), "ping", json!({})).await["result"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_at_once() {
    let served = Served::start(Speaks::Legacy).await;
    let host = open(&served, &served.node.key).await;
    let reached = served.reached();
    let before = host
        .post(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))
        .await;
    assert_eq!(before.status, 400, "no handshake yet: {}", before.text());
    for (body, status) in [
        ("{", 400),
        ("[]", 400),
        ("", 415),
        (r#"{"jsonrpc":"2.0","id":null}"#, 400),
    ] {
        assert_eq!(host.post_as(Some(&host.key), body).await.status, status, "{body}");
    }
    let large = "x".repeat(5 * 1024 * 1024);
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": large}});
    let web = &served.node.web;
    let mut headers = bearer(&host.key);
    // Such a body is not read, so a host that is still sending it may see the end before the answer (RFC 9112, 9.6).
    let mut refused = None;
    for _ in 0..50 {
        let answer = web.ask("POST", &host.messages, &headers, message.to_string());
        refused = refused.or(answer.await.ok().map(|answer| answer.status));
        if refused.is_some() {
            break;
        }
    }
    assert_eq!(refused, Some(413));
    headers.push(("mcp-protocol-version", "2026-07-28".to_owned()));
    let modern = web.ask("POST", &host.messages, &headers, "{}".to_owned()).await;
    assert_eq!(modern.unwrap().status, 400);
    assert_eq!(served.reached(), reached);
    for (verb, url, allowed) in [
        ("POST", stream_url(&served), "GET, OPTIONS"),
        ("DELETE", stream_url(&served), "GET, OPTIONS"),
        ("GET", host.messages.clone(), "POST, OPTIONS"),
    ] {
        let answer = web
            .ask(verb, &url, &bearer(&host.key), String::new())
            .await
            .unwrap();
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, allowed),
            "{verb} {url}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_unasked_comes_on_the_stream_and_its_end_ends_the_session() {
    let served = Served::start(Speaks::Legacy).await;
    let note = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
    let said = note.clone();
    served.upstream.set_script(move |message| {
        let wanted = message["method"] == "GET";
        wanted.then(|| events(std::slice::from_ref(&said), Duration::from_millis(100)).into_response())
    });
    let mut host = ready(&served, &served.node.key).await;
    let heard = tokio::time::timeout(Duration::from_secs(10), host.stream.message());
    assert_eq!(heard.await.expect("it comes"), Some(note));
    let ended = |served: &Served| {
        let asked = served.upstream.asked();
        asked.iter().filter(|(verb, _)| *verb == "DELETE").count()
    };
    let before = ended(&served);
    let (messages, key) = (host.messages.clone(), host.key.clone());
    drop(host);
    let mut rounds = 0;
    while ended(&served) == before {
        rounds += 1;
        assert!(rounds < 200, "the server was not told");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    let late = served.node.web.ask("POST", &messages, &bearer(&key), ping).await;
    assert_eq!(late.unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_forgot_the_session_and_takes_no_host_back_ends_the_stream() {
    let served = Served::start(Speaks::Legacy).await;
    let mut host = ready(&served, &served.node.key).await;
    served.upstream.forget_sessions();
    let answer = host.ask(json!(1), "tools/list", json!({})).await;
    assert_eq!(
        answer["result"]["tools"].as_array().map(Vec::len),
        Some(3),
        "P14: {answer}"
    );
    served.upstream.forget_sessions();
    served.upstream.set_script(|message| {
        let refused =
            json!({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32603, "message": "full"}});
        (message["method"] == "initialize").then(|| axum::Json(refused).into_response())
    });
    let answer = host.ask(json!(1), "tools/list", json!({})).await;
    assert!(answer["error"]["code"].is_i64(), "{answer}");
    let end = tokio::time::timeout(Duration::from_secs(10), host.stream.message());
    assert_eq!(end.await.expect("it ends"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_taken_away_end_the_stream_and_strangers_see_an_empty_server() {
    let served = Served::start(Speaks::Legacy).await;
    let node = &served.node;
    let key = node.new_key("reader");
    let reached = served.reached();
    let mut stranger = ready(&served, &key).await;
    let list = stranger.ask(json!(1), "tools/list", json!({})).await;
    assert_eq!(list["result"]["tools"], json!([]));
    assert_eq!(served.reached(), reached, "nothing of it reached the server");
    let granted = node.cli_json(&["grant", "add", "--key", "reader", "--all-servers"]);
    let end = tokio::time::timeout(Duration::from_secs(30), stranger.stream.message());
    assert_eq!(end.await.expect("it begins anew"), None);
    let mut reader = ready(&served, &key).await;
    let list = reader.ask(json!(1), "tools/list", json!({})).await;
    assert_eq!(list["result"]["tools"].as_array().map(Vec::len), Some(3));
    let grant = granted["id"].as_str().unwrap();
    node.cli_json(&["grant", "remove", grant]);
    let end = tokio::time::timeout(Duration::from_secs(30), reader.stream.message());
    assert_eq!(end.await.expect("it is over"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_is_in_the_audit_log_and_in_the_usage() {
    let served = Served::start(Speaks::Legacy).await;
    let mut host = ready(&served, &served.node.key).await;
    let params = json!({"name": "echo", "arguments": {"a": 1}});
    host.ask(json!(1), "tools/call", params).await;
    let node = &served.node;
    let mut rounds = 0;
    loop {
        let events = node.cli_json(&["audit", "list"]);
        let found = events["items"].as_array().is_some_and(|items| {
            items
                .iter()
                .any(|event| event["action"] == "tools/call" && event["target"] == "echo")
        });
        if found {
            break;
        }
        rounds += 1;
        assert!(rounds < 100, "{events}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_is_a_protected_resource_of_its_own() {
    let served = Served::start(Speaks::Legacy).await;
    let web = &served.node.web;
    let refused = web
        .ask("GET", &stream_url(&served), &[], String::new())
        .await
        .unwrap();
    assert_eq!(error_of(&refused).0, 401);
    let place = format!("/.well-known/oauth-protected-resource/s/{}/sse", served.slug);
    let challenge = refused.header("www-authenticate").to_owned();
    assert!(challenge.contains(&place), "{challenge}");
    let document = web.get(&format!("{}{place}", served.node.url)).await.unwrap();
    assert_eq!(document.json()["resource"], stream_url(&served));
}
