//! The checks of the modern era in their order, and what its answers carry.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Fixture, revised};

const VERSION: (&str, &str) = ("mcp-protocol-version", "2026-07-28");

/// Headers, body, and the status and error code that they earn.
type Case = (Vec<(&'static str, &'static str)>, Value, (u16, i64));

fn request(method: &str, mut params: Value) -> Value {
    let mut meta = meta("2026-07-28");
    if let Some(token) = params["_meta"].get("progressToken") {
        meta["progressToken"] = token.clone();
    }
    params["_meta"] = meta;
    json!({"jsonrpc": "2.0", "id": "r1", "method": method, "params": params})
}

fn meta(version: &str) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

pub(super) async fn ask(port: &Fixture, method: &str, params: Value) -> Value {
    let name = params
        .get("name")
        .or(params.get("uri"))
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let headers = [VERSION, ("mcp-method", method), ("mcp-name", &name)];
    let (status, body) = port.post(&headers, &request(method, params)).await.json().await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

#[tokio::test]
async fn the_ladder_refuses_in_order() {
    let port = Fixture::new();
    let list = || request("tools/list", json!({}));
    let call = || request("tools/call", json!({"name": "list_ships"}));
    let with_meta =
        |meta: Value| json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}});
    let bare = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let method = |name: &'static str| ("mcp-method", name);
    let cases: Vec<Case> = vec![
        (vec![VERSION, method("tools/call")], list(), (400, -32020)),
        (vec![VERSION], list(), (400, -32020)),
        (
            vec![VERSION, method("tools/list"), method("tools/list")],
            list(),
            (400, -32020),
        ),
        (vec![VERSION, method("tools/call")], call(), (400, -32020)),
        (
            vec![VERSION, method("tools/call"), ("mcp-name", "release_mooring")],
            call(),
            (400, -32020),
        ),
        (
            vec![VERSION, method("tools/call"), ("mcp-name", "=?base64?%%?=")],
            call(),
            (400, -32020),
        ),
        (
            vec![("mcp-protocol-version", "2025-11-25"), method("tools/list")],
            list(),
            (400, -32020),
        ),
        (vec![method("tools/list")], list(), (400, -32020)),
        (
            vec![("mcp-protocol-version", "2099-01-01"), method("tools/list")],
            with_meta(meta("2099-01-01")),
            (400, -32022),
        ),
        (
            vec![VERSION, method("tools/list")],
            with_meta(json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"})),
            (400, -32602),
        ),
        (vec![VERSION, method("tools/list")], bare, (400, -32602)),
        (
            vec![VERSION, method("foo/bar")],
            request("foo/bar", json!({})),
            (404, -32601),
        ),
        (
            vec![VERSION, method("ping")],
            request("ping", json!({})),
            (404, -32601),
        ),
        (
            vec![VERSION, method("initialize")],
            request("initialize", json!({})),
            (404, -32601),
        ),
    ];
    for (headers, body, expected) in cases {
        assert_eq!(
            port.post(&headers, &body).await.code().await,
            expected,
            "{headers:?} {body}"
        );
    }
    assert_eq!(port.send("GET", &[VERSION], "").await.status, 405);
    assert_eq!(port.send("DELETE", &[VERSION], "").await.status, 405);
    let gone = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    assert_eq!(port.post(&[VERSION], &gone).await.status, 202);
}

#[tokio::test]
async fn an_unsupported_version_names_the_supported_ones() {
    let port = Fixture::new();
    let body =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta("2099-01-01")}});
    let headers = [
        ("mcp-protocol-version", "2099-01-01"),
        ("mcp-method", "tools/list"),
    ];
    let (_, body) = port.post(&headers, &body).await.json().await;
    assert_eq!(
        body["error"]["data"],
        json!({"supported": ["2026-07-28"], "requested": "2099-01-01"})
    );
}

#[tokio::test]
async fn results_carry_what_the_era_wants() {
    let port = Fixture::new();
    let found = ask(&port, "server/discover", json!({})).await;
    assert_eq!(
        found["result"]["supportedVersions"],
        json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"])
    );
    let tides = ask(&port, "resources/read", json!({"uri": "port://tides/today"})).await;
    let list = ask(&port, "prompts/list", json!({})).await;
    for answer in [&found, &tides, &list] {
        assert_eq!(answer["result"]["resultType"], "complete");
        assert_eq!(answer["result"]["cacheScope"], "public");
        assert_eq!(answer["result"]["ttlMs"], 60_000);
        assert_eq!(
            answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
            "port-demo"
        );
    }
    let call = ask(
        &port,
        "tools/call",
        json!({"name": "list_ships", "arguments": {}}),
    )
    .await;
    assert_eq!(call["result"]["resultType"], "complete");
    assert_eq!(call["result"].get("ttlMs"), None);
    let lost = ask(&port, "resources/read", json!({"uri": "port://x"})).await;
    assert_eq!(lost["error"]["code"], -32602);
    assert_eq!(lost["error"]["data"]["uri"], "port://x");
    let encoded = [
        VERSION,
        ("mcp-method", "tools/call"),
        ("mcp-name", "=?base64?bGlzdF9zaGlwcw==?="),
    ];
    let named = request("tools/call", json!({"name": "list_ships"}));
    assert_eq!(port.post(&encoded, &named).await.status, 200);
}

#[tokio::test]
async fn progress_streams_only_when_asked_for() {
    let port = Fixture::new();
    let arguments = json!({"name": "inspect_cargo", "arguments": {"seconds": 0.05}});
    let quiet = ask(&port, "tools/call", arguments.clone()).await;
    let mut params = arguments;
    params["_meta"] = json!({"progressToken": 9});
    let headers = [
        VERSION,
        ("mcp-method", "tools/call"),
        ("mcp-name", "inspect_cargo"),
    ];
    let mut answer = port.post(&headers, &request("tools/call", params)).await;
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    for _ in 0..4 {
        assert_eq!(answer.event().await.unwrap()["params"]["progressToken"], 9);
    }
    assert_eq!(answer.event().await.unwrap()["result"], quiet["result"]);
    assert_eq!(answer.event().await, None);
}

#[tokio::test]
async fn a_subscription_acknowledges_tells_and_closes() {
    let port = Fixture::new();
    let headers = [VERSION, ("mcp-method", "subscriptions/listen")];
    let mut body = request(
        "subscriptions/listen",
        json!({"notifications": {
        "toolsListChanged": true, "promptsListChanged": true}}),
    );
    body["id"] = json!(3);
    let tag = json!({"io.modelcontextprotocol/subscriptionId": 3});
    let mut answer = port.post(&headers, &body).await;
    let first = answer.event().await.unwrap();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(
        first["params"],
        json!({"_meta": tag, "notifications": {"toolsListChanged": true}})
    );
    port.wording.send(revised("Lists every ship.")).unwrap();
    let news = answer.event().await.unwrap();
    assert_eq!(
        (&news["method"], &news["params"]["_meta"]),
        (&json!("notifications/tools/list_changed"), &tag)
    );
    let Fixture { alive, .. } = port;
    drop(alive);
    let last = answer.event().await.unwrap();
    assert_eq!(
        last,
        json!({"jsonrpc": "2.0", "id": 3, "result": {"resultType": "complete", "_meta": tag}})
    );
    assert_eq!(answer.event().await, None);
}
