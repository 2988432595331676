//! A legacy host in front of a server that speaks only the modern era.

use std::time::Duration;

use axum::response::IntoResponse as _;
use http::StatusCode;
use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Seen, Speaks, Upstream, events};
use crate::web::LegacyHost;

fn sent(upstream: &Upstream, method: &str) -> Vec<(Seen, Value)> {
    let read = |seen: Seen| {
        let message: Value = serde_json::from_slice(&seen.body).unwrap();
        (seen, message)
    };
    let is = |(_, message): &(Seen, Value)| {
        let client = &message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"]["name"];
        message["method"] == method && client != "portreeve"
    };
    upstream.seen().into_iter().map(read).filter(is).collect()
}

async fn trio() -> (Node, Upstream, LegacyHost) {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Modern).await;
    let slug = node.add("com.acme/new", &upstream.url);
    upstream.forget();
    let host = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
    (node, upstream, host)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_host_uses_a_modern_server() {
    let (_node, upstream, host) = trio().await;
    let hello = &host.hello.json()["result"];
    assert_eq!(hello["protocolVersion"], "2025-11-25");
    assert_eq!(hello["capabilities"], json!({"tools": {}}));
    assert_eq!(
        hello["serverInfo"],
        json!({"name": "com.acme/new", "version": ""})
    );
    assert_eq!(
        (
            hello.get("resultType"),
            hello.get("supportedVersions"),
            hello.get("ttlMs")
        ),
        (None, None, None)
    );
    assert!(!host.hello.header("mcp-session-id").is_empty());
    assert_eq!(
        host.request(json!(1), "ping", json!({})).await.json()["result"],
        json!({})
    );

    let listed = host.request(json!("l"), "tools/list", json!({})).await.json();
    assert_eq!(listed["id"], "l");
    assert_eq!(
        listed["result"]["tools"][0]["x-unknown"],
        json!({"kept": [1, 2.50, "é"]})
    );
    let keys: Vec<_> = listed["result"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["tools"]);

    let set = host
        .request(json!(2), "logging/setLevel", json!({"level": "warning"}))
        .await;
    assert_eq!((set.status, &set.json()["result"]), (200, &json!({})));
    let wrong = host
        .request(json!(3), "logging/setLevel", json!({"level": "loud"}))
        .await;
    assert_eq!(wrong.json()["error"]["code"], -32602);

    let params = json!({"name": "echo", "arguments": {"q": 1}, "_meta": {"x/y": 1}, "task": {"ttl": 1}});
    let called = host.request(json!(4), "tools/call", params).await.json();
    assert_eq!(called["result"]["content"][0]["text"], "{\"q\":1}");
    assert_eq!(
        (called["result"].get("resultType"), &called["result"]["x-extra"]),
        (None, &json!({"n": 1}))
    );

    let (seen, message) = sent(&upstream, "tools/call").pop().unwrap();
    let meta = &message["params"]["_meta"];
    assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({}));
    assert_eq!(meta["io.modelcontextprotocol/clientInfo"]["name"], "test");
    assert_eq!(
        (&meta["io.modelcontextprotocol/logLevel"], &meta["x/y"]),
        (&json!("warning"), &json!(1))
    );
    assert_eq!(message["params"].get("task"), None);
    let header = |name: &str| seen.headers.get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(
        (header("mcp-method"), header("mcp-name")),
        (Some("tools/call"), Some("echo"))
    );
    assert_eq!(header("mcp-session-id"), None);

    assert_eq!(host.ask("DELETE").await.status, 204);
    assert_eq!(host.request(json!(5), "ping", json!({})).await.status, 404);
    assert!(sent(&upstream, "initialize").is_empty() && upstream.asked().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn p23_errors_of_a_modern_server_never_look_like_the_end_of_the_session() {
    let (_node, upstream, host) = trio().await;
    upstream.set_script(|message| {
        let (status, error) = match message["method"].as_str()? {
            "resources/read" => (
                200,
                json!({"code": -32602, "message": "m", "data": {"uri": "a://b"}}),
            ),
            "prompts/get" => (400, json!({"code": -32020, "message": "header"})),
            "completion/complete" => (404, json!({"code": -32601, "message": "no"})),
            _ => return None,
        };
        let body = json!({"jsonrpc": "2.0", "id": message["id"], "error": error});
        Some((StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response())
    });
    for (method, params, code) in [
        ("resources/read", json!({"uri": "a://b"}), -32002),
        ("prompts/get", json!({"name": "p"}), -32603),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "p"}}),
            -32601,
        ),
    ] {
        let answer = host.request(json!(1), method, params).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (200, &json!(code)),
            "{method}"
        );
    }
    assert_eq!(host.ask("GET").await.status, 405);
    assert_eq!(host.request(json!(2), "tools/list", json!({})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn p19_a_call_that_is_taken_back_ends_its_exchange_and_a_disconnect_does_not() {
    let (_node, upstream, host) = trio().await;
    let call = |id: i64, ms: i64| {
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
            "name": "slow", "arguments": {"ms": ms}, "_meta": {"progressToken": "t"},
        }})
    };
    let mut stream = host.open(call(1, 30_000)).await;
    let progress = stream.message().await.unwrap();
    assert_eq!(progress["params"]["progressToken"], "t");
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    assert_eq!(host.post(cancel.clone()).await.status, 202);
    let rest = tokio::time::timeout(Duration::from_secs(10), stream.message()).await;
    assert_eq!(rest.expect("the stream ends"), None);
    assert!(sent(&upstream, "notifications/cancelled").is_empty());

    let waiting = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
        "name": "echo", "arguments": {"wait": 30_000},
    }});
    let asked = host.post(waiting);
    let taken_back = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let cancel =
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}});
        host.post(cancel).await
    };
    let both = tokio::time::timeout(Duration::from_secs(10), async { tokio::join!(asked, taken_back) });
    let (answer, _) = both.await.expect("it ends");
    assert_eq!((answer.status, answer.text().as_str()), (200, ""));

    let params = json!({"name": "echo", "arguments": {"wait": 800}});
    let left = tokio::time::timeout(
        Duration::from_millis(300),
        host.request(json!(3), "tools/call", params),
    )
    .await;
    assert!(left.is_err(), "it takes longer");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(
        upstream.calls(),
        2,
        "the slow one, and the one whose host went away"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_modern_server_says_while_a_call_is_under_way_reaches_its_host() {
    let (_node, upstream, host) = trio().await;
    upstream.set_script(|message| {
        let log = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "error", "data": 1}});
        let end = json!({"jsonrpc": "2.0", "id": message["id"], "result": {"resultType": "complete", "content": []}});
        (message["method"] == "tools/call").then(|| events(&[log.clone(), end], Duration::ZERO))
    });
    let answer = host
        .request(json!(1), "tools/call", json!({"name": "echo"}))
        .await
        .events();
    assert_eq!(answer[0]["params"], json!({"level": "error", "data": 1}));
    assert_eq!(
        answer[1],
        json!({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_10_a_legacy_host_makes_up_no_round_of_a_call() {
    let (_node, upstream, host) = trio().await;
    let call = json!({
        "name": "echo", "arguments": {"requestState": "an argument"}, "requestState": "made up",
        "inputResponses": {"sure": {"action": "accept", "content": {}}},
    });
    let answer = host.request(json!(1), "tools/call", call).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (_, message) = sent(&upstream, "tools/call").pop().unwrap();
    let params = &message["params"];
    assert_eq!(
        (params.get("requestState"), params.get("inputResponses")),
        (None, None)
    );
    assert_eq!(params["arguments"], json!({"requestState": "an argument"}));
}
