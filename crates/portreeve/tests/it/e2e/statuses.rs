//! One refusal, two eras (P23): a legacy host reads 404 as the end of its session, so it gets that for nothing else.

use axum::response::IntoResponse as _;
use http::StatusCode;
use serde_json::{Value, json};

use crate::served::{Served, error_of, with};
use crate::upstream::Speaks;
use crate::web::{Answer, LegacyHost};

fn found(answer: &Answer) -> (u16, i64) {
    let (status, code, ..) = error_of(answer);
    (status, code.as_i64().unwrap())
}

async fn both(served: &Served, host: &LegacyHost, method: &str, params: Value) -> [(u16, i64); 2] {
    let legacy = host.request(json!(1), method, params.clone()).await;
    let modern = served.post(&served.modern(1, method, params)).await;
    assert_eq!(
        (&legacy.json()["id"], &modern.json()["id"]),
        (&json!(1), &json!(1)),
        "{method}"
    );
    [found(&legacy), found(&modern)]
}

#[tokio::test(flavor = "multi_thread")]
async fn p23_a_refusal_has_the_status_of_its_era() {
    let served = Served::start(Speaks::Both).await;
    let host = served.legacy().await;
    let (headers, body) = served.modern(1, "tools/list", json!({}));
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();

    // What a header brings about. Another `Host` is told in `framing`.
    for (header, value, legacy, modern) in [
        ("origin", Some("null"), (403, -32600), (403, -32600)),
        ("authorization", None, (401, -32600), (401, -32600)),
        ("authorization", Some("Bearer x"), (401, -32600), (401, -32600)),
        ("content-type", Some("text/plain"), (415, -32600), (415, -32600)),
        (
            "mcp-protocol-version",
            Some("1999-01-01"),
            (400, -32000),
            (400, -32020),
        ),
    ] {
        let legacy_answer = served
            .ask("POST", &with(&host.headers, header, value), &list)
            .await;
        let modern_answer = served.ask("POST", &with(&headers, header, value), &body).await;
        assert_eq!(
            (found(&legacy_answer), found(&modern_answer)),
            (legacy, modern),
            "{header}"
        );
    }
    // What a body brings about.
    for (name, text, expected) in [
        ("no JSON", "{", (400, -32700)),
        ("batch", "[]", (400, -32600)),
        ("no message", "{}", (400, -32600)),
    ] {
        for headers in [&host.headers, &headers] {
            assert_eq!(
                found(&served.ask("POST", headers, text).await),
                expected,
                "{name}"
            );
        }
    }
    for verb in ["PUT", "PATCH", "HEAD"] {
        for headers in [&host.headers, &headers] {
            assert_eq!(served.ask(verb, headers, "").await.status, 405, "{verb}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p23_only_the_end_of_a_session_reads_like_one() {
    let served = Served::start(Speaks::Both).await;
    let host = served.legacy().await;
    let (headers, body) = served.modern(1, "tools/list", json!({}));
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    for (name, method, params, legacy, modern) in [
        (
            "unknown method",
            "foo/bar",
            json!({}),
            (200, -32601),
            (404, -32601),
        ),
        (
            "method of the other era",
            "tasks/list",
            json!({}),
            (200, -32601),
            (404, -32601),
        ),
        (
            "unknown tool",
            "tools/call",
            json!({"name": "nope"}),
            (200, -32602),
            (200, -32602),
        ),
        (
            "no name",
            "tools/call",
            json!({"name": 7}),
            (400, -32602),
            (400, -32602),
        ),
    ] {
        let answers = both(&served, &host, method, params).await;
        assert_eq!(answers, [legacy, modern], "{name}");
    }
    let unknown = with(&host.headers, "mcp-session-id", Some("unknown"));
    assert_eq!(
        found(&served.ask("POST", &unknown, &list).await),
        (404, -32000),
        "only an ended session is 404"
    );
    let nowhere = format!("{}/s/nowhere/mcp", served.node.url);
    let answer = served
        .node
        .web
        .ask("POST", &nowhere, &headers, body)
        .await
        .unwrap();
    assert_eq!(found(&answer), (404, -32600));
    assert_eq!(
        host.request(json!(1), "ping", json!({})).await.status,
        200,
        "the session outlived all of it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn p23_an_answer_of_the_server_keeps_its_status_within_an_era() {
    let served = Served::start(Speaks::Both).await;
    let host = served.legacy().await;
    for (status, legacy, modern) in [
        (200, (200, -32601), (200, -32601)),
        (400, (400, -32601), (400, -32601)),
        (422, (422, -32601), (422, -32601)),
        (401, (502, -31502), (502, -31502)),
        (403, (502, -31502), (502, -31502)),
        (500, (502, -31502), (502, -31502)),
        (302, (502, -31502), (502, -31502)),
        (404, (404, -32000), (404, -32601)),
    ] {
        served.upstream.set_script(move |message| {
            let error =
                json!({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no"}});
            let status = StatusCode::from_u16(status).unwrap();
            (message["method"] == "prompts/list").then(|| (status, axum::Json(error)).into_response())
        });
        let answers = both(&served, &host, "prompts/list", json!({})).await;
        assert_eq!(answers, [legacy, modern], "the server says {status}");
    }
    let answer = host.request(json!(1), "ping", json!({})).await;
    assert_eq!(answer.status, 404, "the server ended the session, so it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn p23_a_limit_and_a_server_that_is_away_read_the_same_in_both_eras() {
    let served = Served::start(Speaks::Both).await;
    let host = served.legacy().await;
    served.node.cli_json(&[
        "policy",
        "set",
        "com.acme/billing",
        "rate_limit",
        "--calls",
        "1",
        "--per",
        "3600s",
    ]);
    let call = json!({"name": "echo", "arguments": {}});
    let begun = std::time::Instant::now();
    while host.request(json!(1), "tools/call", call.clone()).await.status == 200 {
        assert!(begun.elapsed().as_secs() < 5, "the limit is not in force");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let answers = both(&served, &host, "tools/call", call).await;
    assert_eq!(answers, [(429, -31429), (429, -31429)]);

    let away = served.node.add("com.acme/away", "http://127.0.0.1:1/mcp");
    let (headers, body) = served.modern(1, "prompts/list", json!({}));
    let url = served.node.endpoint(&away);
    let modern = served.node.web.ask("POST", &url, &headers, body).await.unwrap();
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let key = [("authorization", format!("Bearer {}", served.node.key))];
    let legacy = served
        .node
        .web
        .ask("POST", &url, &key, hello.to_string())
        .await
        .unwrap();
    assert_eq!([found(&legacy), found(&modern)], [(502, -31502), (502, -31502)]);
    assert!(
        legacy.header("mcp-session-id").is_empty(),
        "no session without its server"
    );
}
