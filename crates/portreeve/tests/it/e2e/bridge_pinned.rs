//! How a route speaks with its server, where an administrator says so.

use axum::response::IntoResponse as _;
use http::StatusCode;
use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::{LegacyHost, modern};

/// What the calls of tools said in their heads of the era and of the session.
fn calls(upstream: &Upstream) -> Vec<[Option<String>; 2]> {
    let is_call = |body: &[u8]| {
        let message: Value = serde_json::from_slice(body).unwrap();
        message["method"] == "tools/call"
    };
    let header = |headers: &http::HeaderMap, name: &str| {
        headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    let all = upstream
        .seen_of_all()
        .into_iter()
        .filter(|seen| is_call(&seen.body));
    all.map(|seen| ["mcp-method", "mcp-session-id"].map(|name| header(&seen.headers, name)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_pins_the_era_and_who_shares_a_session() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/both", &upstream.url);
    let url = node.endpoint(&slug);
    let call = async || {
        let (headers, body) = modern(
            Some(&node.key),
            1,
            "tools/call",
            json!({"name": "echo", "arguments": {}}),
        );
        let answer = node.web.ask("POST", &url, &headers, body).await.unwrap();
        assert_eq!(answer.json()["result"]["content"][0]["text"], "{}");
    };
    let calls = || calls(&upstream);
    call().await;
    assert_eq!(
        calls(),
        [[Some("tools/call".to_owned()), None]],
        "as it was seen to speak"
    );

    let set = node.cli_json(&[
        "route",
        "set",
        &slug,
        "--protocol",
        "legacy",
        "--sessions",
        "principal",
    ]);
    assert_eq!(
        (&set["protocol"], &set["sessionAffinity"]),
        (&json!("legacy"), &json!("principal"))
    );
    upstream.forget();
    call().await;
    call().await;
    let shared = calls();
    assert_eq!((shared.len(), &shared[0][0], &shared[0]), (2, &None, &shared[1]));
    assert!(shared[0][1].is_some(), "one session for both");

    node.cli_json(&["route", "set", &slug, "--sessions", "per-request"]);
    upstream.forget();
    call().await;
    call().await;
    let single = calls();
    assert_ne!(single[0][1], single[1][1], "each has its own");

    let patch = json!({"protocol": "modern"});
    let headers = [
        ("authorization", format!("Bearer {}", node.key)),
        ("if-match", "*".to_owned()),
    ];
    let path = format!("{}/api/v1/routes/{slug}", node.url);
    let changed = node
        .web
        .ask("PATCH", &path, &headers, patch.to_string())
        .await
        .unwrap();
    assert_eq!(
        (changed.status, &changed.json()["protocol"]),
        (200, &json!("modern"))
    );
    let host = LegacyHost::connect(&node.web, &url, Some(&node.key)).await;
    upstream.forget();
    let answer = host
        .request(json!(1), "tools/call", json!({"name": "echo", "arguments": {}}))
        .await;
    assert_eq!(answer.json()["result"]["content"][0]["text"], "{}");
    assert_eq!(calls(), [[Some("tools/call".to_owned()), None]]);
    let wrong = node
        .web
        .ask("PATCH", &path, &headers, json!({"protocol": "sse"}).to_string())
        .await
        .unwrap();
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    let log = node.api("GET", "/audit?action=route.change", None).await.text();
    assert!(
        log.contains(r#""protocol":{"from":"auto","to":"legacy"}"#),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_the_era_of_its_servers_hop() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/both", &upstream.url);
    let host = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
    let listed = host.request(json!(1), "tools/list", json!({})).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    node.cli_json(&["route", "set", &slug, "--protocol", "modern"]);
    // The server knows nothing of it any more, so its host begins anew.
    let older = host.request(json!(2), "tools/list", json!({})).await;
    assert_eq!(older.status, 404, "{}", older.text());
    let host = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
    let listed = host.request(json!(1), "tools/list", json!({})).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn p26_an_answer_that_settles_nothing_changes_nothing_that_is_known() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/both", &upstream.url);
    let eras = async |status: Option<u16>| {
        upstream.set_script(move |message| {
            let status = StatusCode::from_u16(status?).unwrap();
            (message["method"] == "initialize").then(|| status.into_response())
        });
        let path = "/servers/com.acme%2Fboth/tools/refresh";
        let asked = node.api("POST", path, None).await;
        assert_eq!(asked.status, 200, "{}", asked.text());
        let route = node.api("GET", &format!("/routes/{slug}"), None).await.json();
        route["upstreamEras"].clone()
    };
    let both = json!(["legacy", "modern"]);
    assert_eq!(eras(None).await, both);
    for unsettled in [401, 403, 408, 429, 500, 503] {
        assert_eq!(eras(Some(unsettled)).await, both, "{unsettled}");
    }
    assert_eq!(eras(Some(400)).await, json!(["modern"]), "this one settles it");
    assert_eq!(eras(None).await, both, "and it is asked again");
}
