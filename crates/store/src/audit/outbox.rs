//! The outbox: events that were written in the transaction of a change, on their way into this node's journal.
//!
//! An event is appended exactly once. `mover` deletes its row together with the insert into the table; a row that is
//! still there after everything in the journal was moved was therefore never appended.

use portreeve_core::audit::AuditEvent;
use portreeve_core::ports::StoreError;

use crate::engine::{Row, Sql};
use crate::store::Store;

/// Rows taken at once.
const ROWS: usize = 500;

/// Some rows of the outbox.
#[derive(Debug)]
pub(crate) struct Pulled {
    /// The events, as JSON, in the order of their changes.
    pub(crate) bodies: Vec<String>,
    /// Where to go on; `None` when there are no more.
    pub(crate) next: Option<i64>,
}

/// Reads rows of a node behind a position.
pub(crate) async fn pull(store: &Store, node: &str, after: i64) -> Result<Pulled, StoreError> {
    let sql = Sql::new(
        "SELECT position, event_id, body FROM audit_outbox WHERE node = $1 AND position > $2 \
         ORDER BY position LIMIT $3",
    )
    .bind(node)
    .bind(after)
    .bind(ROWS as u64);
    let rows = store.engine().rows(sql).await?;
    let mut bodies = Vec::with_capacity(rows.len());
    let mut last = after;
    for row in &rows {
        last = row.integer("position")?;
        bodies.extend(body_of(row)?);
    }
    Ok(Pulled {
        bodies,
        next: (rows.len() == ROWS).then_some(last),
    })
}

/// The event of a row. One that was tampered with would not be deleted with its record, and so appended for ever.
fn body_of(row: &Row) -> Result<Option<String>, StoreError> {
    let body = row.text("body")?;
    let id = row.text("event_id")?;
    let is_whole = serde_json::from_str::<AuditEvent>(&body).is_ok_and(|event| event.id.to_string() == id);
    if !is_whole || body.contains('\n') {
        tracing::error!(
            event.id = id,
            "An event in the audit outbox was changed. It stays there."
        );
        return Ok(None);
    }
    Ok(Some(body))
}
