//! The official registry as it was in January 2026: nothing panics, nothing is lost, and `latest` is what it was there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use portreeve_core::ports::Entry;
use portreeve_core::server::{Approval, Lifecycle, Server, Version};
use portreeve_core::time::Timestamp;
use portreeve_mcp::server_json::parse;
use portreeve_registry::{ListParams, Served, latest_of};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::world::World;

/// The records of the dump; `None` where there is no corpus.
fn records() -> Option<Vec<Record>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "only this variable says where the corpus is"
    )]
    let folder = std::env::var("PORTREEVE_TEST_DATA").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let file = folder.join("registry/official-registry-dump-2026-01-11.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        #[expect(clippy::print_stdout, reason = "the stage summary shows what did not run")]
        {
            println!("not run: no corpus");
        }
        return None;
    };
    let dump: Dump = serde_json::from_str(&text).unwrap();
    Some(dump.servers)
}

#[derive(serde::Deserialize)]
struct Dump {
    servers: Vec<Record>,
}

#[derive(serde::Deserialize)]
struct Record {
    server: Box<RawValue>,
    #[serde(rename = "_meta")]
    meta: Value,
}

impl Record {
    fn official(&self, field: &str) -> &Value {
        &self.meta["io.modelcontextprotocol.registry/official"][field]
    }

    fn version(&self) -> Version {
        let reading = parse(self.server.get(), 1 << 20).unwrap();
        let published = Timestamp::parse(self.official("publishedAt").as_str().unwrap()).unwrap();
        Version {
            name: reading.view.name.unwrap(),
            version: reading.view.version.unwrap(),
            document: self.server.get().to_owned(),
            content_hash: portreeve_inspect::content_hash(self.server.get()).unwrap(),
            approval: Approval::Approved,
            lifecycle: Lifecycle::Production,
            former_lifecycle: None,
            ended_by: None,
            status_message: None,
            submitted_by: "import".to_owned(),
            decided_by: None,
            is_latest: self.official("isLatest").as_bool().unwrap(),
            metadata: Default::default(),
            published_at: published,
            status_changed_at: published,
            updated_at: published,
        }
    }
}

fn by_name(records: &[Record]) -> BTreeMap<String, Vec<Version>> {
    let mut names: BTreeMap<String, Vec<Version>> = BTreeMap::new();
    for record in records {
        let version = record.version();
        names.entry(version.name.to_string()).or_default().push(version);
    }
    names
}

#[test]
fn every_document_is_accounted_for() {
    let Some(records) = records() else { return };
    assert_eq!(records.len(), 2_354);
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut bad = 0;
    for record in &records {
        let reading = parse(record.server.get(), 1 << 20).unwrap();
        assert!(reading.view.name.is_some() && reading.view.version.is_some());
        bad += usize::from(!reading.problems.is_empty());
        let kinds: BTreeSet<String> = reading.problems.iter().map(kind).collect();
        for kind in kinds {
            *found.entry(kind).or_default() += 1;
        }
        let empty_repository = reading.raw.get("repository") == Some(&serde_json::json!({}));
        let warned = reading
            .warnings
            .iter()
            .any(|warning| warning.path == "repository");
        assert_eq!(empty_repository, warned, "{}", record.server.get());
    }
    // The schema of 2025-12-11 refuses 275: 266 for an empty `repository`, which is a warning here, and a few for forms
    // of arguments that every host reads.
    assert_eq!(found, BTreeMap::from([("packages[].version: ".to_owned(), 5)]));
    assert_eq!(bad, 5);
}

/// A problem without the numbers in its path.
fn kind(problem: &portreeve_registry::Problem) -> String {
    let path: String = problem.path.chars().filter(|c| !c.is_ascii_digit()).collect();
    format!(
        "{path}: {}",
        problem.message.split('`').next().unwrap_or_default().trim_end()
    )
}

#[test]
fn latest_is_what_the_official_registry_said() {
    let Some(records) = records() else { return };
    let names = by_name(&records);
    assert_eq!(names.len(), 964);
    for (name, mut versions) in names {
        let expected: Vec<_> = versions
            .iter()
            .filter(|version| version.is_latest)
            .cloned()
            .collect();
        assert_eq!(expected.len(), 1, "{name}");
        for _ in 0..2 {
            let found = &versions[latest_of(&versions).unwrap()];
            assert_eq!(found.version, expected[0].version, "{name}");
            // The order in which they stand must not matter.
            versions.reverse();
        }
        // The same by replaying the publications in their order.
        versions.sort_by_key(|version| version.published_at);
        let (mut seen, mut latest) = (Vec::new(), None);
        for version in versions {
            seen.push(version);
            latest = latest_of(&seen).map(|index| seen[index].version.clone());
        }
        assert_eq!(latest.as_ref(), Some(&expected[0].version), "{name}");
    }
}

#[tokio::test]
async fn every_walk_through_the_pages_finds_the_same_set() {
    let Some(records) = records() else { return };
    let world = World::new();
    for versions in by_name(&records).into_values() {
        let server = Server {
            name: versions[0].name.clone(),
            registered_by: "import".to_owned(),
            private_hosts: Vec::new(),
            profile: Default::default(),
            deployments: Default::default(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        let routes = Vec::new();
        world.store.put(Entry {
            server,
            versions,
            routes,
            revision: 1,
        });
    }
    let mut walks = Vec::new();
    for limit in [1, 7, 50, 100] {
        walks.push(walk(&world, limit, None).await);
    }
    assert_eq!(walks[0].len(), 2_354);
    assert!(walks.iter().all(|walk| *walk == walks[0]));
    let latest = walk(&world, 100, Some("latest")).await;
    let names: BTreeSet<&String> = latest.iter().map(|(name, _)| name).collect();
    assert_eq!((latest.len(), names.len()), (964, 964));
}

async fn walk(world: &World, limit: u32, version: Option<&str>) -> Vec<(String, String)> {
    let mut params = ListParams {
        limit: Some(limit.to_string()),
        version: version.map(str::to_owned),
        ..ListParams::default()
    };
    let mut found = Vec::new();
    loop {
        let page = world
            .registry
            .serve_list_in(&world.everybody(), &params)
            .await
            .unwrap();
        assert_eq!(page.metadata.count, page.servers.len());
        let place = |served: &Served| {
            let text = |key| served.server.text(key).unwrap();
            (text("name"), text("version"))
        };
        found.extend(page.servers.iter().map(place));
        // Following pages forget the filter, as hosts do.
        params.version = None;
        params.cursor = page.metadata.next_cursor;
        if params.cursor.is_none() {
            return found;
        }
    }
}
