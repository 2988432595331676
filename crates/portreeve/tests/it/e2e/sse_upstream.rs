//! Servers that speak HTTP+SSE alone (2024-11-05), behind hosts of either transport.

use std::time::Duration;

use serde_json::{Value, json};

use crate::node::Node;
use crate::sse_host::SseHost;
use crate::sse_server::SseServer;
use crate::web::{LegacyHost, Stream};

const NAME: &str = "com.acme/old";

async fn served() -> (Node, SseServer, String) {
    let node = Node::start().await;
    let server = SseServer::start().await;
    let slug = node.add(NAME, &server.url);
    // What looked at its tools has hung up again.
    server.wait_for_open(0).await;
    server.forget();
    (node, server, slug)
}

async fn host(node: &Node, slug: &str) -> LegacyHost {
    LegacyHost::connect(&node.web, &node.endpoint(slug), Some(&node.key)).await
}

fn call(id: Value, name: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
           "params": {"name": name, "arguments": arguments, "_meta": {"progressToken": id}}})
}

fn text(answer: &Value) -> &str {
    let text = answer["result"]["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("no text: {answer}"))
}

async fn heard(stream: &mut Stream) -> Value {
    let said = tokio::time::timeout(Duration::from_secs(10), stream.message());
    said.await.expect("it comes").expect("a message")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_http_sse_is_added_by_its_url_and_serves_hosts_of_both_transports() {
    let (node, server, slug) = served().await;
    let tools = node.cli_json(&["server", "tools", NAME]);
    assert_eq!(tools["items"].as_array().map(Vec::len), Some(4), "{tools}");
    let first = host(&node, &slug).await;
    assert_eq!(first.hello.json()["result"]["protocolVersion"], "2024-11-05");
    let list = first.request(json!(1), "tools/list", json!({})).await;
    assert_eq!(
        (list.status, list.header("content-type")),
        (200, "application/json")
    );
    assert_eq!(list.json()["result"]["tools"].as_array().map(Vec::len), Some(4));
    let mut second = SseHost::ready(&node, &slug, &node.key).await;
    let answer = second
        .ask(
            json!("x"),
            "tools/call",
            json!({"name": "echo", "arguments": {"n": 2}}),
        )
        .await;
    assert_eq!(text(&answer), r#"{"n":2}"#);
    // Each session has a stream of its own, and nothing of the host or of another transport reaches the server.
    let streams: std::collections::HashSet<_> = server.seen().into_iter().map(|seen| seen.stream).collect();
    assert_eq!((streams.len(), server.open()), (2, 2));
    for seen in server.seen() {
        for name in [
            "authorization",
            "mcp-session-id",
            "mcp-protocol-version",
            "cookie",
        ] {
            assert!(!seen.headers.contains_key(name), "{name}: {seen:?}");
        }
    }
    drop(second);
    assert!(first.ask("DELETE").await.status < 300);
    server.wait_for_open(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_on_the_one_stream_find_their_calls() {
    let (node, _server, slug) = served().await;
    let host = host(&node, &slug).await;
    // The same id, and answers in the order in which nobody asked (P3).
    let calls = (0..20_u64).map(|n| {
        let arguments = json!({"n": n, "ms": 400 - 20 * n});
        let name = if n % 3 == 0 { "echo" } else { "slow" };
        host.post(call(json!(1), name, arguments))
    });
    for (n, answer) in futures_util::future::join_all(calls).await.iter().enumerate() {
        let said: Value = serde_json::from_str(text(&answer.json())).unwrap();
        assert_eq!(
            (said["n"].as_u64(), &answer.json()["id"]),
            (Some(n as u64), &json!(1))
        );
    }
    let mut stream = host.open(call(json!("s"), "slow", json!({"ms": 200}))).await;
    let progress = heard(&mut stream).await;
    assert_eq!(progress["params"]["progressToken"], "s", "{progress}");
    assert_eq!(heard(&mut stream).await["id"], "s");
    assert_eq!(stream.message().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_and_news_of_the_server_reach_the_host() {
    let (node, server, slug) = served().await;
    let host = host(&node, &slug).await;
    let mut stream = host.open(call(json!(1), "ask", json!({}))).await;
    let question = heard(&mut stream).await;
    assert_eq!(
        (&question["method"], &question["id"]),
        (&json!("roots/list"), &json!("q"))
    );
    let roots = json!({"roots": [{"uri": "file:///a"}]});
    let answered = host
        .post(json!({"jsonrpc": "2.0", "id": "q", "result": roots}))
        .await;
    assert_eq!(answered.status, 202);
    assert_eq!(text(&heard(&mut stream).await), roots.to_string());
    let mut news = node
        .web
        .open("GET", &host.url, &host.headers, String::new())
        .await;
    assert_eq!(news.status, 200);
    let changed = json!({"jsonrpc": "2.0", "method": "notifications/resources/list_changed"});
    server.say(&changed);
    assert_eq!(heard(&mut news).await, changed);
    // A ping is between the two ends of the line.
    server.say(&json!({"jsonrpc": "2.0", "id": "p", "method": "ping"}));
    let ponged = async {
        while !server.seen().iter().any(|seen| seen.message["id"] == "p") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ponged)
        .await
        .expect("it is answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_line_fails_what_is_under_way_and_is_opened_again_by_the_next_call() {
    let (node, server, slug) = served().await;
    let host = host(&node, &slug).await;
    host.request(json!(1), "logging/setLevel", json!({"level": "debug"}))
        .await;
    let failed = host.post(call(json!(2), "fall", json!({}))).await;
    let error = failed.json();
    assert_eq!(
        (&error["id"], &error["error"]["code"]),
        (&json!(2), &json!(-31502)),
        "{error}"
    );
    server.forget();
    let answer = host.post(call(json!(3), "echo", json!({"again": 1}))).await;
    assert_eq!(text(&answer.json()), r#"{"again":1}"#);
    assert_eq!(
        server.methods(),
        [
            "initialize",
            "notifications/initialized",
            "logging/setLevel",
            "tools/call"
        ]
    );
    // A server that forgot the session did not run the call.
    server.lose_sessions();
    server.forget();
    let answer = host.post(call(json!(4), "echo", json!({"again": 2}))).await;
    assert_eq!(text(&answer.json()), r#"{"again":2}"#);
    let calls = server
        .methods()
        .iter()
        .filter(|method| *method == "tools/call")
        .count();
    assert_eq!((calls, server.opened()), (2, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_elsewhere_is_not_followed() {
    let node = Node::start().await;
    let elsewhere = SseServer::start().await;
    let place = elsewhere.url.replace("/sse", "/message");
    for (number, endpoint) in [
        place.as_str(),
        &place.replace("http:", ""),
        "http://user:secret@{host}/deep/message",
        "file:///etc/passwd",
    ]
    .into_iter()
    .enumerate()
    {
        let server = SseServer::start().await;
        let authority = server
            .url
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap();
        server.name_endpoint(&endpoint.replace("{host}", authority));
        let name = format!("com.acme/astray{number}");
        let added = node.cli_json(&["server", "add", &name, "--url", &server.url, "--approve"]);
        assert!(
            added.to_string().contains("leads to another origin"),
            "{endpoint}: {added}"
        );
        assert!(server.seen().is_empty(), "{endpoint}");
    }
    assert!(elsewhere.seen().is_empty());
    // Written out, it is the same place.
    let server = SseServer::start().await;
    let place = server.url.replace("/sse", "/message?sessionId={id}");
    server.name_endpoint(&place);
    let slug = node.add(NAME, &server.url);
    let answer = host(&node, &slug)
        .await
        .post(call(json!(1), "echo", json!({})))
        .await;
    assert_eq!(text(&answer.json()), "{}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_names_a_remote_of_http_sse_has_a_route() {
    let node = Node::start().await;
    let server = SseServer::start().await;
    let document = json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": NAME, "description": "An old server", "version": "1.0.0",
        "remotes": [{"type": "sse", "url": server.url}],
    });
    let file = node.data().join("server.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let file = file.display().to_string();
    let added = node.cli_json(&["server", "add", "--file", &file, "--approve"]);
    let slug = added["route"]["slug"]
        .as_str()
        .unwrap_or_else(|| panic!("{added}"));
    let answer = host(&node, slug)
        .await
        .post(call(json!(1), "echo", json!({})))
        .await;
    assert_eq!(text(&answer.json()), "{}");
    // Hosts read of the gateway's own transport, which is every one.
    let place = format!("{}/v0.1/servers/com.acme%2Fold/versions/latest", node.url);
    let listed = node.web.get(&place);
    let listed = listed.await.unwrap().json();
    assert_eq!(
        listed["server"]["remotes"][0]["type"], "streamable-http",
        "{listed}"
    );
}
