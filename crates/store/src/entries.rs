//! Entries: a server with its versions and routes. `save` writes one as a whole, `list` pages through the versions.

/// What [`version_of`] reads, of a table `versions v`.
macro_rules! version_columns {
    () => {
        "v.server, v.version, v.document, v.content_hash, v.approval, v.lifecycle, v.former_lifecycle, v.ended_by, \
         v.status_message, v.submitted_by, v.decided_by, v.is_latest, v.published_at, v.status_changed_at, v.updated_at, \
         v.metadata"
    };
}

/// How one gets in by a route, of a table `routes r`: the word of an `Entrance`. What a route takes is JSON as we write it;
/// an empty object takes everything.
macro_rules! entrance {
    () => {
        "CASE WHEN r.access = 'credential' AND r.credentials LIKE '%\"keys\":false%' THEN 'sign-in' ELSE r.access END"
    };
}

mod bulk;
pub(crate) mod deployments;
mod feed;
mod list;
pub(crate) mod owners;
mod publish;
mod save;
mod selection;
mod served;
mod slugs;

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::deployment::{Deployments, Place};
use portreeve_core::name::{Environment, ServerName, Slug};
use portreeve_core::page::PageOf;
use portreeve_core::ports::{
    Entry, EntryChange, EntryStore, ListedVersion, Publication, Published, StoreError, VersionQuery,
};
use portreeve_core::server::{Approval, EndedBy, Lifecycle, Server, Version};

use crate::change::Change;
use crate::engine::{Engine, Row, Sql};
use crate::routes::{forget_secrets, route_columns, route_of};
use crate::store::Store;
use crate::{icons, logins, partners};

pub(crate) use bulk::{named, put_all};
pub(crate) use save::finish;
pub(crate) use served::mend;

const SERVER: &str = "SELECT name, registered_by, private_hosts, details, proposed_by, revision, created_at, \
    updated_at FROM servers WHERE lower(name) = $1";
const VERSIONS: &str = concat!(
    "SELECT ",
    version_columns!(),
    " FROM versions v WHERE v.server = $1 ORDER BY v.published_at DESC, v.version DESC"
);
const ROUTES: &str = concat!(
    "SELECT ",
    route_columns!(),
    " FROM routes WHERE server = $1 ORDER BY environment, slug"
);

#[async_trait]
impl EntryStore for Store {
    async fn entry(&self, name: &ServerName) -> Result<Option<Entry>, StoreError> {
        let mut transaction = self.engine().begin_reading().await?;
        let Some(row) = transaction.row(Sql::new(SERVER).bind(folded(name))).await? else {
            transaction.cancel().await?;
            return Ok(None);
        };
        let stored = row.text("name")?;
        let deployed = transaction
            .rows(Sql::new(deployments::OF_SERVER).bind(&stored))
            .await?;
        let versions = transaction.rows(Sql::new(VERSIONS).bind(&stored)).await?;
        let routes = transaction.rows(Sql::new(ROUTES).bind(&stored)).await?;
        transaction.cancel().await?;
        let deployments = deployments::read(&deployed, row.optional_text("proposed_by")?)?;
        let server = server_of(&row, deployments)?;
        Ok(Some(Entry {
            server,
            versions: versions.iter().map(version_of).collect::<Result<_, _>>()?,
            routes: routes.iter().map(route_of).collect::<Result<_, _>>()?,
            revision: row.integer("revision")?,
        }))
    }

    async fn save(&self, change: EntryChange) -> Result<i64, StoreError> {
        save::save(self, change).await
    }

    async fn publish(&self, publication: Publication) -> Result<Published, StoreError> {
        publish::publish(self, publication).await
    }

    async fn remove(&self, name: &ServerName, expected: i64, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let Some(row) = change.row(Sql::new(SERVER).bind(folded(name))).await? else {
            return Err(StoreError::NotFound { what: label(name) });
        };
        if row.integer("revision")? != expected {
            return Err(StoreError::Conflict { what: label(name) });
        }
        // Versions, routes and tools go with it; claims of slugs do not.
        let stored = row.text("name")?;
        logins::forget(&mut change, &row.parsed("name")?).await?;
        forget_secrets(&mut change, &row.parsed("name")?).await?;
        change.note_routes_of(&stored).await?;
        change
            .execute(Sql::new("DELETE FROM servers WHERE name = $1").bind(stored.as_str()))
            .await?;
        icons::drop_unseen(&mut change).await?;
        partners::forget(&mut change, &stored).await?;
        change.note_entries(&[&stored]).await?;
        change.record(&[event]).await?;
        change.publish().await
    }

    async fn list(&self, query: &VersionQuery) -> Result<PageOf<ListedVersion>, StoreError> {
        list::list(self, query).await
    }

    async fn slug_owner(&self, slug: &Slug) -> Result<Option<(ServerName, Environment)>, StoreError> {
        slugs::owner(self, slug).await
    }

    async fn slug_of(&self, name: &ServerName, place: &Place) -> Result<Option<Slug>, StoreError> {
        slugs::of(self, name, place).await
    }

    async fn slug_family(&self, base: &Slug) -> Result<Vec<ServerName>, StoreError> {
        slugs::family(self, base).await
    }
}

/// Names that differ in nothing but case are the same entry.
fn folded(name: &ServerName) -> String {
    name.as_str().to_ascii_lowercase()
}

fn label(name: &ServerName) -> String {
    format!("server `{name}`")
}

fn server_of(row: &Row, deployments: Deployments) -> Result<Server, StoreError> {
    Ok(Server {
        name: row.parsed("name")?,
        registered_by: row.text("registered_by")?,
        private_hosts: row.json("private_hosts")?,
        profile: row.json("details")?,
        deployments,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
    })
}

/// The last of so many entries behind this name, in the order of names; nothing if there are no more behind them.
pub(crate) async fn last_among(
    engine: &Engine,
    behind: Option<&ServerName>,
    among: u32,
) -> Result<Option<ServerName>, StoreError> {
    let sql = Sql::new("SELECT name FROM servers WHERE name > $1 ORDER BY name LIMIT 1 OFFSET $2")
        .bind(behind.map_or("", ServerName::as_str))
        .bind(i64::from(among.saturating_sub(1)));
    let rows = engine.rows(sql).await?;
    rows.first().map(|row| row.parsed("name")).transpose()
}

fn version_of(row: &Row) -> Result<Version, StoreError> {
    Ok(Version {
        name: row.parsed("server")?,
        version: row.parsed("version")?,
        document: row.text("document")?,
        content_hash: row.text("content_hash")?,
        approval: row.word("approval", Approval::from_word)?,
        lifecycle: row.word("lifecycle", Lifecycle::from_word)?,
        former_lifecycle: row.optional_word("former_lifecycle", Lifecycle::from_word)?,
        ended_by: row.optional_word("ended_by", EndedBy::from_word)?,
        status_message: row.optional_text("status_message")?,
        submitted_by: row.text("submitted_by")?,
        decided_by: row.optional_text("decided_by")?,
        is_latest: row.boolean("is_latest")?,
        metadata: row.json("metadata")?,
        published_at: row.moment("published_at")?,
        status_changed_at: row.moment("status_changed_at")?,
        updated_at: row.moment("updated_at")?,
    })
}
