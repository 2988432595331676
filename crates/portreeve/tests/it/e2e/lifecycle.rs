//! Legacy sessions by the numbers of their requirements: S1 to S13, as far as `sessions` and `asking` do not tell them.

use std::time::Duration;

use axum::Json;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::served::{Served, error_of, with};
use crate::upstream::{Speaks, events};
use crate::web::{Answer, Headers};

const SESSION: &str = "mcp-session-id";

fn hello(version: &Value) -> String {
    let params =
        json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    json!({"jsonrpc": "2.0", "id": "h", "method": "initialize", "params": params}).to_string()
}

fn list() -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string()
}

async fn initialize(served: &Served, version: &Value) -> Answer {
    let key = [("authorization", format!("Bearer {}", served.node.key))];
    served.ask("POST", &key, &hello(version)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn s1_s2_a_session_has_an_id_of_its_own_on_each_hop() {
    let served = Served::start(Speaks::Legacy).await;
    let mut ids = Vec::new();
    for streamed in [false, true] {
        served.upstream.set_script(move |message| {
            let result = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}, "x-more": [1]});
            let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
            let theirs = [(SESSION, "theirs")];
            match (message["method"].as_str()?, streamed) {
                ("initialize", false) => Some((theirs, Json(answer)).into_response()),
                ("initialize", true) => Some((theirs, events(&[answer], Duration::ZERO)).into_response()),
                ("notifications/initialized", _) => Some(http::StatusCode::ACCEPTED.into_response()),
                _ => None,
            }
        });
        for _ in 0..3 {
            let host = served.legacy().await;
            let id = host.hello.header(SESSION).to_owned();
            assert!(
                id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_graphic()),
                "S1: {id}"
            );
            assert_eq!(host.hello.json()["result"]["x-more"], json!([1]), "S1");
            assert_eq!(host.hello.header("content-type"), "application/json", "S1, P8");
            assert!(!ids.contains(&id) && id != "theirs", "S1: {id}");
            ids.push(id);
            let noted = served.upstream.seen().pop().unwrap();
            assert_eq!(
                noted.body, r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
                "S2"
            );
            assert_eq!(noted.headers[SESSION], "theirs", "S2");
            assert_eq!(noted.headers["mcp-protocol-version"], "2025-11-25", "S2");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s1_a_handshake_that_fails_opens_no_session() {
    let served = Served::start(Speaks::Legacy).await;
    let host = served.legacy().await;
    let served_as = |kind: &'static str, body: String| ([("content-type", kind), (SESSION, "theirs")], body);
    served.upstream.set_script(move |message| {
        let id = &message["id"];
        let kind = message["params"]["clientInfo"]["name"].as_str()?;
        let error = json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32602, "message": "no"}});
        let (kind, body) = match kind {
            "refused" => ("application/json", error.to_string()),
            "no result" => (
                "application/json",
                json!({"jsonrpc": "2.0", "id": id, "result": {}}).to_string(),
            ),
            "nonsense" => ("application/json", "nonsense".to_owned()),
            "a page" => ("text/html", "<html>".to_owned()),
            _ => return None,
        };
        Some(served_as(kind, body).into_response())
    });
    let key = [("authorization", format!("Bearer {}", served.node.key))];
    for _ in 0..260 {
        for (name, status) in [
            ("refused", 200),
            ("no result", 200),
            ("nonsense", 502),
            ("a page", 502),
        ] {
            let body = hello(&json!("2025-11-25")).replace("\"name\":\"t\"", &format!("\"name\":\"{name}\""));
            let answer = served.ask("POST", &key, &body).await;
            assert_eq!(
                (answer.status, answer.header(SESSION)),
                (status, ""),
                "{name}: {}",
                answer.text()
            );
        }
    }
    let answer = host.request(json!(1), "ping", json!({})).await;
    assert_eq!(answer.status, 200, "1,040 of them took no other session's place");
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_s4_what_needs_a_session_is_refused_without_a_good_one() {
    let served = Served::start(Speaks::Legacy).await;
    let host = served.legacy().await;
    let reached = (served.reached(), served.upstream.asked().len());
    let note = r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#;
    let reply = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let list = list();
    for (verb, body, id) in [
        ("POST", list.as_str(), json!(1)),
        ("POST", note, Value::Null),
        ("POST", reply, Value::Null),
        ("GET", "", Value::Null),
        ("DELETE", "", Value::Null),
    ] {
        let mut doubled = host.headers.clone();
        doubled.push((SESSION, "another".to_owned()));
        let refused = |status: u16| (status, json!(-32000), id.clone(), Value::Null);
        for (name, headers, expected) in [
            ("S3: none", with(&host.headers, SESSION, None), refused(400)),
            ("S3: two", doubled, refused(400)),
            ("S4: empty", with(&host.headers, SESSION, Some("")), refused(404)),
            (
                "S4: unknown",
                with(&host.headers, SESSION, Some("unknown")),
                refused(404),
            ),
            (
                "S4: the server's",
                with(&host.headers, SESSION, Some("upstream-3")),
                refused(404),
            ),
        ] {
            let answer = served.ask(verb, &headers, body).await;
            assert_eq!(error_of(&answer), expected, "{name}: {verb} {body}");
        }
    }
    assert_eq!((served.reached(), served.upstream.asked().len()), reached);
    assert_eq!(host.request(json!(1), "ping", json!({})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_an_ended_session_is_over_on_both_hops() {
    let served = Served::start(Speaks::Legacy).await;
    let (host, other) = (served.legacy().await, served.legacy().await);
    let theirs = served.upstream.seen().last().unwrap().headers[SESSION].clone();
    let ended = served.ask("DELETE", &other.headers, "").await;
    assert_eq!((ended.status, ended.text().as_str()), (204, ""), "S5");
    let (verb, headers) = served.upstream.asked().pop().unwrap();
    assert_eq!(
        (verb, &headers[SESSION]),
        ("DELETE", &theirs),
        "S5: the server is told, by its own id"
    );
    for (verb, body) in [("POST", list().as_str()), ("GET", ""), ("DELETE", "")] {
        let answer = served.ask(verb, &other.headers, body).await;
        assert_eq!(answer.status, 404, "S5: {verb}");
    }
    assert_eq!(
        host.request(json!(1), "ping", json!({})).await.status,
        200,
        "the other one lives"
    );
}

fn note(text: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": text}})
}

async fn stream(served: &Served, headers: Headers<'_>) -> crate::web::Stream {
    served
        .node
        .web
        .open("GET", &served.url, headers, String::new())
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn s6_s9_a_session_has_one_stream_which_goes_on_where_it_broke_off() {
    let served = Served::start(Speaks::Legacy).await;
    let host = served.legacy().await;
    let none = served.ask("GET", &host.headers, "").await;
    assert_eq!(none.status, 405, "S6: this server has no such stream");
    assert_eq!(
        host.request(json!(1), "ping", json!({})).await.status,
        200,
        "P21: and the session lives"
    );

    let text = "retry: 500\nid: s1_0\ndata:\n\nid: s1_1\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"data\":\"a\"}}\n\n";
    served.upstream.set_script(move |message| {
        (message["method"] == "GET").then(|| ([("content-type", "text/event-stream")], text).into_response())
    });
    let mut opened = stream(&served, &host.headers).await;
    assert_eq!(opened.status, 200, "S6");
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache, no-transform"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(opened.headers[name], value, "S6");
    }
    assert_eq!(
        opened.message().await,
        Some(note("a")),
        "S6: the priming event is none"
    );
    assert_eq!(opened.message().await, None);

    let resumed = with(&host.headers, "last-event-id", Some("s1_1"));
    let answer = served.ask("GET", &resumed, "").await;
    let (_, asked) = served.upstream.asked().pop().unwrap();
    assert_eq!(
        asked["last-event-id"], "s1_1",
        "S9: the server's own id, on its own session"
    );
    assert_eq!(
        asked[SESSION],
        served.upstream.seen().last().unwrap().headers[SESSION],
        "S9"
    );
    assert!(
        answer.text().contains("id: s1_1\n") && answer.text().contains("retry: 500\n"),
        "{}",
        answer.text()
    );
    assert!(
        answer.text().contains("event: message\n"),
        "P30: {}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s8_p18_a_message_comes_on_one_stream_of_one_session() {
    let served = Served::start(Speaks::Legacy).await;
    let hosts = [served.legacy().await, served.legacy().await];
    served.upstream.set_script(|message| match message["method"].as_str()? {
        "GET" => Some(events(&[note("own stream")], Duration::from_secs(1))),
        "tools/call" => {
            let who = message["params"]["arguments"]["who"].as_str()?.to_owned();
            let end = json!({"jsonrpc": "2.0", "id": message["id"], "result": {"content": [], "who": who}});
            let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "message": who}});
            Some(events(&[note(&who), progress, end], Duration::ZERO))
        }
        _ => None,
    });
    let mut own = [
        stream(&served, &hosts[0].headers).await,
        stream(&served, &hosts[1].headers).await,
    ];
    let calls = (0..20).map(|number| {
        let host = &hosts[number % 2];
        async move {
            let who = format!("call-{number}");
            let params = json!({"name": "echo", "arguments": {"who": who}, "_meta": {"progressToken": 1}});
            let answer = host.request(json!(1), "tools/call", params).await.text();
            assert_eq!(answer.matches("data: ").count(), 3, "{answer}");
            assert_eq!(answer.matches(&format!("\"{who}\"")).count(), 3, "{answer}");
        }
    });
    futures_util::future::join_all(calls).await;
    for stream in &mut own {
        assert_eq!(stream.message().await, Some(note("own stream")), "S8");
        assert_eq!(stream.message().await, None, "P18: nothing of any call");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s7_answers_that_nobody_waits_for_are_taken_and_go_nowhere() {
    let served = Served::start(Speaks::Legacy).await;
    let host = served.legacy().await;
    let reached = served.reached();
    for reply in [
        json!({"jsonrpc": "2.0", "id": 77, "result": {}}),
        json!({"jsonrpc": "2.0", "id": "77", "result": {"roots": []}}),
        json!({"jsonrpc": "2.0", "id": 77, "error": {"code": -1, "message": "no"}}),
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "no"}}),
        json!({"jsonrpc": "2.0", "error": {"code": -32700, "message": "no"}}),
    ] {
        let answer = host.post(reply.clone()).await;
        assert_eq!((answer.status, answer.text().as_str()), (202, ""), "S7: {reply}");
    }
    assert_eq!(served.reached(), reached, "S7");
}

#[tokio::test(flavor = "multi_thread")]
async fn s10_p19_a_cancellation_names_the_request_as_the_server_knows_it() {
    let served = Served::start(Speaks::Legacy).await;
    let (host, other) = (served.legacy().await, served.legacy().await);
    let call = |id: Value| {
        let params = json!({"name": "slow", "arguments": {"ms": 2_000}});
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
    };
    let mut running = [
        host.open(call(json!(7))).await,
        host.open(call(json!("7"))).await,
        other.open(call(json!(7))).await,
    ];
    let sent = served.upstream.seen();
    let ids: Vec<Value> = sent[sent.len() - 3..]
        .iter()
        .map(|seen| serde_json::from_slice::<Value>(&seen.body).unwrap()["id"].clone())
        .collect();
    let cancel = |id: Value| json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id, "reason": "x", "x-more": 1.50}});
    let reached = served.reached();
    for (name, host, id) in [
        ("unknown", &host, json!(8)),
        ("of another session", &other, json!("7")),
    ] {
        assert_eq!(host.post(cancel(id)).await.status, 202, "{name}");
        assert_eq!(served.reached(), reached, "P19: {name}");
    }
    for (host, id, theirs) in [
        (&host, json!("7"), &ids[1]),
        (&host, json!(7), &ids[0]),
        (&other, json!(7), &ids[2]),
    ] {
        assert_eq!(host.post(cancel(id.clone())).await.status, 202);
        let seen = served.upstream.seen().pop().unwrap();
        let passed: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(passed["params"]["requestId"], *theirs, "P19: {id}");
        assert_eq!(passed["params"]["x-more"], json!(1.5));
    }
    for stream in &mut running {
        while stream.message().await.is_some() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s11_every_legacy_version_is_agreed_upon_and_others_become_the_newest() {
    let served = Served::start(Speaks::Legacy).await;
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let answer = initialize(&served, &json!(version)).await;
        assert_eq!(answer.json()["result"]["protocolVersion"], version, "S11");
        let session = answer.header(SESSION).to_owned();
        let headers = [
            ("authorization", format!("Bearer {}", served.node.key)),
            (SESSION, session),
            ("mcp-protocol-version", version.to_owned()),
        ];
        for headers in [&headers[..], &headers[..2]] {
            assert_eq!(
                served.ask("POST", headers, &list()).await.status,
                200,
                "{version}"
            );
            let seen = served.upstream.seen().pop().unwrap();
            assert_eq!(seen.headers["mcp-protocol-version"], version, "P1: of this hop");
        }
        for odd in ["2026-01-01", "1", "", "2025-11-25 x"] {
            let headers = with(&headers, "mcp-protocol-version", Some(odd));
            for (verb, body) in [
                ("POST", list()),
                ("GET", String::new()),
                ("DELETE", String::new()),
            ] {
                let answer = served.ask(verb, &headers, &body).await;
                let (status, code, ..) = error_of(&answer);
                assert_eq!((status, code), (400, json!(-32000)), "{verb} {odd}");
            }
        }
    }
    for odd in [
        json!("1999-01-01"),
        json!("2026-07-28"),
        json!("2099-01-01"),
        json!(""),
        json!(7),
        json!({}),
        Value::Null,
    ] {
        let answer = initialize(&served, &odd).await;
        assert_eq!(
            (answer.status, answer.json()["result"]["protocolVersion"].clone()),
            (200, json!("2025-11-25")),
            "S11: {odd}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s12_a_probe_without_marks_is_no_end_of_a_session() {
    let served = Served::start(Speaks::Both).await;
    let key = [("authorization", format!("Bearer {}", served.node.key))];
    let probe = json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {}}).to_string();
    let answer = served.ask("POST", &key, &probe).await;
    assert_eq!(
        error_of(&answer),
        (200, json!(-32601), json!(1), Value::Null),
        "S12: neither 400 nor 404"
    );
    let marked = served.post(&served.modern(1, "server/discover", json!({}))).await;
    assert_eq!(
        marked.json()["result"]["supportedVersions"][0],
        "2026-07-28",
        "S12"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_the_oldest_revision_is_served_on_the_endpoint_of_all_others_too() {
    let served = Served::start(Speaks::Legacy).await;
    let answer = initialize(&served, &json!("2024-11-05")).await;
    assert_eq!(answer.json()["result"]["protocolVersion"], "2024-11-05");
    // Its own transport is told in `http_sse`.
}
