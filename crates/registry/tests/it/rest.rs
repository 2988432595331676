//! A REST API through its life: imported, approved, served from what was kept, imported again.

use portreeve_core::protocol::Era;
use portreeve_core::server::Approval;
use portreeve_core::tool::ToolState;
use portreeve_registry::import::openapi::{ChangeKind, Curation};
use portreeve_registry::{Approve, Description, Internal, NewRest, PurgeJob, RegistryError, ToolsOutcome};
use serde_json::{Value, json};

use crate::world::{World, admin, caller};

mod vanished;

fn document(version: &str, operations: &[&str]) -> String {
    let paths: serde_json::Map<String, Value> = operations
        .iter()
        .map(|name| {
            (
                format!("/{name}"),
                json!({"get": {"operationId": name, "summary": format!("Reads {name}")}}),
            )
        })
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Harbour", "version": version},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": paths,
    })
    .to_string()
}

fn new(text: String, approve: Approve) -> NewRest {
    NewRest {
        name: "com.acme/harbour".parse().unwrap(),
        description: Description::Text(text),
        base_url: None,
        version: None,
        about: None,
        curation: Curation::default(),
        internal: Internal::No,
        approve,
    }
}

#[tokio::test]
async fn an_approved_api_is_pinned_from_its_description() {
    let world = World::new();
    let outcome = world
        .registry
        .import_rest(
            &admin(),
            new(document("1.0.0", &["ships", "berths"]), Approve::Now),
        )
        .await
        .unwrap();
    assert_eq!(outcome.preview.report.tools(), 2);
    assert_eq!(outcome.outcome.version.approval, Approval::Approved);
    assert_eq!(outcome.outcome.tools, ToolsOutcome::Pinned(2));
    let route = outcome.outcome.route.unwrap();
    assert_eq!(
        (route.slug.as_str(), route.upstream_url.as_str()),
        ("harbour", "https://api.example.com/v1")
    );
    assert_eq!(route.version.as_str(), "1.0.0");
    let tools = world.registry.tools(&admin(), &route.server).await.unwrap();
    let pinned: Vec<_> = tools
        .iter()
        .map(|view| (view.tool.name.as_str(), view.tool.era, view.state))
        .collect();
    let expected = ["berths", "ships"]
        .map(|name| [Era::Legacy, Era::Modern].map(|era| (name, era, ToolState::Approved)))
        .concat();
    assert_eq!(pinned, expected);
    // Where the API is stays behind the gateway.
    let entry = world.store.get("com.acme/harbour");
    assert!(entry.versions[0].document.contains("api.example.com"));
    let view = world.registry.rest(&admin(), &route.server, None).await.unwrap();
    assert_eq!(
        (
            view.version.as_str(),
            view.details.tools.len(),
            view.vanished.len()
        ),
        ("1.0.0", 2, 0)
    );
}

#[tokio::test]
async fn a_newer_description_changes_nothing_until_it_is_approved() {
    let world = World::new();
    let name = "com.acme/harbour".parse().unwrap();
    let first = new(document("1.0.0", &["ships", "berths"]), Approve::Now);
    world.registry.import_rest(&admin(), first).await.unwrap();

    let newer = new(document("1.0.0", &["ships", "tides"]), Approve::No);
    let preview = world.registry.preview_rest(&admin(), &newer).await.unwrap();
    let told: Vec<_> = preview
        .changes
        .iter()
        .map(|change| (change.kind, change.tool.as_str()))
        .collect();
    assert_eq!(
        told,
        [(ChangeKind::Removed, "berths"), (ChangeKind::Added, "tides")]
    );
    assert_eq!(
        (preview.version.as_str(), preview.vanished.as_slice()),
        ("1.0.1", ["berths".to_owned()].as_slice())
    );
    let state = |tools: &[portreeve_registry::ToolView], name: &str| {
        tools
            .iter()
            .find(|view| view.tool.name == name)
            .map(|view| view.state)
    };
    let tools = world.registry.tools(&admin(), &name).await.unwrap();
    assert_eq!(state(&tools, "berths"), Some(ToolState::Approved));

    world.registry.import_rest(&admin(), newer.clone()).await.unwrap();
    let entry = world.store.get("com.acme/harbour");
    assert_eq!(entry.routes[0].version.as_str(), "1.0.0");
    let tools = world.registry.tools(&admin(), &name).await.unwrap();
    // The one that is gone is marked before anybody approves; the new one is not there yet.
    assert_eq!(
        (state(&tools, "berths"), state(&tools, "ships")),
        (Some(ToolState::Missing), Some(ToolState::Approved))
    );
    assert_eq!(state(&tools, "tides"), None);
    assert!(
        world
            .store
            .events()
            .iter()
            .any(|event| event.action == "tools.vanished")
    );

    // Who reviews it reads the same of the version that waits.
    let waits = (None, &preview.version);
    let compared = world.registry.compare(&admin(), &name, waits).await.unwrap();
    assert_eq!(compared.tools.as_ref(), Some(&preview.changes));

    world
        .registry
        .approve(&admin(), &name, None, Internal::No)
        .await
        .unwrap();
    let entry = world.store.get("com.acme/harbour");
    assert_eq!(entry.routes[0].version.as_str(), "1.0.1");
    // Who does not manage the server sees that the document changed, and no tools.
    let served = (Some(&"1.0.0".parse().unwrap()), &preview.version);
    let compared = world
        .registry
        .compare(&caller("reader"), &name, served)
        .await
        .unwrap();
    assert!(
        !compared.changes.is_empty() && compared.tools.is_none(),
        "{compared:?}"
    );
    let tools = world.registry.tools(&admin(), &name).await.unwrap();
    assert_eq!(
        (state(&tools, "tides"), state(&tools, "ships")),
        (Some(ToolState::Approved), Some(ToolState::Approved))
    );
    assert!(state(&tools, "berths").is_none_or(|state| state == ToolState::Missing));
}

#[tokio::test]
async fn the_same_tools_again_are_no_news() {
    let world = World::new();
    let text = document("2.0.0", &["ships"]);
    world
        .registry
        .import_rest(&admin(), new(text.clone(), Approve::No))
        .await
        .unwrap();
    let again = world
        .registry
        .import_rest(&admin(), new(text.clone(), Approve::No))
        .await;
    assert!(matches!(again, Err(RegistryError::State { .. })), "{again:?}");
    let named = NewRest {
        version: Some("3.0.0".parse().unwrap()),
        ..new(text, Approve::No)
    };
    let named = world.registry.import_rest(&admin(), named).await.unwrap();
    assert_eq!(named.outcome.version.version.as_str(), "3.0.0");
}

#[tokio::test]
async fn who_may_not_publish_may_not_import_and_nothing_comes_of_nothing() {
    let world = World::new();
    let stranger = caller("stranger");
    for approve in [Approve::No, Approve::Now] {
        let refused = world
            .registry
            .import_rest(&stranger, new(document("1.0.0", &["a"]), approve))
            .await;
        assert!(
            matches!(
                refused,
                Err(RegistryError::Forbidden { .. } | RegistryError::Namespace { .. })
            ),
            "{refused:?}"
        );
    }
    let preview = world
        .registry
        .preview_rest(&stranger, &new(document("1.0.0", &["a"]), Approve::No))
        .await;
    assert!(preview.is_err());
    let empty = world
        .registry
        .import_rest(&admin(), new(document("1.0.0", &[]), Approve::No))
        .await;
    assert!(matches!(empty, Err(RegistryError::Invalid(_))), "{empty:?}");
}

#[tokio::test]
async fn a_gw_7_an_api_on_a_private_host_needs_a_grant() {
    let world = World::new();
    let text = document("1.0.0", &["a"]).replace("api.example.com", "127.0.0.1:9");
    let refused = world
        .registry
        .import_rest(&admin(), new(text.clone(), Approve::No))
        .await;
    assert!(
        matches!(refused, Err(RegistryError::Private { .. })),
        "{refused:?}"
    );
    let granted = NewRest {
        internal: Internal::Grant,
        ..new(text, Approve::No)
    };
    let outcome = world.registry.import_rest(&admin(), granted).await.unwrap();
    assert_eq!(outcome.outcome.private_hosts.len(), 1);
    let url = NewRest {
        description: Description::Url("http://169.254.169.254/openapi.json".parse().unwrap()),
        ..new(String::new(), Approve::No)
    };
    let refused = world.registry.preview_rest(&admin(), &url).await;
    assert!(matches!(refused, Err(RegistryError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn a_kept_description_is_for_those_who_manage_its_server() {
    let world = World::new();
    let moved = NewRest {
        base_url: Some("https://other.example.com/v2".to_owned()),
        ..new(document("1.0.0", &["ships", "berths"]), Approve::Now)
    };
    world.registry.import_rest(&admin(), moved).await.unwrap();
    let curation = serde_json::from_value(json!({"include": [{"name": "ships"}]})).unwrap();
    let again = NewRest {
        description: Description::Kept(None),
        curation,
        ..new(String::new(), Approve::No)
    };
    let preview = world.registry.preview_rest(&admin(), &again).await.unwrap();
    // Where somebody said that the API is, it still is.
    assert_eq!(preview.report.base_url, "https://other.example.com/v2");
    assert_eq!((preview.report.tools(), preview.report.not_chosen()), (1, 1));
    let refused = world.registry.preview_rest(&caller("stranger"), &again).await;
    assert!(refused.is_err());
    let unknown = NewRest {
        description: Description::Kept(Some("9.9.9".parse().unwrap())),
        ..again
    };
    let unknown = world.registry.preview_rest(&admin(), &unknown).await;
    assert!(
        matches!(unknown, Err(RegistryError::NotFound { .. })),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn tools_that_no_version_names_go_after_a_day() {
    let world = World::new();
    let name = "com.acme/harbour".parse().unwrap();
    let first = new(document("1.0.0", &["ships"]), Approve::Now);
    world.registry.import_rest(&admin(), first).await.unwrap();
    let job = PurgeJob::new(world.registry.clone());
    world.clock.pass(std::time::Duration::from_secs(2 * 24 * 60 * 60));
    assert_eq!(job.round().await.unwrap(), 0);
    world.registry.remove(&admin(), &name).await.unwrap();
    assert_eq!(job.round().await.unwrap(), 1);
    let events = world.store.events();
    assert_eq!(events.last().unwrap().action, "toolsets.purge");
}
