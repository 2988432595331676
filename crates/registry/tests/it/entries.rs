//! Entries: managers see all, others what is listed and nothing internal.

use portreeve_registry::{Approve, EntriesQuery, RegistryError};

use crate::world::{NAME, URL, World, admin, caller, package, remote};

#[tokio::test]
async fn managers_see_an_entry_as_it_is() {
    let world = World::new();
    world
        .approved(&remote(NAME, "1.0.0", "http://127.0.0.1:9001/mcp"))
        .await;
    world.add(&package(NAME, "2.0.0"), Approve::No).await.unwrap();
    let name = NAME.parse().unwrap();
    let entry = world.registry.entry(&caller("steward"), &name).await.unwrap();
    assert_eq!(entry, world.store.get(NAME));
    assert_eq!(entry.versions.len(), 2);
    // Names that differ in case alone are the same entry here.
    assert!(
        world
            .registry
            .entry(&admin(), &"com.acme/BILLING".parse().unwrap())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn others_see_no_upstream_no_owner_and_no_draft() {
    let world = World::new();
    world
        .approved(&remote(NAME, "1.0.0", "http://127.0.0.1:9001/mcp"))
        .await;
    world.add(&package(NAME, "2.0.0"), Approve::No).await.unwrap();
    world
        .add(&package("com.acme/draft", "1.0.0"), Approve::No)
        .await
        .unwrap();
    let name = NAME.parse().unwrap();
    for who in ["user", "stranger"] {
        let who = caller(who);
        let entry = world.registry.entry(&who, &name).await.unwrap();
        assert_eq!(entry.versions.len(), 1);
        let all = format!("{entry:?}");
        assert!(!all.contains("9001") && !all.contains("\"admin\""), "{all}");
        assert!(
            entry.versions[0]
                .document
                .contains("https://gw.example/s/billing/mcp")
        );
        let error = world
            .registry
            .entry(&who, &"com.acme/draft".parse().unwrap())
            .await
            .unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { .. }));
        let page = world
            .registry
            .entries(&who, EntriesQuery::default())
            .await
            .unwrap();
        assert_eq!(page.items.len(), 1);
        let all = format!("{page:?}");
        assert!(!all.contains("9001") && !all.contains("\"admin\""), "{all}");
    }
    let page = world
        .registry
        .entries(&admin(), EntriesQuery::default())
        .await
        .unwrap();
    assert_eq!(page.items.len(), 3);
}

#[tokio::test]
async fn entries_come_in_pages() {
    let world = World::new();
    for number in 0..5 {
        world
            .approved(&remote(&format!("com.acme/s{number}"), "1.0.0", URL))
            .await;
    }
    let mut query = EntriesQuery {
        search: Some("acme".to_owned()),
        limit: Some(2),
        cursor: None,
    };
    let mut found = Vec::new();
    loop {
        let page = world.registry.entries(&admin(), query.clone()).await.unwrap();
        found.extend(page.items.into_iter().map(|item| item.version.name.to_string()));
        query.search = None;
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(
        found,
        [
            "com.acme/s0",
            "com.acme/s1",
            "com.acme/s2",
            "com.acme/s3",
            "com.acme/s4"
        ]
    );
    for bad in [
        EntriesQuery {
            limit: Some(0),
            ..EntriesQuery::default()
        },
        EntriesQuery {
            cursor: Some("nonsense".to_owned()),
            ..EntriesQuery::default()
        },
    ] {
        assert!(world.registry.entries(&admin(), bad).await.is_err());
    }
}
