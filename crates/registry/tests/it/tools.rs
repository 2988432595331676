//! Tools: review, approval, hiding, and who sees what.

use portreeve_core::protocol::Era;
use portreeve_core::route::{PinState, RouteState};
use portreeve_core::server::Lifecycle;
use portreeve_core::tool::ToolState;
use portreeve_registry::{Approve, Probe, RegistryError, RoutePatch, ToolChoice, ToolView, ToolsOutcome};

use crate::world::{NAME, URL, World, admin, caller, definition, remote};

fn name() -> portreeve_core::name::ServerName {
    NAME.parse().unwrap()
}

fn modern(views: &[ToolView]) -> Vec<(&str, ToolState)> {
    let modern = views.iter().filter(|view| view.tool.era == Era::Modern);
    modern.map(|view| (view.tool.name.as_str(), view.state)).collect()
}

#[tokio::test]
async fn the_first_list_seen_late_goes_to_review() {
    let world = World::new();
    let outcome = world.approved(&remote(NAME, "1.0.0", URL)).await;
    assert!(matches!(outcome.tools, ToolsOutcome::NotSeen { .. }));
    let error = world
        .registry
        .approve_tools(&admin(), &name(), ToolChoice::All)
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::State { .. }), "{error}");
    let error = world.registry.refresh_tools(&admin(), &name()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unseen { .. }), "{error}");

    world.upstreams.answer(URL, &[("list", "Lists"), ("pay", "Pays")]);
    world.actions();
    let views = world.registry.refresh_tools(&admin(), &name()).await.unwrap();
    assert_eq!(
        modern(&views),
        [("list", ToolState::New), ("pay", ToolState::New)]
    );
    assert!(views.iter().all(|view| !view.tool.is_callable()));
    let route = world.store.get(NAME).routes[0].clone();
    assert_eq!(route.pin_state, PinState::ToolsNotSeen);
    assert_eq!(
        world.actions(),
        ["tools.drift", "tools.drift"],
        "one for each era"
    );
    world.registry.refresh_tools(&admin(), &name()).await.unwrap();
    assert!(world.events().is_empty(), "the same list again says nothing");

    let views = world
        .registry
        .approve_tools(&admin(), &name(), ToolChoice::All)
        .await
        .unwrap();
    assert!(views.iter().all(|view| view.state == ToolState::Approved));
    assert_eq!(world.store.get(NAME).routes[0].pin_state, PinState::Pinned);
    assert_eq!(world.actions(), ["tools.approve"]);
}

#[tokio::test]
async fn a_changed_tool_shows_what_changed_and_is_approved_as_it_is() {
    let world = World::new();
    world.upstreams.answer(URL, &[("list", "Lists"), ("pay", "Pays")]);
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world.upstreams.answer(
        URL,
        &[
            ("list", "Lists"),
            ("pay", "Pays and mails everything"),
            ("new", "New"),
        ],
    );
    let views = world.registry.refresh_tools(&admin(), &name()).await.unwrap();
    let expected = [
        ("list", ToolState::Approved),
        ("new", ToolState::New),
        ("pay", ToolState::Changed),
    ];
    assert_eq!(modern(&views), expected);
    let pay = views.iter().find(|view| view.tool.name == "pay").unwrap();
    assert_eq!(pay.changes.len(), 1);
    assert!(
        pay.changes[0]
            .after
            .as_ref()
            .unwrap()
            .contains("mails everything")
    );

    let choice = ToolChoice::Named(vec!["pay".to_owned()]);
    let views = world
        .registry
        .approve_tools(&admin(), &name(), choice)
        .await
        .unwrap();
    let expected = [
        ("list", ToolState::Approved),
        ("new", ToolState::New),
        ("pay", ToolState::Approved),
    ];
    assert_eq!(modern(&views), expected);
    for (tool, is_state) in [("none", false), ("list", true)] {
        world.upstreams.answer(URL, &[]);
        world.registry.refresh_tools(&admin(), &name()).await.unwrap();
        let choice = ToolChoice::Named(vec![tool.to_owned()]);
        let error = world
            .registry
            .approve_tools(&admin(), &name(), choice)
            .await
            .unwrap_err();
        assert_eq!(matches!(error, RegistryError::State { .. }), is_state, "{error}");
    }
}

#[tokio::test]
async fn a_hidden_tool_stays_hidden_until_it_is_named() {
    let world = World::new();
    world.upstreams.answer(URL, &[("list", "Lists"), ("pay", "Pays")]);
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world.actions();
    let views = world.registry.hide_tool(&admin(), &name(), "pay").await.unwrap();
    assert_eq!(
        modern(&views),
        [("list", ToolState::Approved), ("pay", ToolState::Hidden)]
    );
    world.registry.hide_tool(&admin(), &name(), "pay").await.unwrap();
    world
        .registry
        .approve_tools(&admin(), &name(), ToolChoice::All)
        .await
        .unwrap();
    let views = world.registry.tools(&admin(), &name()).await.unwrap();
    assert_eq!(modern(&views)[1].1, ToolState::Hidden);
    assert_eq!(world.actions(), ["tools.hide"]);
    let views = world
        .registry
        .unhide_tool(&admin(), &name(), "pay")
        .await
        .unwrap();
    assert_eq!(modern(&views)[1].1, ToolState::Approved);
    world.registry.hide_tool(&admin(), &name(), "pay").await.unwrap();
    let choice = ToolChoice::Named(vec!["pay".to_owned()]);
    let views = world
        .registry
        .approve_tools(&admin(), &name(), choice)
        .await
        .unwrap();
    assert_eq!(modern(&views)[1].1, ToolState::Approved);
    let error = world
        .registry
        .hide_tool(&admin(), &name(), "none")
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }));
}

#[tokio::test]
async fn others_see_only_what_they_may_call() {
    let world = World::new();
    world.upstreams.answer(
        URL,
        &[("list", "Lists"), ("pay", "Pays"), ("secret", "Not for users")],
    );
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world.registry.hide_tool(&admin(), &name(), "pay").await.unwrap();
    let user = caller("user");
    let views = world.registry.tools(&user, &name()).await.unwrap();
    assert_eq!(modern(&views), [("list", ToolState::Approved)]);
    assert!(views.iter().all(|view| view.tool.approved_by.is_none()));
    for (who, what) in [
        ("stranger", NAME),
        ("user", "com.acme/unknown"),
        ("stranger", "com.acme/unknown"),
    ] {
        let error = world
            .registry
            .tools(&caller(who), &what.parse().unwrap())
            .await
            .unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { .. }), "{who} {what}");
    }
}

#[tokio::test]
async fn what_is_not_listed_does_not_exist_for_others() {
    let world = World::new();
    world.upstreams.answer(URL, &[("list", "Lists")]);
    let user = caller("user");
    let ask = async || {
        world
            .registry
            .tools(&user, &name())
            .await
            .map(|views| views.len())
    };
    world.add(&remote(NAME, "1.0.0", URL), Approve::No).await.unwrap();
    assert!(matches!(ask().await, Err(RegistryError::NotFound { .. })));
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    assert_eq!(ask().await.unwrap(), 2);
    let off = RoutePatch {
        state: Some(RouteState::Inactive),
        ..RoutePatch::default()
    };
    let slug = "billing".parse().unwrap();
    world
        .registry
        .change_route(&admin(), &slug, off, None)
        .await
        .unwrap();
    assert_eq!(ask().await.unwrap(), 0);
    world
        .registry
        .set_lifecycle(&admin(), &name(), None, Lifecycle::Retired, None)
        .await
        .unwrap();
    assert!(matches!(ask().await, Err(RegistryError::NotFound { .. })));
}

#[tokio::test]
async fn what_is_no_tool_is_left_out() {
    let world = World::new();
    let texts = vec![
        definition("ok", "fine"),
        definition("ok", "twice"),
        "{\"name\":7}".to_owned(),
        "[]".to_owned(),
    ];
    world.upstreams.answer_with(
        URL,
        Ok(Probe {
            uncertain: Vec::new(),
            eras: vec![Era::Modern],
            tools: vec![(Era::Modern, texts)],
            server_info: None,
        }),
    );
    let outcome = world.approved(&remote(NAME, "1.0.0", URL)).await;
    assert_eq!(outcome.tools, ToolsOutcome::Pinned(1));
    let views = world.registry.tools(&admin(), &name()).await.unwrap();
    assert!(views[0].tool.live.as_ref().unwrap().definition.contains("fine"));
}
