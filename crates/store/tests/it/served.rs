//! Texts that are missing, or of another state than the version: they are written anew, before anybody reads them.

use portreeve_core::ports::{EntryStore as _, ServedStore as _};
use portreeve_testkit::store_contract::listing::all;
use portreeve_testkit::store_contract::served::asked;
use portreeve_testkit::store_fixtures::{new_entry, version};

use crate::support::Database;

async fn texts_are_mended(database: Database) {
    let query = asked(all(), &["production"]);
    let store = database.open().await;
    for number in 0..300 {
        let name = format!("com.acme/server-{number:03}");
        let entry = new_entry(&name, vec![version(&name, "1.0.0")]);
        store.save(entry).await.unwrap();
    }
    let expected = store.served(&query).await.unwrap();
    assert_eq!(expected.count, 50);

    // A Portreeve that does not know of texts saved these.
    let stale = "UPDATE versions SET updated_at = updated_at + 1, served_head = 'stale'";
    database.tamper(stale).await;
    let found = store.served(&query).await.unwrap();
    assert_eq!(found.items, expected.items.replace(".005Z\"", ".006Z\""));
    assert!(!found.items.contains("stale"));

    // Before there were texts.
    database
        .tamper("UPDATE versions SET served_head = NULL, served_tail = NULL, served_of = NULL")
        .await;
    store.close().await;
    let store = database.open().await;
    assert_eq!(store.served(&query).await.unwrap(), found);

    // Nothing is made up for a document that is none.
    let broken = "UPDATE versions SET document = '[]', updated_at = updated_at + 1 WHERE server = 'com.acme/server-007'";
    database.tamper(broken).await;
    let error = store.served(&query).await.unwrap_err();
    assert!(error.to_string().contains("document"), "{error}");
    database.close(store).await;
}

#[tokio::test]
async fn texts_are_mended_on_sqlite() {
    texts_are_mended(Database::sqlite()).await;
}

#[tokio::test]
async fn texts_are_mended_on_postgres() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    texts_are_mended(database).await;
}
