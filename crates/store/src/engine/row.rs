//! A row of either engine, read by column name into what it must be. The ports turn rows into nouns.

use std::str::FromStr;

use portreeve_core::ports::StoreError;
use portreeve_core::time::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::failure;

/// A row.
#[derive(Debug)]
pub(crate) enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

/// What is said about a column that holds something else than it must.
fn corrupt(column: &str) -> StoreError {
    StoreError::Corrupt {
        what: format!("a value of `{column}`"),
    }
}

macro_rules! get {
    ($row:expr, $column:expr) => {
        match $row {
            Row::Sqlite(row) => row.try_get($column),
            Row::Postgres(row) => row.try_get($column),
        }
        .map_err(failure)
    };
}

impl Row {
    /// A text.
    pub(crate) fn text(&self, column: &str) -> Result<String, StoreError> {
        get!(self, column)
    }

    /// A text that may be absent.
    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        get!(self, column)
    }

    /// A text that may be absent, as it lies in the row.
    pub(crate) fn optional_str(&self, column: &str) -> Result<Option<&str>, StoreError> {
        get!(self, column)
    }

    /// A number.
    pub(crate) fn integer(&self, column: &str) -> Result<i64, StoreError> {
        get!(self, column)
    }

    /// A number that may be absent.
    pub(crate) fn optional_integer(&self, column: &str) -> Result<Option<i64>, StoreError> {
        get!(self, column)
    }

    /// A number that cannot be negative.
    pub(crate) fn count(&self, column: &str) -> Result<u64, StoreError> {
        u64::try_from(self.integer(column)?).map_err(|_| corrupt(column))
    }

    /// Yes or no.
    pub(crate) fn boolean(&self, column: &str) -> Result<bool, StoreError> {
        get!(self, column)
    }

    /// Bytes.
    pub(crate) fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        get!(self, column)
    }

    /// A moment.
    pub(crate) fn moment(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.integer(column).map(Timestamp::from_millis)
    }

    /// A moment that may be absent.
    pub(crate) fn optional_moment(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.optional_integer(column)?.map(Timestamp::from_millis))
    }

    /// A name or an identifier.
    pub(crate) fn parsed<T: FromStr>(&self, column: &str) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|_| corrupt(column))
    }

    /// A name or an identifier that may be absent.
    pub(crate) fn optional_parsed<T: FromStr>(&self, column: &str) -> Result<Option<T>, StoreError> {
        self.optional_text(column)?
            .map(|text| text.parse().map_err(|_| corrupt(column)))
            .transpose()
    }

    /// One of the words of a state.
    pub(crate) fn word<T>(&self, column: &str, read: fn(&str) -> Option<T>) -> Result<T, StoreError> {
        read(&self.text(column)?).ok_or_else(|| corrupt(column))
    }

    /// One of the words of a state, or none.
    pub(crate) fn optional_word<T>(
        &self,
        column: &str,
        read: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.optional_text(column)?
            .map(|word| read(&word).ok_or_else(|| corrupt(column)))
            .transpose()
    }

    /// JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|_| corrupt(column))
    }
}
