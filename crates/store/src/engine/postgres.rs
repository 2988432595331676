//! PostgreSQL: one pool. Nothing waits without end, so that a hanging node cannot hold up the others.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Postgres, Transaction};

use super::{Row, Sql};
use crate::store::StoreOptions;

/// A connection that rested longer is asked whether it still lives before it is used. To ask costs as much as a small
/// question, so one that was just used is not asked.
const FRESH: Duration = Duration::from_secs(1);

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
            // PostgreSQL has cores of its own, and is a network away.
            .max_connections(options.readers.saturating_mul(2).saturating_add(1))
            .acquire_timeout(options.wait)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move { Ok(meta.idle_for < FRESH || connection.ping().await.is_ok()) })
            })
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
