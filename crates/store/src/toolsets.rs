//! The tools of REST APIs: kept once under their digest, and read into memory once for as long as a route needs them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::{StoreError, Toolset, ToolsetStore};
use portreeve_core::rest::Bindings;
use portreeve_core::time::Timestamp;
use serde_json::json;

use crate::change::Change;
use crate::engine::{Row, Sql, Transaction};
use crate::fields::json_text;
use crate::store::Store;

/// Bindings that the last snapshot needed, by digest.
#[derive(Debug, Default)]
pub(crate) struct ReadBindings(Mutex<HashMap<String, Arc<Bindings>>>);

const OF_ROUTES: &str = "SELECT r.id, v.toolset FROM routes r \
    JOIN versions v ON v.server = r.server AND v.version = r.version \
    WHERE r.state = 'active' AND v.toolset IS NOT NULL";

const UNNAMED: &str = "SELECT digest FROM rest_toolsets WHERE created_at < $1 AND kept_at < $1 \
    AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.toolset = rest_toolsets.digest) LIMIT 1";
const REMOVE_UNNAMED: &str = "DELETE FROM rest_toolsets WHERE created_at < $1 AND kept_at < $1 \
    AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.toolset = rest_toolsets.digest)";

#[async_trait]
impl ToolsetStore for Store {
    async fn keep_toolset(&self, toolset: &Toolset) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(
            "INSERT INTO rest_toolsets (digest, bindings, details, document, vanished, created_at, kept_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (digest) DO UPDATE SET kept_at = excluded.kept_at",
        );
        change
            .execute(
                sql.bind(&toolset.digest)
                    .bind(&toolset.bindings)
                    .bind(&toolset.details)
                    .bind(&toolset.document)
                    .bind(json_text("vanished", &toolset.vanished)?)
                    .bind(toolset.created_at),
            )
            .await?;
        change.save().await
    }

    async fn toolset(&self, digest: &str) -> Result<Option<Toolset>, StoreError> {
        let sql = Sql::new(
            "SELECT digest, bindings, details, document, vanished, created_at FROM rest_toolsets WHERE digest = $1",
        );
        let row = self.engine().row(sql.bind(digest)).await?;
        row.as_ref().map(toolset_of).transpose()
    }

    async fn toolset_of(
        &self,
        server: &ServerName,
        version: &VersionText,
    ) -> Result<Option<String>, StoreError> {
        let sql = Sql::new("SELECT toolset FROM versions WHERE server = $1 AND version = $2");
        let row = self
            .engine()
            .row(sql.bind(server.as_str()).bind(version.as_str()))
            .await?;
        row.map_or(Ok(None), |row| row.optional_text("toolset"))
    }

    async fn sweep_drafts(&self, before: Timestamp, most: usize) -> Result<u64, StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(
            "DELETE FROM rest_toolsets WHERE digest LIKE 'draft-%' AND (created_at < $1 OR digest NOT IN \
             (SELECT digest FROM rest_toolsets WHERE digest LIKE 'draft-%' ORDER BY created_at DESC, digest LIMIT $2))",
        );
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let gone = change.execute(sql.bind(before).bind(most)).await?;
        change.save().await?;
        Ok(gone)
    }

    async fn note_vanished(
        &self,
        digest: &str,
        vanished: &[String],
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new("UPDATE rest_toolsets SET vanished = $2 WHERE digest = $1");
        let sql = sql.bind(digest).bind(json_text("vanished", vanished)?);
        if change.execute(sql).await? == 0 {
            return Err(StoreError::NotFound {
                what: format!("toolset `{digest}`"),
            });
        }
        change.record(&[event]).await?;
        change.save().await
    }

    async fn purge_toolsets(&self, before: Timestamp, mut event: AuditEvent) -> Result<u64, StoreError> {
        // Most rounds find nothing, and looking locks nobody out.
        if self.engine().row(Sql::new(UNNAMED).bind(before)).await?.is_none() {
            return Ok(0);
        }
        let mut change = Change::begin(self).await?;
        let removed = change.execute(Sql::new(REMOVE_UNNAMED).bind(before)).await?;
        if removed > 0 {
            event.detail = Some(json!({ "count": removed }));
            change.record(&[event]).await?;
        }
        change.save().await?;
        Ok(removed)
    }
}

fn toolset_of(row: &Row) -> Result<Toolset, StoreError> {
    Ok(Toolset {
        digest: row.text("digest")?,
        bindings: row.text("bindings")?,
        details: row.text("details")?,
        document: row.text("document")?,
        vanished: row.json("vanished")?,
        created_at: row.moment("created_at")?,
    })
}

// === impl ReadBindings ===

impl ReadBindings {
    /// The bindings of the active routes that lead to REST APIs, by the route's id. A toolset that is not here or cannot
    /// be read has no tools: such a route must not be mistaken for one that leads to an MCP server.
    pub(crate) async fn of_routes(
        &self,
        transaction: &mut Transaction,
    ) -> Result<HashMap<String, Arc<Bindings>>, StoreError> {
        let rows = transaction.rows(Sql::new(OF_ROUTES)).await?;
        let mut known = std::mem::take(&mut *self.lock());
        let (mut kept, mut of_route) = (HashMap::new(), HashMap::with_capacity(rows.len()));
        for row in &rows {
            let digest = row.text("toolset")?;
            let bindings = match kept.get(&digest) {
                Some(bindings) => Arc::clone(bindings),
                None => match known.remove(&digest) {
                    Some(bindings) => bindings,
                    None => Arc::new(read(transaction, &digest).await?),
                },
            };
            of_route.insert(row.text("id")?, Arc::clone(&bindings));
            kept.insert(digest, bindings);
        }
        *self.lock() = kept;
        Ok(of_route)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Bindings>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(transaction: &mut Transaction, digest: &str) -> Result<Bindings, StoreError> {
    let sql = Sql::new("SELECT bindings FROM rest_toolsets WHERE digest = $1").bind(digest);
    let read = match transaction.row(sql).await? {
        Some(row) => Bindings::read(&row.text("bindings")?).map_err(|error| error.to_string()),
        None => Err("it was never imported here".to_owned()),
    };
    Ok(read.unwrap_or_else(|reason| {
        tracing::error!(toolset = digest, reason, "A REST server has no tools.");
        Bindings::none()
    }))
}
