//! Values of custom properties of one version, over those of its server.

use portreeve_core::profile::Metadata;
use portreeve_core::property::{Need, PropertyOwner};
use portreeve_registry::{Approve, Declared, Internal, NewProperty, RegistryError, Submission};
use serde_json::{Value, json};

use crate::world::{NAME, URL, World, admin, caller, remote};

/// Every server says its data class.
async fn require_class(world: &World) {
    let new = NewProperty {
        name: "dataClass".parse().unwrap(),
        title: None,
        description: None,
        schema: json!({"enum": ["public", "internal"]}),
        assignments: [(PropertyOwner::Server, Need::Required)].into(),
    };
    world.registry.create_property(&admin(), new).await.unwrap();
}

fn values(value: Value) -> Metadata {
    Metadata::from_iter([("dataClass".to_owned(), value)])
}

fn paths(error: &RegistryError) -> Vec<String> {
    match error {
        RegistryError::Invalid(problems) => problems.iter().map(|problem| problem.path.clone()).collect(),
        other => panic!("{other}"),
    }
}

async fn hand_in(world: &World, version: &str, own: Option<Value>) -> Result<(), RegistryError> {
    let submission = Submission {
        document: remote(NAME, version, URL),
        internal: Internal::No,
        approve: Approve::No,
    };
    let declared = Declared {
        metadata: own.map(values),
        ..Declared::default()
    };
    let publisher = caller("publisher");
    let added = world.registry.add_declared(&publisher, submission, declared);
    added.await.map(drop)
}

async fn say(world: &World, version: &str, value: Value) -> Result<Metadata, RegistryError> {
    let (name, number) = (NAME.parse().unwrap(), version.parse().unwrap());
    let said = world
        .registry
        .describe_version(&caller("publisher"), (&name, &number), values(value), None)
        .await?;
    let found = said.versions.into_iter().find(|found| found.version == number);
    Ok(found.unwrap().metadata)
}

#[tokio::test]
async fn b3_a_version_is_submitted_with_its_own_values_over_those_of_its_server() {
    let world = World::new();
    require_class(&world).await;
    let refused = hand_in(&world, "1.0.0", None).await.unwrap_err();
    assert_eq!(paths(&refused), ["metadata.dataClass"]);
    let wrong = hand_in(&world, "1.0.0", Some(json!("secret"))).await.unwrap_err();
    assert_eq!(paths(&wrong), ["metadata.dataClass"]);
    hand_in(&world, "1.0.0", Some(json!("internal"))).await.unwrap();

    // The next version has none of its own, and its server has none either.
    let refused = hand_in(&world, "1.1.0", None).await.unwrap_err();
    assert_eq!(paths(&refused), ["metadata.dataClass"]);
    hand_in(&world, "1.1.0", Some(json!("public"))).await.unwrap();
    let name = NAME.parse().unwrap();
    let version = "1.1.0".parse().unwrap();
    world
        .registry
        .approve(&admin(), &name, Some(&version), Internal::No)
        .await
        .unwrap();

    // What is taken away afterwards keeps it out, and lists it.
    say(&world, "1.0.0", Value::Null).await.unwrap();
    let first = "1.0.0".parse().unwrap();
    let refused = world
        .registry
        .approve(&admin(), &name, Some(&first), Internal::No)
        .await
        .unwrap_err();
    assert_eq!(paths(&refused), ["metadata.dataClass"]);
    let failing = world
        .registry
        .failing_servers(&admin(), None, None)
        .await
        .unwrap();
    assert_eq!(failing.items, [], "the version that hosts get says it");
    say(&world, "1.1.0", Value::Null).await.unwrap();
    let failing = world
        .registry
        .failing_servers(&admin(), None, None)
        .await
        .unwrap();
    assert_eq!(failing.items[0].problems[0].path, "metadata.dataClass");
}

#[tokio::test]
async fn a_value_of_a_version_voids_nothing_and_changes_no_public_date() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    require_class(&world).await;
    let before = world.store.get(NAME).versions.remove(0);
    world.actions();
    assert_eq!(
        say(&world, "1.0.0", json!("public")).await.unwrap(),
        values(json!("public"))
    );
    assert_eq!(world.actions(), ["server.describe"]);
    let after = world.store.get(NAME).versions.remove(0);
    assert_eq!(
        (after.approval, after.updated_at),
        (before.approval, before.updated_at)
    );
    assert_eq!(say(&world, "1.0.0", json!("public")).await.unwrap().len(), 1);
    assert_eq!(world.actions(), [""; 0], "the same again is no change");
    // A change of the schema lists it by its version, and it counts as a use.
    let name = "dataClass".parse().unwrap();
    let patch = portreeve_registry::PropertyPatch {
        schema: Some(json!({"enum": ["internal"]})),
        ..Default::default()
    };
    let defined = world
        .registry
        .change_property(&admin(), &name, patch, None)
        .await
        .unwrap();
    assert_eq!(defined.count, 1);
    let failing = world
        .registry
        .failing_servers(&admin(), None, None)
        .await
        .unwrap();
    assert_eq!(
        failing.items[0].problems[0].path,
        "versions.1.0.0.metadata.dataClass"
    );
    let in_use = world
        .registry
        .remove_property(&admin(), &name, None)
        .await
        .unwrap_err();
    assert!(in_use.to_string().contains("has 1 values"), "{in_use}");
}

#[tokio::test]
async fn values_of_a_version_are_for_who_may_use_the_server() {
    let world = World::new();
    require_class(&world).await;
    hand_in(&world, "1.0.0", Some(json!("internal"))).await.unwrap();
    let name = NAME.parse().unwrap();
    world
        .registry
        .approve(&admin(), &name, None, Internal::No)
        .await
        .unwrap();
    let seen = async |who: &str| {
        let entry = world.registry.entry(&caller(who), &name).await.unwrap();
        entry.versions[0].metadata.clone()
    };
    assert_eq!(seen("user").await, values(json!("internal")));
    assert_eq!(seen("stranger").await, Metadata::new());
    let number = "1.0.0".parse().unwrap();
    let refused = world
        .registry
        .describe_version(&caller("user"), (&name, &number), values(json!("public")), None)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("may not publish"), "{refused}");
    let none = say(&world, "9.9.9", json!("public")).await.unwrap_err();
    assert!(none.to_string().contains("does not exist"), "{none}");
}
