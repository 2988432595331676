//! What a source says of its versions afterwards: it may make things stricter, and take back what it did itself.

use portreeve_core::audit::AuditEvent;
use portreeve_core::import::{ImportApproval, ImportCounts, ImportKind, ImportMode};
use portreeve_core::name::ServerName;
use portreeve_core::server::{Approval, Lifecycle, Version};
use portreeve_registry::import::{NewImport, Record};

use crate::world::{URL, World, admin, package, remote};

const SERVER: &str = "com.acme/a";

fn name() -> ServerName {
    SERVER.parse().unwrap()
}

/// Takes the record in as its registry sends it now.
async fn import(world: &World, approval: ImportApproval, document: &str, status: &str) -> ImportCounts {
    let new = NewImport {
        kind: ImportKind::Dump,
        origin: "official".to_owned(),
        mode: ImportMode::Apply,
        approval,
    };
    let run = world.registry.begin_import(&admin(), new).await.unwrap();
    let text = format!(
        r#"{{"server": {document}, "_meta": {{"io.modelcontextprotocol.registry/official": {{"status": "{status}"}}}}}}"#
    );
    let record = Record {
        place: "servers[0]".to_owned(),
        text,
    };
    let taken = world.registry.take_records(&admin(), run.id, vec![record]).await;
    taken.unwrap().run.counts
}

fn all() -> ImportApproval {
    ImportApproval {
        all: true,
        ..ImportApproval::default()
    }
}

fn version(world: &World) -> Version {
    world.store.get(SERVER).versions.remove(0)
}

/// Where the last turn led that the audit log tells of.
fn last_turn(world: &World) -> serde_json::Value {
    let events = world.events();
    let mut turns = events.iter().filter(|event| event.action == "server.lifecycle");
    turns.next_back().unwrap().detail.as_ref().unwrap()["to"].clone()
}

/// What happens to a version: its source says something, or somebody here does.
#[derive(Clone, Copy)]
enum Said {
    There(&'static str),
    Here(Lifecycle, Option<&'static str>),
}

#[tokio::test]
async fn b9_a_source_takes_back_what_it_did_and_nothing_else() {
    use Lifecycle::{Deprecated, Preview, Production, Retired};
    use Said::{Here, There};
    let stories: [(&[Said], Lifecycle, Option<&str>); 9] = [
        (&[There("deprecated")], Deprecated, Some("deprecated at official")),
        (
            &[There("deprecated"), There("deleted"), There("active")],
            Production,
            None,
        ),
        (
            &[There("deleted"), There("deprecated")],
            Deprecated,
            Some("deprecated at official"),
        ),
        // What was decided here stands.
        (
            &[Here(Retired, None), There("deprecated"), There("active")],
            Retired,
            None,
        ),
        (
            &[Here(Preview, None), There("deprecated"), There("active")],
            Preview,
            None,
        ),
        (
            &[Here(Deprecated, Some("use b")), There("deleted"), There("active")],
            Deprecated,
            Some("use b"),
        ),
        (
            &[
                Here(Deprecated, Some("use b")),
                There("deleted"),
                There("deprecated"),
            ],
            Deprecated,
            Some("use b"),
        ),
        (
            &[There("deleted"), Here(Production, None), There("deleted")],
            Production,
            None,
        ),
        (
            &[
                There("deprecated"),
                Here(Retired, Some("unsafe")),
                There("active"),
            ],
            Retired,
            Some("unsafe"),
        ),
    ];
    let document = package(SERVER, "1.0.0");
    for (index, (story, stage, message)) in stories.into_iter().enumerate() {
        let world = World::new();
        import(&world, all(), &document, "active").await;
        for said in story {
            match *said {
                There(status) => drop(import(&world, all(), &document, status).await),
                Here(stage, message) => {
                    let (registry, message) = (&world.registry, message.map(str::to_owned));
                    let set = registry
                        .set_lifecycle(&admin(), &name(), None, stage, message)
                        .await;
                    set.unwrap();
                }
            }
        }
        let version = version(&world);
        assert_eq!(
            (version.lifecycle, version.status_message.as_deref()),
            (stage, message),
            "story {index}"
        );
        // Every turn is an event of the server, and only turns are.
        assert_eq!(last_turn(&world), serde_json::json!(stage), "story {index}");
    }
}

#[tokio::test]
async fn b9_a_deletion_is_heeded_and_told_even_where_the_content_differs() {
    for approval in [all(), ImportApproval::default()] {
        let world = World::new();
        let document = remote(SERVER, "1.0.0", URL);
        let changed = document.replace("Invoices and refunds", "Taken over by somebody else");
        let is_approved = approval.all;
        import(&world, approval.clone(), &document, "active").await;
        world.store.take_events();
        let counts = import(&world, approval.clone(), &changed, "deleted").await;
        assert_eq!((counts.hidden, counts.flagged), (1, 1));
        let present = version(&world);
        assert_eq!(present.lifecycle, Lifecycle::Retired);
        assert_eq!(
            present.document == document,
            is_approved,
            "what was approved stays what it was"
        );
        let told: Vec<AuditEvent> = world
            .events()
            .into_iter()
            .filter(|event| event.action == "server.upstream-deleted")
            .collect();
        assert_eq!(told.len(), 1);
        assert_eq!(
            (told[0].server.as_deref(), told[0].target.as_deref()),
            (Some(SERVER), Some("1.0.0"))
        );
        assert_eq!(told[0].detail.as_ref().unwrap()["origin"], "official");
        assert_eq!(
            import(&world, approval.clone(), &changed, "deleted")
                .await
                .unchanged,
            1
        );

        // It comes back as it was approved, or with what its source has now.
        import(&world, approval, &changed, "active").await;
        let present = version(&world);
        assert_eq!(present.lifecycle, Lifecycle::Production);
        assert_eq!(present.document == document, is_approved);
    }
}

#[tokio::test]
async fn what_an_import_does_is_told_like_what_is_done_by_hand() {
    let world = World::new();
    let document = remote(SERVER, "1.0.0", URL);
    let actions = |world: &World| {
        let mut actions = world.actions();
        actions.retain(|action| !action.starts_with("import."));
        actions
    };
    import(&world, all(), &document, "active").await;
    let approval = world
        .events()
        .into_iter()
        .find(|event| event.action == "server.approve");
    assert_eq!(approval.unwrap().policies, ["import:all"]);
    assert_eq!(actions(&world), ["server.add", "server.approve", "route.create"]);
    import(&world, all(), &document, "deprecated").await;
    assert_eq!(actions(&world), ["server.lifecycle"]);
    import(&world, all(), &document, "deleted").await;
    assert_eq!(
        actions(&world),
        ["server.upstream-deleted", "server.lifecycle", "route.stop"]
    );
    import(&world, all(), &document, "active").await;
    assert_eq!(actions(&world), ["server.lifecycle", "route.start"]);
    // What is gone already when it is first seen is nobody's news.
    import(&world, all(), &document.replace("1.0.0", "0.9.0"), "deleted").await;
    assert_eq!(
        actions(&world),
        ["server.add", "server.approve", "server.lifecycle"]
    );

    let waiting = document.replace("1.0.0", "2.0.0");
    import(&world, ImportApproval::default(), &waiting, "active").await;
    let changed = waiting.replace("Invoices", "Bills");
    import(&world, ImportApproval::default(), &changed, "active").await;
    assert_eq!(actions(&world), ["server.add", "server.edit"]);
    let waiting = world.store.get(SERVER).versions;
    assert!(
        waiting
            .iter()
            .any(|one| one.approval == Approval::Submitted && one.document == changed)
    );
}
