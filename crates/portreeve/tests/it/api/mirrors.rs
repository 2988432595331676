//! Those who copy the registry: by what changed since, and page by page while others write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use serde_json::{Value, json};

use super::house::{House, document};

const OFFICIAL: &str = "io.modelcontextprotocol.registry/official";

/// A copy: by name and version, what is served.
type Copy = BTreeMap<(String, String), Value>;

fn key(item: &Value) -> (String, String) {
    let text = |field: &str| item["server"][field].as_str().unwrap().to_owned();
    (text("name"), text("version"))
}

/// All pages of a list.
async fn pages(house: &House, query: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = format!("/v0.1/servers?{query}");
    loop {
        let page = house.get(&path).await;
        assert_eq!(page.status, 200, "{path}: {page:?}");
        let page = page.json();
        items.extend(page["servers"].as_array().unwrap().iter().cloned());
        match page["metadata"]["nextCursor"].as_str() {
            Some(cursor) => path = format!("/v0.1/servers?limit=7&cursor={cursor}"),
            None => return items,
        }
    }
}

async fn publish(house: &House, name: &str, version: &str) -> u16 {
    let content = document(name, version);
    let answer = house
        .call(&house.admin, Method::POST, "/v0.1/publish", content)
        .await;
    answer.status.as_u16()
}

async fn set_status(house: &House, name: &str, version: &str, status: &str) -> u16 {
    let path = format!("/v0.1/servers/{name}/versions/{version}/status");
    let content = json!({ "status": status });
    house
        .call(&house.admin, Method::PATCH, &path, content)
        .await
        .status
        .as_u16()
}

#[tokio::test]
async fn a9_what_changed_since_is_exactly_what_changed() {
    let house = House::new().await;
    for version in ["1.0.0", "1.1.0", "2.0.0", "3.0.0"] {
        assert_eq!(publish(&house, "com.trusted/mail", version).await, 200);
    }
    assert_eq!(publish(&house, "com.trusted/post", "1.0.0").await, 200);
    let since = house.now();
    assert_eq!(
        set_status(&house, "com.trusted/mail", "1.0.0", "deprecated").await,
        200
    );
    assert_eq!(
        set_status(&house, "com.trusted/mail", "3.0.0", "deleted").await,
        200
    );
    assert_eq!(publish(&house, "com.trusted/zoo", "1.0.0").await, 200);
    let changed = pages(&house, &format!("updated_since={since}")).await;
    let found: Vec<_> = changed
        .iter()
        .map(|item| {
            (
                key(item).0,
                key(item).1,
                item["_meta"][OFFICIAL]["status"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let row = |name: &str, version: &str, status: &str| {
        (
            format!("com.trusted/{name}"),
            version.to_owned(),
            status.to_owned(),
        )
    };
    // 2.0.0 became the latest.
    assert_eq!(
        found,
        [
            row("mail", "1.0.0", "deprecated"),
            row("mail", "2.0.0", "active"),
            row("mail", "3.0.0", "deleted"),
            row("zoo", "1.0.0", "active")
        ]
    );
    let path = format!("/v0.1/servers?updated_since={since}&include_deleted=false");
    assert_eq!(house.get(&path).await.status, 400);
}

#[tokio::test]
async fn a9_a_mirror_ends_equal_to_its_source_after_a_thousand_changes() {
    let house = House::new().await;
    let mut copy = Copy::new();
    let mut since = house.now();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |most: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % most
    };
    let mut changes = 0;
    while changes < 1_000 {
        let name = format!("com.trusted/s{:02}", next(20));
        let version = format!("1.{}.0", next(12));
        let status = match next(5) {
            0 | 1 => publish(&house, &name, &version).await,
            2 => set_status(&house, &name, &version, "active").await,
            3 => set_status(&house, &name, &version, "deprecated").await,
            _ => set_status(&house, &name, &version, "deleted").await,
        };
        changes += usize::from(status == 200);
        if next(30) == 0 {
            let from = since;
            since = house.now();
            for item in pages(&house, &format!("limit=7&updated_since={from}")).await {
                copy.insert(key(&item), item);
            }
        }
    }
    for item in pages(&house, &format!("limit=7&updated_since={since}")).await {
        copy.insert(key(&item), item);
    }
    let source: Copy = pages(&house, "limit=7&include_deleted=true")
        .await
        .into_iter()
        .map(|item| (key(&item), item))
        .collect();
    assert!(source.len() > 150, "{}", source.len());
    for (place, item) in &source {
        assert_eq!(copy.get(place), Some(item), "{place:?}");
    }
    assert_eq!(copy.len(), source.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_a_reader_misses_nothing_that_stays_while_ten_others_write() {
    let house = Arc::new(House::new().await);
    let mut stable = BTreeSet::new();
    for number in 0..30 {
        let name = format!("com.trusted/m{number:02}");
        assert_eq!(publish(&house, &name, "1.0.0").await, 200);
        stable.insert((name, "1.0.0".to_owned()));
    }
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..10)
        .map(|writer| {
            let (house, done) = (Arc::clone(&house), Arc::clone(&done));
            tokio::spawn(async move {
                let mut written = 0;
                while !done.load(Ordering::Relaxed) {
                    // Names before, between and after those that stay.
                    let name = format!(
                        "com.trusted/{}{writer}-{}",
                        ["a", "m1", "z"][written % 3],
                        written % 9
                    );
                    let version = format!("1.{written}.0");
                    publish(&house, &name, &version).await;
                    set_status(&house, &name, &version, "deleted").await;
                    written += 1;
                }
                written
            })
        })
        .collect();
    for _ in 0..3 {
        let mut seen = BTreeSet::new();
        let mut path = "/v0.1/servers?limit=1".to_owned();
        loop {
            let page = house.get(&path).await.json();
            for item in page["servers"].as_array().unwrap() {
                assert!(seen.insert(key(item)), "twice: {item}");
            }
            match page["metadata"]["nextCursor"].as_str() {
                Some(cursor) => path = format!("/v0.1/servers?limit=1&cursor={cursor}"),
                None => break,
            }
        }
        assert!(
            stable.is_subset(&seen),
            "missing: {:?}",
            stable.difference(&seen).collect::<Vec<_>>()
        );
    }
    done.store(true, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await.unwrap() > 0);
    }
}
