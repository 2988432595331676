//! The feed of entries, for those who keep what a search needs in memory.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use async_trait::async_trait;
use portreeve_core::page::PageOf;
use portreeve_core::ports::{EntryFeed, FeedPosition, ListedVersion, Searchable, StoreError, VersionQuery};
use portreeve_core::profile::Profile;
use portreeve_core::server::{Approval, Lifecycle};
use portreeve_core::visibility::Visibility;

use super::{list, version_of};
use crate::engine::{Row, Sql, Value};
use crate::store::Store;

const GENERATION: &str = "SELECT entries FROM catalogue_generation WHERE id = 1";
const CHANGED: &str = "SELECT server, generation FROM server_changes WHERE (generation, server) > ($1, $2) \
    ORDER BY generation, server LIMIT $3";
/// One row for all of them: no name holds a blank.
const NAMES: &str = "SELECT STRING_AGG(l.server, ' ' ORDER BY l.server) AS names FROM (SELECT server FROM versions \
    WHERE is_latest AND approval = 'approved' AND lifecycle <> 'retired' AND server > $1 ORDER BY server LIMIT $2) l";
/// Names in one statement.
const CHUNK: usize = 500;

#[async_trait]
impl EntryFeed for Store {
    async fn entry_generation(&self) -> Result<i64, StoreError> {
        let row = self.engine().row(Sql::new(GENERATION)).await?;
        row.ok_or_else(|| StoreError::Corrupt {
            what: "no generation of the entries".to_owned(),
        })?
        .integer("entries")
    }

    async fn changed_entries(
        &self,
        after: &FeedPosition,
        limit: u32,
    ) -> Result<Vec<FeedPosition>, StoreError> {
        let sql = Sql::new(CHANGED)
            .bind(after.generation)
            .bind(after.server.as_str())
            .bind(i64::from(limit));
        let rows = self.engine().rows(sql).await?;
        rows.iter()
            .map(|row| {
                Ok(FeedPosition {
                    generation: row.integer("generation")?,
                    server: row.text("server")?,
                })
            })
            .collect()
    }

    async fn listed_names(&self, after: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let sql = Sql::new(NAMES).bind(after).bind(i64::from(limit));
        let row = self.engine().row(sql).await?;
        let names = row.map(|row| row.optional_text("names")).transpose()?.flatten();
        Ok(names
            .map(|names| names.split(' ').map(str::to_owned).collect())
            .unwrap_or_default())
    }

    async fn searchable(&self, names: &[String]) -> Result<Vec<Searchable>, StoreError> {
        let mut found = Vec::with_capacity(names.len());
        for chunk in names.chunks(CHUNK) {
            found.extend(read(self, chunk).await?);
        }
        Ok(found)
    }

    async fn list_among(
        &self,
        query: &VersionQuery,
        names: &[String],
    ) -> Result<PageOf<ListedVersion>, StoreError> {
        list::list_among(self, query, names).await
    }

    async fn listed(
        &self,
        visibility: &Visibility,
        versions: &[(String, String)],
    ) -> Result<Vec<ListedVersion>, StoreError> {
        list::exactly(self, visibility, versions).await
    }
}

/// What of every version is looked at; the documents of most are never needed.
const VERSIONS: &str = "SELECT v.server, v.version, v.approval, v.lifecycle, v.is_latest, v.folded_title, \
    v.folded_description FROM versions v WHERE v.server IN (VALUES ";

/// A server while its versions come in.
struct Gathered {
    /// The version that is shown.
    version: String,
    /// Whether that is the latest and listed, and whether it is the latest.
    rank: (bool, bool),
    texts: Vec<String>,
}

async fn read(store: &Store, names: &[String]) -> Result<Vec<Searchable>, StoreError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut transaction = store.engine().begin_reading().await?;
    let list = transaction.values_list(names.len(), 1);
    let values: Vec<Value> = names.iter().map(|name| Value::from(name.as_str())).collect();
    let versions = Sql::built(
        format!("{VERSIONS}{list}) ORDER BY v.server, v.published_at DESC, v.version DESC"),
        values.clone(),
    );
    let profiles = Sql::built(
        format!("SELECT name, details FROM servers WHERE name IN (VALUES {list})"),
        values.clone(),
    );
    let tools = Sql::built(
        format!(
            "SELECT r.server, t.name, t.approved_annotations FROM tools t JOIN routes r ON r.id = t.route \
             WHERE r.server IN (VALUES {list}) AND t.approved_hash IS NOT NULL AND NOT t.hidden \
             AND (t.live_hash IS NULL OR t.live_hash = t.approved_hash) ORDER BY r.server, t.name, t.era"
        ),
        values.clone(),
    );
    let places = Sql::built(
        format!(
            "SELECT DISTINCT server, environment FROM routes WHERE server IN (VALUES {list}) AND state = 'active' \
             ORDER BY server, environment"
        ),
        values,
    );
    let mut gathered = gathered(&transaction.rows(versions).await?)?;
    let profiles = transaction.rows(profiles).await?;
    let tools = transaction.rows(tools).await?;
    let places = transaction.rows(places).await?;
    let shown = match shown(&gathered) {
        Some(sql) => transaction.rows(sql).await?,
        None => Vec::new(),
    };
    transaction.cancel().await?;

    let mut servers: BTreeMap<String, Searchable> = BTreeMap::new();
    for row in &shown {
        let shown = version_of(row)?;
        let name = shown.name.to_string();
        let texts = gathered.remove(&name).map(|gathered| gathered.texts);
        let searchable = Searchable {
            name: shown.name.clone(),
            shown,
            profile: Profile::default(),
            texts: texts.unwrap_or_default(),
            tools: Vec::new(),
            environments: Vec::new(),
        };
        servers.insert(name, searchable);
    }
    for row in &profiles {
        if let Some(server) = servers.get_mut(&row.text("name")?) {
            server.profile = row.json("details")?;
        }
    }
    for row in &tools {
        if let Some(server) = servers.get_mut(&row.text("server")?) {
            let name = row.text("name")?;
            if server.tools.last().is_none_or(|(last, _)| *last != name) {
                server.tools.push((name, row.json("approved_annotations")?));
            }
        }
    }
    for row in &places {
        if let Some(server) = servers.get_mut(&row.text("server")?) {
            server.environments.push(row.parsed("environment")?);
        }
    }
    Ok(servers.into_values().collect())
}

/// Versions come newest first; a later one is shown only if it is marked and the one before is not listed.
fn gathered(rows: &[Row]) -> Result<BTreeMap<String, Gathered>, StoreError> {
    let mut servers: BTreeMap<String, Gathered> = BTreeMap::new();
    for row in rows {
        let approval = row.word("approval", Approval::from_word)?;
        let lifecycle = row.word("lifecycle", Lifecycle::from_word)?;
        let is_listed = approval == Approval::Approved && lifecycle != Lifecycle::Retired;
        let is_latest = row.boolean("is_latest")?;
        let (version, rank) = (row.text("version")?, (is_latest && is_listed, is_latest));
        let gathered = match servers.entry(row.text("server")?) {
            Entry::Vacant(place) => place.insert(Gathered {
                version,
                rank,
                texts: Vec::new(),
            }),
            Entry::Occupied(place) => {
                let gathered = place.into_mut();
                if rank > gathered.rank {
                    (gathered.version, gathered.rank) = (version, rank);
                }
                gathered
            }
        };
        for text in [row.text("folded_title")?, row.text("folded_description")?] {
            if !text.is_empty() && !gathered.texts.contains(&text) {
                gathered.texts.push(text);
            }
        }
    }
    Ok(servers)
}

/// Reads the versions that are shown; there may be none.
fn shown(servers: &BTreeMap<String, Gathered>) -> Option<Sql> {
    if servers.is_empty() {
        return None;
    }
    let mut sql = Sql::new(concat!(
        "SELECT ",
        version_columns!(),
        " FROM versions v WHERE v.server IN (VALUES "
    ));
    // SQLite does not look pairs up in an index, but the names alone.
    for (index, name) in servers.keys().enumerate() {
        sql.push_bound(if index == 0 { "(" } else { ", (" }, name.as_str());
        sql.push(")");
    }
    sql.push(") AND (v.server, v.version) IN (VALUES ");
    for (index, (name, gathered)) in servers.iter().enumerate() {
        sql.push_bound(if index == 0 { "(" } else { ", (" }, name.as_str());
        sql.push_bound(", ", gathered.version.as_str());
        sql.push(")");
    }
    sql.push(")");
    Some(sql)
}
