//! Environments as administrators make them.

use portreeve_core::deployment::EnvironmentKind;
use portreeve_core::view::Selection;
use portreeve_registry::{EnvironmentPatch, NewEnvironment, RegistryError, RegistryPatch};

use crate::world::{World, admin, caller};

fn new(name: &str) -> NewEnvironment {
    NewEnvironment {
        name: name.parse().unwrap(),
        kind: EnvironmentKind::Staging,
        patch: EnvironmentPatch::default(),
    }
}

#[tokio::test]
async fn an_environment_is_made_described_and_removed() {
    let world = World::new();
    let made = world
        .registry
        .create_environment(&admin(), new("staging"))
        .await
        .unwrap();
    assert_eq!((made.title.as_str(), made.revision), ("staging", 1));
    let patch = EnvironmentPatch {
        title: Some("Dress rehearsal".to_owned()),
        onboarding: Some("Ask the desk".to_owned()),
        ..EnvironmentPatch::default()
    };
    let stale = world
        .registry
        .change_environment(&admin(), &made.name, patch.clone(), Some(7))
        .await
        .unwrap_err();
    assert!(matches!(stale, RegistryError::Conflict { .. }), "{stale}");
    let changed = world
        .registry
        .change_environment(&admin(), &made.name, patch, Some(1))
        .await
        .unwrap();
    assert_eq!((changed.title.as_str(), changed.revision), ("Dress rehearsal", 2));
    world
        .registry
        .remove_environment(&admin(), &made.name, Some(2))
        .await
        .unwrap();
    let gone = world.registry.environment(&made.name).await.unwrap_err();
    assert!(matches!(gone, RegistryError::NotFound { .. }), "{gone}");
}

#[tokio::test]
async fn names_that_slugs_would_misread_and_too_many_are_refused() {
    let world = World::new();
    for name in ["v1", "v12", "a--b"] {
        let error = world
            .registry
            .create_environment(&admin(), new(name))
            .await
            .unwrap_err();
        assert!(matches!(error, RegistryError::Invalid(_)), "{name}: {error}");
    }
    let stranger = world
        .registry
        .create_environment(&caller("steward"), new("staging"))
        .await
        .unwrap_err();
    assert!(matches!(stranger, RegistryError::Forbidden { .. }), "{stranger}");
    for number in 3..world.limits.environments {
        let name = format!("env-{number}");
        world
            .registry
            .create_environment(&admin(), new(&name))
            .await
            .unwrap();
    }
    let error = world
        .registry
        .create_environment(&admin(), new("more"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("20 environments already"), "{error}");
    // What a registry selects by stays, too.
    let test: portreeve_core::name::Environment = "test".parse().unwrap();
    let patch = RegistryPatch {
        selection: Some(Selection {
            environments: [test.clone()].into(),
            ..Selection::default()
        }),
        ..RegistryPatch::default()
    };
    let tests = "tests".parse().unwrap();
    world
        .registry
        .create_registry(&admin(), tests, patch)
        .await
        .unwrap();
    let error = world
        .registry
        .remove_environment(&admin(), &test, None)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("registry `tests` selects"), "{error}");
    let production = "production".parse().unwrap();
    let error = world
        .registry
        .remove_environment(&admin(), &production, None)
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::State { .. }), "{error}");
}
