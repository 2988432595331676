//! Either database behind one face: SQL texts with `$1..$n`, values, rows, transactions. The ports stand on it.

mod error;
mod row;
mod sql;

mod postgres;
mod sqlite;

mod transaction;

use portreeve_core::ports::StoreError;

pub(crate) use error::failure;
pub(crate) use row::Row;
pub(crate) use sql::{Sql, Value, contains_pattern, plain_values_list, values_list};
pub(crate) use transaction::Transaction;

pub(crate) use postgres::PostgresPool;
pub(crate) use sqlite::SqlitePools;

/// The database that a store speaks to.
#[derive(Debug)]
pub(crate) enum Engine {
    /// A file, with one writer and several readers.
    Sqlite(SqlitePools),
    /// A server.
    Postgres(PostgresPool),
}

impl Engine {
    /// The engine's name as `doctor` shows it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Begins a transaction that may write. On SQLite it holds the only write lock from here on.
    pub(crate) async fn begin(&self) -> Result<Transaction, StoreError> {
        match self {
            Self::Sqlite(pools) => pools.begin().await.map(Transaction::Sqlite),
            Self::Postgres(pool) => pool.begin().await.map(Transaction::Postgres),
        }
        .map_err(failure)
    }

    /// Begins a transaction that only reads, and sees one state of everything.
    pub(crate) async fn begin_reading(&self) -> Result<Transaction, StoreError> {
        match self {
            Self::Sqlite(pools) => pools.begin_reading().await.map(Transaction::Sqlite),
            Self::Postgres(pool) => pool.begin_reading().await.map(Transaction::Postgres),
        }
        .map_err(failure)
    }

    /// Reads, outside of a transaction.
    pub(crate) async fn rows(&self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(pools) => pools.rows(sql).await,
            Self::Postgres(pool) => pool.rows(sql).await,
        }
        .map_err(failure)
    }

    /// Reads at most one row, outside of a transaction.
    pub(crate) async fn row(&self, sql: Sql) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql).await?.into_iter().next())
    }

    /// Writes by one statement, which is a transaction of its own; returns what it returns.
    pub(crate) async fn write(&self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        let mut transaction = self.begin().await?;
        let rows = transaction.rows(sql).await?;
        transaction.save().await?;
        Ok(rows)
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pools) => pools.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
