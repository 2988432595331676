//! What people say about a server: checked, kept apart from the document, shown to who may see it.

use portreeve_core::caller::Caller;
use portreeve_core::profile::{Contact, ExternalDocument, UseCase};
use portreeve_core::server::Approval;
use portreeve_registry::{ProfilePatch, RegistryError};

use crate::world::{NAME, URL, World, admin, caller, remote};

fn name() -> portreeve_core::name::ServerName {
    NAME.parse().unwrap()
}

fn patch() -> ProfilePatch {
    ProfilePatch {
        summary: Some(" Bills and refunds ".to_owned()),
        owners: Some(vec![
            "user:ada".to_owned(),
            " user:ada".to_owned(),
            "Billing desk".to_owned(),
        ]),
        owner_groups: Some(vec!["finance".to_owned()]),
        contacts: Some(vec![Contact {
            name: "Desk".to_owned(),
            email: Some("desk@acme.example".to_owned()),
            url: None,
        }]),
        license: Some("Apache-2.0 OR (MIT AND BSD-3-Clause)".to_owned()),
        use_cases: Some(vec![UseCase {
            name: "Refunds".to_owned(),
            description: "Gives money back".to_owned(),
        }]),
        categories: Some(vec!["Finance".to_owned()]),
        tags: Some(vec!["Partner".to_owned(), "eu".to_owned(), "partner".to_owned()]),
        external_docs: Some(vec![ExternalDocument {
            title: "Handbook".to_owned(),
            url: "https://docs.acme.example/".to_owned(),
        }]),
        icons: Some(vec!["https://acme.example/icon.png".to_owned()]),
        metadata: None,
        readme: None,
    }
}

#[tokio::test]
async fn a_profile_is_kept_in_one_form_and_voids_no_approval() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world.actions();
    let revision = world.store.get(NAME).revision;
    let entry = world
        .registry
        .describe(&admin(), &name(), patch(), Some(revision))
        .await
        .unwrap();
    let profile = &entry.server.profile;
    assert_eq!(profile.summary.as_deref(), Some("Bills and refunds"));
    assert_eq!(profile.owners, ["user:ada", "Billing desk"]);
    assert_eq!(profile.tags, ["eu", "partner"]);
    assert_eq!(entry.versions[0].approval, Approval::Approved);
    let events = world.store.take_events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].action, "server.describe");
    let fields = events[0].detail.as_ref().unwrap()["fields"].to_string();
    assert!(
        fields.contains("contacts") && !fields.contains("desk@"),
        "{fields}"
    );
    // The same again is no change; what is empty ends.
    world
        .registry
        .describe(&admin(), &name(), patch(), None)
        .await
        .unwrap();
    assert!(world.store.take_events().is_empty());
    let ended = ProfilePatch {
        summary: Some(String::new()),
        owners: Some(Vec::new()),
        ..ProfilePatch::default()
    };
    let entry = world
        .registry
        .describe(&admin(), &name(), ended, None)
        .await
        .unwrap();
    assert_eq!(
        (entry.server.profile.summary, entry.server.profile.owners.len()),
        (None, 0)
    );
    assert_eq!(entry.server.profile.tags, ["eu", "partner"]);
    let stale = world
        .registry
        .describe(&admin(), &name(), patch(), Some(1))
        .await
        .unwrap_err();
    assert!(matches!(stale, RegistryError::Conflict { .. }), "{stale}");
}

#[tokio::test]
async fn a_profile_is_for_those_who_may_use_the_server() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world
        .registry
        .describe(&admin(), &name(), patch(), None)
        .await
        .unwrap();
    let user = world.registry.entry(&caller("user"), &name()).await.unwrap();
    assert_eq!(user.server.profile.owners.len(), 2);
    let stranger = world.registry.entry(&caller("nobody"), &name()).await.unwrap();
    assert_eq!(
        stranger.server.profile,
        portreeve_core::profile::Profile::default()
    );
    let served = world
        .registry
        .serve_version_in(&world.everybody(), (&name(), "latest"), false)
        .await
        .unwrap();
    let text = serde_json::to_string(&served).unwrap();
    assert!(!text.contains("ada") && !text.contains("partner"), "{text}");
}

#[tokio::test]
async fn a_publisher_describes_and_leaves_the_tags_of_what_is_approved() {
    let world = World::new();
    let publisher = Caller {
        groups: ["finance".parse().unwrap()].into(),
        ..caller("publisher")
    };
    world
        .add(&remote(NAME, "1.0.0", URL), portreeve_registry::Approve::No)
        .await
        .unwrap();
    world
        .registry
        .describe(&publisher, &name(), patch(), None)
        .await
        .unwrap();
    world
        .registry
        .approve(&admin(), &name(), None, portreeve_registry::Internal::No)
        .await
        .unwrap();
    let retag = ProfilePatch {
        tags: Some(vec!["public".to_owned()]),
        ..ProfilePatch::default()
    };
    let refused = world
        .registry
        .describe(&publisher, &name(), retag.clone(), None)
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::Forbidden { .. }), "{refused}");
    let license = ProfilePatch {
        license: Some("https://acme.example/licence".to_owned()),
        ..ProfilePatch::default()
    };
    world
        .registry
        .describe(&publisher, &name(), license, None)
        .await
        .unwrap();
    world
        .registry
        .describe(&admin(), &name(), retag, None)
        .await
        .unwrap();
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_profile_is_told() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let wrong = ProfilePatch {
        summary: Some("x".repeat(501)),
        owners: Some((0..51).map(|number| format!("user:{number}")).collect()),
        contacts: Some(vec![Contact {
            name: " ".to_owned(),
            email: Some("nobody".to_owned()),
            url: Some("javascript:alert(1)".to_owned()),
        }]),
        license: Some("do what you <want>".to_owned()),
        use_cases: Some(vec![UseCase {
            name: String::new(),
            description: "x".repeat(4_001),
        }]),
        external_docs: Some(vec![ExternalDocument {
            title: "a".to_owned(),
            url: "ftp://acme.example/".to_owned(),
        }]),
        icons: Some(vec!["http://acme.example/icon.png".to_owned()]),
        metadata: Some(serde_json::Map::from_iter([(
            "unknown".to_owned(),
            serde_json::json!(1),
        )])),
        ..ProfilePatch::default()
    };
    let error = world
        .registry
        .describe(&admin(), &name(), wrong, None)
        .await
        .unwrap_err();
    let RegistryError::Invalid(problems) = error else {
        panic!("{error}");
    };
    let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "summary",
            "owners",
            "license",
            "contacts[0].name",
            "contacts[0].email",
            "contacts[0].url",
            "useCases[0].description",
            "useCases[0].name",
            "externalDocs[0].url",
            "icons[0]",
            "metadata.unknown",
        ]
    );
}
