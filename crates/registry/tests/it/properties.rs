//! Custom properties: required ones keep what lacks them from being submitted and approved; a change lists who fails.

use std::collections::BTreeMap;

use portreeve_core::name::{PropertyName, ServerName};
use portreeve_core::property::{Need, PropertyKind, PropertyOwner};
use portreeve_core::route::RouteState;
use portreeve_core::server::Approval;
use portreeve_registry::{
    Approve, AssessmentPolicy, Declared, EnvironmentPatch, FindingSeverity, Internal, NewDeployments,
    NewProperty, ProfilePatch, PropertyPatch, RegistryError, Submission,
};
use serde_json::{Value, json};

use crate::publishing::{acme, latest, publish, publisher};
use crate::world::{NAME, URL, World, admin, caller, package, remote};

fn name() -> ServerName {
    NAME.parse().unwrap()
}

fn class() -> PropertyName {
    "dataClass".parse().unwrap()
}

fn property(schema: Value, owner: PropertyOwner, need: Need) -> NewProperty {
    NewProperty {
        name: class(),
        schema,
        assignments: BTreeMap::from([(owner, need)]),
        title: None,
        description: None,
    }
}

async fn require_class(world: &World) {
    let new = property(
        json!({"enum": ["public", "internal"]}),
        PropertyOwner::Server,
        Need::Required,
    );
    world.registry.create_property(&admin(), new).await.unwrap();
}

fn with(value: Value) -> ProfilePatch {
    ProfilePatch {
        metadata: Some(serde_json::Map::from_iter([("dataClass".to_owned(), value)])),
        ..ProfilePatch::default()
    }
}

fn paths(error: &RegistryError) -> Vec<String> {
    match error {
        RegistryError::Invalid(problems) => problems.iter().map(|problem| problem.path.clone()).collect(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn b3_a_missing_required_property_keeps_a_server_out() {
    let world = World::new();
    require_class(&world).await;
    let refused = world
        .add(&remote(NAME, "1.0.0", URL), Approve::No)
        .await
        .unwrap_err();
    assert_eq!(paths(&refused), ["metadata.dataClass"]);
    assert!(
        refused.to_string().contains("`dataClass` is required"),
        "{refused}"
    );
    let submission = || Submission {
        document: remote(NAME, "1.0.0", URL),
        internal: Internal::No,
        approve: Approve::No,
    };
    let declared = |value| Declared {
        profile: with(value),
        ..Declared::default()
    };
    let wrong = world
        .registry
        .add_declared(&admin(), submission(), declared(json!("secret")))
        .await
        .unwrap_err();
    assert_eq!(paths(&wrong), ["metadata.dataClass"]);
    world
        .registry
        .add_declared(&admin(), submission(), declared(json!("internal")))
        .await
        .unwrap();
    world
        .registry
        .approve(&admin(), &name(), None, Internal::No)
        .await
        .unwrap();
}

#[tokio::test]
async fn b3_a_change_lists_who_fails_and_breaks_nothing_that_is_served() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world.approved(&package("com.acme/other", "1.0.0")).await;
    require_class(&world).await;
    let defined = world.registry.property(&admin(), &class()).await.unwrap();
    let subjects: Vec<_> = defined
        .failing
        .iter()
        .map(|failing| failing.subject.as_str())
        .collect();
    assert_eq!(subjects, ["server `com.acme/billing`", "server `com.acme/other`"]);
    assert_eq!(defined.count, 2);
    assert_eq!(
        world
            .registry
            .property(&caller("user"), &class())
            .await
            .unwrap()
            .count,
        0
    );
    assert_eq!(world.store.get(NAME).routes[0].state, RouteState::Active);

    // What waited before, waits on: approval is blocked until it is mended, and so is handing in.
    let refused = world
        .add(&remote(NAME, "1.1.0", URL), Approve::Now)
        .await
        .unwrap_err();
    assert_eq!(paths(&refused), ["metadata.dataClass"]);
    world
        .registry
        .describe(&admin(), &name(), with(json!("public")), None)
        .await
        .unwrap();
    world.approved(&remote(NAME, "1.1.0", URL)).await;

    let patch = PropertyPatch {
        schema: Some(json!({"enum": ["internal"]})),
        ..PropertyPatch::default()
    };
    let changed = world
        .registry
        .change_property(&admin(), &class(), patch, Some(1))
        .await
        .unwrap();
    assert_eq!(changed.count, 2);
    assert!(
        changed.failing[0].problem.contains("public"),
        "{:?}",
        changed.failing
    );
    assert_eq!(changed.record.revision, 2);
}

#[tokio::test]
async fn a_version_that_waited_before_is_not_approved_without() {
    let world = World::new();
    world.add(&package(NAME, "1.0.0"), Approve::No).await.unwrap();
    require_class(&world).await;
    let name = name();
    let refused = world
        .registry
        .approve(&admin(), &name, None, Internal::No)
        .await
        .unwrap_err();
    assert_eq!(paths(&refused), ["metadata.dataClass"]);
    world
        .registry
        .describe(&admin(), &name, with(json!("public")), None)
        .await
        .unwrap();
    world
        .registry
        .approve(&admin(), &name, None, Internal::No)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_type_of_a_property_in_use_stays() {
    let world = World::new();
    world.approved(&package(NAME, "1.0.0")).await;
    let new = property(json!({"type": "string"}), PropertyOwner::Server, Need::Optional);
    world.registry.create_property(&admin(), new).await.unwrap();
    let to_number = || PropertyPatch {
        schema: Some(json!({"type": "number"})),
        ..PropertyPatch::default()
    };
    let to_choices = PropertyPatch {
        schema: Some(json!({"enum": ["public"]})),
        ..PropertyPatch::default()
    };
    world
        .registry
        .describe(&admin(), &name(), with(json!("public")), None)
        .await
        .unwrap();
    for patch in [to_number(), to_choices] {
        let refused = world
            .registry
            .change_property(&admin(), &class(), patch, None)
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("1 values"), "{refused}");
    }
    let refused = world
        .registry
        .remove_property(&admin(), &class(), None)
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::State { .. }), "{refused}");
    world
        .registry
        .describe(&admin(), &name(), with(Value::Null), None)
        .await
        .unwrap();
    let changed = world
        .registry
        .change_property(&admin(), &class(), to_number(), None)
        .await
        .unwrap();
    assert_eq!(changed.record.kind, PropertyKind::Number);
    world
        .registry
        .remove_property(&admin(), &class(), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn deployments_and_environments_have_properties_of_their_own() {
    let world = World::new();
    world.approved(&package(NAME, "1.0.0")).await;
    let mut new = property(
        json!({"type": "string", "maxLength": 8}),
        PropertyOwner::Deployment,
        Need::Required,
    );
    new.assignments.insert(PropertyOwner::Environment, Need::Optional);
    world.registry.create_property(&admin(), new).await.unwrap();
    let mut deployment = portreeve_core::deployment::Deployment {
        environment: "test".parse().unwrap(),
        major: None,
        version: None,
        url: URL.to_owned(),
        state: portreeve_core::deployment::DeploymentState::Active,
        metadata: serde_json::Map::new(),
    };
    let all = |deployment: &portreeve_core::deployment::Deployment| NewDeployments {
        deployments: vec![deployment.clone()],
        internal: Internal::No,
        expected: None,
    };
    let refused = world
        .registry
        .deploy(&admin(), &name(), all(&deployment))
        .await
        .unwrap_err();
    assert_eq!(paths(&refused), ["deployments[0].metadata.dataClass"]);
    deployment
        .metadata
        .insert("dataClass".to_owned(), json!("far too long"));
    deployment.metadata.insert("other".to_owned(), json!(1));
    let refused = world
        .registry
        .deploy(&admin(), &name(), all(&deployment))
        .await
        .unwrap_err();
    assert_eq!(
        paths(&refused),
        [
            "deployments[0].metadata.dataClass",
            "deployments[0].metadata.other"
        ]
    );
    deployment.metadata = serde_json::Map::from_iter([("dataClass".to_owned(), json!("short"))]);
    world
        .registry
        .deploy(&admin(), &name(), all(&deployment))
        .await
        .unwrap();

    let test = "test".parse().unwrap();
    let patch = |value| EnvironmentPatch {
        metadata: Some(serde_json::Map::from_iter([("dataClass".to_owned(), value)])),
        ..EnvironmentPatch::default()
    };
    let refused = world
        .registry
        .change_environment(&admin(), &test, patch(json!(7)), None)
        .await
        .unwrap_err();
    assert_eq!(paths(&refused), ["metadata.dataClass"]);
    world
        .registry
        .change_environment(&admin(), &test, patch(json!("eu")), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_schema_without_a_type_or_with_a_trap_is_refused() {
    let world = World::new();
    for schema in [
        json!({}),
        json!(true),
        json!({"type": ["string", "null"]}),
        json!({"type": "null"}),
        json!({"enum": []}),
        json!({"enum": ["a", 1]}),
        json!({"type": "string", "pattern": "("}),
        json!({"type": "object", "properties": {"a": {"$ref": "https://example.org/a.json"}}}),
        json!({"type": "string", "description": "x".repeat(20_000)}),
    ] {
        let new = property(schema.clone(), PropertyOwner::Server, Need::Optional);
        let refused = world.registry.create_property(&admin(), new).await.unwrap_err();
        assert_eq!(paths(&refused), ["schema"], "{schema}");
    }
    let new = property(json!({"type": "string"}), PropertyOwner::Server, Need::Optional);
    let refused = world
        .registry
        .create_property(&caller("steward"), new)
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::Forbidden { .. }), "{refused}");
}

#[tokio::test]
async fn no_rule_approves_what_lacks_a_required_property() {
    let world = World::new();
    let name = "com.trusted/mail";
    let at_once = publish(&world, name, "1.0.0").await.unwrap();
    assert!(at_once.meta.official.is_latest);
    require_class(&world).await;
    let refused = publish(&world, name, "1.1.0").await.unwrap_err();
    assert_eq!(paths(&refused), ["metadata.dataClass"]);
    assert_eq!(world.store.get(name).versions.len(), 1, "nothing was taken in");
    world
        .registry
        .describe(&admin(), &name.parse().unwrap(), with(json!("public")), None)
        .await
        .unwrap();
    publish(&world, name, "1.2.0").await.unwrap();
    assert_eq!(latest(&world, name).await.as_deref(), Some("1.2.0"));
}

#[tokio::test]
async fn b3_a_published_document_brings_its_values_along() {
    let world = World::new();
    require_class(&world).await;
    let document = |version: &str, class: Value| {
        let mut document: Value = serde_json::from_str(&remote(NAME, version, URL)).unwrap();
        document["_meta"] = json!({"io.portreeve/metadata": class});
        document.to_string()
    };
    let send = async |text: String| world.registry.publish(&acme(), &text).await;
    for (wrong, path) in [
        (json!({}), "metadata.dataClass"),
        (json!({"dataClass": "secret"}), "metadata.dataClass"),
        (json!({"dataClass": "public", "colour": 1}), "metadata.colour"),
        (json!("public"), "_meta.io.portreeve/metadata"),
    ] {
        let refused = send(document("1.0.0", wrong)).await.unwrap_err();
        assert_eq!(paths(&refused), [path], "{refused}");
    }
    assert!(world.store.all().is_empty());
    let published = send(document("1.0.0", json!({"dataClass": "internal"})))
        .await
        .unwrap();
    assert!(published.server.get("remotes").is_some());
    let value = || {
        world.store.get(NAME).versions[0]
            .metadata
            .get("dataClass")
            .cloned()
    };
    assert_eq!(value(), Some(json!("internal")));

    // What is sent back and published anew keeps what was said, unless it says something else.
    let reject = async || {
        world
            .registry
            .reject(&admin(), &name(), None, "say more")
            .await
            .unwrap()
    };
    reject().await;
    send(remote(NAME, "1.0.0", URL)).await.unwrap();
    assert_eq!(value(), Some(json!("internal")));
    reject().await;
    send(document("1.0.0", json!({"dataClass": "public"})))
        .await
        .unwrap();
    assert_eq!(value(), Some(json!("public")));

    // An edit is a submission, too.
    let editor = publisher("oidc:ada", &["edit com.acme/*"]);
    let version = "1.0.0".parse().unwrap();
    let wrong = document("1.0.0", json!({"dataClass": "secret"}));
    let refused = world
        .registry
        .edit(&editor, &name(), &version, &wrong)
        .await
        .unwrap_err();
    assert_eq!(paths(&refused), ["metadata.dataClass"]);
    assert_eq!(value(), Some(json!("public")));
    let public = world
        .registry
        .approve(&admin(), &name(), None, Internal::No)
        .await
        .unwrap();
    assert!(public.version.document.contains("io.portreeve/metadata"));
    let read = world
        .registry
        .version_json(&world.everybody(), (&name(), "1.0.0"), false)
        .await
        .unwrap();
    assert!(
        !String::from_utf8(read.into_bytes().unwrap())
            .unwrap()
            .contains("io.portreeve"),
        "it is nobody's business"
    );
}

#[tokio::test]
async fn a_rule_approves_what_its_assessment_lets_pass_and_nothing_else() {
    let passed = async |block: FindingSeverity| {
        let world = World::assessing(AssessmentPolicy {
            block: Some(block),
            ..AssessmentPolicy::default()
        });
        publish(&world, "com.trusted/mail", "1.0.0").await.unwrap();
        let version = &world.store.get("com.trusted/mail").versions[0];
        let added = world
            .add(&remote("com.trusted/post", "1.0.0", URL), Approve::No)
            .await
            .unwrap();
        assert_eq!(
            added.version.approval, version.approval,
            "whichever way it came in"
        );
        version.approval
    };
    assert_eq!(passed(FindingSeverity::High).await, Approval::Approved);
    // Something is always to be said: neither server answers here.
    assert_eq!(passed(FindingSeverity::Low).await, Approval::Submitted);
}

#[tokio::test]
async fn a_draft_that_is_handed_in_passes_by_a_rule_too() {
    let world = World::new();
    let name = "com.trusted/mail";
    publish(&world, name, "1.0.0").await.unwrap();
    require_class(&world).await;
    world
        .store
        .meddle(name, |entry| entry.versions[0].approval = Approval::Submitted);
    let name = name.parse().unwrap();
    world
        .registry
        .reject(&admin(), &name, None, "say more")
        .await
        .unwrap();
    world
        .registry
        .describe(&admin(), &name, with(json!("public")), None)
        .await
        .unwrap();
    let submitted = world.registry.submit(&admin(), &name, None).await.unwrap();
    assert_eq!(submitted.approval, Approval::Approved);
    assert_eq!(submitted.decided_by.as_deref(), Some("system"));
}
