//! Who may say of a served tool that its operation is gone, and when that is taken back.

use portreeve_core::server::Lifecycle;
use portreeve_core::tool::ToolState;
use portreeve_registry::{Approve, NewRest};

use super::{document, new};
use crate::world::{World, admin, caller};

/// A world in which 1.0.0 of a harbour with ships and berths is served.
async fn served() -> World {
    let world = World::new();
    let first = new(document("1.0.0", &["ships", "berths"]), Approve::Now);
    world.registry.import_rest(&admin(), first).await.unwrap();
    world
}

async fn berths(world: &World) -> ToolState {
    let name = "com.acme/harbour".parse().unwrap();
    let tools = world.registry.tools(&admin(), &name).await.unwrap();
    let found = tools.iter().find(|view| view.tool.name == "berths");
    found.unwrap().state
}

/// Imports a description without berths, which waits then.
async fn without_berths(world: &World, who: &str, edit: impl FnOnce(&mut NewRest)) {
    let mut next = new(document("1.0.0", &["ships"]), Approve::No);
    edit(&mut next);
    world.registry.import_rest(&caller(who), next).await.unwrap();
}

#[tokio::test]
async fn a_submission_of_somebody_else_takes_no_tool_away() {
    for (who, state) in [
        ("publisher", ToolState::Approved),
        ("steward", ToolState::Missing),
        ("admin", ToolState::Missing),
    ] {
        let world = World::new();
        let ours = |mut next: NewRest| {
            next.name = crate::world::NAME.parse().unwrap();
            next
        };
        let first = ours(new(document("1.0.0", &["ships", "berths"]), Approve::Now));
        world.registry.import_rest(&admin(), first).await.unwrap();
        let next = ours(new(document("1.0.0", &["ships"]), Approve::No));
        let made = world.registry.import_rest(&caller(who), next).await.unwrap();
        // The reviewer reads of it in any case.
        assert_eq!(made.preview.vanished, ["berths"]);
        let name = crate::world::NAME.parse().unwrap();
        let tools = world.registry.tools(&admin(), &name).await.unwrap();
        let found = tools.iter().find(|view| view.tool.name == "berths").unwrap();
        assert_eq!(found.state, state, "{who}");
    }
}

#[tokio::test]
async fn an_api_beside_the_one_that_is_served_says_nothing_of_it() {
    let world = served().await;
    without_berths(&world, "admin", |next| {
        next.version = Some("2.0.0".parse().unwrap())
    })
    .await;
    assert_eq!(berths(&world).await, ToolState::Approved);
    without_berths(&world, "admin", |next| {
        next.base_url = Some("https://api.example.com/v2".to_owned());
    })
    .await;
    assert_eq!(berths(&world).await, ToolState::Approved);
}

#[tokio::test]
async fn a_mark_goes_with_the_version_that_it_came_from() {
    let name = "com.acme/harbour".parse().unwrap();
    let world = served().await;
    without_berths(&world, "admin", |_| ()).await;
    assert_eq!(berths(&world).await, ToolState::Missing);
    world
        .registry
        .reject(&admin(), &name, None, "not yet")
        .await
        .unwrap();
    assert_eq!(berths(&world).await, ToolState::Approved);

    // As long as one of two says so, it stands.
    without_berths(&world, "admin", |next| {
        next.version = Some("1.1.0".parse().unwrap())
    })
    .await;
    without_berths(&world, "admin", |next| {
        next.version = Some("1.2.0".parse().unwrap())
    })
    .await;
    assert_eq!(berths(&world).await, ToolState::Missing);
    let version = |text: &str| text.parse().unwrap();
    world
        .registry
        .reject(&admin(), &name, Some(&version("1.1.0")), "no")
        .await
        .unwrap();
    assert_eq!(berths(&world).await, ToolState::Missing);
    world
        .registry
        .set_lifecycle(&admin(), &name, Some(&version("1.2.0")), Lifecycle::Retired, None)
        .await
        .unwrap();
    assert_eq!(berths(&world).await, ToolState::Approved);
}
