//! What a run of an import changes, and what a second look at the same source does.

use portreeve_core::import::{
    ImportApproval, ImportCounts, ImportKind, ImportMode, ImportRun, ImportState, RecordOutcome,
};
use portreeve_core::server::{Approval, Lifecycle};
use portreeve_registry::import::{NewImport, Record, Taken};
use portreeve_registry::{Approve, RegistryError};
use serde_json::Value;

use super::corpus;
use crate::world::{URL, World, admin, caller, package, remote};

async fn begin(world: &World, origin: &str, approval: ImportApproval, mode: ImportMode) -> ImportRun {
    let new = NewImport {
        kind: ImportKind::Git,
        origin: origin.to_owned(),
        mode,
        approval,
    };
    world.registry.begin_import(&admin(), new).await.unwrap()
}

fn records(texts: &[String]) -> Vec<Record> {
    let record = |(index, text): (usize, &String)| Record {
        place: format!("{index}/server.json"),
        text: text.clone(),
    };
    texts.iter().enumerate().map(record).collect()
}

async fn take(world: &World, origin: &str, approval: ImportApproval, texts: &[String]) -> Taken {
    let run = begin(world, origin, approval, ImportMode::Apply).await;
    let taken = world
        .registry
        .take_records(&admin(), run.id, records(texts))
        .await
        .unwrap();
    let ended = world.registry.finish_import(&admin(), run.id).await.unwrap();
    assert_eq!((ended.state, ended.counts), (ImportState::Done, taken.run.counts));
    taken
}

fn all() -> ImportApproval {
    ImportApproval {
        all: true,
        ..ImportApproval::default()
    }
}

#[tokio::test]
async fn what_is_imported_waits_and_a_second_run_changes_nothing() {
    let world = World::new();
    let texts = [
        remote("com.acme/a", "1.0.0", URL),
        package("com.acme/b", "1.0.0"),
        package("com.acme/b", "1.1.0"),
    ];
    let taken = take(&world, "git", ImportApproval::default(), &texts).await;
    let expected = ImportCounts {
        records: 3,
        added: 3,
        ..ImportCounts::default()
    };
    assert_eq!((taken.run.counts, taken.records.len()), (expected, 0));
    let entry = world.store.get("com.acme/a");
    assert_eq!(entry.versions[0].approval, Approval::Submitted);
    assert!(entry.routes.is_empty());
    let actions = world.actions();
    let added = ["server.add"; 3].as_slice();
    let around = ["import.batch", "import.finish"].as_slice();
    assert_eq!(actions, [["import.begin"].as_slice(), added, around].concat());

    let again = take(&world, "git", all(), &texts).await;
    assert_eq!((again.run.counts.unchanged, again.run.counts.approved), (3, 0));
    assert_eq!(world.store.get("com.acme/a"), entry);
    assert_eq!(world.actions(), ["import.begin", "import.finish"]);
}

#[tokio::test]
async fn a_rule_approves_its_namespaces_and_opens_their_routes_once() {
    let world = World::new();
    let texts = [
        remote("com.acme.eu/notes", "1.0.0", URL),
        remote("com.acme/notes", "1.0.0", URL),
        remote("org.other/notes", "1.0.0", URL),
        remote("com.acme/bad", "1.0.0", URL).replacen('{', r#"{"websiteUrl": "javascript:1","#, 1),
    ];
    let refreshed = world.refreshed.count();
    let approval = ImportApproval {
        all: false,
        namespaces: vec!["com.acme.*".to_owned()],
        minimum_score: None,
    };
    let taken = take(&world, "git", approval, &texts).await;
    assert_eq!((taken.run.counts.added, taken.run.counts.approved), (4, 2));
    assert_eq!(
        world.refreshed.count(),
        refreshed + 1,
        "the catalogue is read once a batch"
    );
    let slug = |name: &str| {
        world
            .store
            .get(name)
            .routes
            .first()
            .map(|route| route.slug.to_string())
    };
    assert_eq!(slug("com.acme.eu/notes").as_deref(), Some("notes"));
    assert_eq!(slug("com.acme/notes").as_deref(), Some("com.acme-notes"));
    assert_eq!((slug("org.other/notes"), slug("com.acme/bad")), (None, None));
    let told: Vec<&str> = taken.records[0]
        .findings
        .iter()
        .map(|one| one.message.as_str())
        .collect();
    assert!(
        told.iter().any(|message| message.contains("somebody must look")),
        "{told:?}"
    );
}

#[tokio::test]
async fn the_first_source_wins_and_the_conflict_is_shown() {
    let world = World::new();
    world
        .add(&package("com.acme/local", "1.0.0"), Approve::No)
        .await
        .unwrap();
    let changed = |name: &str| package(name, "1.0.0").replace("Runs here", "Runs there");
    take(
        &world,
        "first",
        ImportApproval::default(),
        &[package("com.acme/a", "1.0.0")],
    )
    .await;
    let texts = [
        changed("com.acme/a"),
        package("com.acme/a", "1.0.0"),
        changed("com.acme/local"),
        package("com.ACME/a", "2.0.0"),
    ];
    let taken = take(&world, "second", all(), &texts).await;
    let outcomes: Vec<RecordOutcome> = taken.records.iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes, [RecordOutcome::Conflict; 3]);
    assert_eq!((taken.run.counts.conflicts, taken.run.counts.unchanged), (3, 1));
    assert!(taken.records[0].findings[0].message.contains("git `first`"));
    for name in ["com.acme/a", "com.acme/local"] {
        assert_eq!(world.store.get(name).versions[0].document, package(name, "1.0.0"));
    }
}

#[tokio::test]
async fn b9_an_approved_copy_is_pinned_and_a_waiting_one_follows_its_source() {
    let world = World::new();
    let name = |name: &str| package(name, "1.0.0");
    let changed = |text: &str| name(text).replace("Runs here", "Runs elsewhere");
    take(&world, "git", all(), &[name("com.acme/pinned")]).await;
    take(
        &world,
        "git",
        ImportApproval::default(),
        &[name("com.acme/waits")],
    )
    .await;
    let texts = [changed("com.acme/pinned"), changed("com.acme/waits")];
    let taken = take(&world, "git", all(), &texts).await;
    let outcomes: Vec<RecordOutcome> = taken.records.iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes, [RecordOutcome::Conflict, RecordOutcome::Updated]);
    assert_eq!(
        world.store.get("com.acme/pinned").versions[0].document,
        name("com.acme/pinned")
    );
    let waiting = world.store.get("com.acme/waits").versions.remove(0);
    assert_eq!(
        (waiting.document, waiting.approval),
        (changed("com.acme/waits"), Approval::Submitted)
    );
}

#[tokio::test]
async fn b9_what_its_source_deletes_is_hidden_and_comes_back_with_it() {
    let world = World::new();
    let record = |status: &str| {
        let text = package("com.acme/a", "1.0.0");
        format!(
            r#"{{"server": {text}, "_meta": {{"io.modelcontextprotocol.registry/official": {{"status": "{status}"}}}}}}"#
        )
    };
    let import = async |status: &str| {
        let new = NewImport {
            kind: ImportKind::Dump,
            origin: "official".to_owned(),
            mode: ImportMode::Apply,
            approval: all(),
        };
        let run = world.registry.begin_import(&admin(), new).await.unwrap();
        let taken = world
            .registry
            .take_records(&admin(), run.id, records(&[record(status)]))
            .await;
        let version = world.store.get("com.acme/a").versions.remove(0);
        (
            taken.unwrap().run.counts,
            version.lifecycle,
            version.status_message,
        )
    };
    assert_eq!(import("active").await.1, Lifecycle::Production);
    let (counts, lifecycle, message) = import("deleted").await;
    assert_eq!(
        (counts.hidden, counts.flagged, lifecycle),
        (1, 1, Lifecycle::Retired)
    );
    assert_eq!(message.as_deref(), Some("deleted at official"));
    assert_eq!(import("deleted").await.0.unchanged, 1);
    let (counts, lifecycle, message) = import("active").await;
    assert_eq!(
        (counts.updated, lifecycle, message),
        (1, Lifecycle::Production, None)
    );
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_saves_nothing() {
    let world = World::new();
    let run = begin(&world, "git", all(), ImportMode::DryRun).await;
    let texts = [remote("com.acme/a", "1.0.0", URL)];
    let taken = world
        .registry
        .take_records(&admin(), run.id, records(&texts))
        .await
        .unwrap();
    assert_eq!((taken.run.counts.added, taken.run.counts.approved), (1, 1));
    let name = "com.acme/a".parse().unwrap();
    let found = world.registry.entry(&admin(), &name).await;
    assert!(matches!(found, Err(RegistryError::NotFound { .. })));
    assert_eq!(world.actions(), ["import.begin"]);
}

#[tokio::test]
async fn imports_are_for_administrators_and_within_limits() {
    let world = World::new();
    let new = NewImport {
        kind: ImportKind::Git,
        origin: "git".to_owned(),
        mode: ImportMode::Apply,
        approval: all(),
    };
    let refused = world.registry.begin_import(&caller("steward"), new.clone()).await;
    assert!(matches!(refused, Err(RegistryError::Forbidden { .. })));
    let bad = NewImport {
        approval: ImportApproval {
            all: false,
            namespaces: vec!["com acme".to_owned()],
            minimum_score: None,
        },
        ..new
    };
    assert!(matches!(
        world.registry.begin_import(&admin(), bad).await,
        Err(RegistryError::Invalid(_))
    ));
    let secret = NewImport {
        origin: "https://user:token@git.example/x.git".to_owned(),
        approval: all(),
        kind: ImportKind::Git,
        mode: ImportMode::Apply,
    };
    let refused = world.registry.begin_import(&admin(), secret).await.unwrap_err();
    assert!(!refused.to_string().contains("token"), "{refused}");
    let run = begin(&world, "git", all(), ImportMode::Apply).await;
    let many = vec![package("com.acme/a", "1.0.0"); world.limits.import_batch_records + 1];
    let refused = world
        .registry
        .take_records(&admin(), run.id, records(&many))
        .await;
    assert!(matches!(refused, Err(RegistryError::Invalid(_))));
    world.registry.finish_import(&admin(), run.id).await.unwrap();
    let late = world.registry.take_records(&admin(), run.id, Vec::new()).await;
    assert!(matches!(late, Err(RegistryError::State { .. })));
}

#[tokio::test]
async fn a2_a3_the_dump_is_taken_whole_flagged_and_with_its_latest_versions() {
    let Some(text) = corpus("official-registry-dump-2026-01-11.json") else {
        return;
    };
    let dump: Value = serde_json::from_str(&text).unwrap();
    let servers = dump["servers"].as_array().unwrap();
    let world = World::new();
    let new = NewImport {
        kind: ImportKind::Dump,
        origin: "dump".to_owned(),
        mode: ImportMode::Apply,
        approval: all(),
    };
    for (round, expected) in [(1, (2_354, 0)), (2, (0, 2_354))] {
        let run = world.registry.begin_import(&admin(), new.clone()).await.unwrap();
        let texts: Vec<String> = servers.iter().map(Value::to_string).collect();
        let mut counts = ImportCounts::default();
        for batch in texts.chunks(500) {
            let taken = world
                .registry
                .take_records(&admin(), run.id, records(batch))
                .await
                .unwrap();
            counts = taken.run.counts;
        }
        assert_eq!((counts.added, counts.unchanged), expected, "round {round}");
        assert_eq!((counts.records, counts.flagged, counts.refused), (2_354, 275, 0));
    }
    for record in servers {
        let (name, version) = (&record["server"]["name"], &record["server"]["version"]);
        let entry = world.store.get(name.as_str().unwrap());
        let stored = entry.versions.iter().find(|one| one.version.as_str() == version);
        let official = &record["_meta"]["io.modelcontextprotocol.registry/official"];
        let said = official["isLatest"].as_bool().unwrap();
        assert_eq!(stored.map(|one| one.is_latest), Some(said), "{name} {version}");
    }
}
