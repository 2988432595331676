//! Who may call what, in both eras; and what the upstream gets to see of it.

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::{Answer, LegacyHost, modern};

async fn modern_call(node: &Node, slug: &str, key: Option<&str>, id: i64, tool: &str) -> Answer {
    let (headers, body) = modern(
        key,
        id,
        "tools/call",
        json!({"name": tool, "arguments": {"a": 1}}),
    );
    node.web
        .ask("POST", &node.endpoint(slug), &headers, body)
        .await
        .unwrap()
}

async fn modern_tools(node: &Node, slug: &str, key: Option<&str>) -> Vec<String> {
    let (headers, body) = modern(key, 9, "tools/list", json!({}));
    let answer = node
        .web
        .ask("POST", &node.endpoint(slug), &headers, body)
        .await
        .unwrap();
    let tools = answer.json()["result"]["tools"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| panic!("{}", answer.text()));
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_10_hidden_and_unknown_tools_are_answered_byte_for_byte_alike() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let stranger = node.new_key("stranger");
    let reader = node.new_key("reader");
    node.cli_json(&[
        "grant",
        "add",
        "--key",
        "reader",
        "--server",
        "com.acme/billing",
        "--read-only",
    ]);

    assert_eq!(modern_tools(&node, &slug, Some(&stranger)).await, [""; 0]);
    assert_eq!(modern_tools(&node, &slug, Some(&reader)).await, ["echo", "slow"]);
    assert_eq!(
        modern_tools(&node, &slug, Some(&node.key)).await,
        ["echo", "wipe", "slow"]
    );

    let calls = upstream.calls();
    for key in [&stranger, &reader] {
        let hidden = modern_call(&node, &slug, Some(key), 7, "wipe").await;
        let unknown = modern_call(&node, &slug, Some(key), 7, "nope").await;
        assert_eq!(hidden.status, unknown.status);
        assert_eq!(hidden.text().replace("wipe", "nope"), unknown.text());
        let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&hidden), names(&unknown));
        assert_eq!(hidden.json()["error"]["code"], -32602);
    }
    assert_eq!(upstream.calls(), calls, "no refused call reached the upstream");

    let host = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&reader)).await;
    let hidden = host
        .request(json!("x"), "tools/call", json!({"name": "wipe"}))
        .await;
    let unknown = host
        .request(json!("x"), "tools/call", json!({"name": "nope"}))
        .await;
    assert_eq!(
        (hidden.status, hidden.text().replace("wipe", "nope")),
        (200, unknown.text())
    );
    let echoed = host
        .request(
            json!("x"),
            "tools/call",
            json!({"name": "echo", "arguments": {"q": 1}}),
        )
        .await;
    assert_eq!(echoed.json()["result"]["content"][0]["text"], "{\"q\":1}");
    assert_eq!(echoed.json()["id"], "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_11_nothing_of_the_caller_reaches_the_upstream() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let (mut headers, body) = modern(
        Some(&node.key),
        1,
        "tools/call",
        json!({"name": "echo", "arguments": {}}),
    );
    for (name, value) in [
        ("cookie", "session=1"),
        ("x-forwarded-user", "root"),
        ("x-forwarded-for", "1.2.3.4"),
        ("mcp-session-id", "stolen"),
        ("mcp-param-region", "eu"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ] {
        headers.push((name, value.to_owned()));
    }
    let answer = node
        .web
        .ask("POST", &node.endpoint(&slug), &headers, body.clone())
        .await
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = upstream.seen().pop().unwrap();
    for name in [
        "authorization",
        "x-api-key",
        "cookie",
        "x-forwarded-user",
        "x-forwarded-for",
        "mcp-session-id",
        "origin",
    ] {
        assert!(!seen.headers.contains_key(name), "{name} reached the upstream");
    }
    assert_eq!(seen.headers["mcp-param-region"], "eu");
    assert_eq!(seen.headers["mcp-protocol-version"], "2026-07-28");
    assert_eq!(seen.body, body.as_bytes(), "the body passes byte for byte");
    assert_eq!(
        answer.json()["result"]["x-extra"],
        json!({"n": 1}),
        "unknown fields pass"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_progress_notification_arrives_before_its_tool_ends() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let params = json!({"name": "slow", "arguments": {"ms": 1500}, "_meta": {"progressToken": "t"}});
    let (headers, body) = modern(Some(&node.key), 5, "tools/call", params.clone());
    let host = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
    let legacy = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": params});
    let streams = [
        node.web.open("POST", &node.endpoint(&slug), &headers, body).await,
        host.open(legacy).await,
    ];
    for mut stream in streams {
        assert_eq!(stream.status, 200);
        assert_eq!(stream.headers["content-type"], "text/event-stream");
        let begun = std::time::Instant::now();
        let first = stream.message().await.unwrap();
        assert_eq!(first["method"], "notifications/progress");
        let last = stream.message().await.unwrap();
        assert_eq!(last["id"], 5);
        assert!(last["result"].is_object());
        assert!(begun.elapsed().as_millis() < 4_000);
        assert!(stream.message().await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_advertises_only_what_is_served_and_lists_are_private() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let (headers, body) = modern(Some(&node.key), 1, "server/discover", json!({}));
    let answer = node
        .web
        .ask("POST", &node.endpoint(&slug), &headers, body)
        .await
        .unwrap();
    assert_eq!(
        answer.json()["result"]["supportedVersions"],
        json!(["2026-07-28", "2025-11-25"])
    );
    let (headers, body) = modern(Some(&node.key), 1, "tools/list", json!({}));
    let answer = node
        .web
        .ask("POST", &node.endpoint(&slug), &headers, body)
        .await
        .unwrap();
    assert_eq!(answer.json()["result"]["cacheScope"], "private");
    assert!(
        answer.text().contains(r#""x-unknown":{"kept":[1,2.50,"é"]}"#)
            || answer.text().contains(r#""x-unknown":{"kept":[1,2.5,"é"]}"#)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymous_route_serves_everyone_and_says_so_in_the_audit_log() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/open", &upstream.url);
    node.cli_json(&["route", "set", &slug, "--anonymous", "on"]);
    assert_eq!(modern_tools(&node, &slug, None).await, ["echo", "wipe", "slow"]);
    assert_eq!(modern_call(&node, &slug, None, 1, "echo").await.status, 200);
    let events = node.api("GET", "/audit?limit=50", None).await.json();
    let calls: Vec<&Value> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["action"] == "tools/call")
        .collect();
    assert_eq!(calls[0]["actor"], "anonymous");
    assert_eq!(calls[0]["policies"], json!(["route:anonymous"]));
}
