//! What a policy hides from who would see it: the same in lists, in a search, in a single look and at the registry API.

use portreeve_core::publishing::Publisher;
use portreeve_registry::{Approve, EntriesQuery, RegistryError, SearchQuery, WaitingQuery};

use crate::world::{NAME, World, admin, caller, package};

const OTHER: &str = "com.acme/other";

/// Two servers of which nothing is approved.
async fn drafts() -> World {
    let world = World::new();
    for name in [NAME, OTHER] {
        world.add(&package(name, "1.0.0"), Approve::No).await.unwrap();
    }
    world
}

#[tokio::test]
async fn what_a_policy_hides_is_hidden_at_every_door() {
    let world = drafts().await;
    for (who, sees) in [
        ("admin", &[NAME, OTHER][..]),
        ("watcher", &[OTHER]),
        ("silenced", &[]),
        ("publisher", &[]),
    ] {
        let who = caller(who);
        let page = world
            .registry
            .entries(&who, EntriesQuery::default())
            .await
            .unwrap();
        let listed: Vec<&str> = page.items.iter().map(|item| item.version.name.as_str()).collect();
        assert_eq!(listed, sees, "{} in the list", who.label);

        let query = SearchQuery {
            text: "runs here".to_owned(),
            facets: true,
            ..SearchQuery::default()
        };
        let page = world.registry.search(&who, query).await.unwrap();
        let mut found: Vec<&str> = page
            .items
            .iter()
            .map(|item| item.listed.version.name.as_str())
            .collect();
        found.sort_unstable();
        assert_eq!(
            (&found[..], page.found),
            (sees, sees.len()),
            "{} by search",
            who.label
        );

        let waiting = world
            .registry
            .waiting(&who, WaitingQuery::default())
            .await
            .unwrap();
        let mut waits: Vec<&str> = waiting
            .items
            .iter()
            .map(|item| item.waiting.server.as_str())
            .collect();
        waits.sort_unstable();
        assert_eq!(waits, sees, "{} among what waits", who.label);
    }
    // Who may publish sees his own, unless a policy forbids that.
    let name = NAME.parse().unwrap();
    assert!(world.registry.entry(&caller("publisher"), &name).await.is_ok());
    for who in ["watcher", "silenced"] {
        let seen = world.registry.entry(&caller(who), &name).await;
        assert!(matches!(seen, Err(RegistryError::NotFound { .. })), "{who}");
    }
    for (who, is_his) in [("publisher", true), ("silenced", false)] {
        let publisher = Publisher::known(caller(who));
        assert_eq!(world.registry.is_publisher_of(&publisher, &name), is_his, "{who}");
        let seen = world.registry.publisher_versions(&publisher, &name, true).await;
        assert_eq!(seen.is_ok(), is_his, "{who}");
    }
}

#[tokio::test]
async fn of_what_is_listed_the_outside_stays() {
    let world = World::new();
    world.approved(&package(NAME, "1.0.0")).await;
    world.add(&package(NAME, "2.0.0"), Approve::No).await.unwrap();
    let name = NAME.parse().unwrap();
    let versions = async |who: &str| {
        let entry = world.registry.entry(&caller(who), &name).await.unwrap();
        entry.versions.len()
    };
    assert_eq!(versions("publisher").await, 2);
    assert_eq!(versions("silenced").await, 1);
    assert_eq!(versions("watcher").await, 1);
    let page = world
        .registry
        .entries(&caller("watcher"), EntriesQuery::default())
        .await
        .unwrap();
    let listed: Vec<&str> = page
        .items
        .iter()
        .map(|item| item.version.version.as_str())
        .collect();
    assert_eq!(listed, ["1.0.0"]);
    assert!(page.items.iter().all(|item| item.version.submitted_by.is_empty()));
    assert_eq!(
        world
            .registry
            .entry(&admin(), &name)
            .await
            .unwrap()
            .versions
            .len(),
        2
    );
}
