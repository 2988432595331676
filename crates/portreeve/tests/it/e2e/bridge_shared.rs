//! What servers say unasked is heard once for all the streams of one caller: one stream of the server, and each host gets
//! its own part under its own id.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::{LegacyHost, Stream, modern};

const ID: &str = "io.modelcontextprotocol/subscriptionId";
const UPDATED: &str = "notifications/resources/updated";
const TOOLS: &str = "notifications/tools/list_changed";

fn note(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

/// A server's stream that begins with these messages; the rest is said to all that are open.
fn speaking(first: Vec<Value>, more: &broadcast::Sender<Value>) -> Response {
    let frames = stream::unfold((first, more.subscribe()), |(mut first, mut more)| async move {
        let message = if first.is_empty() {
            more.recv().await.ok()?
        } else {
            first.remove(0)
        };
        let frame = format!("event: message\ndata: {message}\n\n");
        Some((Ok::<_, std::io::Error>(frame), (first, more)))
    });
    ([("content-type", "text/event-stream")], Body::from_stream(frames)).into_response()
}

async fn subscribe(node: &Node, slug: &str, key: &str, id: i64, wanted: Value) -> (Stream, Value) {
    let params = json!({"notifications": wanted});
    let (headers, body) = modern(Some(key), id, "subscriptions/listen", params);
    let mut stream = node.web.open("POST", &node.endpoint(slug), &headers, body).await;
    assert_eq!(stream.status, 200);
    let acknowledged = next(&mut stream).await;
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"]["_meta"][ID], id);
    (stream, acknowledged["params"]["notifications"].clone())
}

async fn next(stream: &mut Stream) -> Value {
    let message = tokio::time::timeout(Duration::from_secs(20), stream.message()).await;
    message.expect("it comes in time").expect("the stream goes on")
}

async fn is_quiet(stream: &mut Stream) -> bool {
    tokio::time::timeout(Duration::from_millis(400), stream.message())
        .await
        .is_err()
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not in ten seconds: {what}");
}

/// Another caller, who may use the server.
fn another(node: &Node, server: &str) -> String {
    let key = node.new_key("another");
    let granted = node.cli(&["grant", "add", "--key", "another", "--server", server]);
    assert!(granted.status.success(), "{granted:?}");
    key
}

fn legacy(more: broadcast::Sender<Value>) -> impl Fn(&Value) -> Option<Response> + Send + Sync {
    let sessions = AtomicUsize::new(0);
    move |message| {
        let answer = |result: Value| {
            axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result})).into_response()
        };
        match message["method"].as_str()? {
            "initialize" => {
                let able = json!({"tools": {"listChanged": true}, "resources": {"subscribe": true}});
                let result = json!({"protocolVersion": "2025-11-25", "capabilities": able, "serverInfo": {"name": "s", "version": "1"}});
                let number = sessions.fetch_add(1, Ordering::Relaxed);
                Some(([("mcp-session-id", format!("session-{number}"))], answer(result)).into_response())
            }
            "tools/list" => Some(answer(json!({"tools": []}))),
            "resources/subscribe" | "resources/unsubscribe" => Some(answer(json!({}))),
            "GET" => Some(speaking(Vec::new(), &more)),
            method if method.starts_with("notifications/") => Some(StatusCode::ACCEPTED.into_response()),
            _ => None,
        }
    }
}

/// The sessions whose streams were opened, and those of them that were ended.
fn streams(upstream: &Upstream) -> (Vec<String>, usize) {
    let of = |wanted: &str| -> Vec<String> {
        let asked = upstream.asked().into_iter().filter(|(verb, _)| *verb == wanted);
        asked
            .map(|(_, headers)| headers["mcp-session-id"].to_str().unwrap().to_owned())
            .collect()
    };
    let opened = of("GET");
    let ended = of("DELETE").iter().filter(|id| opened.contains(id)).count();
    (opened, ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_subscriptions_of_one_caller_share_a_session_with_a_legacy_server() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Legacy).await;
    let (say, _) = broadcast::channel(16);
    upstream.set_script(legacy(say.clone()));
    let slug = node.add("com.acme/old", &upstream.url);
    let other = another(&node, "com.acme/old");

    let wanted = json!({"toolsListChanged": true, "resourceSubscriptions": ["test://a"]});
    let (mut first, told) = subscribe(&node, &slug, &node.key, 1, wanted.clone()).await;
    assert_eq!(told, wanted);
    let (mut second, told) = subscribe(
        &node,
        &slug,
        &node.key,
        2,
        json!({"promptsListChanged": true, "resourceSubscriptions": ["test://b"]}),
    )
    .await;
    assert_eq!(
        told,
        json!({"resourceSubscriptions": ["test://b"]}),
        "it has no prompts"
    );
    let (mut third, _) = subscribe(&node, &slug, &other, 3, json!({"toolsListChanged": true})).await;
    assert_eq!(streams(&upstream).0.len(), 2, "one for each caller");
    assert_eq!(upstream.asked_for("resources/subscribe"), 2);

    say.send(note(UPDATED, json!({"uri": "test://a/part"}))).unwrap();
    say.send(note(UPDATED, json!({"uri": "test://b"}))).unwrap();
    say.send(note(TOOLS, json!({}))).unwrap();
    let meta = |id: i64| json!({ID: id});
    assert_eq!(
        next(&mut first).await,
        note(UPDATED, json!({"uri": "test://a/part", "_meta": meta(1)}))
    );
    assert_eq!(next(&mut first).await, note(TOOLS, json!({"_meta": meta(1)})));
    assert_eq!(
        next(&mut second).await,
        note(UPDATED, json!({"uri": "test://b", "_meta": meta(2)}))
    );
    assert_eq!(next(&mut third).await, note(TOOLS, json!({"_meta": meta(3)})));
    assert!(is_quiet(&mut second).await && is_quiet(&mut first).await);

    drop(second);
    until("what nobody wants any more is taken back", || {
        upstream.asked_for("resources/unsubscribe") == 1
    })
    .await;
    say.send(note(UPDATED, json!({"uri": "test://a"}))).unwrap();
    assert_eq!(next(&mut first).await["params"]["uri"], "test://a");
    assert_eq!(streams(&upstream).1, 0, "the others still hear");
    drop(first);
    until("the session ends with its last stream", || {
        streams(&upstream).1 == 1
    })
    .await;
    say.send(note(TOOLS, json!({}))).unwrap();
    assert_eq!(next(&mut third).await["method"], TOOLS);
}

/// A modern server that promises what it is asked.
fn promising(more: broadcast::Sender<Value>) -> impl Fn(&Value) -> Option<Response> + Send + Sync {
    move |message| {
        if message["method"] != "subscriptions/listen" {
            return None;
        }
        let params =
            json!({"_meta": {ID: message["id"]}, "notifications": message["params"]["notifications"]});
        let acknowledged = note("notifications/subscriptions/acknowledged", params);
        Some(speaking(vec![acknowledged], &more))
    }
}

fn listens(upstream: &Upstream) -> Vec<Value> {
    let messages = upstream
        .seen()
        .into_iter()
        .map(|seen| serde_json::from_slice(&seen.body).unwrap());
    let listens = messages.filter(|message: &Value| message["method"] == "subscriptions/listen");
    listens
        .map(|message| message["params"]["notifications"].clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_streams_of_one_caller_share_a_subscription_to_a_modern_server() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Modern).await;
    let (say, _) = broadcast::channel(16);
    upstream.set_script(promising(say.clone()));
    let slug = node.add("com.acme/new", &upstream.url);
    let mut hosts = Vec::new();
    for _ in 0..3 {
        let host = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
        let stream = node
            .web
            .open("GET", &host.url, &host.headers, String::new())
            .await;
        assert_eq!(stream.status, 200);
        hosts.push((host, stream));
    }
    assert_eq!(listens(&upstream).len(), 1, "three sessions, one subscription");
    let subscribed = hosts[1]
        .0
        .request(json!(1), "resources/subscribe", json!({"uri": "test://b"}))
        .await;
    assert_eq!(subscribed.status, 200);
    until("the server is asked for more", || listens(&upstream).len() == 2).await;
    assert_eq!(
        listens(&upstream)[1]["resourceSubscriptions"],
        json!(["test://b"])
    );
    until("its older stream is over", || say.receiver_count() == 1).await;

    say.send(note(UPDATED, json!({"uri": "test://b", "_meta": {ID: 99}})))
        .unwrap();
    say.send(note(TOOLS, json!({"_meta": {ID: 99, "x": 1.0}})))
        .unwrap();
    assert_eq!(
        next(&mut hosts[1].1).await,
        note(UPDATED, json!({"uri": "test://b", "_meta": {}}))
    );
    for (_, stream) in &mut hosts {
        assert_eq!(next(stream).await, note(TOOLS, json!({"_meta": {"x": 1.0}})));
    }
    // A modern host at the same server hears from it, too.
    let (mut stream, told) = subscribe(&node, &slug, &node.key, 7, json!({"promptsListChanged": true})).await;
    assert_eq!(told, json!({"promptsListChanged": true}));
    assert_eq!(listens(&upstream).len(), 2);
    say.send(note(
        "notifications/acme/own",
        json!({"_meta": {ID: 99}, "y": [1.50]}),
    ))
    .unwrap();
    say.send(note(TOOLS, json!({"_meta": {ID: 99}}))).unwrap();
    say.send(note(
        "notifications/prompts/list_changed",
        json!({"_meta": {ID: 99}}),
    ))
    .unwrap();
    assert_eq!(
        next(&mut stream).await,
        note("notifications/acme/own", json!({"_meta": {ID: 7}, "y": [1.50]})),
        "what nobody here knows is the host's affair"
    );
    assert_eq!(
        next(&mut stream).await["method"],
        "notifications/prompts/list_changed"
    );
    drop(stream);
    drop(hosts);
    until("nobody listens, so nothing is open", || say.receiver_count() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_asks_for_more_goes_its_own_way() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Modern).await;
    let (say, _) = broadcast::channel(16);
    upstream.set_script(promising(say.clone()));
    let slug = node.add("com.acme/new", &upstream.url);
    let (mut plain, _) = subscribe(&node, &slug, &node.key, 1, json!({"toolsListChanged": true})).await;
    let wanted = json!({"toolsListChanged": true, "acmeThings": ["x"]});
    let (mut own, told) = subscribe(&node, &slug, &node.key, 2, wanted.clone()).await;
    assert_eq!(told, wanted, "the server's own words");
    assert_eq!(listens(&upstream), [json!({"toolsListChanged": true}), wanted]);
    say.send(note(TOOLS, json!({}))).unwrap();
    assert_eq!(next(&mut plain).await["params"]["_meta"][ID], 1);
    assert_eq!(next(&mut own).await["method"], TOOLS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_told_of_as_changed_to_everybody() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Modern).await;
    let (say, _) = broadcast::channel::<Value>(16);
    let breaks = std::sync::Arc::new(std::sync::Mutex::new(Some(say)));
    let held = std::sync::Arc::clone(&breaks);
    upstream.set_script(move |message| {
        if message["method"] != "subscriptions/listen" {
            return None;
        }
        let say = held.lock().unwrap().clone();
        Some(match say {
            Some(say) => promising(say)(message)?,
            None => crate::upstream::events(&[], Duration::from_secs(30)),
        })
    });
    let slug = node.add("com.acme/new", &upstream.url);
    let (mut first, _) = subscribe(&node, &slug, &node.key, 1, json!({"toolsListChanged": true})).await;
    let (mut second, _) = subscribe(
        &node,
        &slug,
        &node.key,
        2,
        json!({"resourceSubscriptions": ["test://a"]}),
    )
    .await;
    // Its streams break off.
    breaks.lock().unwrap().take();
    assert_eq!(next(&mut first).await, note(TOOLS, json!({"_meta": {ID: 1}})));
    assert_eq!(
        next(&mut second).await,
        note(UPDATED, json!({"uri": "test://a", "_meta": {ID: 2}}))
    );
    assert!(is_quiet(&mut first).await);
}
