//! Environments. Three exist from the first migration on; what a deployment or a route is in cannot be removed.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::deployment::{EnvironmentKind, EnvironmentRecord};
use portreeve_core::name::Environment;
use portreeve_core::ports::{EnvironmentStore, StoreError};

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::fields::json_text;
use crate::store::Store;

const ALL: &str = "SELECT name, title, kind, description, onboarding, position, metadata, revision, created_at, \
    updated_at FROM environments ORDER BY position, name";
const INSERT: &str = "INSERT INTO environments (name, title, kind, description, onboarding, position, metadata, \
    updated_at, revision, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const UPDATE: &str = "UPDATE environments SET title = $2, kind = $3, description = $4, onboarding = $5, position = $6, \
    metadata = $7, updated_at = $8, revision = revision + 1 WHERE name = $1 AND revision = $9";
const USED: &str = "SELECT 1 AS used FROM deployments WHERE environment = $1 \
    UNION ALL SELECT 1 AS used FROM routes WHERE environment = $1 LIMIT 1";

#[async_trait]
impl EnvironmentStore for Store {
    async fn environments(&self) -> Result<Vec<EnvironmentRecord>, StoreError> {
        let rows = self.engine().rows(Sql::new(ALL)).await?;
        rows.iter().map(record_of).collect()
    }

    async fn add_environment(
        &self,
        record: &EnvironmentRecord,
        most: usize,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        // Callers look before; this holds when two of them come at once.
        if change.rows(Sql::new(ALL)).await?.len() >= most {
            return Err(conflict(&record.name));
        }
        let sql = bound(Sql::new(INSERT), record)?.bind(record.created_at);
        change.insert(sql, || conflict(&record.name)).await?;
        change.record(&[event]).await?;
        change.save().await
    }

    async fn save_environment(
        &self,
        record: &EnvironmentRecord,
        event: AuditEvent,
    ) -> Result<i64, StoreError> {
        let mut change = Change::begin(self).await?;
        if change.execute(bound(Sql::new(UPDATE), record)?).await? == 0 {
            return Err(conflict(&record.name));
        }
        change.record(&[event]).await?;
        change.save().await?;
        Ok(record.revision + 1)
    }

    async fn remove_environment(
        &self,
        name: &Environment,
        expected: i64,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        if change.row(Sql::new(USED).bind(name.as_str())).await?.is_some() {
            return Err(conflict(name));
        }
        let sql = Sql::new("DELETE FROM environments WHERE name = $1 AND revision = $2");
        if change.execute(sql.bind(name.as_str()).bind(expected)).await? == 0 {
            return Err(conflict(name));
        }
        change.record(&[event]).await?;
        change.save().await
    }
}

fn conflict(name: &Environment) -> StoreError {
    StoreError::Conflict {
        what: format!("environment `{name}`"),
    }
}

/// Binds `$1` to `$9`, the columns that an insert and an update share.
fn bound(sql: Sql, record: &EnvironmentRecord) -> Result<Sql, StoreError> {
    Ok(sql
        .bind(record.name.as_str())
        .bind(&record.title)
        .bind(record.kind.as_str())
        .bind(&record.description)
        .bind(&record.onboarding)
        .bind(record.position)
        .bind(json_text("metadata", &record.metadata)?)
        .bind(record.updated_at)
        .bind(record.revision))
}

fn record_of(row: &Row) -> Result<EnvironmentRecord, StoreError> {
    Ok(EnvironmentRecord {
        name: row.parsed("name")?,
        title: row.text("title")?,
        kind: row.word("kind", EnvironmentKind::from_word)?,
        description: row.text("description")?,
        onboarding: row.text("onboarding")?,
        position: row.integer("position")?,
        metadata: row.json("metadata")?,
        revision: row.integer("revision")?,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
    })
}
