//! From the journal and the outbox into the table: exactly once, also over crashes and without a database.

use std::fs;
use std::time::Duration;

use portreeve_core::ports::{AuditLog as _, EntryStore as _, Journal as _};
use portreeve_store::{Audit, AuditOptions};
use portreeve_testkit::store_fixtures::{SteppingClock, event, new_entry};

use super::{actions, append, findings, segments};
use crate::support::{Database, Signer, open_audit};

macro_rules! on_both {
    ($($test:ident;)*) => {$(
        mod $test {
            #[tokio::test]
            async fn sqlite() {
                super::$test(super::Database::sqlite()).await;
            }

            #[tokio::test]
            async fn postgres() {
                let Some(database) = super::Database::postgres().await else { return };
                super::$test(database).await;
            }
        }
    )*};
}

on_both! {
    changes_and_decisions_stand_in_one_chain;
    a_crash_doubles_and_loses_nothing;
    a_journal_of_many_batches_is_moved;
    nodes_have_chains_of_their_own;
}

async fn changes_and_decisions_stand_in_one_chain(database: Database) {
    let store = database.open().await;
    let audit = open_audit(&database, &store).await;
    append(&audit, 3);
    assert!(audit.writer.backlog().await.unwrap() > 0);
    store.save(new_entry("com.acme/a", Vec::new())).await.unwrap();
    audit.writer.drain().await.unwrap();
    store.save(new_entry("com.acme/b", Vec::new())).await.unwrap();
    // A page shows what happened just now.
    assert_eq!(
        actions(&audit).await,
        ["call/3", "call/2", "call/1", "server.add", "server.add"]
    );
    audit.writer.drain().await.unwrap();
    assert_eq!(actions(&audit).await.len(), 5);
    assert_eq!(audit.writer.backlog().await.unwrap(), 0);
    audit.writer.checkpoint().await.unwrap();
    let report = audit.writer.verify().await.unwrap();
    assert_eq!(findings(&report), [""; 0]);
    assert_eq!((report.events, report.checkpoints), (5, 1));
    database.close(store).await;
}

async fn a_crash_doubles_and_loses_nothing(database: Database) {
    let store = database.open().await;
    let audit = open_audit(&database, &store).await;
    append(&audit, 2);
    audit.writer.drain().await.unwrap();
    store.save(new_entry("com.acme/a", Vec::new())).await.unwrap();
    // Crash between the append of an outbox event and its move: the line is there, the row too.
    database.tamper("ALTER TABLE audit RENAME TO audit_away").await;
    audit.writer.drain().await.unwrap_err();
    drop(audit);
    database.tamper("ALTER TABLE audit_away RENAME TO audit").await;
    let audit = open_audit(&database, &store).await;
    assert_eq!(actions(&audit).await, ["call/2", "call/1", "server.add"]);
    let lines = fs::read_to_string(segments(&database).pop().unwrap()).unwrap();
    assert_eq!(lines.lines().count(), 3);
    drop(audit);

    // Crash between the change and the append: only the row is there. And one before the segments were deleted: the
    // lines are there, and the records too.
    store.save(new_entry("com.acme/b", Vec::new())).await.unwrap();
    for _ in 0..2 {
        let audit = open_audit(&database, &store).await;
        audit.writer.drain().await.unwrap();
        let report = audit.writer.verify().await.unwrap();
        assert_eq!((findings(&report), report.events), (vec![], 4));
    }
    database.close(store).await;
}

async fn a_journal_of_many_batches_is_moved(database: Database) {
    let store = database.open().await;
    let mut options = AuditOptions::new(database.data());
    options.segment_bytes = 4_096;
    let open = || {
        Audit::open(
            &store,
            options.clone(),
            std::sync::Arc::new(Signer::new(1)),
            std::sync::Arc::new(SteppingClock::default()),
        )
    };
    let audit = open().await.unwrap();
    append(&audit, 2_500);
    audit.writer.drain().await.unwrap();
    append(&audit, 1);
    audit.writer.drain().await.unwrap();
    // The large segment is gone, and the head of the chain is in the one that stays.
    assert_eq!(segments(&database).len(), 1);
    assert!(
        segments(&database)
            .pop()
            .unwrap()
            .ends_with("00000000000000002501.log")
    );
    drop(audit);
    let audit = open().await.unwrap();
    append(&audit, 1);
    let report = audit.writer.verify().await.unwrap();
    assert_eq!((findings(&report), report.events), (vec![], 2_502));

    // A lost data directory does not begin the chain anew.
    drop(audit);
    fs::remove_dir_all(database.data().join("journal")).unwrap();
    let audit = open().await.unwrap();
    append(&audit, 1);
    let report = audit.writer.verify().await.unwrap();
    assert_eq!((findings(&report), report.events), (vec![], 2_503));
    database.close(store).await;
}

async fn nodes_have_chains_of_their_own(database: Database) {
    let store = database.open().await;
    let audit = open_audit(&database, &store).await;
    append(&audit, 3);
    audit.writer.checkpoint().await.unwrap();

    // Another node on the same database, with a key of its own.
    let elsewhere = tempfile::tempdir().unwrap();
    let node = portreeve_core::id::NodeId::from_u128(99);
    let other_store = database.open_as(node).await;
    let options = AuditOptions::new(elsewhere.path());
    let signer = std::sync::Arc::new(Signer::new(2));
    let other = Audit::open(
        &other_store,
        options,
        signer,
        std::sync::Arc::new(SteppingClock::default()),
    )
    .await
    .unwrap();
    other_store
        .save(new_entry("com.acme/other", Vec::new()))
        .await
        .unwrap();
    append(&other, 2);
    audit.writer.drain().await.unwrap();
    other.writer.checkpoint().await.unwrap();

    for one in [&audit, &other] {
        let report = one.writer.verify().await.unwrap();
        assert_eq!(findings(&report), [""; 0]);
        assert_eq!((report.events, report.checkpoints), (6, 2));
    }
    // The damage of one is seen by the other.
    let sql = format!("UPDATE audit SET body = replace(body, 'call/1', 'call/9') WHERE node = '{node}'");
    database.tamper(&sql).await;
    let report = audit.writer.verify().await.unwrap();
    let finding = report.findings.first().unwrap();
    assert_eq!(
        (finding.node.as_str(), finding.sequence),
        (node.to_string().as_str(), 1)
    );
    other_store.close().await;
    database.close(store).await;
}

#[tokio::test]
async fn the_journal_works_without_the_database() {
    let database = Database::sqlite();
    let store = database.open().await;
    let audit = open_audit(&database, &store).await;
    append(&audit, 1);
    audit.writer.drain().await.unwrap();
    store.close().await;
    append(&audit, 5);
    audit.writer.checkpoint().await.unwrap_err();
    assert!(audit.writer.backlog().await.unwrap() > 500);
    drop(audit);

    let store = database.open().await;
    let audit = open_audit(&database, &store).await;
    audit.writer.checkpoint().await.unwrap();
    let report = audit.writer.verify().await.unwrap();
    // One from the file, signed while the database was away.
    assert_eq!(
        (findings(&report), report.events, report.checkpoints),
        (vec![], 6, 1)
    );
    database.close(store).await;
}

#[tokio::test]
async fn the_writer_runs_until_it_is_told_to_stop() {
    let database = Database::sqlite();
    let store = database.open().await;
    let mut options = AuditOptions::new(database.data());
    options.every = Duration::from_millis(10);
    options.checkpoint_every = Duration::from_millis(50);
    let signer = std::sync::Arc::new(Signer::new(1));
    let audit = Audit::open(
        &store,
        options,
        signer,
        std::sync::Arc::new(SteppingClock::default()),
    )
    .await
    .unwrap();
    audit.journal.append(&event("before")).unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(audit.writer.clone().run(stopped));
    while audit.writer.backlog().await.unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    append(&audit, 20);
    tokio::time::sleep(Duration::from_millis(120)).await;
    audit.journal.append(&event("last")).unwrap();
    stop.send(true).unwrap();
    running.await.unwrap();
    assert_eq!(audit.writer.backlog().await.unwrap(), 0);
    let report = audit.writer.verify().await.unwrap();
    assert_eq!((findings(&report), report.events), (vec![], 22));
    // At the start and at the stop at least; how many come between is a matter of time.
    assert!(report.checkpoints >= 2, "{}", report.checkpoints);
    let signed = fs::read_to_string(database.data().join("audit-checkpoints.log")).unwrap();
    assert!(signed.lines().last().unwrap().contains(" 22 "), "{signed}");
    database.close(store).await;
}
