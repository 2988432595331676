//! The catalogue: whole snapshots, and a generation that every change of them counts.

use portreeve_core::grant::Subject;
use portreeve_core::ports::{News, Owned, RouteChange, RouteSnapshot, Snapshot, StoreError, ToolsSeen};
use portreeve_core::protocol::Era;
use portreeve_core::route::RouteState;

use super::identity::grant;
use super::routes::stored_route;
use super::views::partners;
use super::{Durable, Outcome};
use crate::store_fixtures::{at, event, key, new_entry, parse, tool, user, version};

/// A snapshot holds active routes with their tools, keys that are not revoked, users and grants.
pub async fn a_snapshot_holds_what_decisions_need(store: &dyn Durable) -> Outcome {
    let empty = store.snapshot(None).await?;
    assert_eq!(
        empty,
        Snapshot {
            generation: 0,
            routes: News::All(vec![]),
            keys: vec![],
            users: vec![],
            grants: vec![],
            policies: vec![],
            registries: store.registries().await?,
            owned: vec![],
            signing_keys: vec![],
            ended: vec![],
            revoked: vec![],
        }
    );
    let active = stored_route(store, "com.acme/b", "b").await?;
    let mut inactive = stored_route(store, "com.acme/a", "a").await?;
    for route in [&active, &inactive] {
        let seen = ToolsSeen {
            route: route.id,
            era: Era::Modern,
            tools: vec![tool("add", "adds")],
            complete: true,
            at: at(50),
            events: vec![event("tools.drift")],
        };
        store.tools_seen(seen).await?;
    }
    inactive.state = RouteState::Inactive;
    store
        .save_route(RouteChange {
            route: inactive,
            events: Vec::new(),
        })
        .await?;
    let (live, revoked) = (key("live"), key("revoked"));
    store.add_key(&live, event("key.create")).await?;
    store.add_key(&revoked, event("key.create")).await?;
    store.revoke_key(revoked.id, at(60), event("key.revoke")).await?;
    let ada = user("ada");
    store.ensure_user(&ada, event("user.create")).await?;
    let granted = grant(Subject::User(ada.id));
    store.add_grant(&granted, event("grant.add")).await?;

    let snapshot = store.snapshot(None).await?;
    let tools = store.tools(active.id).await?;
    assert_eq!(tools.len(), 1);
    assert_eq!(
        snapshot,
        Snapshot {
            generation: 10,
            routes: News::All(vec![RouteSnapshot {
                route: active,
                tools,
                rest: None,
                given: vec![],
            }]),
            keys: vec![live],
            users: vec![ada],
            grants: vec![granted],
            policies: vec![],
            registries: store.registries().await?,
            owned: vec![],
            signing_keys: vec![],
            ended: vec![],
            revoked: vec![],
        }
    );
    assert_eq!(store.generation().await?, 10);
    Ok(())
}

/// Every change counts, a removal too.
pub async fn every_change_counts(store: &dyn Durable) -> Outcome {
    let mut last = store.generation().await?;
    let mut counted = 0;
    stored_route(store, "com.acme/a", "a").await?;
    let granted = grant(Subject::Key(key("x").id));
    for step in 0..4 {
        match step {
            0 => store.add_grant(&granted, event("grant.add")).await?,
            1 => store.remove_grant(granted.id, event("grant.remove")).await?,
            2 => {
                store
                    .remove(&parse("com.acme/a"), 1, event("server.remove"))
                    .await?
            }
            _ => {}
        }
        let now = store.generation().await?;
        counted += i32::from(now > last);
        last = now;
    }
    assert_eq!(counted, 3);
    Ok(())
}

/// The store says what it is.
pub async fn the_store_is_healthy(store: &dyn Durable, engine: &str) -> Outcome {
    let status = store.check().await?;
    assert_eq!(status.engine, engine);
    assert!(status.pending_migrations.is_empty() && status.unknown_migrations.is_empty());
    Ok(())
}

/// The groups that own servers are read with everything else, and a change of them is one of the catalogue.
pub async fn owners_are_part_of_what_decisions_need(store: &dyn Durable) -> Outcome {
    let (one, other) = ("com.acme/billing", "com.acme/mail");
    let owned_by = |name: &str, groups: &[&str], expected: Option<i64>| {
        let mut change = new_entry(name, vec![version(name, "1.0.0")]);
        change.expected = expected;
        change.server.profile.owner_groups = groups.iter().map(|group| (*group).to_owned()).collect();
        change
    };
    let save = async |change| {
        let before = store.generation().await?;
        store.save(change).await?;
        Ok::<_, StoreError>(store.generation().await? - before)
    };
    assert_eq!(save(owned_by(one, &[], None)).await?, 0);
    assert_eq!(
        save(owned_by(other, &["ops", "finance", "no group!"], None)).await?,
        1
    );
    let owned = |name: &str, groups: &[&str]| Owned {
        tags: Vec::new(),
        server: parse(name),
        groups: groups.iter().map(|group| parse(group)).collect(),
    };
    assert_eq!(
        store.snapshot(None).await?.owned,
        [owned(other, &["finance", "ops"])]
    );
    assert_eq!(
        save(owned_by(other, &["finance", "ops"], Some(1))).await?,
        0,
        "the same in another order"
    );
    assert_eq!(save(owned_by(one, &["finance"], Some(1))).await?, 1);
    assert_eq!(save(owned_by(other, &["ops"], Some(2))).await?, 1);
    assert_eq!(
        store.snapshot(None).await?.owned,
        [owned(one, &["finance"]), owned(other, &["ops"])]
    );
    store.remove(&parse(one), 2, event("server.remove")).await?;
    assert_eq!(store.snapshot(None).await?.owned, [owned(other, &["ops"])]);
    Ok(())
}

/// Of tags, those that a registry selects by are read with everything else; only a change of one of them is one of the
/// catalogue.
pub async fn tags_that_registries_select_by_are_part_of_what_decisions_need(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let tagged = |tags: &[&str], expected: Option<i64>| {
        let mut change = new_entry(name, vec![version(name, "1.0.0")]);
        change.expected = expected;
        change.server.profile.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        change
    };
    let save = async |change| {
        let before = store.generation().await?;
        store.save(change).await?;
        Ok::<_, StoreError>(store.generation().await? - before)
    };
    let owned = Owned {
        server: parse(name),
        groups: Vec::new(),
        tags: vec!["partner".to_owned()],
    };
    assert_eq!(save(tagged(&["partner", "cheap"], None)).await?, 0);
    assert_eq!(store.snapshot(None).await?.owned, [], "nobody selects by a tag");
    store
        .add_registry(&partners(), 2, event("registry.create"))
        .await?;
    assert_eq!(store.snapshot(None).await?.owned, std::slice::from_ref(&owned));
    let dear = tagged(&["dear", "partner"], Some(1));
    assert_eq!(save(dear).await?, 0, "nobody selects by these");
    let again = tagged(&["partner", "dear"], Some(2));
    assert_eq!(save(again).await?, 0, "the same in another order");
    assert_eq!(save(tagged(&["dear"], Some(3))).await?, 1);
    assert_eq!(store.snapshot(None).await?.owned, []);
    assert_eq!(save(tagged(&["partner"], Some(4))).await?, 1);
    assert_eq!(store.snapshot(None).await?.owned, [owned]);
    Ok(())
}
