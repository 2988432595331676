//! What the engines do beside the ports: opening, rights, races, failures.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use portreeve_core::id::NodeId;
use portreeve_core::ports::{EntryChange, EntryFeed as _, EntryStore as _, StoreError};
use portreeve_store::{Store, StoreOptions};
use portreeve_testkit::store_contract::{catalogue, usage};
use portreeve_testkit::store_fixtures::{new_entry, parse, version};
use sqlx::{Connection as _, SqliteConnection};

use crate::support::Database;

macro_rules! on_both {
    ($($name:ident => $test:ident;)*) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$test(super::Database::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(database) = super::Database::postgres().await else { return };
                super::$test(database).await;
            }
        }
    )*};
}

on_both! {
    one_of_many_saves_wins => many_save_at_once;
    other_nodes_usage_is_summed => two_nodes_count;
    a_store_is_opened_again => open_twice;
    a_newer_store_is_refused => open_newer;
}

/// `.cargo/config.toml` says so; a build that does not read it would be slow and say nothing.
#[tokio::test]
async fn sqlite_plans_a_statement_once_and_takes_no_lock_for_a_page() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let options: Vec<String> = sqlx::query_scalar("PRAGMA compile_options")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    for option in ["ENABLE_QPSG", "DEFAULT_MEMSTATUS=0"] {
        assert!(options.iter().any(|have| have == option), "{option}: {options:?}");
    }
    for option in ["ENABLE_MEMORY_MANAGEMENT", "ENABLE_FTS5"] {
        assert!(
            !options.iter().any(|have| have == option),
            "{option}: {options:?}"
        );
    }
}

async fn many_save_at_once(database: Database) {
    let store = database.open().await;
    store
        .save(new_entry(
            "com.acme/billing",
            vec![version("com.acme/billing", "1.0.0")],
        ))
        .await
        .unwrap();
    let attempts: Vec<_> = (0..12)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let text = format!("2.0.{number}");
                let change = EntryChange {
                    expected: Some(1),
                    ..new_entry("com.acme/billing", vec![version("com.acme/billing", &text)])
                };
                store.save(change).await
            })
        })
        .collect();
    let mut won = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            Ok(revision) => {
                assert_eq!(revision, 2);
                won += 1;
            }
            Err(error) => assert!(matches!(error, StoreError::Conflict { .. }), "{error:?}"),
        }
    }
    assert_eq!(won, 1);
    let entry = store.entry(&parse("com.acme/billing")).await.unwrap().unwrap();
    assert_eq!((entry.revision, entry.versions.len()), (2, 2));
    assert_eq!(store.entry_generation().await.unwrap(), 2);
    database.close(store).await;
}

async fn two_nodes_count(database: Database) {
    let store = database.open().await;
    let other = database.open_as(NodeId::from_u128(7)).await;
    usage::usage_is_summed_over_nodes(&store, &other).await.unwrap();
    other.close().await;
    database.close(store).await;
}

async fn open_twice(database: Database) {
    let store = database.open().await;
    store
        .save(new_entry("com.acme/billing", Vec::new()))
        .await
        .unwrap();
    store.close().await;
    let store = database.open().await;
    assert!(store.entry(&parse("com.acme/billing")).await.unwrap().is_some());
    catalogue::the_store_is_healthy(&store, database.engine())
        .await
        .unwrap();
    database.close(store).await;
}

async fn open_newer(database: Database) {
    let store = database.open().await;
    database
        .tamper(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'later', TRUE, '', 0)",
        )
        .await;
    let status = portreeve_core::ports::StoreHealth::check(&store).await.unwrap();
    assert_eq!(status.unknown_migrations, ["9999 later"]);
    let error = Store::open(&database.url, &StoreOptions::new(database.node()))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the store holds migration `9999`, made by a newer Portreeve, that cannot be read"
    );
    database.close(store).await;
}

#[tokio::test]
async fn only_its_owner_may_read_the_file() {
    let database = Database::sqlite();
    let store = database.open().await;
    store
        .save(new_entry("com.acme/billing", Vec::new()))
        .await
        .unwrap();
    for file in std::fs::read_dir(database.data()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", file.file_name());
    }
    database.close(store).await;
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let missing = format!(
        "sqlite:{}",
        directory.path().join("no/such/portreeve.db").display()
    );
    for url in [&missing, "postgres://nobody:secret@127.0.0.1:9/none"] {
        let mut options = StoreOptions::new(NodeId::from_u128(1));
        options.wait = Duration::from_millis(300);
        let error = Store::open(url, &options).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    let error = Store::open("mysql://u:secret@h/d", &StoreOptions::new(NodeId::from_u128(1)))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`mysql:`") && !error.to_string().contains("secret"));
}

#[tokio::test]
async fn a_locked_file_is_unavailable_not_broken() {
    use sqlx::{Connection as _, Executor as _};
    let database = Database::sqlite();
    let mut options = StoreOptions::new(database.node());
    options.wait = Duration::from_millis(200);
    let store = Store::open(&database.url, &options).await.unwrap();
    // Another writer of this process holds the only connection.
    let mut other = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let slow = tokio::spawn({
        let store = store.clone();
        async move { store.save(new_entry("com.acme/a", Vec::new())).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = store.save(new_entry("com.acme/b", Vec::new())).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    other.execute("ROLLBACK").await.unwrap();
    slow.await.unwrap().unwrap();
    database.close(store).await;
}
