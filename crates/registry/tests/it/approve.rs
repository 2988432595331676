//! The life of a version: the state machine, the route that follows it, the probe that never holds it up.

use std::time::{Duration, Instant};

use portreeve_core::protocol::Era;
use portreeve_core::route::{PinState, RouteState};
use portreeve_core::server::{Approval, Lifecycle};
use portreeve_core::tool::ToolState;
use portreeve_registry::{Approve, Internal, RegistryError, Step, ToolsOutcome, next_approval};

use crate::world::{NAME, URL, World, admin, caller, package, remote};

fn name() -> portreeve_core::name::ServerName {
    NAME.parse().unwrap()
}

#[test]
fn the_state_machine_is_this_table() {
    use Approval::{Approved, Draft, Rejected, Submitted};
    let table = [
        (Draft, [Some(Submitted), Some(Approved), None]),
        (Submitted, [None, Some(Approved), Some(Rejected)]),
        (Approved, [None, None, None]),
        (Rejected, [Some(Submitted), Some(Approved), None]),
    ];
    for (from, expected) in table {
        let found = [Step::Submit, Step::Approve, Step::Reject].map(|step| next_approval(from, step));
        assert_eq!(found, expected, "{from}");
    }
}

#[tokio::test]
async fn an_approval_makes_a_route_and_pins_what_it_sees() {
    let world = World::new();
    world.upstreams.answer(URL, &[("list", "Lists"), ("pay", "Pays")]);
    let outcome = world.approved(&remote(NAME, "1.0.0", URL)).await;
    assert_eq!(outcome.tools, ToolsOutcome::Pinned(2));
    let route = outcome.route.unwrap();
    assert_eq!(
        (route.slug.as_str(), route.version.as_str()),
        ("billing", "1.0.0")
    );
    assert_eq!(
        (route.state, route.pin_state),
        (RouteState::Active, PinState::Pinned)
    );
    assert_eq!(route.upstream_url, URL);
    assert_eq!(route.upstream_eras, [Era::Legacy, Era::Modern]);
    assert!(outcome.version.is_latest);
    assert_eq!(outcome.version.decided_by.as_deref(), Some("admin"));
    let tools = world.registry.tools(&admin(), &name()).await.unwrap();
    assert_eq!(tools.len(), 4, "two tools in two eras");
    assert!(tools.iter().all(|view| view.state == ToolState::Approved));
    let events = world.events();
    let approval = events
        .iter()
        .find(|event| event.action == "server.approve")
        .unwrap();
    let detail = approval.detail.as_ref().unwrap();
    assert_eq!(detail["contentHash"], outcome.version.content_hash);
    assert_eq!(approval.actor, "admin");
    assert_eq!(
        world.actions(),
        ["server.add", "server.approve", "route.create", "tools.approve"]
    );
    assert!(world.refreshed.count() > 0);
}

#[tokio::test]
async fn an_approval_does_not_wait_for_a_slow_upstream() {
    let world = World::new();
    world.upstreams.answer(URL, &[("list", "Lists")]);
    *world.upstreams.delay.lock().unwrap() = Some(Duration::from_secs(60));
    let begun = Instant::now();
    let outcome = world.approved(&remote(NAME, "1.0.0", URL)).await;
    assert!(begun.elapsed() < Duration::from_secs(5));
    let ToolsOutcome::NotSeen { reason } = &outcome.tools else {
        panic!()
    };
    assert!(reason.contains("did not answer"), "{reason}");
    assert_eq!(outcome.version.approval, Approval::Approved);
    assert_eq!(outcome.route.unwrap().pin_state, PinState::ToolsNotSeen);
    assert!(world.registry.tools(&admin(), &name()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_new_version_pins_the_new_list_and_keeps_what_was_hidden() {
    let world = World::new();
    world
        .upstreams
        .answer(URL, &[("list", "Lists"), ("pay", "Pays"), ("old", "Gone soon")]);
    let first = world.approved(&remote(NAME, "1.0.0", URL)).await.route.unwrap();
    world.registry.hide_tool(&admin(), &name(), "pay").await.unwrap();
    world.upstreams.answer(
        URL,
        &[("list", "Lists more"), ("pay", "Pays more"), ("new", "New")],
    );
    let outcome = world.approved(&remote(NAME, "1.1.0", URL)).await;
    assert_eq!(outcome.tools, ToolsOutcome::Pinned(2));
    let route = outcome.route.unwrap();
    assert_eq!((route.id, route.version.as_str()), (first.id, "1.1.0"));
    let states: Vec<(String, ToolState)> = world
        .registry
        .tools(&admin(), &name())
        .await
        .unwrap()
        .into_iter()
        .filter(|view| view.tool.era == Era::Modern)
        .map(|view| (view.tool.name, view.state))
        .collect();
    let expected = [
        ("list", ToolState::Approved),
        ("new", ToolState::Approved),
        ("old", ToolState::Missing),
        ("pay", ToolState::Hidden),
    ];
    assert_eq!(states, expected.map(|(tool, state)| (tool.to_owned(), state)));
}

#[tokio::test]
async fn an_older_version_is_approved_without_moving_the_route() {
    let world = World::new();
    world.approved(&remote(NAME, "2.0.0", URL)).await;
    let outcome = world
        .approved(&remote(NAME, "1.9.0", "https://old.example/mcp"))
        .await;
    assert!(outcome.route.is_none());
    assert_eq!(outcome.tools, ToolsOutcome::NoRoute);
    let entry = world.store.get(NAME);
    assert_eq!(entry.routes[0].version.as_str(), "2.0.0");
    assert_eq!(world.upstreams.asked().len(), 1);
}

#[tokio::test]
async fn package_only_versions_have_no_route_and_take_none_away() {
    let world = World::new();
    let outcome = world.approved(&package(NAME, "1.0.0")).await;
    assert!(outcome.route.is_none() && outcome.version.is_latest);
    assert!(world.store.get(NAME).routes.is_empty());
    world.approved(&remote(NAME, "1.1.0", URL)).await;
    let outcome = world.approved(&package(NAME, "1.2.0")).await;
    assert!(outcome.version.is_latest && outcome.route.is_none());
    let route = &world.store.get(NAME).routes[0];
    assert_eq!(
        (route.version.as_str(), route.state),
        ("1.1.0", RouteState::Active)
    );
}

#[tokio::test]
async fn what_is_approved_is_what_was_submitted() {
    let world = World::new();
    world.add(&remote(NAME, "1.0.0", URL), Approve::No).await.unwrap();
    world.store.meddle(NAME, |entry| {
        entry.versions[0].document = remote(NAME, "1.0.0", "https://evil.example/mcp");
    });
    let error = world
        .registry
        .approve(&admin(), &name(), None, Internal::No)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("not the one that was submitted"),
        "{error}"
    );
}

#[tokio::test]
async fn a_rejection_has_a_reason_and_a_way_back() {
    let world = World::new();
    world.add(&package(NAME, "1.0.0"), Approve::No).await.unwrap();
    for reason in ["", "  ", &"x".repeat(501)] {
        let error = world
            .registry
            .reject(&admin(), &name(), None, reason)
            .await
            .unwrap_err();
        assert!(matches!(error, RegistryError::Invalid(_)), "{error}");
    }
    let version = world
        .registry
        .reject(&admin(), &name(), None, " no owner ")
        .await
        .unwrap();
    assert_eq!(version.approval, Approval::Rejected);
    assert_eq!(version.status_message.as_deref(), Some("no owner"));
    // Nothing waits now, and what was sent back must be named.
    let error = world
        .registry
        .approve(&admin(), &name(), None, Internal::No)
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::State { .. }), "{error}");
    let version = world.registry.submit(&admin(), &name(), None).await.unwrap();
    assert_eq!(
        (version.approval, version.status_message),
        (Approval::Submitted, None)
    );
    world
        .registry
        .approve(&admin(), &name(), None, Internal::No)
        .await
        .unwrap();
    let one = "1.0.0".parse().unwrap();
    let error = world
        .registry
        .reject(&admin(), &name(), Some(&one), "late")
        .await
        .unwrap_err();
    assert!(error.hint().contains("retired"), "{error}");
    let error = world
        .registry
        .approve(&admin(), &name(), Some(&one), Internal::No)
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::State { .. }), "{error}");
    assert_eq!(
        world.actions(),
        ["server.add", "server.reject", "server.submit", "server.approve"]
    );
}

#[tokio::test]
async fn retiring_moves_the_route_to_the_next_latest_and_then_stops_it() {
    let world = World::new();
    world
        .approved(&remote(NAME, "1.0.0", "https://one.example/mcp"))
        .await;
    world
        .approved(&remote(NAME, "2.0.0", "https://two.example/mcp"))
        .await;
    let two = "2.0.0".parse().unwrap();
    let set = async |version, lifecycle| {
        let message = Some("see the wiki".to_owned());
        world
            .registry
            .set_lifecycle(&admin(), &name(), version, lifecycle, message)
            .await
            .unwrap()
    };
    world.clock.pass(Duration::from_secs(9));
    set(Some(&two), Lifecycle::Deprecated).await;
    let entry = world.store.get(NAME);
    assert_eq!(
        entry.routes[0].version.as_str(),
        "2.0.0",
        "deprecated keeps serving"
    );
    assert!(entry.versions[0].is_latest);

    world.clock.pass(Duration::from_secs(9));
    let before = world.store.get(NAME).versions[1].updated_at;
    set(Some(&two), Lifecycle::Retired).await;
    let entry = world.store.get(NAME);
    assert_eq!(entry.routes[0].version.as_str(), "1.0.0");
    assert_eq!(entry.routes[0].upstream_url, "https://one.example/mcp");
    let [second, first] = &entry.versions[..] else {
        panic!()
    };
    assert!(first.is_latest && !second.is_latest);
    assert!(first.updated_at > before, "both rows of a flip are touched");
    assert_eq!(first.updated_at, second.updated_at);

    set(None, Lifecycle::Retired).await;
    let entry = world.store.get(NAME);
    assert_eq!(entry.routes[0].state, RouteState::Inactive);
    assert!(
        entry.versions[0].is_latest,
        "the highest retired one keeps the mark"
    );

    set(Some(&two), Lifecycle::Production).await;
    let entry = world.store.get(NAME);
    assert_eq!(
        (entry.routes[0].state, entry.routes[0].version.as_str()),
        (RouteState::Active, "2.0.0")
    );
    assert_eq!(entry.versions[0].status_message, None);
    let actions = world.actions();
    let routes: Vec<&str> = actions
        .iter()
        .map(String::as_str)
        .filter(|a| a.starts_with("route."))
        .collect();
    assert_eq!(
        routes,
        [
            "route.create",
            "route.move",
            "route.move",
            "route.stop",
            "route.start"
        ]
    );
}

#[tokio::test]
async fn a_route_that_was_switched_off_stays_off() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let slug = "billing".parse().unwrap();
    let off = portreeve_registry::RoutePatch {
        state: Some(RouteState::Inactive),
        ..Default::default()
    };
    world
        .registry
        .change_route(&admin(), &slug, off, None)
        .await
        .unwrap();
    world.approved(&remote(NAME, "1.1.0", URL)).await;
    let route = &world.store.get(NAME).routes[0];
    assert_eq!(
        (route.state, route.version.as_str()),
        (RouteState::Inactive, "1.1.0")
    );
}

#[tokio::test]
async fn slugs_are_never_another_servers() {
    let world = World::new();
    let slug = async |name: &str| {
        let outcome = world.approved(&remote(name, "1.0.0", URL)).await;
        outcome.route.unwrap().slug.to_string()
    };
    assert_eq!(slug("com.acme/billing").await, "billing");
    assert_eq!(slug("org.other/Billing").await, "org.other-billing");
    assert_eq!(slug("com.acme/billing--test").await, "billing-test");
    world.registry.remove(&admin(), &name()).await.unwrap();
    assert_eq!(slug("net.third/billing").await, "net.third-billing");
    assert_eq!(
        slug("com.acme/billing").await,
        "billing",
        "who returns gets its slug back"
    );
}

#[tokio::test]
async fn a_removal_takes_everything_but_the_slug() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let error = world.registry.remove(&caller("user"), &name()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Forbidden { .. }));
    world.registry.remove(&admin(), &name()).await.unwrap();
    let error = world.registry.entry(&admin(), &name()).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }));
    let events = world.events();
    let removal = events
        .iter()
        .find(|event| event.action == "server.remove")
        .unwrap();
    assert_eq!(removal.detail.as_ref().unwrap()["count"], 1);
}

#[tokio::test]
async fn who_may_not_manage_learns_nothing() {
    let world = World::new();
    world.add(&package(NAME, "1.0.0"), Approve::No).await.unwrap();
    for name in [NAME, "com.acme/unknown"] {
        let name = name.parse().unwrap();
        let user = caller("user");
        let answers = [
            world.registry.submit(&user, &name, None).await.map(drop),
            world
                .registry
                .approve(&user, &name, None, Internal::Grant)
                .await
                .map(drop),
            world.registry.reject(&user, &name, None, "x").await.map(drop),
            world
                .registry
                .set_lifecycle(&user, &name, None, Lifecycle::Retired, None)
                .await
                .map(drop),
            world.registry.remove(&user, &name).await,
            world
                .registry
                .approve_tools(&user, &name, portreeve_registry::ToolChoice::All)
                .await
                .map(drop),
            world.registry.hide_tool(&user, &name, "x").await.map(drop),
            world.registry.unhide_tool(&user, &name, "x").await.map(drop),
            world.registry.refresh_tools(&user, &name).await.map(drop),
        ];
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Err(RegistryError::Forbidden { .. })))
        );
    }
}
