//! Moves records of the journal into the table, exactly as they were hashed, and takes out of the outbox what came
//! from there, in the same transaction.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use portreeve_core::audit::{AuditEvent, AuditOutcome};
use portreeve_core::ports::StoreError;
use portreeve_core::time::Timestamp;
use serde::Deserialize;

use super::hash::{ChainHash, ChainHead};
use super::line::Record;
use crate::engine::{Sql, Transaction, Value, plain_values_list, values_list};
use crate::fields::indexed;
use crate::store::Store;

/// Rows written by one statement. On a busy core a statement is what a request may have to wait for, since most kernels
/// look only at their next tick whether somebody more important wants to go on.
const CHUNK: usize = 100;
/// What is left to requests between two statements.
const REST: Duration = Duration::from_millis(1);
/// Columns of a row.
const COLUMNS: usize = 9;

/// The statement of a full chunk on each engine: one text, so that it is kept prepared.
static SQLITE_CHUNK: LazyLock<String> = LazyLock::new(|| insert_text(&plain_values_list(CHUNK, COLUMNS)));
static POSTGRES_CHUNK: LazyLock<String> = LazyLock::new(|| insert_text(&values_list(CHUNK, COLUMNS)));

/// What of an event the table needs beside its body.
#[derive(Deserialize)]
struct Seen<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    at: Timestamp,
    outcome: AuditOutcome,
    #[serde(borrow)]
    actor: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    server: Option<Cow<'a, str>>,
}

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
        Self::new(
            event.at,
            event.outcome,
            [&event.actor, &event.action],
            event.server.as_deref(),
        )
    }

    fn new(at: Timestamp, outcome: AuditOutcome, [actor, action]: [&str; 2], server: Option<&str>) -> Self {
        let column = |text: &str| indexed(text).replace('\0', "\u{FFFD}");
        Self {
            at,
            actor: column(actor),
            action: column(action),
            outcome: outcome_word(outcome),
            server: server.map(column),
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

fn outcome_word(outcome: AuditOutcome) -> String {
    match serde_json::to_value(outcome) {
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

/// How fast records are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// In small pieces, so that requests are not held up.
    Steady,
    /// As fast as it goes: more is waiting than comes in.
    Behind,
}

/// Moves records in one transaction.
pub(crate) async fn insert(
    store: &Store,
    node: &str,
    records: &[&Record],
    (now, pace): (Timestamp, Pace),
) -> Result<Moved, StoreError> {
    let mut moved = Moved::default();
    let mut transaction = store.engine().begin().await?;
    let has_outbox = has_outbox(&mut transaction, node).await?;
    for (place, chunk) in records.chunks(CHUNK).enumerate() {
        if pace == Pace::Steady && place > 0 {
            tokio::time::sleep(REST).await;
        }
        let mut rows = Rows::new(node, chunk.len(), has_outbox);
        for record in chunk {
            rows.add(record, now);
        }
        if let Some(ids) = rows.ids.filter(|ids| !ids.is_empty()) {
            let list = values_list(ids.len(), 1);
            let text = format!("DELETE FROM audit_outbox WHERE event_id IN (VALUES {list})");
            transaction.execute(Sql::built(text, ids)).await?;
        }
        let sql = match &transaction {
            Transaction::Sqlite(_) if chunk.len() == CHUNK => Sql::kept(&SQLITE_CHUNK, rows.values),
            Transaction::Postgres(_) if chunk.len() == CHUNK => Sql::kept(&POSTGRES_CHUNK, rows.values),
            _ => Sql::built(
                insert_text(&transaction.values_list(chunk.len(), COLUMNS)),
                rows.values,
            ),
        };
        let inserted = transaction.execute(sql).await?;
        if inserted < chunk.len() as u64 {
            let wrong = contradicted(&mut transaction, node, chunk).await?;
            moved.contradicted.extend(wrong);
        }
        moved.inserted += inserted;
    }
    transaction.save().await?;
    Ok(moved)
}

/// Whether events of changes wait in the outbox. Most of the time none do, and then none must be looked for.
async fn has_outbox(transaction: &mut Transaction, node: &str) -> Result<bool, StoreError> {
    let sql = Sql::new("SELECT position FROM audit_outbox WHERE node = $1 LIMIT 1").bind(node);
    Ok(!transaction.rows(sql).await?.is_empty())
}

fn insert_text(rows: &str) -> String {
    format!(
        "INSERT INTO audit (node, sequence, hash, body, at, actor, action, outcome, server) VALUES {rows} \
         ON CONFLICT (node, sequence) DO NOTHING"
    )
}

/// Rows on their way into the table.
struct Rows<'a> {
    node: &'a str,
    values: Vec<Value>,
    /// The events that may wait in the outbox, if any do.
    ids: Option<Vec<Value>>,
}

impl<'a> Rows<'a> {
    fn new(node: &'a str, rows: usize, has_outbox: bool) -> Self {
        Self {
            node,
            values: Vec::with_capacity(rows * COLUMNS),
            ids: has_outbox.then(Vec::new),
        }
    }

    fn add(&mut self, record: &Record, now: Timestamp) {
        let seen = serde_json::from_str::<Seen<'_>>(&record.body).ok();
        let columns = match &seen {
            Some(seen) => Columns::new(
                seen.at,
                seen.outcome,
                [&seen.actor, &seen.action],
                seen.server.as_deref(),
            ),
            None => Columns::unreadable(now),
        };
        if let Some(ids) = &mut self.ids {
            ids.extend(seen.map(|seen| Value::from(&*seen.id)));
        }
        self.values.extend([
            self.node.into(),
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
