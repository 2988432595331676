//! The audit log: from the journal into the table, exactly once, and nothing wrong with it unseen.

mod damage;
mod journal;
mod moving;
mod paging;
mod torn;

use std::fs;
use std::path::PathBuf;

use portreeve_core::audit::AuditReport;
use portreeve_core::ports::{AuditLog as _, Journal as _};
use portreeve_store::Audit;
use portreeve_testkit::store_fixtures::{at, event_at};

use crate::support::Database;

/// Appends events `call/1` to `call/n`, a second apart.
pub(crate) fn append(audit: &Audit, count: i64) {
    for number in 1..=count {
        audit
            .journal
            .append(&event_at(&format!("call/{number}"), at(number * 1_000)))
            .unwrap();
    }
}

/// The segments of the journal, in order.
pub(crate) fn segments(database: &Database) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(database.data().join("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    paths.sort();
    paths
}

/// What is wrong, as `sequence: problem`.
pub(crate) fn findings(report: &AuditReport) -> Vec<String> {
    report
        .findings
        .iter()
        .map(|finding| format!("{}: {}", finding.sequence, finding.problem))
        .collect()
}

/// The actions of all events, newest first.
pub(crate) async fn actions(audit: &Audit) -> Vec<String> {
    let query = portreeve_core::ports::AuditQuery {
        limit: 1_000,
        ..Default::default()
    };
    let (page, _) = audit.writer.page(&query).await.unwrap();
    page.items.into_iter().map(|item| item.event.action).collect()
}
