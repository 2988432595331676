//! PostgreSQL: one pool. Nothing waits without end, so that a hanging node cannot hold up the others.

use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Postgres, Transaction};

use super::{Row, Sql};
use crate::store::StoreOptions;

/// The pool of a server.
#[derive(Debug)]
pub(crate) struct PostgresPool {
    pool: PgPool,
}

impl PostgresPool {
    /// Connects.
    pub(crate) async fn open(url: &str, options: &StoreOptions) -> Result<Self, sqlx::Error> {
        let connect = PgConnectOptions::from_str(url)?
            .application_name("portreeve")
            .options([
                ("lock_timeout", "10s"),
                ("statement_timeout", "60s"),
                ("idle_in_transaction_session_timeout", "60s"),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(options.readers.saturating_add(1))
            .acquire_timeout(options.wait)
            .connect_with(connect)
            .await?;
        Ok(Self { pool })
    }

    /// The pool itself; migrations need it as it is.
    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.pool.begin().await
    }

    pub(super) async fn begin_reading(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.pool
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await
    }

    pub(super) async fn rows(&self, sql: Sql) -> Result<Vec<Row>, sqlx::Error> {
        let rows = sql.query::<Postgres>().fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(Row::Postgres).collect())
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}
