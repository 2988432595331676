//! Imports: batches whole or not at all, reports and origins as they were saved.

use std::slice::from_ref;

use portreeve_core::id::ImportId;
use portreeve_core::import::{
    Finding, ImportApproval, ImportCounts, ImportKind, ImportMode, ImportRun, ImportSchedule, ImportState,
    ImportedRecord, Provenance, RecordOutcome, StageBefore,
};
use portreeve_core::ports::{EntryChange, ImportBatch, Imported, Sought, StoreError};
use portreeve_core::server::{Approval, Lifecycle, PrivateHost};

use super::{Durable, Outcome, assert_conflict, assert_not_found};
use crate::store_fixtures::{CountingRng, SteppingClock, at, event, new_entry, parse, route, version};

/// A run that just began.
fn run(origin: &str, moment: i64) -> ImportRun {
    ImportRun {
        id: ImportId::new(&SteppingClock::default(), &CountingRng),
        kind: ImportKind::Dump,
        origin: origin.to_owned(),
        mode: ImportMode::Apply,
        approval: ImportApproval {
            all: false,
            namespaces: vec!["com.acme.*".to_owned()],
            minimum_score: Some(80),
        },
        state: ImportState::Open,
        failure: None,
        started_by: "user:admin".to_owned(),
        started_at: at(moment),
        updated_at: at(moment),
        finished_at: None,
        counts: ImportCounts::default(),
        position: None,
    }
}

fn findings() -> Vec<Finding> {
    vec![Finding {
        path: "repository".to_owned(),
        message: "it is required: `url`".to_owned(),
    }]
}

fn origin(name: &str, text: &str, run: &ImportRun) -> Provenance {
    Provenance {
        server: parse(name),
        version: parse(text),
        kind: run.kind,
        origin: run.origin.clone(),
        place: "servers[0]".to_owned(),
        import: run.id,
        imported_at: at(5),
        source_hash: "ef".repeat(32),
        source_status: "active".to_owned(),
        findings: findings(),
        raw: Some("{ }".to_owned()),
        stage_before: Some(StageBefore {
            lifecycle: Lifecycle::Preview,
            message: Some("soon".to_owned()),
        }),
        awaits_assessment: false,
    }
}

/// Saves an entry as a run of an import takes it in, with something to be said about its record.
pub async fn taken_in(store: &dyn Durable, entry: EntryChange) -> Result<ImportId, StoreError> {
    let run = run("dump.json", 1);
    let id = run.id;
    store.begin_import(&run, event("import.begin")).await?;
    store.save_import(batch(run, vec![entry])).await?;
    Ok(id)
}

fn batch(run: ImportRun, entries: Vec<EntryChange>) -> ImportBatch {
    let of = |entry: &EntryChange| {
        let version = &entry.versions[0];
        origin(version.name.as_str(), version.version.as_str(), &run)
    };
    ImportBatch {
        provenance: entries.iter().map(of).collect(),
        records: vec![ImportedRecord {
            position: 7,
            place: "servers[6]".to_owned(),
            server: Some("com.acme/a".to_owned()),
            version: None,
            outcome: RecordOutcome::Refused,
            findings: findings(),
        }],
        events: vec![event("import.batch")],
        entries,
        run,
    }
}

/// A batch is saved with all that belongs to it.
pub async fn a_batch_is_read_as_it_was_saved(store: &dyn Durable) -> Outcome {
    let mut one = run("dump.json", 1);
    store.begin_import(&one, event("import.begin")).await?;
    let mut served = new_entry("com.acme/a", vec![version("com.acme/a", "1.0.0")]);
    served.routes = vec![route("com.acme/a", "1.0.0", "a")];
    let plain = new_entry("com.acme/B", vec![version("com.acme/B", "1.0.0")]);
    one.counts.added = 2;
    one.position = Some("next".to_owned());
    let generation = store.generation().await?;
    let saved = batch(one.clone(), vec![served, plain]);
    store.save_import(saved.clone()).await?;

    assert_eq!(store.generation().await?, generation + 1);
    assert_eq!(store.import(one.id).await?, Some(one.clone()));
    assert_eq!(store.import_records(one.id, 0, 10).await?, saved.records);
    assert!(store.import_records(one.id, 7, 10).await?.is_empty());
    let names = [parse("com.acme/a"), parse("com.ACME/b"), parse("com.acme/none")];
    let mut entries = store.entries_named(&names).await?;
    entries.sort_by_key(|entry| entry.server.name.clone());
    assert_eq!(entries.len(), 2);
    for entry in &entries {
        assert_eq!(store.entry(&entry.server.name).await?.as_ref(), Some(entry));
    }
    let stored = [parse("com.acme/a")];
    assert_eq!(store.provenance(&stored).await?, saved.provenance[..1]);
    store.remove(&stored[0], 1, event("server.remove")).await?;
    assert!(store.provenance(&stored).await?.is_empty());
    Ok(())
}

/// When one entry was changed meanwhile, nothing of the batch is there.
pub async fn a_batch_is_whole_or_nothing(store: &dyn Durable) -> Outcome {
    let mut one = run("dump.json", 1);
    store.begin_import(&one, event("import.begin")).await?;
    let before = one.clone();
    store
        .save(new_entry("com.acme/b", vec![version("com.acme/b", "1.0.0")]))
        .await?;
    let generation = store.entry_generation().await?;
    one.counts.added = 2;
    let entries = ["com.acme/a", "com.acme/b"].map(|name| new_entry(name, vec![version(name, "3.0.0")]));
    assert_conflict(store.save_import(batch(one.clone(), entries.to_vec())).await);
    assert_eq!(store.import(one.id).await?, Some(before));
    assert_eq!(store.entry(&parse("com.acme/a")).await?, None);
    assert!(store.import_records(one.id, 0, 10).await?.is_empty());
    assert_eq!(store.entry_generation().await?, generation);
    assert_not_found(store.save_import(batch(run("other", 2), Vec::new())).await);
    Ok(())
}

/// Runs come newest first, page by page.
pub async fn runs_come_newest_first(store: &dyn Durable) -> Outcome {
    let runs: Vec<ImportRun> = (0..5).map(|number| run("x", number)).collect();
    for one in &runs {
        store.begin_import(one, event("import.begin")).await?;
    }
    let first = store.imports(None, 2).await?;
    assert_eq!(first, [runs[4].clone(), runs[3].clone()]);
    let rest = store.imports(Some(runs[3].id), 10).await?;
    assert_eq!(rest, [runs[2].clone(), runs[1].clone(), runs[0].clone()]);
    Ok(())
}

/// A source that is read again and again is set up, changed and ended.
pub async fn schedules_are_kept(store: &dyn Durable) -> Outcome {
    let mut schedule = ImportSchedule {
        origin: "https://registry.example/".to_owned(),
        kind: ImportKind::Registry,
        every_seconds: 3_600,
        private_hosts: vec![PrivateHost {
            host: "127.0.0.1".to_owned(),
            port: 8080,
        }],
        approval: ImportApproval::default(),
        created_by: "user:admin".to_owned(),
        created_at: at(1),
        last_import: None,
        next_at: at(2),
        login: None,
        synced_until: None,
    };
    store
        .save_schedule(&schedule, Some(event("import.schedule")))
        .await?;
    schedule.last_import = Some(run("x", 1).id);
    schedule.synced_until = Some(at(3));
    store.save_schedule(&schedule, None).await?;
    assert_eq!(store.schedules().await?, from_ref(&schedule));
    store
        .remove_schedule(&schedule.origin, event("import.unschedule"))
        .await?;
    assert!(store.schedules().await?.is_empty());
    assert_not_found(
        store
            .remove_schedule("https://x/", event("import.unschedule"))
            .await,
    );
    Ok(())
}

/// A run notes what became of it with the schedule that it was begun for, and with no other.
pub async fn a_run_notes_nothing_in_a_schedule_that_was_changed(store: &dyn Durable) -> Outcome {
    let mut schedule = ImportSchedule {
        origin: "https://registry.example/".to_owned(),
        kind: ImportKind::Registry,
        every_seconds: 3_600,
        private_hosts: Vec::new(),
        approval: ImportApproval::default(),
        created_by: "user:admin".to_owned(),
        created_at: at(1),
        last_import: None,
        next_at: at(2),
        login: None,
        synced_until: None,
    };
    let origin = schedule.origin.clone();
    let [first, second] = [run("x", 1).id, run("x", 2).id];
    assert_conflict(store.begin_scheduled(&schedule, first, at(3)).await);
    store
        .save_schedule(&schedule, Some(event("import.schedule")))
        .await?;
    store.begin_scheduled(&schedule, first, at(3)).await?;
    // Another node had read the same.
    assert_conflict(store.begin_scheduled(&schedule, second, at(3)).await);
    store.note_synced(&origin, first, at(2)).await?;
    let noted = ImportSchedule {
        last_import: Some(first),
        next_at: at(3),
        synced_until: Some(at(2)),
        ..schedule.clone()
    };
    assert_eq!(store.schedules().await?, from_ref(&noted));
    store.begin_scheduled(&noted, second, at(4)).await?;
    assert_conflict(store.note_synced(&origin, first, at(3)).await);

    // Changed while its second run is under way.
    schedule.approval.all = true;
    schedule.next_at = at(5);
    store
        .save_schedule(&schedule, Some(event("import.schedule")))
        .await?;
    assert_conflict(store.note_synced(&origin, second, at(4)).await);
    assert_eq!(store.schedules().await?, from_ref(&schedule));
    store.remove_schedule(&origin, event("import.unschedule")).await?;
    assert_conflict(store.note_synced(&origin, second, at(4)).await);
    assert!(store.schedules().await?.is_empty());
    Ok(())
}

/// Proposals that came with an import wait for an assessment only where that is asked for; what was approved of them does
/// like anything else, and so does what was handed in.
pub async fn proposals_of_imports_are_judged_when_asked(store: &dyn Durable) -> Outcome {
    let one = run("dump.json", 1);
    store.begin_import(&one, event("import.begin")).await?;
    let of = |name: &str, approval: Approval| {
        let mut version = version(name, "1.0.0");
        version.approval = approval;
        new_entry(name, vec![version])
    };
    let imported = vec![
        of("com.acme/approved", Approval::Approved),
        of("com.acme/proposed", Approval::Submitted),
    ];
    store.save_import(batch(one.clone(), imported)).await?;
    store.save(of("com.acme/handed-in", Approval::Submitted)).await?;
    let waiting = async |sought| {
        let waiting = store.unassessed(at(0), sought, None, 9).await;
        waiting.map(|all| {
            all.versions
                .into_iter()
                .map(|(name, _)| name.to_string())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        waiting(Sought::Waiting(Imported::Left)).await?,
        ["com.acme/handed-in"]
    );
    assert_eq!(
        waiting(Sought::Waiting(Imported::Judged)).await?,
        ["com.acme/handed-in", "com.acme/proposed"]
    );
    assert_eq!(waiting(Sought::Listed).await?, ["com.acme/approved"]);
    // A rule that waits for the assessment is as good as somebody who asks.
    let mut ruled = batch(one, vec![of("com.acme/ruled", Approval::Submitted)]);
    ruled.records.clear();
    ruled.provenance[0].awaits_assessment = true;
    store.save_import(ruled.clone()).await?;
    let stored = store.provenance(&[parse("com.acme/ruled")]).await?;
    assert_eq!(stored, ruled.provenance);
    assert_eq!(
        waiting(Sought::Waiting(Imported::Left)).await?,
        ["com.acme/handed-in", "com.acme/ruled"]
    );
    Ok(())
}
