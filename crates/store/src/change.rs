//! A change of the catalogue: one transaction that holds the change, its audit events and the new generation.
//!
//! Every change begins by locking the generation's row, so that PostgreSQL, like SQLite, has one catalogue writer at
//! a time: checks inside a change are never outrun, and generations are counted in the order of the commits.

use portreeve_core::audit::AuditEvent;
use portreeve_core::id::{NodeId, RouteId};
use portreeve_core::ports::StoreError;

use crate::engine::{Row, Sql, Transaction, Value, values_list};
use crate::outbox;
use crate::store::Store;

/// Notes those routes of which that is true under the generation that the change will have.
macro_rules! note_routes {
    ($which:literal) => {
        concat!(
            "INSERT INTO route_changes (route, slug, generation) SELECT r.id, r.slug, g.generation + 1 \
             FROM routes r, catalogue_generation g WHERE g.id = 1 AND ",
            $which,
            " ON CONFLICT (route) DO UPDATE SET generation = excluded.generation"
        )
    };
}

/// A change under way. Dropped without [`Change::publish`] or [`Change::save`], it never happened.
#[derive(Debug)]
pub(crate) struct Change {
    transaction: Transaction,
    node: NodeId,
}

impl Change {
    /// Begins a change.
    pub(crate) async fn begin(store: &Store) -> Result<Self, StoreError> {
        let mut transaction = store.engine().begin().await?;
        transaction
            .execute(Sql::new(
                "UPDATE catalogue_generation SET generation = generation WHERE id = 1",
            ))
            .await?;
        Ok(Self {
            transaction,
            node: store.node(),
        })
    }

    /// Runs a statement and tells how many rows it touched.
    pub(crate) async fn execute(&mut self, sql: Sql) -> Result<u64, StoreError> {
        self.transaction.execute(sql).await
    }

    /// Runs a statement that names what must not be there twice, and says how that is called where it is.
    pub(crate) async fn insert(
        &mut self,
        sql: Sql,
        conflict: impl FnOnce() -> StoreError + Send,
    ) -> Result<u64, StoreError> {
        match self.execute(sql).await {
            // The database found it, and knows only the name of an index.
            Err(StoreError::Conflict { .. }) => Err(conflict()),
            result => result,
        }
    }

    /// Reads inside the change.
    pub(crate) async fn rows(&mut self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        self.transaction.rows(sql).await
    }

    /// Reads at most one row inside the change.
    pub(crate) async fn row(&mut self, sql: Sql) -> Result<Option<Row>, StoreError> {
        self.transaction.row(sql).await
    }

    /// The rows of an `INSERT` whose parameters are all there are, as this engine reads them fastest.
    pub(crate) fn values_list(&self, rows: usize, columns: usize) -> String {
        self.transaction.values_list(rows, columns)
    }

    /// Puts audit events into the outbox of this node, and what is told of them into that of the webhooks.
    pub(crate) async fn record(&mut self, events: &[AuditEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut values: Vec<Value> = Vec::with_capacity(events.len() * 3);
        for event in events {
            let body = serde_json::to_string(event).map_err(|_| StoreError::Corrupt {
                what: format!("an audit event `{}`", event.id),
            })?;
            values.extend([
                event.id.to_string().into(),
                self.node.to_string().into(),
                body.into(),
            ]);
        }
        let rows = values_list(events.len(), 3);
        let text = format!("INSERT INTO audit_outbox (event_id, node, body) VALUES {rows}");
        self.execute(Sql::built(text, values)).await?;
        outbox::write::tell(self, events).await
    }

    /// Notes that these entries changed, for those who follow them.
    pub(crate) async fn note_entries(&mut self, servers: &[&str]) -> Result<(), StoreError> {
        if servers.is_empty() {
            return Ok(());
        }
        self.execute(Sql::new(
            "UPDATE catalogue_generation SET entries = entries + 1 WHERE id = 1",
        ))
        .await?;
        for chunk in servers.chunks(500) {
            let values = chunk.iter().map(|server| Value::from(*server)).collect();
            let rows = self.values_list(chunk.len(), 1);
            let text = format!(
                "INSERT INTO server_changes (server, generation) SELECT n.column1, g.entries FROM (VALUES {rows}) n, \
                 catalogue_generation g WHERE g.id = 1 ON CONFLICT (server) DO UPDATE SET \
                 generation = excluded.generation"
            );
            self.execute(Sql::built(text, values)).await?;
        }
        Ok(())
    }

    /// Notes that a route moved, for the gateway: with the next generation it reads what became of it.
    pub(crate) async fn note_route(&mut self, route: RouteId) -> Result<(), StoreError> {
        let sql = Sql::new(note_routes!("r.id = $1")).bind(route.to_string());
        self.execute(sql).await.map(drop)
    }

    /// Notes that all routes of a server move.
    pub(crate) async fn note_routes_of(&mut self, server: &str) -> Result<(), StoreError> {
        let sql = Sql::new(note_routes!("r.server = $1")).bind(server);
        self.execute(sql).await.map(drop)
    }

    /// Saves a change that decisions depend on.
    pub(crate) async fn publish(mut self) -> Result<(), StoreError> {
        self.execute(Sql::new(
            "UPDATE catalogue_generation SET generation = generation + 1 WHERE id = 1",
        ))
        .await?;
        self.save().await
    }

    /// Saves a change that decisions do not depend on.
    pub(crate) async fn save(self) -> Result<(), StoreError> {
        self.transaction.save().await
    }

    /// Forgets the change.
    pub(crate) async fn cancel(self) -> Result<(), StoreError> {
        self.transaction.cancel().await
    }
}
