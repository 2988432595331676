//! A database per test, and a signer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use portreeve_core::id::NodeId;
use portreeve_core::ports::CheckpointSigner;
use portreeve_store::{Audit, AuditOptions, Store, StoreOptions, node_identity};
use portreeve_testkit::store_engines::{self, Postgres};
use portreeve_testkit::store_fixtures::{CountingRng, SteppingClock};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

/// An empty database of one test.
pub(crate) struct Database {
    /// What `Store::open` takes.
    pub(crate) url: String,
    pub(crate) directory: TempDir,
    /// Where the database is dropped again, and its name.
    server: Option<(String, String)>,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self {
            url: format!("sqlite:{}", directory.path().join("portreeve.db").display()),
            directory,
            server: None,
        }
    }

    /// `None`: the run has no PostgreSQL and does not insist on one.
    pub(crate) async fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Postgres::Url(server) = store_engines::postgres() else {
            return None;
        };
        let name = format!(
            "portreeve_test_{}_{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let mut connection = PgConnection::connect(&server).await.unwrap();
        for statement in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name}"),
        ] {
            connection.execute(AssertSqlSafe(statement)).await.unwrap();
        }
        connection.close().await.unwrap();
        let (host, _) = server.rsplit_once('/').unwrap();
        Some(Self {
            url: format!("{host}/{name}"),
            directory: tempfile::tempdir().unwrap(),
            server: Some((server, name)),
        })
    }

    pub(crate) async fn open(&self) -> Store {
        self.open_as(self.node()).await
    }

    pub(crate) async fn open_as(&self, node: NodeId) -> Store {
        let mut options = StoreOptions::new(node);
        options.readers = 3;
        Store::open(&self.url, &options).await.unwrap()
    }

    pub(crate) fn node(&self) -> NodeId {
        node_identity(self.directory.path(), &SteppingClock::default(), &CountingRng).unwrap()
    }

    pub(crate) fn data(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn engine(&self) -> &'static str {
        if self.server.is_some() {
            "postgres"
        } else {
            "sqlite"
        }
    }

    /// Statements that no port offers: what somebody does who reached the database.
    pub(crate) async fn tamper(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        if self.server.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            connection.execute(statement).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
            connection.execute(statement).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    pub(crate) async fn close(self, store: Store) {
        store.close().await;
        if let Some((server, name)) = self.server {
            let mut connection = PgConnection::connect(&server).await.unwrap();
            let statement = format!("DROP DATABASE {name} WITH (FORCE)");
            connection.execute(AssertSqlSafe(statement)).await.unwrap();
        }
    }
}

/// Opens the audit log of a database's data directory.
pub(crate) async fn open_audit(database: &Database, store: &Store) -> Audit {
    Audit::open(
        store,
        AuditOptions::new(database.data()),
        Arc::new(Signer::new(1)),
        Arc::new(SteppingClock::default()),
    )
    .await
    .unwrap()
}

/// Ed25519 from a seed of one repeated byte.
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    public_key: String,
}

impl Signer {
    pub(crate) fn new(seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public_key = pair
            .public_key()
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self { pair, public_key }
    }
}

impl CheckpointSigner for Signer {
    fn sign(&self, statement: &[u8]) -> Vec<u8> {
        self.pair.sign(statement).as_ref().to_vec()
    }

    fn verify(&self, public_key: &str, statement: &[u8], signature: &[u8]) -> bool {
        let bytes: Option<Vec<u8>> = (0..public_key.len() / 2)
            .map(|at| u8::from_str_radix(public_key.get(at * 2..at * 2 + 2)?, 16).ok())
            .collect();
        bytes.is_some_and(|key| {
            UnparsedPublicKey::new(&signature::ED25519, key)
                .verify(statement, signature)
                .is_ok()
        })
    }

    fn public_key(&self) -> &str {
        &self.public_key
    }
}
