//! Readers beside writers: a mirror that asks for what changed ends with what is there, and pages stay whole while others
//! write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::house::House;

const OFFICIAL: &str = "io.modelcontextprotocol.registry/official";

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// A package, so that nobody is asked for tools.
fn package(name: &str, version: &str) -> Value {
    json!({"name": name, "description": "One of many", "version": version,
        "packages": [{"registryType": "npm", "identifier": "x", "version": "1.0.0", "transport": {"type": "stdio"}}]})
}

/// All pages of a list.
async fn pages(house: &House, query: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut path = format!("/v0.1/servers?{query}");
    loop {
        let page = house.get(&path).await.json();
        all.extend(page["servers"].as_array().unwrap().clone());
        match page["metadata"]["nextCursor"].as_str() {
            Some(cursor) => path = format!("/v0.1/servers?{query}&cursor={cursor}"),
            None => return all,
        }
    }
}

fn key(item: &Value) -> (String, String) {
    let text = |key: &str| item["server"][key].as_str().unwrap().to_owned();
    (text("name"), text("version"))
}

fn by_key(items: Vec<Value>) -> BTreeMap<(String, String), Value> {
    items.into_iter().map(|item| (key(&item), item)).collect()
}

#[tokio::test]
async fn a9_a_mirror_over_a_thousand_mutations_ends_equal_to_its_source() {
    let house = House::new().await;
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut present: Vec<(String, String)> = Vec::new();
    let mut mirror: BTreeMap<(String, String), Value> = BTreeMap::new();
    let mut watermark = "2000-01-01T00:00:00Z".to_owned();
    let mut latest = watermark.clone();
    for step in 0..1_000 {
        let is_new = present.is_empty() || dice.roll(3) == 0;
        let answer = if is_new {
            let name = format!("com.acme/s-{:02}", dice.roll(40));
            let version = format!("1.{step}.{}", dice.roll(3));
            let content = json!({"document": package(&name, &version), "approve": true});
            present.push((name, version));
            house.admin_post("/api/v1/servers", content).await
        } else {
            let (name, version) = &present[usize::try_from(dice.roll(present.len() as u64)).unwrap()];
            let stage =
                ["production", "deprecated", "retired", "preview"][usize::try_from(dice.roll(4)).unwrap()];
            let path = format!(
                "/api/v1/servers/{}/versions/{version}/lifecycle",
                name.replace('/', "%2F")
            );
            let message = (stage == "deprecated").then(|| format!("since step {step}"));
            house
                .admin_post(&path, json!({"lifecycle": stage, "message": message}))
                .await
        };
        assert!(answer.status.is_success(), "{answer:?}");
        let told = answer.json();
        let at = told["updatedAt"]
            .as_str()
            .or(told["version"]["updatedAt"].as_str());
        if let Some(at) = at {
            latest = latest.max(at.to_owned());
        }
        if step % 37 == 36 || step == 999 {
            for item in pages(&house, &format!("limit=20&updated_since={watermark}")).await {
                mirror.insert(key(&item), item);
            }
            // One step back: what changed at that very moment is read again.
            let back = portreeve_core::time::Timestamp::parse(&latest).unwrap();
            watermark = back.minus(std::time::Duration::from_millis(100)).to_string();
        }
    }
    let source = by_key(pages(&house, "limit=100&include_deleted=true").await);
    assert!(source.len() > 250, "{}", source.len());
    let deleted = source
        .values()
        .filter(|item| item["_meta"][OFFICIAL]["status"] == "deleted");
    assert!(deleted.count() > 20);
    assert_eq!(mirror.len(), source.len());
    for (key, item) in &source {
        assert_eq!(mirror.get(key), Some(item), "{key:?}");
    }
    let refused = house
        .get("/v0.1/servers?updated_since=2026-01-01T00:00:00Z&include_deleted=false")
        .await;
    assert_eq!(refused.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a12_ten_writers_and_a_reader_of_single_items_miss_and_repeat_nothing() {
    let house = Arc::new(House::new().await);
    let stable: Vec<String> = (0..60)
        .map(|number| format!("com.stable/s-{number:02}"))
        .collect();
    for name in &stable {
        let content = json!({"document": package(name, "1.0.0"), "approve": true});
        assert_eq!(house.admin_post("/api/v1/servers", content).await.status, 201);
    }
    let writers: Vec<_> = (0..10)
        .map(|writer| {
            let house = Arc::clone(&house);
            tokio::spawn(async move {
                for step in 0..12 {
                    // Before, between and behind what stays.
                    let space = ["com.aaa", "com.stable", "com.zzz"][step % 3];
                    let name = format!("{space}/w-{writer}-{step}");
                    let content = json!({"document": package(&name, "1.0.0"), "approve": true});
                    assert_eq!(house.admin_post("/api/v1/servers", content).await.status, 201);
                    if step % 2 == 0 {
                        let path = format!("/api/v1/servers/{}", name.replace('/', "%2F"));
                        let gone = house.call(&house.admin, Method::DELETE, &path, Value::Null).await;
                        assert_eq!(gone.status, 204);
                    }
                }
            })
        })
        .collect();
    let mut walks = 0;
    loop {
        let is_over = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let found: Vec<(String, String)> = pages(&house, "limit=1").await.iter().map(key).collect();
        let names: BTreeSet<&String> = found.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), found.len(), "nothing twice");
        assert!(found.is_sorted());
        for name in &stable {
            assert!(names.contains(name), "{name} is missing");
        }
        walks += 1;
        if is_over {
            break;
        }
    }
    assert!(walks >= 1);
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(pages(&house, "limit=100").await.len(), 60 + 60);
}
