//! Every kind of damage is found, and named by node and sequence: by the running server and by the offline look.

use std::fs;

use portreeve_core::audit::AuditReport;
use portreeve_core::ports::AuditLog as _;
use portreeve_store::{Audit, Store, StoreOptions, verify_data};

use super::{append, findings, segments};
use crate::support::{Database, Signer, open_audit};

/// Ten records in the table; the journal holds the last one only. A checkpoint signs the sixth and the tenth.
async fn sealed(database: &Database) -> (Store, Audit) {
    let store = database.open().await;
    let mut options = portreeve_store::AuditOptions::new(database.data());
    options.segment_bytes = 1;
    let audit = Audit::open(
        &store,
        options,
        std::sync::Arc::new(Signer::new(1)),
        std::sync::Arc::new(portreeve_testkit::store_fixtures::SteppingClock::default()),
    )
    .await
    .unwrap();
    append(&audit, 6);
    audit.writer.checkpoint().await.unwrap();
    append(&audit, 3);
    audit.writer.drain().await.unwrap();
    append(&audit, 1);
    audit.writer.checkpoint().await.unwrap();
    let report = audit.writer.verify().await.unwrap();
    assert_eq!(
        (findings(&report), report.events, report.checkpoints),
        (vec![], 10, 2)
    );
    (store, audit)
}

/// The offline look, as `portreeve audit verify --data` takes it.
async fn offline(database: &Database) -> AuditReport {
    let store = Store::open(&database.url, &StoreOptions::read_only(database.node()))
        .await
        .unwrap();
    let report = verify_data(database.data(), Some(&store), &Signer::new(1))
        .await
        .unwrap();
    store.close().await;
    report
}

/// Tampers with the database, and expects the same findings of both looks.
async fn tampered(database: Database, statements: &[&str], expected: &[&str]) {
    let (store, audit) = sealed(&database).await;
    for statement in statements {
        database.tamper(statement).await;
    }
    let report = audit.writer.verify().await.unwrap();
    assert_eq!(findings(&report), expected, "running, on {}", database.engine());
    let node = store.node().to_string();
    assert!(report.findings.iter().all(|finding| finding.node == node));
    let report = offline(&database).await;
    assert_eq!(findings(&report), expected, "offline, on {}", database.engine());
    database.close(store).await;
}

macro_rules! tampering {
    ($($name:ident: [$($statement:literal),*] => [$($finding:literal),*];)*) => {$(
        mod $name {
            const STATEMENTS: &[&str] = &[$($statement),*];
            const FINDINGS: &[&str] = &[$($finding),*];

            #[tokio::test]
            async fn sqlite() {
                super::tampered(super::Database::sqlite(), STATEMENTS, FINDINGS).await;
            }

            #[tokio::test]
            async fn postgres() {
                let Some(database) = super::Database::postgres().await else { return };
                super::tampered(database, STATEMENTS, FINDINGS).await;
            }
        }
    )*};
}

tampering! {
    a_changed_event: ["UPDATE audit SET body = replace(body, 'call/4', 'call/5') WHERE sequence = 4"]
        => ["4: the record does not match its hash: it, its hash or the hash before it was changed"];
    a_changed_hash: ["UPDATE audit SET hash = 'nonsense' WHERE sequence = 6"]
        => ["6: the record does not match its hash: it, its hash or the hash before it was changed",
            "6: a signed checkpoint names another hash for this record: the chain was computed anew"];
    a_changed_column: ["UPDATE audit SET actor = 'key:somebody-else' WHERE sequence = 4"]
        => ["4: the columns of the record say something else than its body"];
    a_deleted_record: ["DELETE FROM audit WHERE sequence = 4"] => ["4: record 4 is missing"];
    deleted_first_records: ["DELETE FROM audit WHERE sequence <= 3"] => ["1: records 1 to 3 are missing"];
    a_forged_checkpoint: ["UPDATE audit_checkpoints SET hash = (SELECT hash FROM audit WHERE sequence = 3) \
            WHERE sequence = 6"] => ["6: the signature of a checkpoint is wrong"];
}

#[tokio::test]
async fn a_record_that_nobody_wrote_is_found() {
    let database = Database::sqlite();
    let (store, audit) = sealed(&database).await;
    let forged = "INSERT INTO audit SELECT node, 12, hash, body, at, actor, action, outcome, server FROM audit \
        WHERE sequence = 1";
    database.tamper(forged).await;
    let expected = ["12: the table holds a record that the journal never wrote"];
    assert_eq!(findings(&audit.writer.verify().await.unwrap()), expected);
    assert_eq!(findings(&offline(&database).await), ["11: record 11 is missing"]);

    // When the journal comes to that place, the record that it wrote is kept beside the forged one.
    append(&audit, 3);
    audit.writer.drain().await.unwrap();
    let found = findings(&audit.writer.verify().await.unwrap());
    assert!(
        found.iter().any(|finding| finding.starts_with("12: ")),
        "{found:?}"
    );
    database.close(store).await;
}

/// The tail is cut in table and journal; what is left is the checkpoint.
async fn cut_the_tail(database: Database) {
    let (store, audit) = sealed(&database).await;
    database.tamper("DELETE FROM audit WHERE sequence > 7").await;
    let expected = "8: records 8 to 10 are missing at the end; a signed checkpoint knows of them";
    assert_eq!(findings(&audit.writer.verify().await.unwrap()), [expected]);

    drop(audit);
    for segment in segments(&database) {
        fs::remove_file(segment).unwrap();
    }
    assert_eq!(findings(&offline(&database).await), [expected]);
    // Either place of the checkpoints is enough.
    database.tamper("DELETE FROM audit_checkpoints").await;
    assert_eq!(findings(&offline(&database).await), [expected]);
    database.close(store).await;
}

#[tokio::test]
async fn a_cut_tail_on_sqlite() {
    cut_the_tail(Database::sqlite()).await;
}

#[tokio::test]
async fn a_cut_tail_on_postgres() {
    if let Some(database) = Database::postgres().await {
        cut_the_tail(database).await;
    }
}

#[tokio::test]
async fn a_tail_without_a_checkpoint_is_missed_by_the_running_journal() {
    let database = Database::sqlite();
    let store = database.open().await;
    let audit = open_audit(&database, &store).await;
    append(&audit, 5);
    audit.writer.drain().await.unwrap();
    database.tamper("DELETE FROM audit WHERE sequence = 5").await;
    let expected = ["5: record 5 is missing at the end; the running journal knows of them"];
    assert_eq!(findings(&audit.writer.verify().await.unwrap()), expected);
    database.close(store).await;
}

#[tokio::test]
async fn a_lost_checkpoint_file_is_found() {
    let database = Database::sqlite();
    let (store, audit) = sealed(&database).await;
    let path = database.data().join("audit-checkpoints.log");
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let expected = ["10: 2 checkpoints of the table are not in the checkpoint file"];
    assert_eq!(findings(&audit.writer.verify().await.unwrap()), expected);
    fs::write(&path, format!("nonsense\n{text}")).unwrap();
    let expected = ["0: line 1 of the checkpoint file cannot be read"];
    assert_eq!(findings(&audit.writer.verify().await.unwrap()), expected);
    database.close(store).await;
}

/// Who can write the table recomputes the chain from a record on, and even signs it anew with a key of their own.
#[tokio::test]
async fn a_recomputed_chain_is_found() {
    let database = Database::sqlite();
    let (store, audit) = sealed(&database).await;
    recompute(&database, 5).await;
    let recomputed = "a signed checkpoint names another hash for this record: the chain was computed anew";
    let found = findings(&audit.writer.verify().await.unwrap());
    assert!(found.contains(&format!("6: {recomputed}")), "{found:?}");
    assert!(found.contains(&format!("10: {recomputed}")), "{found:?}");
    assert!(findings(&offline(&database).await).contains(&format!("6: {recomputed}")));

    // The checkpoints of another key do not count for this node.
    drop(audit);
    let signer = Signer::new(9);
    let report = verify_data(database.data(), None, &signer).await.unwrap();
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.problem.contains("the chain's key is"))
    );
    database.close(store).await;
}

async fn recompute(database: &Database, from: i64) {
    use sqlx::{Connection as _, Row as _};
    let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    let rows = sqlx::query("SELECT sequence, hash, body FROM audit ORDER BY sequence")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let mut previous: Vec<u8> = vec![0; 32];
    for row in rows {
        let (sequence, mut body): (i64, String) = (row.get("sequence"), row.get("body"));
        if sequence == from {
            body = body.replace("call/", "kall/");
        }
        let bytes = [&previous[..], &sequence.to_be_bytes(), body.as_bytes()].concat();
        previous = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes)
            .as_ref()
            .to_vec();
        let hash: String = previous.iter().map(|byte| format!("{byte:02x}")).collect();
        let action: serde_json::Value = serde_json::from_str(&body).unwrap();
        sqlx::query("UPDATE audit SET hash = $1, body = $2, action = $3 WHERE sequence = $4")
            .bind(hash)
            .bind(&body)
            .bind(action["action"].as_str().unwrap())
            .bind(sequence)
            .execute(&mut connection)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_flipped_bit_in_the_journal_is_found() {
    let database = Database::sqlite();
    let store = database.open().await;
    let audit = open_audit(&database, &store).await;
    append(&audit, 3);
    let segment = segments(&database).pop().unwrap();
    let text = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, text.replacen("call/2", "call/3", 1)).unwrap();
    let changed = "2: the record does not match its hash: it, its hash or the hash before it was changed";
    let report = verify_data(database.data(), Some(&store), &Signer::new(1))
        .await
        .unwrap();
    assert_eq!(findings(&report), [changed]);
    let report = verify_data(database.data(), None, &Signer::new(1)).await.unwrap();
    assert_eq!((findings(&report), report.events), (vec![changed.to_owned()], 3));

    // Moved as it is: the table says the same.
    audit.writer.drain().await.unwrap();
    let report = audit.writer.verify().await.unwrap();
    assert_eq!(
        findings(&report),
        [changed, "2: the record in the journal does not match its hash"]
    );

    // The journal is whole again, and contradicts nothing but the changed record.
    fs::write(&segment, text).unwrap();
    let report = audit.writer.verify().await.unwrap();
    assert_eq!(findings(&report), [changed]);
    database.close(store).await;
}

#[tokio::test]
async fn the_offline_look_changes_nothing() {
    let database = Database::sqlite();
    let (store, audit) = sealed(&database).await;
    drop(audit);
    store.close().await;
    let look = || {
        let mut files = vec![
            database.data().join("portreeve.db"),
            database.data().join("audit-checkpoints.log"),
        ];
        files.extend(segments(&database));
        files
            .iter()
            .map(|path| fs::read(path).unwrap())
            .collect::<Vec<_>>()
    };
    let before = look();
    assert_eq!(findings(&offline(&database).await), [""; 0]);
    let report = verify_data(database.data(), None, &Signer::new(1)).await.unwrap();
    assert_eq!(
        (findings(&report), report.events, report.checkpoints),
        (vec![], 1, 2)
    );
    assert_eq!(look(), before);
}
