//! Search narrowed to environments: to those of which somebody may know.

use portreeve_core::caller::Caller;
use portreeve_core::deployment::{Deployment, DeploymentState};
use portreeve_core::name::RegistryName;
use portreeve_core::route::RouteState;
use portreeve_core::view::{Readers, Selection};
use portreeve_registry::{
    Approve, Declared, Internal, Narrow, RegistryPatch, SearchPage, SearchQuery, Submission,
};

use crate::world::{NAME, World, admin, caller, package, remote};

const OTHER: &str = "com.acme/other";

/// Two servers in production and in test, and one that people run themselves.
async fn deployed() -> World {
    let world = World::new();
    for (name, host) in [(NAME, "billing"), (OTHER, "other")] {
        let test = Deployment {
            environment: "test".parse().unwrap(),
            major: None,
            version: None,
            url: format!("https://{host}-test.acme.example/mcp"),
            state: DeploymentState::Active,
            metadata: serde_json::Map::new(),
        };
        let submission = Submission {
            document: remote(name, "1.0.0", &format!("https://{host}.acme.example/mcp")),
            internal: Internal::No,
            approve: Approve::Now,
        };
        let declared = Declared {
            deployments: Some(vec![test]),
            ..Declared::default()
        };
        let added = world.registry.add_declared(&admin(), submission, declared).await;
        added.unwrap();
    }
    world.approved(&package("com.acme/local", "1.0.0")).await;
    world
}

async fn page(world: &World, who: &Caller, environments: &[&str]) -> SearchPage {
    let query = SearchQuery {
        narrow: Narrow {
            environments: environments.iter().map(|name| name.parse().unwrap()).collect(),
            ..Narrow::default()
        },
        facets: true,
        ..SearchQuery::default()
    };
    world.registry.search(who, query).await.unwrap()
}

async fn found(world: &World, who: &Caller, environments: &[&str]) -> Vec<String> {
    let items = page(world, who, environments).await.items.into_iter();
    items.map(|found| found.listed.version.name.to_string()).collect()
}

#[tokio::test]
async fn results_are_narrowed_to_environments_of_which_one_may_know() {
    let world = deployed().await;
    for (who, in_test) in [
        (admin(), &[NAME, OTHER][..]),
        (caller("user"), &[NAME]),
        (caller("nobody"), &[]),
        (Caller::anonymous(), &[]),
    ] {
        let label = who.label.to_string();
        assert_eq!(found(&world, &who, &["test"]).await, in_test, "{label}");
        for environments in [&["production"][..], &["test", "production"]] {
            assert_eq!(found(&world, &who, environments).await, [NAME, OTHER], "{label}");
        }
        assert_eq!(found(&world, &who, &["development"]).await, [""; 0], "{label}");
        assert_eq!(found(&world, &who, &[]).await.len(), 3, "{label}");
        let facets = page(&world, &who, &[]).await.facets.unwrap();
        let counted = facets.environments.iter();
        let counted: Vec<(&str, usize)> = counted.map(|one| (one.value.as_str(), one.count)).collect();
        let mut expected = vec![("production", 2)];
        expected.extend((!in_test.is_empty()).then_some(("test", in_test.len())));
        assert_eq!(counted, expected, "{label}");
    }
    world.store.meddle(NAME, |entry| {
        for route in &mut entry.routes {
            if route.environment.as_str() == "test" {
                route.state = RouteState::Inactive;
            }
        }
    });
    assert_eq!(found(&world, &admin(), &["test"]).await, [OTHER]);
}

#[tokio::test]
async fn what_a_registry_holds_for_its_environment_is_found_by_its_readers() {
    let world = deployed().await;
    let only = |label: &str| Some(Readers::Only([label.to_owned()].into()));
    let closed = RegistryPatch {
        visibility: only("key:reader"),
        ..RegistryPatch::default()
    };
    let main = RegistryName::main();
    let changed = world
        .registry
        .change_registry(&admin(), &main, closed, None)
        .await;
    changed.unwrap();
    let tests = RegistryPatch {
        visibility: only("key:partner"),
        selection: Some(Selection {
            environments: ["test".parse().unwrap()].into(),
            ..Selection::default()
        }),
        ..RegistryPatch::default()
    };
    let name = "tests".parse().unwrap();
    let created = world.registry.create_registry(&admin(), name, tests).await;
    created.unwrap();
    assert_eq!(found(&world, &caller("key:partner"), &[]).await, [NAME, OTHER]);
    assert_eq!(found(&world, &caller("stranger"), &[]).await, [""; 0]);
}
