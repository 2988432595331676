//! A node that dies while somebody publishes: what was answered is there, and nothing is there by half.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::node::Node;

const NAME: &str = "com.trusted/mail";

fn document(number: usize) -> Value {
    json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": NAME, "description": "Mail", "version": format!("1.{number}.0"),
        "packages": [{"registryType": "npm", "identifier": "@acme/mail", "version": "1.0.0",
            "transport": {"type": "stdio"}}],
    })
}

/// All items of a list of the management API.
async fn all(node: &Node, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut next = path.to_owned();
    loop {
        let page = node.api("GET", &next, None).await.json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["nextCursor"].as_str() {
            Some(cursor) => next = format!("{path}&cursor={cursor}"),
            None => return items,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_no_publication_is_there_by_half() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("portreeve.toml");
    std::fs::write(&file, "[registry]\nauto_approve = [\"com.trusted/*\"]\n").unwrap();
    let mut node = Node::start_with(&["--config", file.to_str().unwrap()]).await;
    let publishing = {
        let (web, url, key) = (node.web.clone(), node.url.clone(), node.key.clone());
        tokio::spawn(async move {
            let mut answered = BTreeSet::new();
            for number in 0..10_000 {
                let headers = [("authorization", format!("Bearer {key}"))];
                let body = document(number).to_string();
                match web
                    .ask("POST", &format!("{url}/v0.1/publish"), &headers, body)
                    .await
                {
                    Ok(answer) if answer.status == 200 => drop(answered.insert(format!("1.{number}.0"))),
                    _ => return answered,
                }
            }
            answered
        })
    };
    tokio::time::sleep(Duration::from_millis(700)).await;
    node.kill();
    let answered = publishing.await.unwrap();
    assert!(!answered.is_empty());
    node.begin().await;

    let versions = all(&node, "/servers/com.trusted%2Fmail/versions").await;
    let stored: BTreeSet<String> = versions
        .iter()
        .map(|version| version["version"].as_str().unwrap().to_owned())
        .collect();
    assert!(answered.is_subset(&stored), "{:?}", answered.difference(&stored));
    assert!(
        stored.len() <= answered.len() + 1,
        "only the last one may have lost its answer"
    );
    for version in &versions {
        assert_eq!(
            version["approval"], "approved",
            "published and approved are one step: {version}"
        );
    }
    for action in ["server.publish", "server.approve"] {
        let events = all(&node, &format!("/audit?action={action}&limit=100")).await;
        let told: BTreeSet<String> = events
            .iter()
            .map(|event| event["target"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!((told.len(), &told), (events.len(), &stored), "{action}");
    }
    let latest = node
        .web
        .get(&format!("{}/v0.1/servers/{NAME}/versions/latest", node.url))
        .await
        .unwrap();
    let highest = answered.len().max(stored.len()) - 1;
    assert_eq!(latest.json()["server"]["version"], format!("1.{highest}.0"));
}
