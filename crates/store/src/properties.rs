//! Custom properties: their definitions, and the values that servers have of them.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::deployment::Deployment;
use portreeve_core::name::{PropertyName, ServerName};
use portreeve_core::ports::{PropertyStore, ServerValues, StoreError, VersionValues};
use portreeve_core::profile::Profile;
use portreeve_core::property::{PropertyKind, PropertyRecord};

use crate::change::Change;
use crate::engine::{Row, Sql, values_list};
use crate::entries::deployments;
use crate::fields::json_text;
use crate::store::Store;

const ALL: &str = "SELECT name, title, description, kind, json_schema, assignments, revision, created_at, updated_at \
    FROM metadata_schemas ORDER BY name";
const INSERT: &str = "INSERT INTO metadata_schemas (name, title, description, kind, json_schema, assignments, \
    updated_at, revision, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const UPDATE: &str = "UPDATE metadata_schemas SET title = $2, description = $3, kind = $4, json_schema = $5, \
    assignments = $6, updated_at = $7, revision = revision + 1 WHERE name = $1 AND revision = $8";
const VALUES: &str = "SELECT name, details FROM servers WHERE name > $1 ORDER BY name LIMIT $2";

#[async_trait]
impl PropertyStore for Store {
    async fn properties(&self) -> Result<Vec<PropertyRecord>, StoreError> {
        let rows = self.engine().rows(Sql::new(ALL)).await?;
        rows.iter().map(record_of).collect()
    }

    async fn add_property(
        &self,
        record: &PropertyRecord,
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

    async fn save_property(&self, record: &PropertyRecord, event: AuditEvent) -> Result<i64, StoreError> {
        let mut change = Change::begin(self).await?;
        if change.execute(bound(Sql::new(UPDATE), record)?).await? == 0 {
            return Err(conflict(&record.name));
        }
        change.record(&[event]).await?;
        change.save().await?;
        Ok(record.revision + 1)
    }

    async fn remove_property(
        &self,
        name: &PropertyName,
        expected: i64,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new("DELETE FROM metadata_schemas WHERE name = $1 AND revision = $2");
        if change.execute(sql.bind(name.as_str()).bind(expected)).await? == 0 {
            return Err(conflict(name));
        }
        change.record(&[event]).await?;
        change.save().await
    }

    async fn server_values(
        &self,
        after: Option<&ServerName>,
        limit: u32,
    ) -> Result<Vec<ServerValues>, StoreError> {
        let after = after.map(ServerName::as_str).unwrap_or_default();
        let mut transaction = self.engine().begin_reading().await?;
        let rows = transaction
            .rows(Sql::new(VALUES).bind(after).bind(i64::from(limit)))
            .await?;
        let mut servers = Vec::with_capacity(rows.len());
        for row in &rows {
            let profile: Profile = row.json("details")?;
            servers.push(ServerValues {
                name: row.parsed("name")?,
                metadata: profile.metadata,
                deployments: Vec::new(),
                versions: Vec::new(),
            });
        }
        if !servers.is_empty() {
            let sql = deployed(&servers);
            for row in transaction.rows(sql).await? {
                let (name, deployment): (ServerName, Deployment) =
                    (row.parsed("server")?, deployments::one(&row)?);
                let owner = servers.iter_mut().find(|server| server.name == name);
                if let Some(server) = owner {
                    server.deployments.push(deployment);
                }
            }
        }
        if !servers.is_empty() {
            for row in transaction.rows(with_values(&servers)).await? {
                let (name, values): (ServerName, VersionValues) = (row.parsed("server")?, values_of(&row)?);
                let owner = servers.iter_mut().find(|server| server.name == name);
                if let Some(server) = owner {
                    server.versions.push(values);
                }
            }
        }
        transaction.cancel().await?;
        Ok(servers)
    }
}

/// The deployments in force of these servers.
fn deployed(servers: &[ServerValues]) -> Sql {
    let members = values_list(servers.len(), 1).replace(['(', ')'], "");
    let text = format!(
        "SELECT server, environment, major, version, url, state, metadata FROM deployments \
         WHERE server IN ({members}) AND NOT proposed ORDER BY server, environment, major"
    );
    let values = servers.iter().map(|server| server.name.as_str().into());
    Sql::built(text, values.collect())
}

/// The versions of these servers that have values of their own.
fn with_values(servers: &[ServerValues]) -> Sql {
    let members = values_list(servers.len(), 1).replace(['(', ')'], "");
    let text = format!(
        "SELECT server, version, is_latest, metadata FROM versions WHERE server IN ({members}) \
         AND metadata <> '{{}}' AND lifecycle <> 'retired' ORDER BY server, version"
    );
    let values = servers.iter().map(|server| server.name.as_str().into());
    Sql::built(text, values.collect())
}

fn values_of(row: &Row) -> Result<VersionValues, StoreError> {
    Ok(VersionValues {
        version: row.parsed("version")?,
        is_latest: row.boolean("is_latest")?,
        metadata: row.json("metadata")?,
    })
}

fn conflict(name: &PropertyName) -> StoreError {
    StoreError::Conflict {
        what: format!("property `{name}`"),
    }
}

/// Binds `$1` to `$8`, the columns that an insert and an update share.
fn bound(sql: Sql, record: &PropertyRecord) -> Result<Sql, StoreError> {
    Ok(sql
        .bind(record.name.as_str())
        .bind(&record.title)
        .bind(&record.description)
        .bind(record.kind.as_str())
        .bind(json_text("json_schema", &record.schema)?)
        .bind(json_text("assignments", &record.assignments)?)
        .bind(record.updated_at)
        .bind(record.revision))
}

fn record_of(row: &Row) -> Result<PropertyRecord, StoreError> {
    Ok(PropertyRecord {
        name: row.parsed("name")?,
        title: row.text("title")?,
        description: row.text("description")?,
        kind: row.word("kind", PropertyKind::from_word)?,
        schema: row.json("json_schema")?,
        assignments: row.json("assignments")?,
        revision: row.integer("revision")?,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
    })
}
