//! Moves records of the journal into the table, exactly as they were hashed, and takes out of the outbox what came
//! from there, in the same transaction.

use std::collections::BTreeMap;

use portreeve_core::audit::AuditEvent;
use portreeve_core::ports::StoreError;
use portreeve_core::time::Timestamp;

use super::hash::{ChainHash, ChainHead};
use super::line::Record;
use crate::engine::{Sql, Transaction, Value, values_list};
use crate::fields::indexed;
use crate::store::Store;

/// Rows written by one statement.
const CHUNK: usize = 200;

/// What the table says of an event beside its body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) at: Timestamp,
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) outcome: String,
    pub(crate) server: Option<String>,
}

/// The result of moving a batch.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    /// How many were not in the table before.
    pub(crate) inserted: u64,
    /// Records whose place is taken by another record.
    pub(crate) contradicted: Vec<i64>,
}

// === impl Columns ===

impl Columns {
    /// The columns of an event.
    pub(crate) fn of(event: &AuditEvent) -> Self {
        let column = |text: &str| indexed(text).replace('\0', "\u{FFFD}");
        Self {
            at: event.at,
            actor: column(&event.actor),
            action: column(&event.action),
            outcome: outcome_word(event),
            server: event.server.as_deref().map(column),
        }
    }

    /// A body that is not an event is kept all the same: it is evidence.
    fn unreadable(now: Timestamp) -> Self {
        Self {
            at: now,
            actor: String::new(),
            action: "unreadable".to_owned(),
            outcome: String::new(),
            server: None,
        }
    }
}

fn outcome_word(event: &AuditEvent) -> String {
    match serde_json::to_value(event.outcome) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The head of a node's chain in the table.
pub(crate) async fn stored_head(store: &Store, node: &str) -> Result<ChainHead, StoreError> {
    let sql = Sql::new("SELECT sequence, hash FROM audit WHERE node = $1 ORDER BY sequence DESC LIMIT 1")
        .bind(node);
    let Some(row) = store.engine().row(sql).await? else {
        return Ok(ChainHead::EMPTY);
    };
    let sequence = row.integer("sequence")?;
    // A head that was tampered with must not keep the server from starting: `verify` names it.
    let hash = ChainHash::parse(&row.text("hash")?).unwrap_or(ChainHash::GENESIS);
    Ok(ChainHead { sequence, hash })
}

/// Moves records in one transaction.
pub(crate) async fn insert(
    store: &Store,
    node: &str,
    records: &[&Record],
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let mut moved = Moved::default();
    let mut transaction = store.engine().begin().await?;
    for chunk in records.chunks(CHUNK) {
        let inserted = insert_chunk(&mut transaction, node, chunk, now).await?;
        if inserted < chunk.len() as u64 {
            let wrong = contradicted(&mut transaction, node, chunk).await?;
            moved.contradicted.extend(wrong);
        }
        moved.inserted += inserted;
    }
    transaction.save().await?;
    Ok(moved)
}

async fn insert_chunk(
    transaction: &mut Transaction,
    node: &str,
    records: &[&Record],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut values: Vec<Value> = Vec::with_capacity(records.len() * 9);
    let mut ids: Vec<Value> = Vec::with_capacity(records.len());
    for record in records {
        let event = serde_json::from_str::<AuditEvent>(&record.body).ok();
        let columns = event
            .as_ref()
            .map_or_else(|| Columns::unreadable(now), Columns::of);
        ids.extend(event.map(|event| Value::from(event.id.to_string())));
        values.extend([
            node.into(),
            record.sequence.into(),
            record.hash.to_string().into(),
            record.body.as_str().into(),
            columns.at.into(),
            columns.actor.into(),
            columns.action.into(),
            columns.outcome.into(),
            columns.server.into(),
        ]);
    }
    let rows = values_list(records.len(), 9);
    let text = format!(
        "INSERT INTO audit (node, sequence, hash, body, at, actor, action, outcome, server) VALUES {rows} \
         ON CONFLICT (node, sequence) DO NOTHING"
    );
    let inserted = transaction.execute(Sql::built(text, values)).await?;
    if !ids.is_empty() {
        let list = values_list(ids.len(), 1);
        let text = format!("DELETE FROM audit_outbox WHERE event_id IN (VALUES {list})");
        transaction.execute(Sql::built(text, ids)).await?;
    }
    Ok(inserted)
}

/// Records whose place in the table is taken by another one.
async fn contradicted(
    transaction: &mut Transaction,
    node: &str,
    records: &[&Record],
) -> Result<Vec<i64>, StoreError> {
    let first = records.iter().map(|record| record.sequence).min().unwrap_or(0);
    let last = records.iter().map(|record| record.sequence).max().unwrap_or(0);
    let sql = Sql::new("SELECT sequence, hash FROM audit WHERE node = $1 AND sequence BETWEEN $2 AND $3")
        .bind(node)
        .bind(first)
        .bind(last);
    let mut stored = BTreeMap::new();
    for row in transaction.rows(sql).await? {
        stored.insert(row.integer("sequence")?, row.text("hash")?);
    }
    let differs = |record: &&&Record| stored.get(&record.sequence) != Some(&record.hash.to_string());
    Ok(records
        .iter()
        .filter(differs)
        .map(|record| record.sequence)
        .collect())
}
