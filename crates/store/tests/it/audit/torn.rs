//! What a crash leaves in the journal: a line without an end was never acknowledged.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use portreeve_core::ports::AuditLog as _;
use portreeve_store::verify_data;

use super::{append, findings, segments};
use crate::support::{Database, Signer, open_audit};

#[tokio::test]
async fn a_torn_last_line_is_cut_and_the_chain_goes_on() {
    let database = Database::sqlite();
    let store = database.open().await;
    let audit = open_audit(&database, &store).await;
    append(&audit, 3);
    drop(audit);
    let segment = segments(&database).pop().unwrap();
    let whole = fs::read(&segment).unwrap();
    let mut file = OpenOptions::new().append(true).open(&segment).unwrap();
    file.write_all(b"4 00aa {\"id\":\"").unwrap();

    let report = verify_data(database.data(), Some(&store), &Signer::new(1))
        .await
        .unwrap();
    assert_eq!((findings(&report), report.events), (vec![], 3));
    let audit = open_audit(&database, &store).await;
    assert_eq!(fs::read(&segment).unwrap(), whole);
    append(&audit, 1);
    let report = audit.writer.verify().await.unwrap();
    assert_eq!((findings(&report), report.events), (vec![], 4));
    database.close(store).await;
}

#[tokio::test]
async fn a_torn_first_line_leaves_no_segment() {
    let database = Database::sqlite();
    let store = database.open().await;
    let audit = open_audit(&database, &store).await;
    append(&audit, 1);
    drop(audit);
    let segment = segments(&database).pop().unwrap();
    fs::write(&segment, "1 00").unwrap();
    let audit = open_audit(&database, &store).await;
    assert!(segments(&database).is_empty());
    append(&audit, 1);
    let report = audit.writer.verify().await.unwrap();
    assert_eq!((findings(&report), report.events), (vec![], 1));
    database.close(store).await;
}

#[tokio::test]
async fn a_damaged_line_is_a_finding_and_kept_as_evidence() {
    let database = Database::sqlite();
    let store = database.open().await;
    let audit = open_audit(&database, &store).await;
    append(&audit, 5);
    drop(audit);
    let segment = segments(&database).pop().unwrap();
    let text = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, text.replacen("\n3 ", "\nx ", 1)).unwrap();

    let expected = ["3: the line of the journal is not a record"];
    let report = verify_data(database.data(), Some(&store), &Signer::new(1))
        .await
        .unwrap();
    assert_eq!(findings(&report), expected);

    let mut options = portreeve_store::AuditOptions::new(database.data());
    options.segment_bytes = 1;
    let audit = portreeve_store::Audit::open(
        &store,
        options,
        std::sync::Arc::new(Signer::new(1)),
        std::sync::Arc::new(portreeve_testkit::store_fixtures::SteppingClock::default()),
    )
    .await
    .unwrap();
    audit.writer.drain().await.unwrap();
    append(&audit, 1);
    audit.writer.drain().await.unwrap();
    let report = audit.writer.verify().await.unwrap();
    assert_eq!(
        (findings(&report), report.events),
        (vec!["3: record 3 is missing".to_owned()], 5)
    );
    assert!(segment.with_extension("damaged").exists());

    // The same after the next start.
    drop(audit);
    let audit = open_audit(&database, &store).await;
    let report = audit.writer.verify().await.unwrap();
    assert_eq!(findings(&report), ["3: record 3 is missing"]);
    database.close(store).await;
}

#[tokio::test]
async fn a_damaged_last_line_does_not_let_its_number_be_used_again() {
    let database = Database::sqlite();
    let store = database.open().await;
    let audit = open_audit(&database, &store).await;
    append(&audit, 3);
    drop(audit);
    let segment = segments(&database).pop().unwrap();
    let text = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, text.replacen("\n3 ", "\nx ", 1)).unwrap();
    let audit = open_audit(&database, &store).await;
    append(&audit, 1);
    let report = audit.writer.verify().await.unwrap();
    assert_eq!(
        (findings(&report), report.events),
        (vec!["3: record 3 is missing".to_owned()], 3)
    );
    database.close(store).await;
}
