//! Both migration folders make the same tables, columns and nullability.

use std::collections::BTreeMap;

use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection};

use crate::support::Database;

/// By table, each column with its kind and whether it may be null.
type Schema = BTreeMap<String, Vec<(String, String, bool)>>;

async fn of_sqlite(database: &Database) -> Schema {
    let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
    let rows = sqlx::query(
        "SELECT m.name AS t, c.name AS c, c.type AS k, c.\"notnull\" = 0 AND c.pk = 0 AS n \
         FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' \
         ESCAPE '\\' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut schema = Schema::new();
    for row in rows {
        let kind = row
            .get::<String, _>("k")
            .replace("INTEGER", "BIGINT")
            .replace("BLOB", "BYTEA");
        let column = (row.get("c"), kind, row.get::<bool, _>("n"));
        schema.entry(row.get("t")).or_default().push(column);
    }
    schema
}

async fn of_postgres(database: &Database) -> Schema {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let rows = sqlx::query(
        "SELECT table_name::text AS t, column_name::text AS c, upper(data_type::text) AS k, is_nullable = 'YES' AS n \
         FROM information_schema.columns WHERE table_schema = 'public' AND left(table_name::text, 1) <> '_' \
         ORDER BY table_name::text COLLATE \"C\", ordinal_position",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut schema = Schema::new();
    for row in rows {
        let column = (row.get("c"), row.get("k"), row.get::<bool, _>("n"));
        schema.entry(row.get("t")).or_default().push(column);
    }
    schema
}

#[tokio::test]
async fn both_engines_have_the_same_tables() {
    let Some(postgres) = Database::postgres().await else {
        return;
    };
    let sqlite = Database::sqlite();
    let (one, other) = (sqlite.open().await, postgres.open().await);
    let (left, right) = (of_sqlite(&sqlite).await, of_postgres(&postgres).await);
    assert!(left.len() > 10, "{left:?}");
    assert_eq!(left, right);
    sqlite.close(one).await;
    postgres.close(other).await;
}

/// Without a PostgreSQL, the texts of the migrations are compared at least: they differ in two words only.
#[test]
fn both_migrations_say_the_same() {
    for (sqlite, postgres) in [
        (
            include_str!("../../migrations/sqlite/0001_first.sql"),
            include_str!("../../migrations/postgres/0001_first.sql"),
        ),
        (
            include_str!("../../migrations/sqlite/0003_feed_and_imports.sql"),
            include_str!("../../migrations/postgres/0003_feed_and_imports.sql"),
        ),
        (
            include_str!("../../migrations/sqlite/0004_governance.sql"),
            include_str!("../../migrations/postgres/0004_governance.sql"),
        ),
        (
            include_str!("../../migrations/sqlite/0008_webhooks.sql"),
            include_str!("../../migrations/postgres/0008_webhooks.sql"),
        ),
    ] {
        let postgres = postgres.replace(" COLLATE \"C\"", "").replace(
            "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
            "INTEGER PRIMARY KEY AUTOINCREMENT",
        );
        assert_eq!(sqlite, postgres);
    }
}
