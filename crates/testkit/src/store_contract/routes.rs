//! Routes: guarded by their own revision.

use portreeve_core::id::RouteId;
use portreeve_core::name::Slug;
use portreeve_core::ports::{EntryChange, RouteChange, StoreError};
use portreeve_core::protocol::Era;
use portreeve_core::route::{
    Access, Credentials, Protocol, Route, RouteState, ServerRequests, SessionAffinity,
};

use super::{Durable, Outcome, assert_conflict, assert_not_found};
use crate::store_fixtures::{CountingRng, SteppingClock, at, event, new_entry, parse, route, version};

/// Stores an entry with one route.
pub async fn stored_route(store: &dyn Durable, name: &str, slug: &str) -> Result<Route, StoreError> {
    let mut change = new_entry(name, vec![version(name, "1.0.0")]);
    change.routes = vec![route(name, "1.0.0", slug)];
    let stored = change.routes.clone();
    store.save(change).await?;
    Ok(stored.into_iter().next().unwrap_or_else(|| panic!("no route")))
}

fn change_of(route: &Route) -> RouteChange {
    RouteChange {
        route: route.clone(),
        events: vec![event("route.change")],
    }
}

/// A route is saved once per revision, and read as it was saved.
pub async fn a_stale_route_is_a_conflict(store: &dyn Durable) -> Outcome {
    let first = stored_route(store, "com.acme/billing", "billing").await?;
    stored_route(store, "com.acme/a", "another").await?;
    let mut changed = first.clone();
    changed.access = Access::Anonymous;
    changed.state = RouteState::Inactive;
    changed.policies.clear();
    changed.upstream_timeout_ms = 1;
    changed.protocol = Protocol::Legacy;
    changed.session_affinity = SessionAffinity::Principal;
    changed.server_requests = ServerRequests::Park;
    changed.list_cache_ms = 7;
    changed.credentials = Credentials {
        tokens: false,
        keys: true,
        issuers: vec![parse("entra")],
    };
    changed.updated_at = at(100);
    let before = store.generation().await?;
    let saved = store.save_route(change_of(&changed)).await?;
    assert!(store.generation().await? > before);
    assert_eq!(
        saved,
        Route {
            revision: 2,
            ..changed
        }
    );
    assert_eq!(store.route(&saved.slug).await?.as_ref(), Some(&saved));
    let slugs: Vec<Slug> = store
        .routes()
        .await?
        .into_iter()
        .map(|route| route.slug)
        .collect();
    assert_eq!(slugs, [parse::<Slug>("another"), parse("billing")]);

    let generation = store.generation().await?;
    assert_conflict(store.save_route(change_of(&first)).await);
    let unknown = route("com.acme/billing", "1.0.0", "unknown");
    assert_not_found(store.save_route(change_of(&unknown)).await);
    assert_eq!(store.generation().await?, generation);

    // The entry's way to a route is guarded alike.
    let stale = EntryChange {
        expected: Some(1),
        routes: vec![first],
        ..new_entry("com.acme/billing", Vec::new())
    };
    assert_conflict(store.save(stale).await);
    let fresh = EntryChange {
        expected: Some(1),
        routes: vec![saved.clone()],
        ..new_entry("com.acme/billing", Vec::new())
    };
    store.save(fresh).await?;
    assert_eq!(
        store.route(&saved.slug).await?.map(|route| route.revision),
        Some(saved.revision + 1)
    );
    Ok(())
}

/// Noted eras are a change of the catalogue, not of the route, and only if they are new.
pub async fn noted_eras_change_the_catalogue_alone(store: &dyn Durable) -> Outcome {
    let stored = stored_route(store, "com.acme/billing", "billing").await?;
    let generation = store.generation().await?;
    store.note_eras(stored.id, &[Era::Legacy]).await?;
    assert_eq!(store.generation().await?, generation);
    store.note_eras(stored.id, &[Era::Legacy, Era::Modern]).await?;
    assert_eq!(store.generation().await?, generation + 1);
    let read = store
        .route(&stored.slug)
        .await?
        .unwrap_or_else(|| panic!("no route"));
    assert_eq!(read.revision, stored.revision);
    assert_eq!(read.upstream_eras, [Era::Legacy, Era::Modern]);
    let unknown = RouteId::new(&SteppingClock::default(), &CountingRng);
    assert_not_found(store.note_eras(unknown, &[Era::Modern]).await);
    Ok(())
}
