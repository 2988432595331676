//! The feed of entries, for those who keep what a search needs in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use portreeve_core::page::PageOf;
use portreeve_core::ports::{EntryFeed, FeedPosition, ListedVersion, Searchable, StoreError, VersionQuery};
use portreeve_core::profile::Profile;
use portreeve_core::server::Version;
use portreeve_core::tool::ToolAnnotations;
use portreeve_core::visibility::Visibility;

use super::{list, version_of};
use crate::engine::{Row, Sql, Value};
use crate::store::Store;

const GENERATION: &str = "SELECT entries FROM catalogue_generation WHERE id = 1";
const CHANGED: &str = "SELECT server, generation FROM server_changes WHERE (generation, server) > ($1, $2) \
    ORDER BY generation, server LIMIT $3";
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

/// A server while its rows come in.
struct Gathered {
    shown: Version,
    profile: Profile,
    texts: Vec<String>,
    tools: Vec<(String, ToolAnnotations)>,
}

async fn read(store: &Store, names: &[String]) -> Result<Vec<Searchable>, StoreError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut transaction = store.engine().begin_reading().await?;
    let list = transaction.values_list(names.len(), 1);
    let values: Vec<Value> = names.iter().map(|name| Value::from(name.as_str())).collect();
    let versions = Sql::built(
        format!(
            concat!(
                "SELECT ",
                version_columns!(),
                ", v.folded_title, v.folded_description FROM versions v WHERE v.server IN (VALUES {}) \
                 ORDER BY v.server, v.published_at DESC, v.version DESC"
            ),
            list
        ),
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
        values,
    );
    let versions = transaction.rows(versions).await?;
    let profiles = transaction.rows(profiles).await?;
    let tools = transaction.rows(tools).await?;
    transaction.cancel().await?;

    let mut servers = gathered(&versions)?;
    for row in &profiles {
        if let Some(gathered) = servers.get_mut(&row.text("name")?) {
            gathered.profile = row.json("details")?;
        }
    }
    for row in &tools {
        if let Some(gathered) = servers.get_mut(&row.text("server")?) {
            let name = row.text("name")?;
            if gathered.tools.last().is_none_or(|(last, _)| *last != name) {
                gathered.tools.push((name, row.json("approved_annotations")?));
            }
        }
    }
    Ok(servers
        .into_values()
        .map(|gathered| Searchable {
            name: gathered.shown.name.clone(),
            shown: gathered.shown,
            profile: gathered.profile,
            texts: gathered.texts,
            tools: gathered.tools,
        })
        .collect())
}

fn gathered(rows: &[Row]) -> Result<BTreeMap<String, Gathered>, StoreError> {
    let mut servers: BTreeMap<String, Gathered> = BTreeMap::new();
    for row in rows {
        let texts = [row.text("folded_title")?, row.text("folded_description")?];
        let version = version_of(row)?;
        match servers.get_mut(version.name.as_str()) {
            Some(gathered) => {
                if prefers(&version, &gathered.shown) {
                    gathered.shown = version;
                }
                gathered.note(texts);
            }
            None => {
                let name = version.name.to_string();
                let mut gathered = Gathered {
                    shown: version,
                    profile: Profile::default(),
                    texts: Vec::new(),
                    tools: Vec::new(),
                };
                gathered.note(texts);
                servers.insert(name, gathered);
            }
        }
    }
    Ok(servers)
}

impl Gathered {
    fn note(&mut self, texts: [String; 2]) {
        for text in texts {
            if !text.is_empty() && !self.texts.contains(&text) {
                self.texts.push(text);
            }
        }
    }
}

/// Versions come newest first; a later one is shown only if it is marked and the one before is not listed.
fn prefers(version: &Version, shown: &Version) -> bool {
    let rank = |version: &Version| (version.is_latest && version.is_listed(), version.is_latest);
    rank(version) > rank(shown)
}
