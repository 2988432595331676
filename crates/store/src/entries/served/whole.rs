//! Whole entries for lists that are kept in memory: what a page reads of them, each entry at once and in one state.
//!
//! Before: somebody heard that they changed. After: the lists in memory hold them as they are now.

use std::collections::BTreeMap;

use portreeve_core::name::Environment;
use portreeve_core::ports::{ServedEntry, ServedRoute, ServedVersion, StoreError};
use portreeve_core::route::Entrance;
use portreeve_core::served::ServedText;
use portreeve_core::server::{Approval, Lifecycle};

use super::mend;
use crate::engine::{Row, Sql, Transaction, Value};
use crate::fields::major_of;
use crate::store::Store;

/// Names in one statement. Their texts are held at once.
const CHUNK: usize = 100;

const VERSIONS: &str = "SELECT v.server, v.version, v.approval, v.lifecycle, v.is_latest, v.published_at, v.updated_at, \
    CASE WHEN v.served_of = v.updated_at THEN v.served_head END AS served_head, v.served_tail FROM versions v \
    WHERE (v.approval = 'approved' OR v.is_latest) AND v.server IN (VALUES ";
const ROUTES: &str = concat!(
    "SELECT r.server, r.version, r.environment, r.major, r.slug, ",
    entrance!(),
    " AS entrance FROM routes r WHERE r.state = 'active' AND r.server IN (VALUES "
);
const TAGS: &str = "SELECT t.server, t.tag FROM server_tags t WHERE t.server IN (VALUES ";

/// Reads entries.
pub(super) async fn read(store: &Store, names: &[String]) -> Result<Vec<ServedEntry>, StoreError> {
    let mut found = Vec::with_capacity(names.len());
    for chunk in names.chunks(CHUNK) {
        let rows = match Rows::read(store, chunk).await?.entries()? {
            Some(entries) => entries,
            None => {
                mend(store.engine()).await?;
                let rows = Rows::read(store, chunk).await?;
                rows.entries()?.ok_or_else(|| StoreError::Corrupt {
                    what: "a document that is listed".to_owned(),
                })?
            }
        };
        found.extend(rows);
    }
    Ok(found)
}

/// What is stored of some entries, in one state.
struct Rows {
    versions: Vec<Row>,
    routes: Vec<Row>,
    tags: Vec<Row>,
}

impl Rows {
    async fn read(store: &Store, names: &[String]) -> Result<Self, StoreError> {
        let mut transaction = store.engine().begin_reading().await?;
        let rows = Self {
            versions: of(&mut transaction, VERSIONS, names).await?,
            routes: of(&mut transaction, ROUTES, names).await?,
            tags: of(&mut transaction, TAGS, names).await?,
        };
        transaction.cancel().await?;
        Ok(rows)
    }

    /// The entries, unless a text is missing.
    fn entries(&self) -> Result<Option<Vec<ServedEntry>>, StoreError> {
        let mut entries: BTreeMap<String, ServedEntry> = BTreeMap::new();
        for row in &self.versions {
            let name = row.text("server")?;
            let entry = entries.entry(name).or_insert_with_key(|name| ServedEntry {
                name: name.clone(),
                tags: Default::default(),
                stage: None,
                environments: Default::default(),
                versions: Vec::new(),
            });
            let lifecycle = row.word("lifecycle", Lifecycle::from_word)?;
            if row.boolean("is_latest")? {
                entry.stage = Some(lifecycle);
            }
            if row.word("approval", Approval::from_word)? == Approval::Approved {
                let Some(version) = version_of(row, lifecycle)? else {
                    return Ok(None);
                };
                entry.versions.push(version);
            }
        }
        entries.retain(|_, entry| !entry.versions.is_empty());
        for row in &self.tags {
            if let Some(entry) = entries.get_mut(row.text("server")?.as_str()) {
                entry.tags.insert(row.text("tag")?);
            }
        }
        self.lead(&mut entries)?;
        for entry in entries.values_mut() {
            entry
                .versions
                .sort_by(|one, other| one.version.cmp(&other.version));
        }
        Ok(Some(entries.into_values().collect()))
    }

    /// Puts the routes to the versions that they serve.
    fn lead(&self, entries: &mut BTreeMap<String, ServedEntry>) -> Result<(), StoreError> {
        let mut leading = Vec::with_capacity(self.routes.len());
        for row in &self.routes {
            let route = ServedRoute {
                environment: row.parsed("environment")?,
                entrance: row.word("entrance", Entrance::from_word)?,
                slug: row.parsed("slug")?,
            };
            leading.push((major_of(row, "major")?, route, row));
        }
        leading.sort_by(|(one_major, one, _), (other_major, other, _)| {
            let is_behind = |route: &ServedRoute| route.environment != Environment::production();
            (is_behind(one), one_major, &one.slug).cmp(&(is_behind(other), other_major, &other.slug))
        });
        for (_, route, row) in leading {
            let Some(entry) = entries.get_mut(row.text("server")?.as_str()) else {
                continue;
            };
            entry.environments.insert(route.environment.clone());
            let version = row.text("version")?;
            let serves =
                |one: &&mut ServedVersion| one.version == version && one.lifecycle != Lifecycle::Retired;
            if let Some(version) = entry.versions.iter_mut().find(serves) {
                version.routes.push(route);
            }
        }
        Ok(())
    }
}

async fn of(transaction: &mut Transaction, text: &str, names: &[String]) -> Result<Vec<Row>, StoreError> {
    let list = transaction.values_list(names.len(), 1);
    let values = names.iter().map(|name| Value::from(name.as_str())).collect();
    transaction
        .rows(Sql::built(format!("{text}{list})"), values))
        .await
}

/// A version, unless its text is missing.
fn version_of(row: &Row, lifecycle: Lifecycle) -> Result<Option<ServedVersion>, StoreError> {
    let (head, tail) = (
        row.optional_text("served_head")?,
        row.optional_text("served_tail")?,
    );
    let (Some(head), Some(tail)) = (head, tail) else {
        return Ok(None);
    };
    Ok(Some(ServedVersion {
        version: row.text("version")?,
        lifecycle,
        is_latest: row.boolean("is_latest")?,
        published_at: row.moment("published_at")?,
        updated_at: row.moment("updated_at")?,
        text: ServedText { head, tail },
        routes: Vec::new(),
    }))
}
