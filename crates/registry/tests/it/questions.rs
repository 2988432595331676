//! How well the search answers real questions over real packages.

use portreeve_core::deployment::Deployments;
use portreeve_core::name::ServerName;
use portreeve_core::ports::Entry;
use portreeve_core::profile::Profile;
use portreeve_core::server::{Approval, Lifecycle, Server, Version};
use portreeve_core::time::Timestamp;
use portreeve_registry::{RegistryError, SearchQuery};
use serde_json::{Value, json};

use crate::import::corpus;
use crate::world::{World, admin};

/// Packages of the toolsdk list as documents: what the list knows of them.
fn packages(text: &str) -> Vec<(String, String)> {
    let list: Value = serde_json::from_str(text).unwrap();
    let plain = |key: &str| -> String {
        let plain: String = key
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        plain.trim_matches('-').to_owned()
    };
    let packages = list["packages"].as_object().unwrap();
    packages
        .iter()
        .enumerate()
        .map(|(index, (key, package))| {
            let tools = package["tools"].as_object();
            let tools: Vec<Value> = tools
                .into_iter()
                .flatten()
                .map(|(name, tool)| json!({"name": name, "description": tool["description"]}))
                .collect();
            let name = format!("sdk.tool/{}-{index}", plain(key));
            let document = json!({
                "name": name, "title": key.chars().take(100).collect::<String>(), "version": "1.0.0",
                "description": "A package of the list",
                "_meta": {"io.modelcontextprotocol.registry/publisher-provided":
                    {"category": package["category"], "tools": tools}},
            });
            (name, document.to_string())
        })
        .collect()
}

/// An approved entry with one version.
fn listed(name: &str, document: String) -> Entry {
    let at = Timestamp::default();
    let name: ServerName = name.parse().unwrap();
    Entry {
        versions: vec![Version {
            name: name.clone(),
            version: "1.0.0".parse().unwrap(),
            document,
            content_hash: String::new(),
            approval: Approval::Approved,
            lifecycle: Lifecycle::Production,
            former_lifecycle: None,
            ended_by: None,
            status_message: None,
            submitted_by: "import".to_owned(),
            decided_by: None,
            is_latest: true,
            metadata: Default::default(),
            published_at: at,
            status_changed_at: at,
            updated_at: at,
        }],
        server: Server {
            name,
            registered_by: "import".to_owned(),
            private_hosts: Vec::new(),
            profile: Profile::default(),
            deployments: Deployments::default(),
            created_at: at,
            updated_at: at,
        },
        routes: Vec::new(),
        revision: 1,
    }
}

#[tokio::test]
async fn real_questions_are_answered_by_the_first_five() {
    let Some(text) = corpus("toolsdk-packages-list-2026-07.json") else {
        return;
    };
    let questions = include_str!("../../../../tests/questions/toolsdk.txt");
    let world = World::new();
    for (name, document) in packages(&text) {
        world.store.put(listed(&name, document));
    }
    while let Err(RegistryError::Warming { .. }) =
        world.registry.search(&admin(), SearchQuery::default()).await
    {}
    let (mut asked, mut missed) = (0, Vec::new());
    for line in questions.lines().filter(|line| line.contains(" | ")) {
        let (question, expected) = line.split_once(" | ").unwrap();
        asked += 1;
        let query = SearchQuery {
            limit: Some(5),
            text: question.to_owned(),
            ..SearchQuery::default()
        };
        let page = world.registry.search(&admin(), query).await.unwrap();
        let found: Vec<&str> = page
            .items
            .iter()
            .map(|one| one.listed.version.name.as_str())
            .collect();
        let answered = found
            .iter()
            .any(|name| expected.split(", ").any(|part| name.contains(part)));
        if !answered {
            missed.push((question, found.join(" ")));
        }
    }
    assert!(asked >= 60, "{asked}");
    assert!(
        missed.len() <= 3,
        "{} of {asked} missed: {missed:#?}",
        missed.len()
    );
}
