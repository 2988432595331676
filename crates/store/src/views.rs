//! Registries. The default one exists from the migration on.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::name::RegistryName;
use portreeve_core::ports::{StoreError, ViewStore};
use portreeve_core::view::RegistryRecord;

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::fields::json_text;
use crate::store::Store;

pub(crate) const REGISTRIES: &str = "SELECT name, title, description, visibility, selection, auto_approve, \
    approver_differs, revision, created_at, updated_at FROM registries ORDER BY name";
const INSERT: &str = "INSERT INTO registries (name, title, description, visibility, selection, auto_approve, \
    approver_differs, updated_at, revision, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const UPDATE: &str = "UPDATE registries SET title = $2, description = $3, visibility = $4, selection = $5, \
    auto_approve = $6, approver_differs = $7, updated_at = $8, revision = revision + 1 \
    WHERE name = $1 AND revision = $9";

#[async_trait]
impl ViewStore for Store {
    async fn registries(&self) -> Result<Vec<RegistryRecord>, StoreError> {
        let rows = self.engine().rows(Sql::new(REGISTRIES)).await?;
        rows.iter().map(registry_of).collect()
    }

    async fn add_registry(
        &self,
        record: &RegistryRecord,
        most: usize,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        // Callers look before; this holds when two of them come at once.
        if change.rows(Sql::new(REGISTRIES)).await?.len() >= most {
            return Err(conflict(&record.name));
        }
        let sql = bound(Sql::new(INSERT), record)?.bind(record.created_at);
        change.insert(sql, || conflict(&record.name)).await?;
        change.record(&[event]).await?;
        change.publish().await
    }

    async fn save_registry(&self, record: &RegistryRecord, event: AuditEvent) -> Result<i64, StoreError> {
        let mut change = Change::begin(self).await?;
        if change.execute(bound(Sql::new(UPDATE), record)?).await? == 0 {
            return Err(conflict(&record.name));
        }
        change.record(&[event]).await?;
        change.publish().await?;
        Ok(record.revision + 1)
    }

    async fn remove_registry(
        &self,
        name: &RegistryName,
        expected: i64,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new("DELETE FROM registries WHERE name = $1 AND revision = $2");
        if change.execute(sql.bind(name.as_str()).bind(expected)).await? == 0 {
            return Err(conflict(name));
        }
        change.record(&[event]).await?;
        change.publish().await
    }
}

fn conflict(name: &RegistryName) -> StoreError {
    StoreError::Conflict {
        what: format!("registry `{name}`"),
    }
}

/// Binds `$1` to `$9`, the columns that an insert and an update share.
fn bound(sql: Sql, record: &RegistryRecord) -> Result<Sql, StoreError> {
    Ok(sql
        .bind(record.name.as_str())
        .bind(&record.title)
        .bind(&record.description)
        .bind(json_text("visibility", &record.visibility)?)
        .bind(json_text("selection", &record.selection)?)
        .bind(json_text("auto_approve", &record.auto_approve)?)
        .bind(record.approver_differs)
        .bind(record.updated_at)
        .bind(record.revision))
}

/// Reads a registry.
pub(crate) fn registry_of(row: &Row) -> Result<RegistryRecord, StoreError> {
    Ok(RegistryRecord {
        name: row.parsed("name")?,
        title: row.text("title")?,
        description: row.text("description")?,
        visibility: row.json("visibility")?,
        selection: row.json("selection")?,
        auto_approve: row.json("auto_approve")?,
        approver_differs: row.boolean("approver_differs")?,
        revision: row.integer("revision")?,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
    })
}
