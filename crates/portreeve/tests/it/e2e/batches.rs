//! Batches of revision 2025-03-26: each element for itself, in one request.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::served::Served;
use crate::upstream::Speaks;
use crate::web::{Answer, Stream, Web};

/// A host of a revision.
struct Host {
    web: Web,
    url: String,
    headers: Vec<(&'static str, String)>,
}

impl Host {
    async fn of(revision: &str, served: &Served, key: &str) -> Self {
        let mut host = Self {
            web: served.node.web.clone(),
            url: served.url.clone(),
            headers: vec![
                ("accept", "application/json, text/event-stream".to_owned()),
                ("authorization", format!("Bearer {key}")),
            ],
        };
        let params = json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let hello = host
            .post(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}))
            .await;
        assert_eq!(hello.json()["result"]["protocolVersion"], revision);
        host.headers
            .push(("mcp-session-id", hello.header("mcp-session-id").to_owned()));
        host
    }

    async fn post(&self, message: &Value) -> Answer {
        let asked = self
            .web
            .ask("POST", &self.url, &self.headers, message.to_string());
        asked.await.expect("an answer")
    }

    async fn open(&self, message: &Value) -> Stream {
        self.web
            .open("POST", &self.url, &self.headers, message.to_string())
            .await
    }
}

fn request(id: Value, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn call(id: Value, name: &str, arguments: Value) -> Value {
    request(
        id,
        "tools/call",
        json!({"name": name, "arguments": arguments, "_meta": {"progressToken": 7}}),
    )
}

fn note(method: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": method})
}

async fn batching(served: &Served) -> Host {
    Host::of("2025-03-26", served, &served.node.key).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_element_is_decided_sent_and_written_down_alone() {
    let served = Served::start(Speaks::Legacy).await;
    served.node.new_key("reader");
    let host = batching(&served).await;
    served.upstream.forget();
    let batch = json!([
        call(json!("a"), "echo", json!({"n": 1})),
        note("notifications/roots/list_changed"),
        request(json!(2), "tools/list", json!({})),
        call(json!(3), "no-such", json!({})),
        request(json!(4), "no/such", json!({})),
        {"jsonrpc": "2.0", "id": 5},
        request(json!(6), "initialize", json!({"protocolVersion": "2025-03-26"})),
        [note("x")],
        {"jsonrpc": "2.0", "id": "s", "result": {}},
    ]);
    let answer = host.post(&batch).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/json")
    );
    let answers = answer.json();
    let told: Vec<_> = answers
        .as_array()
        .expect("an array")
        .iter()
        .map(|answer| {
            (
                answer["id"].clone(),
                answer["error"]["code"].as_i64().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (json!("a"), 0),
            (json!(2), 0),
            (json!(3), -32602),
            (json!(4), -32601),
            (Value::Null, -32600),
            (json!(6), -32600),
            (Value::Null, -32600),
        ],
        "{answers}"
    );
    assert_eq!(answers[0]["result"]["content"][0]["text"], r#"{"n":1}"#);
    assert_eq!(answers[1]["result"]["tools"].as_array().map(Vec::len), Some(3));
    let mut sent: Vec<_> = served
        .upstream
        .seen()
        .iter()
        .map(|seen| serde_json::from_slice::<Value>(&seen.body).unwrap()["method"].clone())
        .collect();
    sent.sort_by_key(Value::to_string);
    assert_eq!(
        sent,
        ["notifications/roots/list_changed", "tools/call", "tools/list"]
    );
    let id = answer.header("x-request-id");
    let audit = served.node.api("GET", "/audit?limit=50", None).await.json();
    let events: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["requestId"] == id)
        .collect();
    assert_eq!(events.len(), 9, "{audit}");
    let ids: HashSet<_> = events.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!(ids.len(), 9);
    served.is_well_in_the_legacy_era().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wants_no_answer_gets_none() {
    let served = Served::start(Speaks::Legacy).await;
    let host = batching(&served).await;
    let answer = host
        .post(&json!([
            note("notifications/initialized"),
            note("notifications/roots/list_changed")
        ]))
        .await;
    assert_eq!((answer.status, answer.text().as_str()), (202, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_one_element_makes_the_answer_a_stream() {
    let served = Served::start(Speaks::Legacy).await;
    let host = batching(&served).await;
    let batch = json!([
        call(json!(1), "slow", json!({"ms": 1_000})),
        call(json!(2), "echo", json!({})),
    ]);
    let mut stream = host.open(&batch).await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    let mut heard = Vec::new();
    while let Some(message) = stream.message().await {
        heard.push(message);
    }
    let at = |wanted: &dyn Fn(&Value) -> bool| heard.iter().position(wanted).expect("it came");
    let progress = at(&|message| message["method"] == "notifications/progress");
    let (slow, fast) = (
        at(&|message| message["id"] == 1),
        at(&|message| message["id"] == 2),
    );
    assert!(progress < slow && fast < slow, "{heard:?}");
    assert_eq!(heard.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_of_one_revision_and_bounded() {
    let served = Served::start(Speaks::Both).await;
    let ping = |number: usize| request(json!(number), "ping", json!({}));
    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let host = Host::of(revision, &served, &served.node.key).await;
        let refused = host.post(&json!([ping(1)])).await;
        assert_eq!(
            (refused.status, refused.json()["error"]["code"].clone()),
            (400, json!(-32600))
        );
    }
    let host = batching(&served).await;
    let most: Vec<_> = (0..50).map(ping).collect();
    assert_eq!(
        host.post(&json!(most)).await.json().as_array().map(Vec::len),
        Some(50)
    );
    let more: Vec<_> = (0..51).map(ping).collect();
    for wrong in [json!(more), json!([])] {
        let refused = host.post(&wrong).await;
        assert_eq!(
            (refused.status, refused.json()["error"]["code"].clone()),
            (400, json!(-32600))
        );
    }
    let broken = host
        .web
        .ask("POST", &host.url, &host.headers, "[{\"jsonrpc\"".to_owned())
        .await
        .unwrap();
    assert_eq!(
        (broken.status, broken.json()["error"]["code"].clone()),
        (400, json!(-32700))
    );
    let mut modern = host.headers.clone();
    modern.push(("mcp-protocol-version", "2026-07-28".to_owned()));
    let refused = host
        .web
        .ask("POST", &host.url, &modern, json!([ping(1)]).to_string());
    assert_eq!(refused.await.unwrap().status, 400);
    let ended = host.web.ask("DELETE", &host.url, &host.headers, String::new());
    assert_eq!(ended.await.unwrap().status, 204);
    assert_eq!(host.post(&json!([ping(1)])).await.status, 404, "S4");
    served.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elements_with_one_id_never_cross() {
    let served = Served::start(Speaks::Legacy).await;
    let host = batching(&served).await;
    let batches = (0..12_u64).map(|batch| {
        let host = &host;
        async move {
            let calls: Vec<_> = (0..8_u64)
                .map(|n| {
                    call(
                        json!(1),
                        "echo",
                        json!({"n": 100 * batch + n, "wait": (7 * n + 3 * batch) % 40}),
                    )
                })
                .collect();
            let answers = host.post(&json!(calls)).await.json();
            let said: Vec<u64> = answers
                .as_array()
                .expect("an array")
                .iter()
                .map(|answer| {
                    assert_eq!(answer["id"], 1);
                    let text = answer["result"]["content"][0]["text"].as_str().expect("a text");
                    serde_json::from_str::<Value>(text).expect("JSON")["n"]
                        .as_u64()
                        .expect("a number")
                })
                .collect();
            // In the order in which they were asked for.
            assert_eq!(said, (0..8).map(|n| 100 * batch + n).collect::<Vec<_>>());
        }
    });
    let all = futures_util::future::join_all(batches);
    tokio::time::timeout(Duration::from_secs(30), all)
        .await
        .expect("they end");
}
