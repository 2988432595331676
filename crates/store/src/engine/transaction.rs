//! A transaction of either engine, as a value that is saved or cancelled. One that is dropped is cancelled.

use portreeve_core::ports::StoreError;
use sqlx::{Postgres, Sqlite};

use super::{Row, Sql, failure, plain_values_list, values_list};

/// A transaction.
#[derive(Debug)]
pub(crate) enum Transaction {
    /// On SQLite.
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Transaction {
    /// Runs a statement and tells how many rows it touched.
    pub(crate) async fn execute(&mut self, sql: Sql) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(transaction) => sql
                .query::<Sqlite>()
                .execute(&mut **transaction)
                .await
                .map(|result| result.rows_affected()),
            Self::Postgres(transaction) => sql
                .query::<Postgres>()
                .execute(&mut **transaction)
                .await
                .map(|result| result.rows_affected()),
        }
        .map_err(failure)
    }

    /// The rows of an `INSERT` whose parameters are all there are, as this engine reads them fastest.
    pub(crate) fn values_list(&self, rows: usize, columns: usize) -> String {
        match self {
            Self::Sqlite(_) => plain_values_list(rows, columns),
            Self::Postgres(_) => values_list(rows, columns),
        }
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn rows(&mut self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(transaction) => sql
                .query::<Sqlite>()
                .fetch_all(&mut **transaction)
                .await
                .map(|rows| rows.into_iter().map(Row::Sqlite).collect()),
            Self::Postgres(transaction) => sql
                .query::<Postgres>()
                .fetch_all(&mut **transaction)
                .await
                .map(|rows| rows.into_iter().map(Row::Postgres).collect()),
        }
        .map_err(failure)
    }

    /// Runs a statement and returns its first row.
    pub(crate) async fn row(&mut self, sql: Sql) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql).await?.into_iter().next())
    }

    /// Makes everything in it durable.
    pub(crate) async fn save(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        }
        .map_err(failure)
    }

    /// Forgets everything in it.
    pub(crate) async fn cancel(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await,
            Self::Postgres(transaction) => transaction.rollback().await,
        }
        .map_err(failure)
    }
}
