//! The audit log: everything that was answered is in it, also after `kill -9`, and damage is found.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::modern;

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_under_load_every_answered_call_is_there_and_the_chain_verifies() {
    let mut node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let answered = Arc::new(Mutex::new(HashSet::new()));
    let stop = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let (web, url, key) = (node.web.clone(), node.endpoint(&slug), node.key.clone());
            let (answered, stop) = (Arc::clone(&answered), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let (headers, body) = modern(
                        Some(&key),
                        1,
                        "tools/call",
                        json!({"name": "echo", "arguments": {"secret": "hunter2"}}),
                    );
                    let Ok(answer) = web.ask("POST", &url, &headers, body).await else {
                        return;
                    };
                    assert_eq!(answer.status, 200);
                    answered
                        .lock()
                        .await
                        .insert(answer.header("x-request-id").to_owned());
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    node.kill();
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        let _ = worker.await;
    }
    let answered = answered.lock().await.clone();
    assert!(answered.len() > 50, "only {} calls were answered", answered.len());

    node.begin().await;
    let mut logged = HashSet::new();
    let mut cursor = String::new();
    loop {
        let page = node
            .api(
                "GET",
                &format!("/audit?action=tools/call&limit=200{cursor}"),
                None,
            )
            .await
            .json();
        for event in page["items"].as_array().unwrap() {
            assert!(
                !event.to_string().contains("hunter2"),
                "values are never written: {event}"
            );
            assert_eq!(event["arguments"]["keys"], json!(["secret"]));
            logged.insert(
                event["requestId"]
                    .as_str()
                    .or(event["request_id"].as_str())
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let lost: Vec<_> = answered.difference(&logged).collect();
    assert!(
        lost.is_empty(),
        "{} of {} answered calls are not in the log",
        lost.len(),
        answered.len()
    );
    let verified = node.cli_json(&["audit", "verify"]);
    assert_eq!(verified["findings"], json!([]), "{verified}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_is_found_and_named() {
    let mut node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    node.kill();
    node.begin().await;
    let (headers, body) = modern(
        Some(&node.key),
        1,
        "tools/call",
        json!({"name": "echo", "arguments": {}}),
    );
    node.web
        .ask("POST", &node.endpoint(&slug), &headers, body)
        .await
        .unwrap();
    node.terminate();
    assert!(node.wait().await, "{}", node.log_text());
    let data = node.data().display().to_string();
    let checked = node.cli(&["--json", "audit", "verify", "--data", &data]);
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );

    let checkpoints = node.data().join("audit-checkpoints.log");
    let text = std::fs::read_to_string(&checkpoints).unwrap();
    // The last signed head says that more was there than the table holds now: a tail was cut.
    let file = node.data().join("portreeve.db");
    if file.exists() {
        let mut bytes = std::fs::read(&file).unwrap();
        let needle = b"\"action\":\"server.approve\"";
        let found: Vec<_> = bytes
            .windows(needle.len())
            .enumerate()
            .filter(|(_, part)| part == needle)
            .map(|(at, _)| at)
            .collect();
        assert!(!found.is_empty(), "the approval is in the table: {text}");
        for at in found {
            bytes[at + needle.len() - 2] ^= 1;
        }
        std::fs::write(&file, bytes).unwrap();
        let broken = node.cli(&["--json", "audit", "verify", "--data", &data]);
        assert_eq!(broken.status.code(), Some(1));
        let report: Value = serde_json::from_slice(&broken.stdout).unwrap();
        assert!(
            report["findings"][0]["sequence"]
                .as_i64()
                .is_some_and(|sequence| sequence > 0),
            "{report}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_and_every_refusal_is_written_with_who_did_it() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    node.new_key("deploy");
    node.cli_json(&["grant", "add", "--key", "deploy", "--server", "com.acme/billing"]);
    node.web
        .ask("POST", &node.endpoint(&slug), &[], "{}".to_owned())
        .await
        .unwrap();
    node.web
        .ask("POST", &node.endpoint("nowhere"), &[], "{}".to_owned())
        .await
        .unwrap();
    let events = node.api("GET", "/audit?limit=100", None).await.json();
    let events = events["items"].as_array().unwrap().clone();
    let has = |action: &str, actor: &str| {
        events
            .iter()
            .any(|event| event["action"] == action && event["actor"] == actor)
    };
    for action in ["server.approve", "key.create", "grant.create"] {
        assert!(has(action, "user:admin"), "{action} is missing: {events:#?}");
    }
    let reasons: Vec<_> = events
        .iter()
        .filter_map(|event| event["reason"].as_str())
        .collect();
    assert!(
        reasons.contains(&"unauthenticated") && reasons.contains(&"no-such-route"),
        "{reasons:?}"
    );
}
