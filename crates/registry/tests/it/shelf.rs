//! Lists that are kept in memory: the store says the same where they are not at hand, and no reader is told that he has
//! what changed.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::route::RouteState;
use portreeve_core::server::Lifecycle;
use portreeve_registry::{ListParams, RoutePatch, SearchJob, ServedJson};
use tokio::sync::watch;

use crate::world::{NAME, URL, World, admin, package, remote};

async fn list(world: &World) -> ServedJson {
    let params = ListParams {
        limit: Some("2".to_owned()),
        ..ListParams::default()
    };
    world
        .registry
        .list_json(&world.everybody(), &params)
        .await
        .unwrap()
}

async fn versions(world: &World) -> ServedJson {
    let name = NAME.parse().unwrap();
    let view = world.everybody();
    world.registry.versions_json(&view, &name, true).await.unwrap()
}

async fn latest(world: &World) -> ServedJson {
    let name = NAME.parse().unwrap();
    let view = world.everybody();
    world
        .registry
        .version_json(&view, (&name, "latest"), true)
        .await
        .unwrap()
}

fn text(json: ServedJson) -> String {
    String::from_utf8(json.into_bytes().unwrap()).unwrap()
}

/// All three answers, and what they are told apart by.
async fn answers(world: &World) -> Vec<(String, String)> {
    let mut answers = Vec::new();
    for json in [list(world).await, versions(world).await, latest(world).await] {
        answers.push((json.tag().unwrap(), text(json)));
    }
    answers
}

async fn filled(world: World) -> World {
    world.approved(&package("com.acme/tool", "1.0.0")).await;
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world.approved(&remote(NAME, "1.1.0", URL)).await;
    world
}

#[tokio::test(start_paused = true)]
async fn while_lists_are_read_into_memory_the_store_answers_the_same() {
    let world = filled(World::new()).await;
    world.store.slow(true);
    let from_store = answers(&world).await;
    world.store.slow(false);
    assert_eq!(answers(&world).await, from_store);
    world.store.slow(true);
    world.approved(&remote(NAME, "1.2.0", URL)).await;
    assert!(text(latest(&world).await).contains("1.2.0"), "the store knows it");
    let behind = list(&world).await;
    world.store.slow(false);
    assert_eq!(text(list(&world).await), text(behind));
}

#[tokio::test]
async fn lists_that_would_take_too_much_memory_are_read_from_the_store() {
    let world = filled(World::limited(|limits| limits.shelf_bytes = 1)).await;
    let expected = answers(&filled(World::new()).await).await;
    for _ in 0..2 {
        assert_eq!(answers(&world).await, expected);
    }
}

#[tokio::test]
async fn an_answer_has_one_tag_until_it_changes() {
    let world = filled(World::new()).await;
    let first = answers(&world).await;
    assert_eq!(answers(&world).await, first);
    let slug = world.store.get(NAME).routes[0].slug.clone();
    let state = |state| RoutePatch {
        state: Some(state),
        ..RoutePatch::default()
    };
    let off = state(RouteState::Inactive);
    world
        .registry
        .change_route(&admin(), &slug, off, None)
        .await
        .unwrap();
    let without = answers(&world).await;
    for ((one_tag, one), (other_tag, other)) in first.iter().zip(&without) {
        assert!(
            one.contains("\"remotes\"") && !other.contains("\"remotes\""),
            "{other}"
        );
        assert_ne!(one_tag, other_tag);
    }
    let on = state(RouteState::Active);
    world
        .registry
        .change_route(&admin(), &slug, on, None)
        .await
        .unwrap();
    assert_eq!(answers(&world).await, first);

    world.clock.pass(Duration::from_secs(1));
    let name = NAME.parse().unwrap();
    world
        .registry
        .set_lifecycle(&admin(), &name, None, Lifecycle::Deprecated, None)
        .await
        .unwrap();
    for ((one_tag, one), (other_tag, other)) in first.iter().zip(&answers(&world).await) {
        assert!(other.contains("deprecated") && one != other);
        assert_ne!(one_tag, other_tag);
    }
    world.registry.remove(&admin(), &name).await.unwrap();
    assert!(!text(list(&world).await).contains(NAME));
    let gone = world
        .registry
        .version_json(&world.everybody(), (&name, "latest"), true)
        .await;
    assert!(gone.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_job_reads_lists_before_somebody_asks_for_them() {
    let world = filled(World::new()).await;
    let (stop, stopping) = watch::channel(false);
    let job = tokio::spawn(SearchJob::new(Arc::clone(&world.registry)).run(stopping));
    tokio::time::sleep(Duration::from_secs(2)).await;
    // From here on nothing more is read, so what is found was read before.
    world.store.slow(true);
    let known = list(&world).await.tag().unwrap();
    world.store.slow(false);
    assert_eq!(list(&world).await.tag().unwrap(), known);
    stop.send_replace(true);
    job.await.unwrap();
}
