//! What becomes of what was published: edits, statuses, and which version is the latest then.

use portreeve_core::server::{Approval, Lifecycle};
use portreeve_registry::{OfficialStatus, RegistryError};

use crate::publishing::{acme, document, is_state, latest, publish, publisher, set, status, trusted};
use crate::world::{NAME, World, admin};

#[tokio::test]
async fn a4_restoring_the_highest_version_makes_it_latest_again() {
    let world = World::new();
    let name = "com.trusted/mail";
    publish(&world, name, "1.0.0").await.unwrap();
    publish(&world, name, "0.0.59").await.unwrap();
    assert_eq!(latest(&world, name).await.as_deref(), Some("1.0.0"));
    set(&world, name, "1.0.0", status(OfficialStatus::Deleted, None))
        .await
        .unwrap();
    assert_eq!(latest(&world, name).await.as_deref(), Some("0.0.59"));
    publish(&world, name, "0.0.60").await.unwrap();
    assert_eq!(latest(&world, name).await.as_deref(), Some("0.0.60"));
    let restored = set(&world, name, "1.0.0", status(OfficialStatus::Active, None))
        .await
        .unwrap();
    assert!(restored.meta.official.is_latest);
    assert_eq!(latest(&world, name).await.as_deref(), Some("1.0.0"));
}

#[tokio::test]
async fn when_all_are_deleted_the_highest_keeps_the_mark_for_who_asks() {
    let world = World::new();
    let name = "com.trusted/mail";
    for version in ["1.0.0", "2.0.0"] {
        publish(&world, name, version).await.unwrap();
    }
    let all = world
        .registry
        .set_status_of_all(
            &trusted(),
            &name.parse().unwrap(),
            &status(OfficialStatus::Deleted, Some("gone")),
        )
        .await
        .unwrap();
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|served| served.meta.official.status == "deleted"));
    assert_eq!(latest(&world, name).await, None);
    let found = world
        .registry
        .serve_version_in(&world.everybody(), (&name.parse().unwrap(), "latest"), true)
        .await
        .unwrap();
    assert_eq!(found.server.text("version").as_deref(), Some("2.0.0"));
}

#[tokio::test]
async fn an_edit_voids_an_approval() {
    let world = World::new();
    let (name, version) = (NAME.parse().unwrap(), "1.0.0".parse().unwrap());
    let editor = publisher("oidc:ada", &["edit com.acme/*"]);
    publish(&world, NAME, "1.0.0").await.unwrap();
    world
        .registry
        .approve(&admin(), &name, None, portreeve_registry::Internal::No)
        .await
        .unwrap();
    let before = world.store.get(NAME);
    world.actions();
    let changed = document(NAME, "1.0.0").replace("Invoices and refunds", "Invoices");

    let refused = world
        .registry
        .edit(&acme(), &name, &version, &changed)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, RegistryError::Namespace { action: "edit", .. }),
        "{refused}"
    );
    let same = world
        .registry
        .edit(&editor, &name, &version, &document(NAME, "1.0.0"))
        .await
        .unwrap();
    assert_eq!(
        same.meta.review.unwrap().approval,
        "approved",
        "the same content keeps it"
    );
    assert_eq!(world.actions(), [""; 0]);

    let edited = world
        .registry
        .edit(&editor, &name, &version, &changed)
        .await
        .unwrap();
    assert_eq!(edited.meta.review.unwrap().approval, "submitted");
    let after = world.store.get(NAME);
    assert_eq!(after.versions[0].approval, Approval::Submitted);
    assert_ne!(after.versions[0].content_hash, before.versions[0].content_hash);
    assert_eq!(after.versions[0].published_at, before.versions[0].published_at);
    assert_eq!(after.versions[0].decided_by, None);
    assert!(
        world
            .registry
            .serve_version_in(&world.everybody(), (&name, "latest"), true)
            .await
            .is_err(),
        "nobody else sees it now"
    );
    let events = world.events();
    let edit = events.iter().find(|event| event.action == "server.edit").unwrap();
    let detail = edit.detail.as_ref().unwrap();
    assert_eq!(detail["approvalVoid"], true);
    assert_eq!(detail["formerHash"], *before.versions[0].content_hash);
    assert!(events.iter().any(|event| event.action == "route.stop"));
}

#[tokio::test]
async fn an_edit_keeps_name_and_version_and_a_deleted_one_is_restored_first() {
    let world = World::new();
    let name = "com.trusted/mail";
    publish(&world, name, "1.0.0").await.unwrap();
    let (parsed, version) = (name.parse().unwrap(), "1.0.0".parse().unwrap());
    let edit = |text: String| {
        let (registry, parsed, version) = (&world.registry, &parsed, &version);
        async move {
            registry
                .edit(&trusted(), parsed, version, &text)
                .await
                .unwrap_err()
        }
    };
    let renamed = edit(document("com.trusted/post", "1.0.0")).await;
    assert!(is_state(&renamed, "the name cannot be changed"), "{renamed}");
    let cased = edit(document("com.trusted/Mail", "1.0.0")).await;
    assert!(is_state(&cased, "the name cannot be changed"), "{cased}");
    let moved = edit(document(name, "1.0.1")).await;
    assert!(is_state(&moved, "the version cannot be changed"), "{moved}");
    let other = "9.9.9".parse().unwrap();
    let missing = world
        .registry
        .edit(&trusted(), &parsed, &other, &document(name, "9.9.9"))
        .await;
    assert!(matches!(missing, Err(RegistryError::NotFound { .. })));
    set(&world, name, "1.0.0", status(OfficialStatus::Deleted, None))
        .await
        .unwrap();
    let deleted = edit(document(name, "1.0.0")).await;
    assert!(matches!(deleted, RegistryError::NotFound { .. }), "{deleted}");
}

#[tokio::test]
async fn a9_a_status_that_changes_nothing_is_refused() {
    let world = World::new();
    let name = "com.trusted/mail";
    publish(&world, name, "1.0.0").await.unwrap();
    let active = set(&world, name, "1.0.0", status(OfficialStatus::Active, None))
        .await
        .unwrap_err();
    assert!(is_state(&active, "already"), "{active}");
    let beside = set(&world, name, "1.0.0", status(OfficialStatus::Active, Some("why")))
        .await
        .unwrap_err();
    assert!(is_state(&beside, "cannot stand beside"), "{beside}");
    let deprecated = status(OfficialStatus::Deprecated, Some("use 2"));
    let first = set(&world, name, "1.0.0", deprecated.clone()).await.unwrap();
    assert_eq!(first.meta.official.status, "deprecated");
    assert_eq!(first.meta.official.status_message.as_deref(), Some("use 2"));
    let again = set(&world, name, "1.0.0", deprecated).await.unwrap_err();
    assert!(is_state(&again, "already"), "{again}");
    let other = set(
        &world,
        name,
        "1.0.0",
        status(OfficialStatus::Deprecated, Some("use 3")),
    )
    .await;
    assert!(other.is_ok(), "another message is a change");
    let long = status(OfficialStatus::Deleted, Some(&"x".repeat(501)));
    assert!(matches!(
        set(&world, name, "1.0.0", long).await,
        Err(RegistryError::Invalid(_))
    ));
    let longest = status(OfficialStatus::Deleted, Some(&"ü".repeat(500)));
    assert!(set(&world, name, "1.0.0", longest).await.is_ok());
}

#[tokio::test]
async fn what_is_restored_returns_to_its_former_stage() {
    let world = World::new();
    let name = "com.trusted/mail";
    publish(&world, name, "1.0.0").await.unwrap();
    let parsed = name.parse().unwrap();
    world
        .registry
        .set_lifecycle(&admin(), &parsed, None, Lifecycle::Preview, None)
        .await
        .unwrap();
    for change in [
        OfficialStatus::Deprecated,
        OfficialStatus::Deleted,
        OfficialStatus::Active,
    ] {
        set(&world, name, "1.0.0", status(change, None)).await.unwrap();
    }
    let version = &world.store.get(name).versions[0];
    assert_eq!(
        (version.lifecycle, version.former_lifecycle),
        (Lifecycle::Preview, None)
    );
}

#[tokio::test]
async fn what_a_manager_ended_a_publisher_does_not_bring_back() {
    let world = World::new();
    let name = "com.trusted/mail";
    publish(&world, name, "1.0.0").await.unwrap();
    publish(&world, name, "2.0.0").await.unwrap();
    let parsed = name.parse().unwrap();
    let end = async |stage, version: &str| {
        let version = version.parse().unwrap();
        let why = Some("it leaks".to_owned());
        world
            .registry
            .set_lifecycle(&admin(), &parsed, Some(&version), stage, why)
            .await
            .unwrap();
    };
    end(Lifecycle::Retired, "1.0.0").await;
    let before = world.store.get(name);
    for way_back in [
        status(OfficialStatus::Active, None),
        status(OfficialStatus::Deprecated, None),
        status(OfficialStatus::Deleted, Some("never mind")),
    ] {
        let refused = set(&world, name, "1.0.0", way_back).await.unwrap_err();
        assert!(matches!(refused, RegistryError::Forbidden { .. }), "{refused}");
    }
    assert_eq!(world.store.get(name), before, "nothing changed");

    // Of all versions together, it stays as it is.
    let deprecated = status(OfficialStatus::Deprecated, Some("use another"));
    let changed = world
        .registry
        .set_status_of_all(&trusted(), &parsed, &deprecated)
        .await;
    let changed: Vec<_> = changed
        .unwrap()
        .iter()
        .map(|served| served.server.text("version").unwrap())
        .collect();
    assert_eq!(changed, ["2.0.0"]);

    // Further down is open to him, and no way back from there.
    set(&world, name, "2.0.0", status(OfficialStatus::Active, None))
        .await
        .unwrap();
    end(Lifecycle::Deprecated, "2.0.0").await;
    set(&world, name, "2.0.0", status(OfficialStatus::Deleted, None))
        .await
        .unwrap();
    let back = set(&world, name, "2.0.0", status(OfficialStatus::Active, None)).await;
    assert!(matches!(back, Err(RegistryError::Forbidden { .. })), "{back:?}");

    // A manager may, through the same door.
    let manager = portreeve_core::publishing::Publisher::known(admin());
    let active = status(OfficialStatus::Active, None);
    let restored = world.registry.set_status_of_all(&manager, &parsed, &active).await;
    assert_eq!(restored.unwrap().len(), 2);
}
