//! The migrations of both engines, embedded. A test compares the two schemas: drift is what kills a store with two
//! engines.

use portreeve_core::ports::StoreError;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use crate::engine::{Engine, Row, Sql};

/// Version, description, text for SQLite, text for PostgreSQL.
const ALL: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "first",
        include_str!("../migrations/sqlite/0001_first.sql"),
        include_str!("../migrations/postgres/0001_first.sql"),
    ),
    (
        2,
        "publishing",
        include_str!("../migrations/sqlite/0002_publishing.sql"),
        include_str!("../migrations/postgres/0002_publishing.sql"),
    ),
    (
        3,
        "feed and imports",
        include_str!("../migrations/sqlite/0003_feed_and_imports.sql"),
        include_str!("../migrations/postgres/0003_feed_and_imports.sql"),
    ),
    (
        4,
        "governance",
        include_str!("../migrations/sqlite/0004_governance.sql"),
        include_str!("../migrations/postgres/0004_governance.sql"),
    ),
    (
        5,
        "vault and assessments",
        include_str!("../migrations/sqlite/0005_vault_and_assessments.sql"),
        include_str!("../migrations/postgres/0005_vault_and_assessments.sql"),
    ),
    (
        6,
        "served texts",
        include_str!("../migrations/sqlite/0006_served_texts.sql"),
        include_str!("../migrations/postgres/0006_served_texts.sql"),
    ),
    (
        8,
        "webhooks",
        include_str!("../migrations/sqlite/0008_webhooks.sql"),
        include_str!("../migrations/postgres/0008_webhooks.sql"),
    ),
    (
        9,
        "review",
        include_str!("../migrations/sqlite/0009_review.sql"),
        include_str!("../migrations/postgres/0009_review.sql"),
    ),
    (
        10,
        "rest",
        include_str!("../migrations/sqlite/0010_rest.sql"),
        include_str!("../migrations/postgres/0010_rest.sql"),
    ),
    (
        12,
        "logins",
        include_str!("../migrations/sqlite/0012_logins.sql"),
        include_str!("../migrations/postgres/0012_logins.sql"),
    ),
    (
        13,
        "kept toolsets",
        include_str!("../migrations/sqlite/0013_kept_toolsets.sql"),
        include_str!("../migrations/postgres/0013_kept_toolsets.sql"),
    ),
    (
        15,
        "icons",
        include_str!("../migrations/sqlite/0015_icons.sql"),
        include_str!("../migrations/postgres/0015_icons.sql"),
    ),
    (
        16,
        "route_changes",
        include_str!("../migrations/sqlite/0016_route_changes.sql"),
        include_str!("../migrations/postgres/0016_route_changes.sql"),
    ),
    (
        17,
        "owner groups",
        include_str!("../migrations/sqlite/0017_owner_groups.sql"),
        include_str!("../migrations/postgres/0017_owner_groups.sql"),
    ),
    (
        18,
        "import stages",
        include_str!("../migrations/sqlite/0018_import_stages.sql"),
        include_str!("../migrations/postgres/0018_import_stages.sql"),
    ),
    (
        19,
        "ended by",
        include_str!("../migrations/sqlite/0019_ended_by.sql"),
        include_str!("../migrations/postgres/0019_ended_by.sql"),
    ),
    (
        21,
        "hops",
        include_str!("../migrations/sqlite/0021_hops.sql"),
        include_str!("../migrations/postgres/0021_hops.sql"),
    ),
    (
        22,
        "host sessions",
        include_str!("../migrations/sqlite/0022_host_sessions.sql"),
        include_str!("../migrations/postgres/0022_host_sessions.sql"),
    ),
    (
        23,
        "given names",
        include_str!("../migrations/sqlite/0023_given_names.sql"),
        include_str!("../migrations/postgres/0023_given_names.sql"),
    ),
    (
        25,
        "list cache",
        include_str!("../migrations/sqlite/0025_list_cache.sql"),
        include_str!("../migrations/postgres/0025_list_cache.sql"),
    ),
    (
        26,
        "server requests",
        include_str!("../migrations/sqlite/0026_server_requests.sql"),
        include_str!("../migrations/postgres/0026_server_requests.sql"),
    ),
    (
        27,
        "unused host sessions",
        include_str!("../migrations/sqlite/0027_unused_host_sessions.sql"),
        include_str!("../migrations/postgres/0027_unused_host_sessions.sql"),
    ),
    (
        28,
        "oauth",
        include_str!("../migrations/sqlite/0028_oauth.sql"),
        include_str!("../migrations/postgres/0028_oauth.sql"),
    ),
    (
        29,
        "former user names",
        include_str!("../migrations/sqlite/0029_former_user_names.sql"),
        include_str!("../migrations/postgres/0029_former_user_names.sql"),
    ),
    (
        30,
        "authorized when signed in",
        include_str!("../migrations/sqlite/0030_authorized_when_signed_in.sql"),
        include_str!("../migrations/postgres/0030_authorized_when_signed_in.sql"),
    ),
    (
        31,
        "tokens",
        include_str!("../migrations/sqlite/0031_tokens.sql"),
        include_str!("../migrations/postgres/0031_tokens.sql"),
    ),
    (
        32,
        "route credentials",
        include_str!("../migrations/sqlite/0032_route_credentials.sql"),
        include_str!("../migrations/postgres/0032_route_credentials.sql"),
    ),
    (
        33,
        "users and sessions",
        include_str!("../migrations/sqlite/0033_users_and_sessions.sql"),
        include_str!("../migrations/postgres/0033_users_and_sessions.sql"),
    ),
    (
        34,
        "sign-in attempts",
        include_str!("../migrations/sqlite/0034_sign_in_attempts.sql"),
        include_str!("../migrations/postgres/0034_sign_in_attempts.sql"),
    ),
    (
        35,
        "credentials",
        include_str!("../migrations/sqlite/0035_credentials.sql"),
        include_str!("../migrations/postgres/0035_credentials.sql"),
    ),
    (
        36,
        "call approvals",
        include_str!("../migrations/sqlite/0036_call_approvals.sql"),
        include_str!("../migrations/postgres/0036_call_approvals.sql"),
    ),
    (
        37,
        "partners",
        include_str!("../migrations/sqlite/0037_partners.sql"),
        include_str!("../migrations/postgres/0037_partners.sql"),
    ),
    (
        38,
        "partner recovery",
        include_str!("../migrations/sqlite/0038_partner_recovery.sql"),
        include_str!("../migrations/postgres/0038_partner_recovery.sql"),
    ),
    (
        39,
        "access policies",
        include_str!("../migrations/sqlite/0039_access_policies.sql"),
        include_str!("../migrations/postgres/0039_access_policies.sql"),
    ),
    (
        41,
        "usage by client",
        include_str!("../migrations/sqlite/0041_usage_by_client.sql"),
        include_str!("../migrations/postgres/0041_usage_by_client.sql"),
    ),
    (
        44,
        "access requests",
        include_str!("../migrations/sqlite/0044_access_requests.sql"),
        include_str!("../migrations/postgres/0044_access_requests.sql"),
    ),
];

/// What the database and this binary know that the other does not.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    /// Known to the binary alone.
    pub(crate) pending: Vec<String>,
    /// Known to the database alone.
    pub(crate) unknown: Vec<String>,
}

fn label(version: i64, description: &str) -> String {
    format!("{version:04} {description}")
}

fn migrator(engine: &Engine) -> Migrator {
    let migrations = ALL.iter().map(|(version, description, sqlite, postgres)| {
        let text = match engine {
            Engine::Sqlite(_) => sqlite,
            Engine::Postgres(_) => postgres,
        };
        Migration::new(
            *version,
            (*description).into(),
            MigrationType::Simple,
            (*text).into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}

/// Brings the database up to date. Fails when a newer Portreeve wrote it.
pub(crate) async fn run(engine: &Engine) -> Result<(), StoreError> {
    let migrator = migrator(engine);
    match engine {
        Engine::Sqlite(pools) => migrator.run(pools.writer()).await,
        Engine::Postgres(pool) => migrator.run(pool.pool()).await,
    }
    .map_err(refused)
}

fn refused(error: MigrateError) -> StoreError {
    let what = match &error {
        MigrateError::VersionMissing(version) => {
            format!("migration `{version}`, made by a newer Portreeve,")
        }
        MigrateError::VersionMismatch(version) => {
            format!("migration `{version}` with another text than this Portreeve knows,")
        }
        MigrateError::Dirty(version) => format!("migration `{version}`, half done,"),
        _ => return StoreError::Unavailable(Box::new(error)),
    };
    StoreError::Corrupt { what }
}

/// Compares what the database applied with what this binary knows.
pub(crate) async fn compare(engine: &Engine) -> Result<Difference, StoreError> {
    let applied = engine
        .rows(Sql::new(
            "SELECT version, description FROM _sqlx_migrations WHERE success ORDER BY version",
        ))
        .await?;
    let applied = applied.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let has = |wanted: i64| applied.iter().any(|(version, _)| *version == wanted);
    let knows = |wanted: i64| ALL.iter().any(|(version, ..)| *version == wanted);
    Ok(Difference {
        pending: ALL
            .iter()
            .filter(|(version, ..)| !has(*version))
            .map(|(version, description, ..)| label(*version, description))
            .collect(),
        unknown: applied
            .iter()
            .filter(|(version, _)| !knows(*version))
            .map(|(version, description)| label(*version, description))
            .collect(),
    })
}

fn read(row: &Row) -> Result<(i64, String), StoreError> {
    Ok((row.integer("version")?, row.text("description")?))
}
