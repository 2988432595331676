//! Sessions, streams and negotiation of the legacy era.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Fixture, revised};

pub(super) async fn open(port: &Fixture, revision: &str) -> String {
    let answer = port.post(&[], &hello(revision)).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.headers["mcp-session-id"].to_str().unwrap().to_owned()
}

pub(super) async fn ask(port: &Fixture, session: &str, method: &str, params: Value) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
    let (status, body) = port
        .post(&[("mcp-session-id", session)], &body)
        .await
        .json()
        .await;
    assert_eq!(status, StatusCode::OK);
    body
}

fn hello(revision: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}})
}

#[tokio::test]
async fn initialize_negotiates() {
    let port = Fixture::new();
    for (asked, agreed) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let (status, body) = port.post(&[], &hello(asked)).await.json().await;
        assert_eq!(
            (status, &body["result"]["protocolVersion"]),
            (StatusCode::OK, &json!(agreed))
        );
    }
}

#[tokio::test]
async fn a_session_is_required_known_and_ended() {
    let port = Fixture::new();
    let session = open(&port, "2025-11-25").await;
    let session = session.as_str();
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(
        port.post(&[("mcp-session-id", session)], &ready).await.status,
        202
    );
    let response = json!({"jsonrpc": "2.0", "id": "elsewhere", "result": {}});
    assert_eq!(
        port.post(&[("mcp-session-id", session)], &response).await.status,
        202
    );
    assert_eq!(port.post(&[], &list).await.code().await, (400, -32000));
    assert_eq!(
        port.post(&[("mcp-session-id", "0")], &list).await.code().await,
        (404, -32001)
    );
    let wrong = [
        ("mcp-session-id", session),
        ("mcp-protocol-version", "2024-01-01"),
    ];
    assert_eq!(port.post(&wrong, &list).await.code().await, (400, -32000));
    assert_eq!(
        port.send("DELETE", &[("mcp-session-id", session)], "")
            .await
            .status,
        204
    );
    assert_eq!(port.post(&[("mcp-session-id", session)], &list).await.status, 404);
    assert_eq!(
        port.send("DELETE", &[("mcp-session-id", session)], "")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn tools_resource_and_prompt_answer() {
    let port = Fixture::new();
    let session = open(&port, "2025-06-18").await;
    assert_eq!(ask(&port, &session, "ping", json!({})).await["result"], json!({}));
    let params = json!({"name": "list_ships", "arguments": {"quay": "north"}});
    let ships = ask(&port, &session, "tools/call", params).await["result"].take();
    assert_eq!(ships["structuredContent"]["ships"].as_array().unwrap().len(), 2);
    let text: Value = serde_json::from_str(ships["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, ships["structuredContent"]);
    let release = json!({"name": "release_mooring", "arguments": {"ship": "borealis"}});
    let said = ask(&port, &session, "tools/call", release).await;
    assert_eq!(
        said["result"]["content"][0]["text"],
        "The Borealis has left berth north 2."
    );
    let nobody = json!({"name": "release_mooring", "arguments": {"ship": "Kraken"}});
    assert_eq!(
        ask(&port, &session, "tools/call", nobody).await["result"]["isError"],
        true
    );
    let unknown = ask(&port, &session, "tools/call", json!({"name": "sink"})).await;
    assert_eq!(unknown["error"]["code"], -32602);
    let tides = ask(
        &port,
        &session,
        "resources/read",
        json!({"uri": "port://tides/today"}),
    )
    .await;
    assert_eq!(tides["result"]["contents"][0]["mimeType"], "text/plain");
    let lost = ask(
        &port,
        &session,
        "resources/read",
        json!({"uri": "port://tides/never"}),
    )
    .await;
    assert_eq!(lost["error"]["code"], -32002);
    let params = json!({"name": "arrival_briefing", "arguments": {"ship": "Aurelia"}});
    let briefing = ask(&port, &session, "prompts/get", params).await;
    assert!(
        briefing["result"]["messages"][0]["content"]["text"]
            .as_str()
            .unwrap()
            .contains("Aurelia")
    );
    assert_eq!(
        ask(&port, &session, "foo/bar", json!({})).await["error"]["code"],
        -32601
    );
}

#[tokio::test]
async fn only_one_revision_takes_batches() {
    let port = Fixture::new();
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": "b", "method": "foo/bar"},
    ]);
    let session = open(&port, "2025-03-26").await;
    let (status, answers) = port
        .post(&[("mcp-session-id", &session)], &batch)
        .await
        .json()
        .await;
    assert_eq!((status, answers.as_array().unwrap().len()), (StatusCode::OK, 2));
    assert_eq!(answers[1]["error"]["code"], -32601);
    let session = open(&port, "2025-06-18").await;
    let refused = port
        .post(&[("mcp-session-id", &session)], &batch)
        .await
        .code()
        .await;
    assert_eq!(refused, (400, -32600));
}

#[tokio::test]
async fn progress_comes_before_the_result_and_cancellation_ends_it() {
    let port = Fixture::new();
    let session = open(&port, "2025-11-25").await;
    let headers = [
        ("mcp-session-id", session.as_str()),
        ("accept", "application/json, text/event-stream"),
    ];
    let call = |id: u64, seconds: f64| {
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
            "name": "inspect_cargo", "arguments": {"seconds": seconds}, "_meta": {"progressToken": "p"}}})
    };
    let mut answer = port.post(&headers, &call(5, 0.1)).await;
    for hold in 1..=4 {
        let progress = answer.event().await.unwrap();
        assert_eq!(
            (
                &progress["params"]["progress"],
                &progress["params"]["progressToken"]
            ),
            (&json!(hold), &json!("p"))
        );
    }
    assert_eq!(answer.event().await.unwrap()["id"], 5);
    assert_eq!(answer.event().await, None);

    let mut answer = port.post(&headers, &call(6, 60.0)).await;
    assert_eq!(answer.event().await.unwrap()["method"], "notifications/progress");
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 6}});
    assert_eq!(port.post(&headers, &cancel).await.status, 202);
    assert_eq!(answer.event().await, None);
}

#[tokio::test]
async fn the_stream_tells_changes_and_the_second_replaces_the_first() {
    let port = Fixture::new();
    let session = open(&port, "2025-11-25").await;
    let headers = [
        ("mcp-session-id", session.as_str()),
        ("accept", "text/event-stream"),
    ];
    assert_eq!(port.send("GET", &headers[..1], "").await.status, 406);
    let mut first = port.send("GET", &headers, "").await;
    let mut second = port.send("GET", &headers, "").await;
    assert_eq!(first.event().await, None);
    port.wording.send(revised("Lists every ship.")).unwrap();
    assert_eq!(
        second.event().await.unwrap()["method"],
        "notifications/tools/list_changed"
    );
    let list = ask(&port, &session, "tools/list", json!({})).await;
    assert_eq!(list["result"]["tools"][0]["description"], "Lists every ship.");
    assert_eq!(port.send("DELETE", &headers[..1], "").await.status, 204);
    assert_eq!(second.event().await, None);
}
