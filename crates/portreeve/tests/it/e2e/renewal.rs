//! What it costs, and what it may change, that a server lost its side of a legacy session or refused what its host set.

use std::time::{Duration, Instant};

use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::served::Served;
use crate::upstream::{Speaks, Upstream, events};

/// What the server was asked by that method.
fn asked(upstream: &Upstream, method: &str) -> Vec<Value> {
    let messages = upstream.seen();
    let messages = messages
        .iter()
        .filter_map(|seen| serde_json::from_slice::<Value>(&seen.body).ok());
    messages.filter(|message| message["method"] == method).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_what_the_server_refused_is_not_set_again() {
    let served = Served::start(Speaks::Legacy).await;
    let host = served.legacy().await;
    served.upstream.set_script(|message| {
        let answer = |key: &str, value: Value| json!({"jsonrpc": "2.0", "id": message["id"], key: value});
        let refused = || answer("error", json!({"code": -32602, "message": "no"}));
        let (uri, is_set) = (
            message["params"]["uri"].as_str().unwrap_or_default(),
            message["method"] == "resources/subscribe",
        );
        let second = Duration::from_millis(100);
        match (uri, is_set) {
            ("test://refused", true) => Some(axum::Json(refused()).into_response()),
            ("test://refused-later", true) => Some(events(&[refused()], second)),
            ("test://taken", true) => Some(axum::Json(answer("result", json!({}))).into_response()),
            ("test://taken-later", true) => Some(events(&[answer("result", json!({}))], second)),
            _ => None,
        }
    });
    for (uri, is_taken) in [
        ("test://taken-later", true),
        ("test://refused", false),
        ("test://refused-later", false),
        ("test://taken", true),
    ] {
        let answer = host
            .request(json!(1), "resources/subscribe", json!({"uri": uri}))
            .await;
        assert_eq!(answer.status, 200, "{uri}");
        assert_eq!(
            answer.text().contains("\"result\""),
            is_taken,
            "{uri}: {}",
            answer.text()
        );
    }
    let level = json!({"level": "debug"});
    let answer = host.request(json!(1), "logging/setLevel", level).await;
    assert!(answer.text().contains("-32601"), "{}", answer.text());
    served.upstream.forget_sessions();
    served.upstream.forget();
    assert_eq!(host.request(json!(1), "tools/list", json!({})).await.status, 200);
    let set: Vec<_> = asked(&served.upstream, "resources/subscribe")
        .iter()
        .map(|message| message["params"]["uri"].clone())
        .collect();
    assert_eq!(set, ["test://taken", "test://taken-later"]);
    assert_eq!(asked(&served.upstream, "logging/setLevel").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_those_who_wait_for_a_greeting_share_its_failure() {
    let served = Served::start(Speaks::Legacy).await;
    let host = served.legacy().await;
    served.upstream.forget_sessions();
    served.upstream.forget();
    served.upstream.set_script(|message| {
        let hangs = message["method"] == "initialize" && message["params"]["clientInfo"]["name"] == "test";
        hangs.then(|| events(&[], Duration::from_secs(3)))
    });
    let calls = (0..8).map(|_| host.request(json!(1), "tools/list", json!({})));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.status, 502, "{}", answer.text());
    }
    let greeted = asked(&served.upstream, "initialize");
    let greeted = greeted
        .iter()
        .filter(|message| message["params"]["clientInfo"]["name"] == "test");
    assert!(greeted.count() < 8, "not each in turn");
    served.upstream.set_script(|_| None);
    assert_eq!(host.request(json!(1), "tools/list", json!({})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_the_end_of_the_greeting_is_told_that_its_side_is_over() {
    let served = Served::start(Speaks::Legacy).await;
    let host = served.legacy().await;
    served.upstream.forget_sessions();
    served.upstream.set_script(|message| {
        (message["method"] == "notifications/initialized")
            .then(|| http::StatusCode::SERVICE_UNAVAILABLE.into_response())
    });
    let ended = |served: &Served| {
        let asked = served.upstream.asked();
        asked.iter().filter(|(verb, _)| *verb == "DELETE").count()
    };
    let before = ended(&served);
    let answer = host.request(json!(1), "tools/list", json!({})).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(ended(&served) > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_does_not_move_to_another_server_with_its_route() {
    let served = Served::start(Speaks::Legacy).await;
    let host = served.legacy().await;
    let elsewhere = Upstream::start(Speaks::Legacy).await;
    served.node.cli_json(&[
        "deployment",
        "set",
        "com.acme/billing",
        "production",
        "--url",
        &elsewhere.url,
        "--internal",
    ]);
    let begun = Instant::now();
    while host.request(json!(1), "ping", json!({})).await.status != 404 {
        assert!(begun.elapsed() < Duration::from_secs(20), "it goes on elsewhere");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let anew = served.legacy().await;
    assert_eq!(anew.request(json!(1), "ping", json!({})).await.status, 200);
}
