//! The index while it is built and while it follows: no answer is wrong, and nobody waits long.

use std::sync::Arc;
use std::time::Duration;

use portreeve_registry::{ListParams, RegistryError, SearchJob, SearchQuery};
use serde_json::json;
use tokio::sync::watch;

use crate::world::{World, caller};

fn document(name: &str) -> String {
    json!({
        "name": name, "description": "Forecasts", "version": "1.0.0",
        "packages": [{"registryType": "npm", "identifier": "x", "version": "1.0.0", "transport": {"type": "stdio"}}],
    })
    .to_string()
}

async fn search(world: &World, text: &str) -> Result<Vec<String>, RegistryError> {
    let query = SearchQuery {
        text: text.to_owned(),
        ..SearchQuery::default()
    };
    let page = world.registry.search(&caller("user"), query).await?;
    let items = page.items.iter();
    Ok(items.map(|found| found.listed.version.name.to_string()).collect())
}

async fn containing(world: &World, text: &str) -> usize {
    let params = ListParams {
        search: Some(text.to_owned()),
        ..ListParams::default()
    };
    let view = world.registry.view(None, None).unwrap();
    let page = world.registry.serve_list_in(&view, &params).await;
    page.unwrap().servers.len()
}

#[tokio::test(start_paused = true)]
async fn until_the_index_is_whole_a_search_says_so_and_the_store_finds_contained_text() {
    let world = World::new();
    world.approved(&document("com.acme/weather")).await;
    world.store.slow(true);
    let answer = search(&world, "forecast").await;
    assert!(
        matches!(answer, Err(RegistryError::Warming { known: 0 })),
        "{answer:?}"
    );
    assert_eq!(containing(&world, "eath").await, 1);
    assert!(!world.registry.search_state().is_whole);
    world.store.slow(false);
    assert_eq!(search(&world, "forecast").await.unwrap(), ["com.acme/weather"]);
    assert!(world.registry.search_state().is_whole);
}

#[tokio::test(start_paused = true)]
async fn while_much_is_read_a_search_answers_from_what_is_known() {
    let world = World::new();
    world.approved(&document("com.acme/weather")).await;
    assert_eq!(search(&world, "forecast").await.unwrap(), ["com.acme/weather"]);
    world.store.slow(true);
    world.approved(&document("com.acme/climate")).await;
    assert_eq!(search(&world, "forecast").await.unwrap(), ["com.acme/weather"]);
    assert_eq!(containing(&world, "climat").await, 1, "the store knows it");
    world.store.slow(false);
    assert_eq!(search(&world, "forecast").await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_job_reads_what_changed_before_somebody_looks_for_it() {
    let world = World::new();
    world.approved(&document("com.acme/weather")).await;
    let (stop, stopping) = watch::channel(false);
    let job = tokio::spawn(SearchJob::new(Arc::clone(&world.registry)).run(stopping));
    for (name, known) in [("com.acme/climate", 2), ("com.acme/tides", 3)] {
        world.approved(&document(name)).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let state = world.registry.search_state();
        assert_eq!((state.entries, state.is_whole), (known, true));
        assert!(state.bytes > 0 && state.segments > 0);
    }
    stop.send_replace(true);
    job.await.unwrap();
}
