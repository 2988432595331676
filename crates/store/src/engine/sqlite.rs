//! SQLite: one connection that writes, some that read, write-ahead logging, and a file that only its owner may read.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};

use super::{Row, Sql};
use crate::store::{OpenMode, StoreOptions};

/// How long a statement waits for a lock that another process holds.
const BUSY: Duration = Duration::from_secs(10);

/// Rows that wait between the thread of a connection and who asked: a page fits, so neither waits for the other.
const ROWS: usize = 128;

/// Bytes of a page of a new file. A version takes about 2,000: of SQLite's usual 4,096, a list reads twice as many pages.
const PAGE_BYTES: u32 = 8_192;

/// KiB of pages that a connection that reads keeps (as SQLite takes them: below zero). The upper pages of each tree fit;
/// the others lie in memory of the system.
const CACHE: &str = "-1000";

/// The pools of a file.
#[derive(Debug)]
pub(crate) struct SqlitePools {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqlitePools {
    /// Opens the file, and makes it first if it does not exist.
    pub(crate) async fn open(path: &Path, options: &StoreOptions) -> Result<Self, sqlx::Error> {
        let base = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .busy_timeout(BUSY)
            .foreign_keys(true)
            .row_buffer_size(ROWS);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                // All of them from the start, for as long as the store is open: each has a thread, with the priority of the
                // one that opened it, and to open one takes longer than most requests.
                .min_connections(connections)
                .idle_timeout(None)
                .max_lifetime(None)
                // A connection to a file does not break while it rests; asking it before each use costs as much as a
                // small query.
                .test_before_acquire(false)
                .acquire_timeout(options.wait)
        };
        if options.mode == OpenMode::ReadOnly {
            let readers = pool(options.readers).connect_with(base.read_only(true)).await?;
            return Ok(Self {
                writer: readers.clone(),
                readers,
            });
        }
        create_private(path)?;
        // FULL: an acknowledged change survives a power failure. NORMAL would keep the file whole, but lose the change.
        let writing = base
            .clone()
            .page_size(PAGE_BYTES)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let writer = pool(1).connect_with(writing).await?;
        let reading = base.pragma("query_only", "on").pragma("cache_size", CACHE);
        let readers = pool(options.readers).connect_with(reading).await?;
        Ok(Self { writer, readers })
    }

    /// The connection that may write; migrations need it as it is.
    pub(crate) const fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    pub(super) async fn begin_reading(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.readers.begin().await
    }

    pub(super) async fn rows(&self, sql: Sql) -> Result<Vec<Row>, sqlx::Error> {
        let rows = sql.query::<Sqlite>().fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(Row::Sqlite).collect())
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Makes the file readable by its owner alone. SQLite gives its log files the same rights.
fn create_private(path: &Path) -> Result<(), std::io::Error> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map(drop)
}
