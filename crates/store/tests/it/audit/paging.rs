//! Questions to the audit log.

use portreeve_core::audit::{AuditEvent, AuditOutcome};
use portreeve_core::ports::{AuditLog as _, AuditQuery, Journal as _, StoreError};
use portreeve_store::Audit;
use portreeve_testkit::store_fixtures::{at, event_at};

use crate::support::{Database, open_audit};

fn numbered(number: i64) -> AuditEvent {
    // Two at a time, so that the moment alone does not order them.
    let mut event = event_at(
        ["tools/call", "tools/list", "TOOLS/odd", "tool"][number as usize % 4],
        at(number / 2),
    );
    event.outcome = if number % 3 == 0 {
        AuditOutcome::Refused
    } else {
        AuditOutcome::Permitted
    };
    event.actor = format!("key:{}", number % 5);
    event.server = (number % 2 == 0).then(|| "com.acme/billing".to_owned());
    event.detail = Some(serde_json::json!(number));
    event
}

async fn numbers(audit: &Audit, query: AuditQuery) -> Vec<i64> {
    let mut numbers = Vec::new();
    let mut query = query;
    loop {
        let (page, cursor) = audit.writer.page(&query).await.unwrap();
        assert!(page.items.len() <= query.limit as usize);
        assert_eq!(page.more, cursor.is_some());
        numbers.extend(
            page.items
                .iter()
                .filter_map(|item| item.event.detail.as_ref()?.as_i64()),
        );
        if cursor.is_none() {
            return numbers;
        }
        query.cursor = cursor;
    }
}

async fn questions_are_answered(database: Database) {
    let store = database.open().await;
    let audit = open_audit(&database, &store).await;
    for number in 0..30 {
        audit.journal.append(&numbered(number)).unwrap();
    }
    let newest_first = |keep: fn(&i64) -> bool| (0..30).rev().filter(keep).collect::<Vec<i64>>();
    for limit in [1, 7, 50] {
        let query = AuditQuery {
            limit,
            ..AuditQuery::default()
        };
        assert_eq!(
            numbers(&audit, query).await,
            newest_first(|_| true),
            "pages of {limit}"
        );
    }
    let base = AuditQuery {
        limit: 4,
        ..AuditQuery::default()
    };
    let query = AuditQuery {
        actor: Some("key:2".to_owned()),
        ..base.clone()
    };
    assert_eq!(
        numbers(&audit, query).await,
        newest_first(|number| number % 5 == 2)
    );
    let query = AuditQuery {
        server: Some("com.acme/billing".to_owned()),
        ..base.clone()
    };
    assert_eq!(
        numbers(&audit, query).await,
        newest_first(|number| number % 2 == 0)
    );
    let query = AuditQuery {
        outcome: Some("refused".to_owned()),
        ..base.clone()
    };
    assert_eq!(
        numbers(&audit, query).await,
        newest_first(|number| number % 3 == 0)
    );
    let query = AuditQuery {
        action: Some("tools/*".to_owned()),
        ..base.clone()
    };
    assert_eq!(
        numbers(&audit, query).await,
        newest_first(|number| number % 4 < 2)
    );
    let query = AuditQuery {
        action: Some("tool".to_owned()),
        ..base.clone()
    };
    assert_eq!(
        numbers(&audit, query).await,
        newest_first(|number| number % 4 == 3)
    );
    let query = AuditQuery {
        action: Some("*".to_owned()),
        ..base.clone()
    };
    assert_eq!(numbers(&audit, query).await.len(), 30);

    let query = AuditQuery {
        cursor: Some("nonsense".to_owned()),
        ..base
    };
    let error = audit.writer.page(&query).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
    database.close(store).await;
}

#[tokio::test]
async fn sqlite() {
    questions_are_answered(Database::sqlite()).await;
}

#[tokio::test]
async fn postgres() {
    if let Some(database) = Database::postgres().await {
        questions_are_answered(database).await;
    }
}
