//! The feed and the imports of the store in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::id::ImportId;
use portreeve_core::import::{ImportRun, ImportSchedule, ImportedRecord, Provenance};
use portreeve_core::name::ServerName;
use portreeve_core::page::PageOf;
use portreeve_core::ports::{
    Entry, EntryFeed, EntryStore as _, FeedPosition, ImportBatch, ImportStore, ListedVersion, Searchable,
    StoreError, VersionFilter, VersionQuery,
};
use portreeve_core::route::RouteState;
use portreeve_core::server::Version;
use portreeve_core::time::Timestamp;
use portreeve_core::visibility::Visibility;

use super::Memory;

#[async_trait]
impl EntryFeed for Memory {
    async fn entry_generation(&self) -> Result<i64, StoreError> {
        Ok(self.tables().changed.values().max().copied().unwrap_or(0))
    }

    async fn changed_entries(
        &self,
        after: &FeedPosition,
        limit: u32,
    ) -> Result<Vec<FeedPosition>, StoreError> {
        let tables = self.tables();
        let mut changed: Vec<(i64, String)> = tables
            .changed
            .iter()
            .map(|(server, generation)| (*generation, server.clone()))
            .filter(|change| *change > (after.generation, after.server.clone()))
            .collect();
        changed.sort();
        changed.truncate(limit as usize);
        Ok(changed
            .into_iter()
            .map(|(generation, server)| FeedPosition { generation, server })
            .collect())
    }

    async fn searchable(&self, names: &[String]) -> Result<Vec<Searchable>, StoreError> {
        if self.is_slow() {
            std::future::pending::<()>().await;
        }
        let tables = self.tables();
        let entries = names
            .iter()
            .filter_map(|name| tables.entries.get(&name.to_lowercase()));
        Ok(entries
            .filter_map(|entry| {
                let rank = |version: &&Version| (version.is_latest && version.is_listed(), version.is_latest);
                // Newest first, so the last of equals would be the oldest.
                let shown = entry.versions.iter().rev().max_by_key(rank)?;
                let mut tools: Vec<_> = tables
                    .tools
                    .iter()
                    .filter(|((route, ..), tool)| {
                        tool.is_callable() && entry.routes.iter().any(|one| one.id == *route)
                    })
                    .filter_map(|((_, name, _), tool)| {
                        Some((name.clone(), tool.approved.as_ref()?.annotations))
                    })
                    .collect();
                tools.dedup_by(|one, other| one.0 == other.0);
                let active = entry
                    .routes
                    .iter()
                    .filter(|route| route.state == RouteState::Active);
                let environments: BTreeSet<_> = active.map(|route| route.environment.clone()).collect();
                Some(Searchable {
                    name: entry.server.name.clone(),
                    shown: shown.clone(),
                    profile: entry.server.profile.clone(),
                    texts: entry.versions.iter().flat_map(texts).collect(),
                    tools,
                    environments: environments.into_iter().collect(),
                })
            })
            .collect())
    }

    async fn list_among(
        &self,
        query: &VersionQuery,
        names: &[String],
    ) -> Result<PageOf<ListedVersion>, StoreError> {
        let all = VersionQuery {
            limit: u32::MAX,
            ..query.clone()
        };
        let mut items = self.list(&all).await?.items;
        items.retain(|item| names.iter().any(|name| *name == item.version.name.as_str()));
        let limit = query.limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(PageOf { items, more })
    }

    async fn listed_names(&self, after: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let query = VersionQuery {
            visibility: Visibility::Listed,
            search: None,
            versions: VersionFilter::Latest,
            updated_since: None,
            include_retired: false,
            after: Some((after.to_owned(), String::new())),
            limit,
        };
        let listed = self.list(&query).await?.items;
        Ok(listed.iter().map(|item| item.version.name.to_string()).collect())
    }

    async fn listed(
        &self,
        visibility: &Visibility,
        versions: &[(String, String)],
    ) -> Result<Vec<ListedVersion>, StoreError> {
        let query = VersionQuery {
            visibility: visibility.clone(),
            search: None,
            versions: VersionFilter::Any,
            updated_since: None,
            include_retired: false,
            after: None,
            limit: u32::MAX,
        };
        let mut items = self.list(&query).await?.items;
        items.retain(|item| {
            let place = super::store::place(&item.version);
            versions
                .iter()
                .any(|(name, version)| (name.as_str(), version.as_str()) == place)
        });
        Ok(items)
    }
}

fn texts(version: &Version) -> Vec<String> {
    let document: serde_json::Value = serde_json::from_str(&version.document).unwrap();
    let text = |key: &str| document[key].as_str().unwrap_or_default().to_lowercase();
    vec![text("title"), text("description")]
}

impl Memory {
    /// A schedule as somebody leaves it who changes or ends it.
    pub(crate) fn leave_schedule(&self, origin: &str, schedule: Option<ImportSchedule>) {
        let mut tables = self.tables();
        tables.schedules.remove(origin);
        tables
            .schedules
            .extend(schedule.map(|schedule| (origin.to_owned(), schedule)));
    }
}

fn changed(origin: &str) -> StoreError {
    StoreError::Conflict {
        what: origin.to_owned(),
    }
}

#[async_trait]
impl ImportStore for Memory {
    async fn begin_import(&self, run: &ImportRun, event: AuditEvent) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.runs.push(run.clone());
        tables.events.push(event);
        Ok(())
    }

    async fn save_import(&self, batch: ImportBatch) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if tables.conflicts > 0 && !batch.entries.is_empty() {
            tables.conflicts -= 1;
            return Err(changed(batch.entries[0].server.name.as_str()));
        }
        for entry in batch.entries {
            tables.save(entry)?;
        }
        for origin in batch.provenance {
            let key = (origin.server.to_string(), origin.version.to_string());
            tables.provenance.insert(key, origin);
        }
        let id = batch.run.id;
        tables
            .records
            .extend(batch.records.into_iter().map(|record| (id, record)));
        tables.events.extend(batch.events);
        let run = tables.runs.iter_mut().find(|run| run.id == id).unwrap();
        *run = batch.run;
        Ok(())
    }

    async fn import(&self, id: ImportId) -> Result<Option<ImportRun>, StoreError> {
        Ok(self.tables().runs.iter().find(|run| run.id == id).cloned())
    }

    async fn imports(&self, after: Option<ImportId>, limit: u32) -> Result<Vec<ImportRun>, StoreError> {
        let tables = self.tables();
        let newest = tables.runs.iter().rev();
        let rest = newest.skip_while(|run| after.is_some_and(|after| run.id != after));
        let skip = usize::from(after.is_some());
        Ok(rest.skip(skip).take(limit as usize).cloned().collect())
    }

    async fn import_records(
        &self,
        id: ImportId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ImportedRecord>, StoreError> {
        let tables = self.tables();
        let records = tables
            .records
            .iter()
            .filter(|(run, record)| *run == id && record.position > after);
        Ok(records
            .take(limit as usize)
            .map(|(_, record)| record.clone())
            .collect())
    }

    async fn entries_named(&self, names: &[ServerName]) -> Result<Vec<Entry>, StoreError> {
        let tables = self.tables();
        let found = names
            .iter()
            .filter_map(|name| tables.entries.get(&name.as_str().to_lowercase()));
        Ok(found.cloned().collect())
    }

    async fn provenance(&self, names: &[ServerName]) -> Result<Vec<Provenance>, StoreError> {
        let tables = self.tables();
        let found = tables.provenance.values();
        Ok(found
            .filter(|origin| names.contains(&origin.server))
            .cloned()
            .collect())
    }

    async fn schedules(&self) -> Result<Vec<ImportSchedule>, StoreError> {
        Ok(self.tables().schedules.values().cloned().collect())
    }

    async fn save_schedule(
        &self,
        schedule: &ImportSchedule,
        event: Option<AuditEvent>,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.schedules.insert(schedule.origin.clone(), schedule.clone());
        tables.events.extend(event);
        Ok(())
    }

    async fn begin_scheduled(
        &self,
        seen: &ImportSchedule,
        run: ImportId,
        next_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let schedule = tables.schedules.get_mut(&seen.origin);
        let schedule = schedule
            .filter(|one| **one == *seen)
            .ok_or(changed(&seen.origin))?;
        (schedule.last_import, schedule.next_at) = (Some(run), next_at);
        Ok(())
    }

    async fn note_synced(&self, origin: &str, run: ImportId, until: Timestamp) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let schedule = tables.schedules.get_mut(origin);
        let schedule = schedule.filter(|one| one.last_import == Some(run));
        schedule.ok_or(changed(origin))?.synced_until = Some(until);
        Ok(())
    }

    async fn remove_schedule(&self, origin: &str, event: AuditEvent) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.schedules.remove(origin);
        tables.events.push(event);
        Ok(())
    }
}
