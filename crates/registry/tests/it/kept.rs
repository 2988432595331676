//! What is made of a whole registry: made once, of everything, and anew once something of it changes.

use std::sync::Arc;

use portreeve_core::view::{Readers, Selection};
use portreeve_registry::{ExportFile, RegistryError, RegistryPatch, RoutePatch};
use serde_json::Value;

use crate::world::{NAME, URL, World, admin, caller, package, remote};

async fn exports(world: &World, registry: Option<&str>) -> Arc<Vec<ExportFile>> {
    let name = registry.map(|name| name.parse().unwrap());
    world.registry.exports(&admin(), name.as_ref()).await.unwrap()
}

fn file(files: &[ExportFile], format: &str) -> Value {
    let found = files.iter().find(|file| file.format.id == format).unwrap();
    serde_json::from_str(&found.text).unwrap()
}

#[tokio::test]
async fn allow_lists_are_made_once_until_an_entry_or_a_route_changes() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let first = exports(&world, None).await;
    assert!(Arc::ptr_eq(&first, &exports(&world, None).await));
    world.approved(&package("com.acme/tool", "1.0.0")).await;
    let second = exports(&world, None).await;
    let allowed = |files: &[ExportFile]| {
        file(files, "copilot")["allowedMcpServers"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((allowed(&first), allowed(&second)), (1, 2));
    let slug = world.store.get(NAME).routes[0].slug.clone();
    let off = RoutePatch {
        state: Some(portreeve_core::route::RouteState::Inactive),
        ..RoutePatch::default()
    };
    world
        .registry
        .change_route(&admin(), &slug, off, None)
        .await
        .unwrap();
    assert_eq!(allowed(&exports(&world, None).await), 1);
}

#[tokio::test]
async fn a_registry_has_allow_lists_of_what_it_selects_for_its_readers() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world.approved(&package("com.partner/tool", "1.0.0")).await;
    let patch = RegistryPatch {
        visibility: Some(Readers::Only(["key:partner".to_owned()].into())),
        selection: Some(Selection {
            namespaces: ["com.partner".parse().unwrap()].into(),
            ..Selection::default()
        }),
        ..RegistryPatch::default()
    };
    let partners = "partners".parse().unwrap();
    let made = world
        .registry
        .create_registry(&admin(), "partners".parse().unwrap(), patch)
        .await
        .unwrap();
    let files = exports(&world, Some("partners")).await;
    assert_eq!(
        file(&files, "vscode")["McpGalleryServiceUrl"],
        "https://gw.example/registries/partners"
    );
    let names = |files: &[ExportFile]| {
        let servers = file(files, "kiro")["servers"].as_array().unwrap().clone();
        let name = |one: &Value| one["server"]["name"].as_str().unwrap().to_owned();
        servers.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(&files), ["com.partner/tool"]);
    assert_eq!(names(&exports(&world, None).await), [NAME, "com.partner/tool"]);
    let reader = world
        .registry
        .exports(&caller("key:partner"), Some(&partners))
        .await;
    assert!(Arc::ptr_eq(&files, &reader.unwrap()), "all readers get the same");
    let stranger = world.registry.exports(&caller("stranger"), Some(&partners)).await;
    assert!(
        matches!(stranger, Err(RegistryError::NotFound { .. })),
        "{stranger:?}"
    );

    let everything = RegistryPatch {
        selection: Some(Selection::default()),
        ..RegistryPatch::default()
    };
    world
        .registry
        .change_registry(&admin(), &partners, everything, Some(made.revision))
        .await
        .unwrap();
    assert_eq!(names(&exports(&world, Some("partners")).await).len(), 2);
}

#[tokio::test]
async fn a_file_holds_every_version_however_many_there_are() {
    let world = World::new();
    world.approved(&package("com.crowd/one", "1.0.0")).await;
    let model = world.store.get("com.crowd/one");
    let most = 10_200;
    let mut entry = model.clone();
    entry.versions = (0..most)
        .map(|number| {
            let version = format!("1.0.{number}");
            let mut one = model.versions[0].clone();
            one.document = package("com.crowd/one", &version);
            one.version = version.parse().unwrap();
            one.is_latest = number == 0;
            one
        })
        .collect();
    world.store.put(entry);
    let files = exports(&world, None).await;
    let allowed = file(&files, "copilot")["allowedMcpServers"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(allowed, most);
    let name = "com.crowd/one".parse().unwrap();
    let listed = world
        .registry
        .serve_versions_in(&world.everybody(), &name, false)
        .await
        .unwrap();
    assert_eq!(listed.servers.len(), 1_000, "those are the newest");
}

#[tokio::test]
async fn the_catalogue_of_cards_names_what_is_served_and_nothing_else() {
    let world = World::new();
    for number in 0..120 {
        world
            .approved(&package(&format!("com.acme/package-{number}"), "1.0.0"))
            .await;
    }
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let names = async || {
        let catalog = world.registry.ai_catalog().await.unwrap();
        let entries = catalog["entries"].as_array().unwrap().clone();
        let name = |entry: &Value| entry["displayName"].as_str().unwrap().to_owned();
        entries.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["Portreeve registry", "Billing"]);
    world
        .registry
        .set_lifecycle(
            &admin(),
            &NAME.parse().unwrap(),
            None,
            portreeve_core::server::Lifecycle::Retired,
            None,
        )
        .await
        .unwrap();
    assert_eq!(names().await, ["Portreeve registry"]);
}
