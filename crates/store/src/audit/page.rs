//! One page of the audit log, newest first, over all nodes.

use portreeve_core::audit::{AuditEvent, AuditOutcome, ChainedEvent};
use portreeve_core::caller::Caller;
use portreeve_core::id::EventId;
use portreeve_core::page::PageOf;
use portreeve_core::ports::{AuditQuery, StoreError};
use portreeve_core::time::Timestamp;

use crate::engine::{Row, Sql};
use crate::fields::indexed;
use crate::store::Store;

/// The place after which a page begins.
struct Place {
    at: i64,
    node: String,
    sequence: i64,
}

// === impl Place ===

impl Place {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            at: row.integer("at")?,
            node: row.text("node")?,
            sequence: row.integer("sequence")?,
        })
    }

    fn write(&self) -> String {
        format!("{}.{}.{}", self.at, self.sequence, self.node)
    }

    fn read(cursor: &str) -> Option<Self> {
        let mut parts = cursor.splitn(3, '.');
        Some(Self {
            at: parts.next()?.parse().ok()?,
            sequence: parts.next()?.parse().ok()?,
            node: parts.next()?.to_owned(),
        })
    }
}

/// Reads a page and the cursor of the next one.
pub(super) async fn page(
    store: &Store,
    query: &AuditQuery,
) -> Result<(PageOf<ChainedEvent>, Option<String>), StoreError> {
    let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let rows = store.engine().rows(statement(query)?).await?;
    let more = rows.len() > wanted;
    let shown = rows.get(..wanted).unwrap_or(&rows);
    let cursor = match shown.last().filter(|_| more) {
        Some(row) => Some(Place::of(row)?.write()),
        None => None,
    };
    let items = shown.iter().map(event_of).collect::<Result<_, _>>()?;
    Ok((PageOf { items, more }, cursor))
}

fn statement(query: &AuditQuery) -> Result<Sql, StoreError> {
    let mut sql = Sql::new("SELECT node, sequence, hash, body, at FROM audit WHERE 1 = 1");
    if let Some(cursor) = &query.cursor {
        let place = Place::read(cursor).ok_or_else(|| StoreError::NotFound {
            what: format!("the place `{}` in the audit log", indexed(cursor)),
        })?;
        sql.push_bound(" AND (at, node, sequence) < (", place.at);
        sql.push_bound(", ", place.node);
        sql.push_bound(", ", place.sequence);
        sql.push(")");
    }
    if let Some(actor) = &query.actor {
        sql.push_bound(" AND actor = ", indexed(actor));
    }
    if let Some(server) = &query.server {
        sql.push_bound(" AND server = ", indexed(server));
    }
    if let Some(outcome) = &query.outcome {
        sql.push_bound(" AND outcome = ", outcome);
    }
    match query.action.as_deref() {
        None => {}
        // Not LIKE: SQLite would ignore case.
        Some(action) => match action.strip_suffix('*') {
            Some(start) => {
                sql.push_bound(" AND action >= ", indexed(start));
                sql.push_bound(" AND action < ", format!("{}\u{10FFFF}", indexed(start)));
            }
            None => sql.push_bound(" AND action = ", indexed(action)),
        },
    }
    sql.push_bound(
        " ORDER BY at DESC, node DESC, sequence DESC LIMIT ",
        i64::from(query.limit) + 1,
    );
    Ok(sql)
}

fn event_of(row: &Row) -> Result<ChainedEvent, StoreError> {
    let body = row.text("body")?;
    let at = row.moment("at")?;
    Ok(ChainedEvent {
        node: row.parsed("node")?,
        sequence: row.integer("sequence")?,
        hash: row.text("hash")?,
        event: serde_json::from_str(&body).unwrap_or_else(|_| unreadable(at)),
    })
}

/// What is shown for a record that was damaged: one bad record must not hide the page. `verify` names it.
fn unreadable(at: Timestamp) -> AuditEvent {
    let mut event = AuditEvent::new(EventId::from_u128(0), at, "unreadable", &Caller::system());
    event.outcome = AuditOutcome::Failed;
    event.reason = Some("damaged".to_owned());
    event
}
