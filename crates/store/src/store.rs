//! The store: chosen by its URL, opened once, cloned everywhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use portreeve_core::id::NodeId;
use portreeve_core::ports::StoreError;

use crate::engine::{Engine, PostgresPool, SqlitePools, failure};
use crate::toolsets::ReadBindings;
use crate::{entries, migrations, routes};

/// Whether a store may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Makes a missing SQLite file, runs the migrations, writes.
    ReadWrite,
    /// Touches nothing: for `audit verify` beside a stopped or running server.
    ReadOnly,
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The node that writes: its usage and its audit events carry it. See [`crate::node_identity`].
    pub node: NodeId,
    /// Whether the store may be changed.
    pub mode: OpenMode,
    /// How many connections read at once.
    pub readers: u32,
    /// How long a caller waits for a connection before it is told that the store is not available.
    pub wait: Duration,
}

/// The durable ports. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    node: NodeId,
    bindings: ReadBindings,
}

// === impl StoreOptions ===

impl StoreOptions {
    /// The defaults, for a node.
    pub const fn new(node: NodeId) -> Self {
        Self {
            node,
            mode: OpenMode::ReadWrite,
            readers: 4,
            wait: Duration::from_secs(10),
        }
    }

    /// The defaults for a look that changes nothing.
    pub const fn read_only(node: NodeId) -> Self {
        Self {
            mode: OpenMode::ReadOnly,
            ..Self::new(node)
        }
    }
}

// === impl Store ===

impl Store {
    /// Opens `sqlite:PATH` or `postgres://...` and runs the migrations.
    pub async fn open(url: &str, options: &StoreOptions) -> Result<Self, StoreError> {
        let engine = match Address::parse(url)? {
            Address::Sqlite(path) => SqlitePools::open(&path, options).await.map(Engine::Sqlite),
            Address::Postgres(url) => PostgresPool::open(url, options).await.map(Engine::Postgres),
        }
        .map_err(failure)?;
        if options.mode == OpenMode::ReadWrite {
            migrations::run(&engine).await?;
            entries::mend(&engine).await?;
            routes::mend(&engine).await?;
        }
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                node: options.node,
                bindings: ReadBindings::default(),
            }),
        })
    }

    /// The node that writes through this store.
    pub fn node(&self) -> NodeId {
        self.inner.node
    }

    /// Closes every connection. On SQLite this leaves one file without a log behind.
    pub async fn close(&self) {
        self.inner.engine.close().await;
    }

    pub(crate) fn bindings(&self) -> &ReadBindings {
        &self.inner.bindings
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }
}

/// Where a store is.
enum Address<'a> {
    Sqlite(PathBuf),
    Postgres(&'a str),
}

impl<'a> Address<'a> {
    fn parse(url: &'a str) -> Result<Self, StoreError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url));
        }
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if !path.is_empty() && path != ":memory:" {
                return Ok(Self::Sqlite(Path::new(path).to_owned()));
            }
        }
        // Only the scheme is shown: the rest may hold a password.
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        Err(StoreError::NotFound {
            what: format!("a store for `{scheme}:` (known are `sqlite:PATH` and `postgres://HOST/DATABASE`)"),
        })
    }
}
