//! Legacy sessions of hosts. Decisions do not depend on them, so they are no change of the catalogue.

use async_trait::async_trait;
use portreeve_core::host_session::{HostSession, HostSessionBounds, HostSessionChange};
use portreeve_core::id::HostSessionId;
use portreeve_core::ports::{HostSessionStore, StoreError};
use portreeve_core::time::Timestamp;

use crate::engine::{Row, Sql, Transaction, Value, values_list};
use crate::store::Store;

/// Sessions that one statement names.
const AT_ONCE: usize = 200;

const COLUMNS: &str = "id, principal, route, sealed, revision, opened_at, used_at";

#[async_trait]
impl HostSessionStore for Store {
    async fn host_session(&self, id: HostSessionId) -> Result<Option<HostSession>, StoreError> {
        let sql = Sql::new(
            "SELECT id, principal, route, sealed, revision, opened_at, used_at FROM host_sessions WHERE id = $1",
        );
        let row = self.engine().row(sql.bind(id.to_string())).await?;
        row.as_ref().map(session_of).transpose()
    }

    async fn save_host_sessions(&self, changes: &[HostSessionChange]) -> Result<Vec<bool>, StoreError> {
        let mut transaction = self.engine().begin().await?;
        let mut took = Vec::with_capacity(changes.len());
        let mut rest = changes;
        while let Some(first) = rest.first() {
            let opened = rest.iter().take(AT_ONCE).map_while(opened).collect::<Vec<_>>();
            if opened.is_empty() {
                took.push(change(&mut transaction, first).await?);
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let count = opened.len();
            insert(&mut transaction, &opened).await?;
            took.extend(std::iter::repeat_n(true, count));
            rest = rest.get(count..).unwrap_or_default();
        }
        transaction.save().await?;
        Ok(took)
    }

    async fn touch_host_sessions(&self, used: &[(HostSessionId, Timestamp)]) -> Result<(), StoreError> {
        if used.is_empty() {
            return Ok(());
        }
        let mut transaction = self.engine().begin().await?;
        for some in used.chunks(AT_ONCE) {
            let list = transaction.values_list(some.len(), 2);
            let text = format!(
                "WITH noted (id, at) AS (VALUES {list}) UPDATE host_sessions SET used_at = noted.at FROM noted \
                 WHERE host_sessions.id = noted.id AND host_sessions.used_at < noted.at"
            );
            let values = some
                .iter()
                .flat_map(|(id, at)| [Value::from(id.to_string()), Value::from(*at)]);
            transaction.execute(Sql::built(text, values.collect())).await?;
        }
        transaction.save().await
    }

    async fn host_session_revisions(
        &self,
        ids: &[HostSessionId],
    ) -> Result<Vec<(HostSessionId, i64)>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            let list = values_list(some.len(), 1);
            let text = format!("SELECT id, revision FROM host_sessions WHERE id IN ({list})");
            let rows = self
                .engine()
                .rows(Sql::built(text, texts(some).collect()))
                .await?;
            for row in &rows {
                found.push((row.parsed("id")?, row.integer("revision")?));
            }
        }
        Ok(found)
    }

    async fn purge_host_sessions(&self, bounds: HostSessionBounds) -> Result<Vec<HostSession>, StoreError> {
        let unused =
            Sql::new("SELECT id FROM host_sessions WHERE used_at < $1 ORDER BY used_at, id LIMIT $2");
        let unused = unused.bind(bounds.unused_since).bind(bounds.most as u64);
        let beyond = Sql::new(
            "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY principal ORDER BY used_at DESC, id DESC) \
             AS place FROM host_sessions) AS placed WHERE place > $1 ORDER BY place DESC LIMIT $2",
        );
        let beyond = beyond.bind(bounds.per_caller as u64).bind(bounds.most as u64);
        let mut over = Vec::new();
        // Another node may note before they are removed that one was used after all.
        for (sql, used_before) in [
            (unused, bounds.unused_since),
            (beyond, Timestamp::from_millis(i64::MAX)),
        ] {
            let mut ids = Vec::new();
            for row in &self.engine().rows(sql).await? {
                ids.push(row.parsed::<HostSessionId>("id")?);
            }
            over.push((ids, used_before));
        }
        let mut removed = Vec::new();
        for (ids, used_before) in over {
            for some in ids.chunks(AT_ONCE) {
                removed.extend(self.remove_unused(some, used_before).await?);
            }
        }
        Ok(removed)
    }
}

impl Store {
    async fn remove_unused(
        &self,
        ids: &[HostSessionId],
        used_before: Timestamp,
    ) -> Result<Vec<HostSession>, StoreError> {
        let list = values_list(ids.len(), 1);
        let text = format!(
            "DELETE FROM host_sessions WHERE id IN ({list}) AND used_at < ${} RETURNING {COLUMNS}",
            ids.len() + 1
        );
        let values = texts(ids).chain([Value::from(used_before)]).collect();
        let rows = self.engine().write(Sql::built(text, values)).await?;
        rows.iter().map(session_of).collect()
    }
}

const fn opened(change: &HostSessionChange) -> Option<&HostSession> {
    match change {
        HostSessionChange::Open(session) => Some(session),
        _ => None,
    }
}

async fn insert(transaction: &mut Transaction, sessions: &[&HostSession]) -> Result<(), StoreError> {
    let list = transaction.values_list(sessions.len(), 7);
    let text = format!("INSERT INTO host_sessions ({COLUMNS}) VALUES {list}");
    let values = sessions.iter().flat_map(|session| {
        [
            Value::from(session.id.to_string()),
            Value::from(session.principal.to_string()),
            Value::from(session.route.to_string()),
            Value::from(&session.sealed),
            Value::from(session.revision),
            Value::from(session.opened_at),
            Value::from(session.used_at),
        ]
    });
    transaction
        .execute(Sql::built(text, values.collect()))
        .await
        .map(drop)
}

async fn change(transaction: &mut Transaction, change: &HostSessionChange) -> Result<bool, StoreError> {
    let sql = match change {
        HostSessionChange::Open(session) => return insert(transaction, &[session]).await.map(|()| true),
        HostSessionChange::Seal { id, expected, sealed } => Sql::new(
            "UPDATE host_sessions SET sealed = $3, revision = revision + 1 WHERE id = $1 AND revision = $2",
        )
        .bind(id.to_string())
        .bind(*expected)
        .bind(sealed),
        HostSessionChange::End(id) => {
            Sql::new("DELETE FROM host_sessions WHERE id = $1").bind(id.to_string())
        }
    };
    Ok(transaction.execute(sql).await? > 0)
}

fn texts(ids: &[HostSessionId]) -> impl Iterator<Item = Value> {
    ids.iter().map(|id| Value::from(id.to_string()))
}

fn session_of(row: &Row) -> Result<HostSession, StoreError> {
    Ok(HostSession {
        id: row.parsed("id")?,
        principal: row.parsed("principal")?,
        route: row.parsed("route")?,
        sealed: row.text("sealed")?,
        revision: row.integer("revision")?,
        opened_at: row.moment("opened_at")?,
        used_at: row.moment("used_at")?,
    })
}
