//! Slugs: claimed forever for one server and environment.

use portreeve_core::deployment::{Major, Place};
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
    let production = Place::production();
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
        store
            .slug_of(
                &parse(name),
                &Place {
                    environment: parse("test"),
                    major: None
                }
            )
            .await?,
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

/// A major version has a slug of its own, and a base speaks for everything behind its two dashes.
pub async fn a_major_version_has_a_slug_of_its_own(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let mut first = route(name, "1.0.0", "billing--v1");
    first.major = Some(Major(1));
    let place = first.place();
    let mut change = with_route(name, "billing");
    change.routes.push(first.clone());
    store.save(change).await?;
    let slug = Some(parse("billing--v1"));
    assert_eq!(store.slug_of(&parse(name), &place).await?, slug);
    let entry = store.entry(&parse(name)).await?;
    let majors: Vec<_> = entry
        .iter()
        .flat_map(|entry| &entry.routes)
        .map(|route| route.major)
        .collect();
    assert_eq!(majors, [None, Some(Major(1))]);

    // The slug is bound to the whole place: the same name for another major version is refused.
    store.remove(&parse(name), 1, event("server.remove")).await?;
    first.major = Some(Major(2));
    let mut change = with_route(name, "billing");
    change.routes.push(first);
    assert_conflict(store.save(change).await);

    assert_eq!(store.slug_family(&parse("billing")).await?, [parse(name)]);
    let mut other = with_route("com.other/bill", "bill--test");
    for route in &mut other.routes {
        route.environment = parse("test");
    }
    store.save(other).await?;
    assert_eq!(
        store.slug_family(&parse("bill")).await?,
        [parse("com.other/bill")]
    );
    assert_eq!(store.slug_family(&parse("bil")).await?, []);
    Ok(())
}
