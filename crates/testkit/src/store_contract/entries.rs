//! Entries: saved as one, found without regard to case, guarded by their revision.

use portreeve_core::ports::EntryChange;

use super::{Durable, Outcome, assert_conflict, assert_not_found};
use crate::store_fixtures::{at, event, new_entry, parse, route, server, version};

/// What was saved is what is read, versions newest first.
pub async fn an_entry_is_read_as_it_was_saved(store: &dyn Durable) -> Outcome {
    let mut old = version("com.acme/billing", "1.0.0");
    old.published_at = at(10);
    let mut new = version("com.acme/billing", "1.1.0");
    new.published_at = at(20);
    new.is_latest = true;
    let mut twin = version("com.acme/billing", "1.2.0");
    twin.published_at = at(20);
    let served = route("com.acme/billing", "1.1.0", "billing");
    let mut change = new_entry("com.acme/billing", vec![old.clone(), new.clone(), twin.clone()]);
    change.routes = vec![served.clone()];
    assert_eq!(store.save(change).await?, 1);

    let entry = store
        .entry(&parse("COM.acme/Billing"))
        .await?
        .unwrap_or_else(|| panic!("no entry"));
    assert_eq!(entry.server, server("com.acme/billing"));
    assert_eq!(entry.versions, [twin, new, old]);
    assert_eq!(entry.routes, [served]);
    assert_eq!(entry.revision, 1);
    assert_eq!(store.entry(&parse("com.acme/other")).await?, None);
    Ok(())
}

/// A change replaces what it names, leaves the rest, and counts the revision.
pub async fn a_change_leaves_what_it_does_not_name(store: &dyn Durable) -> Outcome {
    let one = version("com.acme/billing", "1.0.0");
    let mut two = version("com.acme/billing", "2.0.0");
    two.is_latest = true;
    store
        .save(new_entry("com.acme/billing", vec![one.clone(), two.clone()]))
        .await?;

    // The mark of the latest version goes over in one change, in whatever order it is told.
    let mut moved = one.clone();
    moved.is_latest = true;
    two.is_latest = false;
    let mut shared = server("com.acme/billing");
    shared.private_hosts.clear();
    let change = EntryChange {
        expected: Some(1),
        server: shared.clone(),
        versions: vec![moved.clone(), two.clone()],
        routes: Vec::new(),
        events: Vec::new(),
    };
    assert_eq!(store.save(change).await?, 2);
    let change = EntryChange {
        expected: Some(2),
        versions: Vec::new(),
        ..new_entry("com.acme/billing", Vec::new())
    };
    assert_eq!(
        store
            .save(EntryChange {
                server: shared.clone(),
                ..change
            })
            .await?,
        3
    );
    let entry = store
        .entry(&parse("com.acme/billing"))
        .await?
        .unwrap_or_else(|| panic!("no entry"));
    assert_eq!(entry.server, shared);
    assert_eq!(entry.versions, [two, moved]);
    Ok(())
}

/// A name is taken in every case; a stale revision loses; a lost change leaves nothing behind.
pub async fn a_stale_change_is_a_conflict(store: &dyn Durable) -> Outcome {
    store
        .save(new_entry(
            "com.acme/billing",
            vec![version("com.acme/billing", "1.0.0")],
        ))
        .await?;
    assert_conflict(store.save(new_entry("com.acme/billing", Vec::new())).await);
    assert_conflict(store.save(new_entry("com.Acme/BILLING", Vec::new())).await);
    let generation = store.generation().await?;
    for expected in [0, 2] {
        let change = EntryChange {
            expected: Some(expected),
            routes: vec![route("com.acme/billing", "1.0.0", "lost")],
            ..new_entry("com.acme/billing", vec![version("com.acme/billing", "9.0.0")])
        };
        assert_conflict(store.save(change).await);
    }
    let change = EntryChange {
        expected: Some(1),
        ..new_entry("com.acme/unknown", Vec::new())
    };
    assert_conflict(store.save(change).await);
    let entry = store
        .entry(&parse("com.acme/billing"))
        .await?
        .unwrap_or_else(|| panic!("no entry"));
    assert_eq!(entry.versions.len(), 1);
    assert_eq!(store.slug_owner(&parse("lost")).await?, None);
    assert_eq!(store.generation().await?, generation);
    Ok(())
}

/// A removed entry takes its versions, routes and tools with it.
pub async fn removing_takes_everything_but_the_slugs(store: &dyn Durable) -> Outcome {
    let name = parse("com.acme/billing");
    let mut change = new_entry("com.acme/billing", vec![version("com.acme/billing", "1.0.0")]);
    let served = route("com.acme/billing", "1.0.0", "billing");
    change.routes = vec![served.clone()];
    store.save(change).await?;

    assert_conflict(store.remove(&name, 7, event("server.remove")).await);
    store
        .remove(&parse("com.acme/BILLING"), 1, event("server.remove"))
        .await?;
    assert_eq!(store.entry(&name).await?, None);
    assert_eq!(store.route(&served.slug).await?, None);
    assert_eq!(store.tools(served.id).await?, []);
    assert_eq!(
        store.slug_owner(&served.slug).await?,
        Some((name.clone(), served.environment))
    );
    assert_not_found(store.remove(&name, 1, event("server.remove")).await);
    Ok(())
}
