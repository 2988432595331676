//! Legacy sessions under use: answers never cross, hosts go away, servers forget. The rules one by one are in `lifecycle`.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::{LegacyHost, modern};

#[tokio::test(flavor = "multi_thread")]
async fn a_gw_12_equal_ids_at_the_same_time_never_cross() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Legacy).await;
    let slug = node.add("com.acme/old", &upstream.url);
    let other = node.new_key("other");
    node.cli_json(&["grant", "add", "--key", "other", "--all-servers"]);
    let url = node.endpoint(&slug);
    let hosts = [
        LegacyHost::connect(&node.web, &url, Some(&node.key)).await,
        LegacyHost::connect(&node.web, &url, Some(&other)).await,
    ];
    let calls = (0..60).map(|number| {
        let host = &hosts[number % 2];
        async move {
            let name = if number % 3 == 0 { "slow" } else { "echo" };
            let params = json!({"name": name, "arguments": {"n": number, "ms": 20 + number % 7}});
            let answer = host.request(json!(1), "tools/call", params).await.json();
            assert_eq!(answer["id"], 1);
            let text = answer["result"]["content"][0]["text"]
                .as_str()
                .unwrap_or_default();
            let echoed: Value = serde_json::from_str(text).unwrap_or_default();
            assert_eq!(echoed["n"], number, "{answer}");
        }
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s10_a_legacy_host_that_goes_away_has_not_cancelled_its_call() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let host = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
    let params = json!({"name": "echo", "arguments": {"wait": 800}});
    let (headers, body) = modern(Some(&node.key), 1, "tools/call", params.clone());
    let url = node.endpoint(&slug);
    let patience = Duration::from_millis(300);
    let left = tokio::time::timeout(patience, node.web.ask("POST", &url, &headers, body)).await;
    assert!(left.is_err(), "it takes longer");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(
        upstream.calls(),
        0,
        "a modern host that goes away has cancelled it"
    );
    let left = tokio::time::timeout(patience, host.request(json!(1), "tools/call", params)).await;
    assert!(left.is_err(), "it takes longer");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_never_end_a_session_do_not_lock_their_caller_out() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Legacy).await;
    let slug = node.add("com.acme/old", &upstream.url);
    let url = node.endpoint(&slug);
    let first = LegacyHost::connect(&node.web, &url, Some(&node.key)).await;
    let last = futures_util::stream::iter(0..1_000)
        .map(|_| LegacyHost::connect(&node.web, &url, Some(&node.key)))
        .buffer_unordered(16)
        .collect::<Vec<_>>()
        .await;
    assert_eq!(last.len(), 1_000);
    let ping = |host: LegacyHost| async move { host.request(json!(1), "ping", json!({})).await.status };
    assert_eq!(ping(first).await, 404, "the one that rested longest gave way");
    for host in last.into_iter().take(3) {
        assert_eq!(ping(host).await, 200);
    }
}
