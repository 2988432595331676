//! Nothing is lost when a node dies, and of two nodes one delivers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::{KEY, deliveries, hasty, node, package, subscribe};
use crate::node::{Engines, Node};
use crate::receiver::{Manner, Receiver, Told};

/// Publishes versions as fast as it goes, until the node does not answer any more.
fn publishing(node: &Node, number: usize) -> tokio::task::JoinHandle<BTreeSet<String>> {
    let (web, url, key) = (node.web.clone(), node.url.clone(), node.key.clone());
    tokio::spawn(async move {
        let mut answered = BTreeSet::new();
        for number in 0..number {
            let version = format!("1.{number}.0");
            let headers = [("authorization", format!("Bearer {key}"))];
            let body = package(&version).to_string();
            match web
                .ask("POST", &format!("{url}/v0.1/publish"), &headers, body)
                .await
            {
                Ok(answer) if answer.status == 200 => {
                    answered.insert(version);
                    // What is told must keep up with what is published, on a slow disk, too.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                _ => return answered,
            }
        }
        answered
    })
}

fn version(told: &Told) -> String {
    told.json()["data"]["version"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_every_change_is_told_and_nothing_else() {
    let (_folder, config) = hasty("[1, 1, 1, 1, 1]");
    let mut node = node(&config).await;
    let receiver = Receiver::start().await;
    // Some are taken, some fail, one hangs while the node dies.
    receiver.behave(|number, _| match number % 7 {
        3 => Manner::status(500),
        5 => Manner::Hang,
        _ => Manner::status(204),
    });
    subscribe(&node, &receiver, &["--event", "server.published"]);
    let writer = publishing(&node, 10_000);
    receiver.until("some events", |told| told.len() >= 6).await;
    node.kill();
    let answered = writer.await.unwrap();
    assert!(!answered.is_empty());
    receiver.behave(|_, _| Manner::status(204));
    node.begin().await;

    let page = node
        .api("GET", "/servers/com.acme%2Fbilling/versions", None)
        .await
        .json();
    let versions = page["items"].as_array().unwrap().iter();
    let stored: BTreeSet<String> = versions
        .map(|one| one["version"].as_str().unwrap().to_owned())
        .collect();
    assert!(answered.is_subset(&stored));
    let complete = |told: &[Told]| stored.is_subset(&told.iter().map(version).collect());
    let told = receiver.until("every version", complete).await;
    let versions: BTreeSet<_> = told.iter().map(version).collect();
    assert_eq!(versions, stored, "no event without its change");
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in &told {
        assert!(one.is_signed_by(KEY));
        ids.entry(version(one))
            .or_default()
            .insert(one.header("webhook-id").to_owned());
    }
    assert!(
        ids.values().all(|ids| ids.len() == 1),
        "one identity, however often it came"
    );
    // All that is left to do is to write down what was taken.
    let begun = std::time::Instant::now();
    loop {
        let waiting = node
            .api("GET", "/webhooks/chat/deliveries?state=waiting", None)
            .await
            .json();
        if waiting["items"].as_array().unwrap().is_empty() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{waiting}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_deliver_every_event_once() {
    let (_folder, config) = hasty("[1, 1]");
    let one = node(&config).await;
    if matches!(one.engines(), Engines::Alone) {
        println!("not run: one node alone (runs on PostgreSQL and Redis)");
        return;
    }
    let other = Node::start_beside(&one, &["--config", &config]).await;
    let receiver = Receiver::start().await;
    receiver.behave(|_, _| Manner::status(204));
    subscribe(&one, &receiver, &["--event", "server.published"]);
    let known = other.api("GET", "/webhooks", None).await.json();
    assert_eq!(known["items"][0]["name"], "chat");
    assert_eq!(publishing(&one, 60).await.unwrap().len(), 60);
    let told = receiver.until("all of them", |told| told.len() >= 60).await;
    let ids: BTreeSet<_> = told
        .iter()
        .map(|one| one.header("webhook-id").to_owned())
        .collect();
    assert_eq!((told.len(), ids.len()), (60, 60), "each of them once");
    let done: Vec<Value> = deliveries(&one, "delivered", 60).await;
    assert!(done.iter().all(|one| one["attempts"] == 1));
}
