//! Slugs: claimed forever for one server and environment.

use portreeve_core::name::Environment;
use portreeve_core::ports::EntryChange;

use super::{Durable, Outcome, assert_conflict};
use crate::store_fixtures::{event, new_entry, parse, route, version};

fn with_route(name: &str, slug: &str) -> EntryChange {
    EntryChange {
        routes: vec![route(name, "1.0.0", slug)],
        ..new_entry(name, vec![version(name, "1.0.0")])
    }
}

/// Nobody else gets a slug, even after its entry is gone; its owner gets it back.
pub async fn a_slug_is_never_given_to_another(store: &dyn Durable) -> Outcome {
    let production = Environment::production();
    store.save(with_route("com.acme/billing", "billing")).await?;
    assert_conflict(store.save(with_route("com.evil/billing", "billing")).await);
    assert_eq!(store.entry(&parse("com.evil/billing")).await?, None);

    store
        .remove(&parse("com.acme/billing"), 1, event("server.remove"))
        .await?;
    assert_conflict(store.save(with_route("com.evil/billing", "billing")).await);
    let slug = Some(parse("billing"));
    assert_eq!(
        store.slug_of(&parse("com.acme/billing"), &production).await?,
        slug
    );
    assert_eq!(
        store.slug_of(&parse("com.acme/Billing"), &production).await?,
        slug
    );
    assert_eq!(
        store.slug_of(&parse("com.evil/billing"), &production).await?,
        None
    );

    // The same server under another case is the same server.
    store.save(with_route("com.acme/Billing", "billing")).await?;
    Ok(())
}

/// Another environment of the same server is somebody else, too.
pub async fn an_environment_has_slugs_of_its_own(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let mut test = route(name, "1.0.0", "billing");
    test.environment = parse("test");
    let mut change = with_route(name, "billing");
    change.routes.push(test.clone());
    assert_conflict(store.save(change).await);

    test.slug = parse("billing-test");
    let mut change = with_route(name, "billing");
    change.routes.push(test);
    store.save(change).await?;
    assert_eq!(
        store.slug_of(&parse(name), &parse("test")).await?,
        Some(parse("billing-test"))
    );
    Ok(())
}

/// A stored route keeps its slug and its server.
pub async fn a_route_keeps_its_slug(store: &dyn Durable) -> Outcome {
    let change = with_route("com.acme/billing", "billing");
    let mut moved = change.routes.clone();
    store.save(change).await?;
    for route in &mut moved {
        route.slug = parse("another");
    }
    let change = EntryChange {
        expected: Some(1),
        routes: moved,
        ..new_entry("com.acme/billing", Vec::new())
    };
    assert_conflict(store.save(change).await);
    assert_eq!(store.slug_owner(&parse("another")).await?, None);
    Ok(())
}
