//! Rate limits: per caller and tool, over nodes, and never for lists.

use serde_json::json;

use crate::node::{Engines, Node};
use crate::upstream::{Speaks, Upstream};
use crate::web::{Answer, LegacyHost, modern};

async fn call(node: &Node, slug: &str, key: &str, tool: &str) -> Answer {
    let (headers, body) = modern(Some(key), 1, "tools/call", json!({"name": tool, "arguments": {}}));
    node.web
        .ask("POST", &node.endpoint(slug), &headers, body)
        .await
        .unwrap()
}

/// Whether the caller sees tools there: key and grant have arrived, and with them the policy that was set before.
async fn sees(node: &Node, slug: &str, key: &str) -> bool {
    let (headers, body) = modern(Some(key), 1, "tools/list", json!({}));
    let answer = node
        .web
        .ask("POST", &node.endpoint(slug), &headers, body)
        .await
        .unwrap();
    answer.status == 200 && answer.text().contains("echo")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_for_each_caller_and_tool_and_says_when_to_come_back() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let other = node.new_key("other");
    node.cli_json(&["grant", "add", "--key", "other", "--server", "com.acme/billing"]);
    node.cli_json(&[
        "policy",
        "set",
        "com.acme/billing",
        "rate_limit",
        "--calls",
        "3",
        "--per",
        "60s",
    ]);

    let host = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
    for _ in 0..10 {
        assert_eq!(
            host.request(json!(1), "tools/list", json!({})).await.status,
            200,
            "lists do not count"
        );
    }
    for _ in 0..3 {
        assert_eq!(call(&node, &slug, &node.key, "echo").await.status, 200);
    }
    let refused = call(&node, &slug, &node.key, "echo").await;
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!(
        (1..=20).contains(&wait),
        "three calls a minute: one comes back within 20 s, not {wait}"
    );
    let error = refused.json()["error"].clone();
    assert_eq!(
        (refused.json()["id"].clone(), error["code"].clone()),
        (json!(1), json!(-31429))
    );
    assert!(
        error["message"].as_str().unwrap().contains("3 calls per 60 s"),
        "{error}"
    );
    assert_eq!(
        call(&node, &slug, &node.key, "wipe").await.status,
        200,
        "another tool has its own"
    );
    assert_eq!(
        call(&node, &slug, &other, "echo").await.status,
        200,
        "another caller has its own"
    );

    let limited = node
        .api("GET", "/audit?action=tools/call&outcome=refused&limit=5", None)
        .await
        .json();
    assert_eq!(limited["items"][0]["reason"], "rate-limited");
    assert!(
        limited["items"][0]["policies"].to_string().contains("rate_limit"),
        "{limited}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_be_understood_is_refused_with_its_field() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    node.add("com.acme/billing", &upstream.url);
    let output = node.cli(&[
        "policy",
        "set",
        "com.acme/billing",
        "rate_limit",
        "--calls",
        "0",
        "--per",
        "60s",
    ]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("`calls`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_together_admit_no_more_than_one_limit() {
    let engines = Engines::chosen();
    if matches!(engines, Engines::Alone) {
        println!("not run: one node alone (runs on PostgreSQL and Redis)");
        return;
    }
    let one = Node::start_on(engines, &[]).await;
    let two = Node::start_on(one.engines(), &[]).await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = one.add("com.acme/billing", &upstream.url);
    one.cli_json(&[
        "policy",
        "set",
        "com.acme/billing",
        "rate_limit",
        "--calls",
        "20",
        "--per",
        "3600s",
    ]);
    let key = one.new_key("shared");
    one.cli_json(&["grant", "add", "--key", "shared", "--all-servers"]);
    let begun = std::time::Instant::now();
    while !sees(&two, &slug, &key).await {
        assert!(begun.elapsed().as_secs() < 5, "the second node does not follow");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let mut calls = Vec::new();
    for number in 0..60 {
        let node = if number % 2 == 0 { &one } else { &two };
        calls.push(call(node, &slug, &key, "echo"));
    }
    let answers = futures_util::future::join_all(calls).await;
    let admitted = answers
        .iter()
        .filter(|answer| answer.json()["result"].is_object())
        .count();
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((admitted, refused), (20, 40));
}
