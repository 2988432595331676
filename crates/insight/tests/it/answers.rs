//! Who may ask, and what the answers look like.

use std::sync::Arc;

use portreeve_core::caller::Caller;
use portreeve_core::ports::AuditQuery;
use portreeve_core::time::Timestamp;
use portreeve_core::usage::UsageQuery;
use portreeve_insight::{Insight, InsightError, InsightParts};

use crate::doubles::{Memory, SystemManages};

fn insight() -> (Insight, Arc<Memory>) {
    let store = Arc::new(Memory::default());
    let insight = Insight::new(InsightParts {
        usage: Arc::clone(&store) as _,
        audit: Arc::clone(&store) as _,
        authorizer: Arc::new(SystemManages),
        flush: None,
    });
    (insight, store)
}

fn last_hour() -> UsageQuery {
    UsageQuery {
        from: Timestamp::from_millis(0),
        to: Timestamp::from_millis(3_600_000),
        server: None,
        client: None,
    }
}

#[tokio::test]
async fn only_managers_get_answers() {
    let (insight, store) = insight();
    let visitor = Caller::anonymous();
    let usage = insight.usage(&visitor, &last_hour()).await;
    assert!(matches!(
        usage,
        Err(InsightError::Forbidden { action, .. }) if action.contains("usage")
    ));
    let page = insight.audit(&visitor, &AuditQuery::default()).await;
    assert_eq!(
        page.unwrap_err().to_string(),
        "`anonymous` may not read the audit log: ask for a grant of `audit` on all servers"
    );
    assert!(insight.verify_audit(&visitor).await.is_err());
    assert!(store.audit_queries.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_manager_gets_usage_and_the_report() {
    let (insight, _store) = insight();
    let rows = insight.usage(&Caller::system(), &last_hour()).await.unwrap();
    assert_eq!(rows.first().unwrap().calls, 3);
    assert_eq!(insight.verify_audit(&Caller::system()).await.unwrap().events, 5);
}

#[tokio::test]
async fn an_empty_range_is_refused() {
    let (insight, _store) = insight();
    let query = UsageQuery {
        to: last_hour().from,
        ..last_hour()
    };
    let answer = insight.usage(&Caller::system(), &query).await;
    assert!(matches!(answer, Err(InsightError::EmptyRange { .. })));
}

#[tokio::test]
async fn audit_pages_are_bounded_and_the_last_has_no_cursor() {
    let (insight, store) = insight();
    let first = insight
        .audit(&Caller::system(), &AuditQuery::default())
        .await
        .unwrap();
    assert_eq!(first.next_cursor.as_deref(), Some("7"));
    let query = AuditQuery {
        cursor: first.next_cursor,
        limit: 50,
        ..AuditQuery::default()
    };
    let last = insight.audit(&Caller::system(), &query).await.unwrap();
    assert_eq!(last.next_cursor, None);
    let limits: Vec<_> = store
        .audit_queries
        .lock()
        .unwrap()
        .iter()
        .map(|query| query.limit)
        .collect();
    assert_eq!(limits, [200, 50]);
}
