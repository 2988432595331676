//! In which form an answer comes: one JSON document where there is nothing but the answer, a stream where there is more, and
//! large results piece by piece.

use std::time::Duration;

use axum::response::IntoResponse as _;
use futures_util::stream as frames;
use serde_json::{Value, json};

use crate::served::Served;
use crate::sse_host::SseHost;
use crate::upstream::{Speaks, Upstream, events, tool};

const MIB: usize = 1024 * 1024;

fn call(served: &Served, id: i64) -> crate::served::Request {
    served.modern(id, "tools/call", json!({"name": "echo", "arguments": {}}))
}

/// A result of that many bytes of text, in one message.
fn result(id: &Value, bytes: usize) -> Value {
    let text = "x".repeat(bytes);
    json!({"result": {"content": [{"type": "text", "text": text}]}, "jsonrpc": "2.0", "id": id})
}

/// Lets calls be answered with so many bytes, as a document or as an event that comes in pieces.
fn answer_with(upstream: &Upstream, bytes: usize, kind: &'static str) {
    upstream.set_script(move |message| {
        if message["method"] != "tools/call" {
            return None;
        }
        let message = result(&message["id"], bytes).to_string();
        let text = if kind == "application/json" {
            message
        } else {
            format!("id: e1\ndata:\n\nevent: message\ndata: {message}\n\n")
        };
        let whole = bytes::Bytes::from(text);
        let pieces = frames::unfold(whole, |mut rest| async move {
            let piece = rest.split_to(rest.len().min(64 * 1024));
            (!piece.is_empty()).then_some((Ok::<_, std::io::Error>(piece), rest))
        });
        let body = axum::body::Body::from_stream(pieces);
        Some(([("content-type", kind)], body).into_response())
    });
}

fn length_of(answer: &Value) -> usize {
    answer["result"]["content"][0]["text"]
        .as_str()
        .map_or(0, str::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_a_stream_of_one_message_becomes_one_document() {
    let served = Served::start(Speaks::Both).await;
    answer_with(&served.upstream, 2 * MIB, "text/event-stream");
    let host = served.legacy().await;
    let modern = served.post(&call(&served, 5)).await;
    let legacy = host
        .request(json!("a"), "tools/call", json!({"name": "echo", "arguments": {}}))
        .await;
    for (answer, id) in [(modern, json!(5)), (legacy, json!("a"))] {
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "application/json")
        );
        assert_eq!((length_of(&answer.json()), &answer.json()["id"]), (2 * MIB, &id));
    }
    // Anything that comes before it makes it a stream.
    served.upstream.set_script(|message| {
        let note = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": 1}});
        (message["method"] == "tools/call")
            .then(|| events(&[note, result(&message["id"], 1)], Duration::ZERO))
    });
    let streamed = served.post(&call(&served, 6)).await;
    assert_eq!(streamed.header("content-type"), "text/event-stream");
    assert_eq!(streamed.json()["id"], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn p7_a_stream_says_something_at_once() {
    let served = Served::start(Speaks::Legacy).await;
    served
        .upstream
        .set_script(|message| (message["method"] == "GET").then(|| events(&[], Duration::from_secs(30))));
    let host = served.legacy().await;
    let mut stream = served
        .node
        .web
        .open("GET", &served.url, &host.headers, String::new())
        .await;
    let first = tokio::time::timeout(Duration::from_secs(5), stream.event());
    let first = first.await.expect("at once").expect("a comment");
    assert!(first.raw.starts_with(b":") && first.data.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_of_fifty_megabytes_streams_in_little_memory() {
    let served = Served::start(Speaks::Both).await;
    let host = served.legacy().await;
    let arguments = json!({"name": "echo", "arguments": {}});
    for kind in ["application/json", "text/event-stream"] {
        answer_with(&served.upstream, 50 * MIB, kind);
        let before = served.node.memory("VmHWM");
        let modern = served.post(&call(&served, 7)).await;
        let legacy = host.request(json!("l"), "tools/call", arguments.clone()).await;
        for (answer, id) in [(modern, json!(7)), (legacy, json!("l"))] {
            assert_eq!(
                (answer.status, answer.header("content-type")),
                (200, "application/json")
            );
            let json = answer.json();
            assert_eq!((length_of(&json), &json["id"]), (50 * MIB, &id), "{kind}");
        }
        let grown = served.node.memory("VmHWM") - before;
        assert!(grown < 64 * 1024, "{kind}: the node grew by {grown} KiB");
    }
    // The type that the revision wants is there, although the server does not say it.
    let modern = served.post(&call(&served, 8)).await;
    assert_eq!(modern.json()["result"]["resultType"], "complete");
    // Where it must be one event, it is refused in words.
    let mut old = SseHost::ready(&served.node, &served.slug, &served.node.key).await;
    let refused = old.ask(json!(1), "tools/call", arguments).await;
    let message = refused["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("longer than 8388608 bytes"), "{refused}");
    served.upstream.set_script(|_| None);
    served.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_result_that_breaks_off_breaks_off_at_the_host() {
    let served = Served::start(Speaks::Both).await;
    for end in ["", "]}} trailing", "]},\"id\":4711}"] {
        served.upstream.set_script(move |message| {
            let text = "x".repeat(9 * MIB);
            let whole = format!("{{\"jsonrpc\":\"2.0\",\"result\":{{\"content\":[\"{text}\"{end}");
            let pieces = frames::iter([Ok::<_, std::io::Error>(whole)]);
            let body = axum::body::Body::from_stream(pieces);
            (message["method"] == "tools/call")
                .then(|| ([("content-type", "application/json")], body).into_response())
        });
        let request = call(&served, 9);
        let broken = served
            .node
            .web
            .ask("POST", &served.url, &request.0, request.1.clone())
            .await;
        assert!(broken.is_err(), "{end}: {:?}", broken.map(|answer| answer.status));
    }
    served.upstream.set_script(|_| None);
    served.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_modern_server_leaves_out_is_added() {
    let served = Served::start(Speaks::Both).await;
    served.upstream.set_script(|message| {
        let result = match message["method"].as_str()? {
            "tools/list" => json!({"tools": [tool("echo", "Says it again", true)]}),
            "tools/call" => json!({"content": []}),
            "resources/read" => json!({"contents": [], "ttlMs": 5}),
            "prompts/get" => json!({"resultType": "input_required", "inputRequests": {}}),
            _ => return None,
        };
        Some(axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result})).into_response())
    });
    let asked = async |method: &str, params: Value| {
        let answer = served.post(&served.modern(1, method, params)).await.json();
        let result = answer["result"].clone();
        (
            result["resultType"].clone(),
            result["ttlMs"].clone(),
            result["cacheScope"].clone(),
        )
    };
    let (complete, private, none) = (json!("complete"), json!("private"), Value::Null);
    assert_eq!(
        asked("tools/list", json!({})).await,
        (complete.clone(), json!(0), private.clone())
    );
    assert_eq!(
        asked("tools/call", json!({"name": "echo"})).await,
        (complete.clone(), none.clone(), none.clone())
    );
    assert_eq!(
        asked("resources/read", json!({"uri": "a:b"})).await,
        (complete, json!(5), private)
    );
    assert_eq!(
        asked("prompts/get", json!({"name": "p"})).await,
        (json!("input_required"), none.clone(), none)
    );
}
