//! Entries and routes in memory, with the promises of the ports.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::deployment::Place;
use portreeve_core::id::{ImportId, RouteId};
use portreeve_core::import::{ImportRun, ImportSchedule, ImportedRecord, Provenance};
use portreeve_core::login::ServerLogin;
use portreeve_core::name::{Environment, ServerName, Slug, VersionText};
use portreeve_core::page::PageOf;
use portreeve_core::ports::{
    Entry, EntryChange, EntryStore, ListedVersion, News, Publication, Published, RouteChange, RouteStore,
    StoreError, StoredAssessment, ToolDecision, ToolsApproved, ToolsSeen, VersionFilter, VersionQuery,
};
use portreeve_core::protocol::Era;
use portreeve_core::route::{Route, RouteState};
use portreeve_core::server::{Approval, Lifecycle, Version};
use portreeve_core::tool::Tool;
use portreeve_core::visibility::Visibility;

#[derive(Default)]
pub(crate) struct Memory(Mutex<Tables>, Mutex<Assessments>, Mutex<Vec<ServerLogin>>);

#[derive(Default)]
pub(super) struct Tables {
    pub(super) entries: BTreeMap<String, Entry>,
    slugs: Vec<(Slug, ServerName, Place)>,
    pub(super) tools: BTreeMap<(RouteId, String, Era), Tool>,
    pub(super) events: Vec<AuditEvent>,
    pub(super) conflicts: u32,
    is_slow: bool,
    /// The count of the last change of each entry, by its name as it is written.
    pub(super) changed: BTreeMap<String, i64>,
    pub(super) runs: Vec<ImportRun>,
    pub(super) records: Vec<(ImportId, ImportedRecord)>,
    pub(super) provenance: BTreeMap<(String, String), Provenance>,
    pub(super) schedules: BTreeMap<String, ImportSchedule>,
}

pub(super) type Assessments = BTreeMap<(ServerName, VersionText), StoredAssessment>;

impl Memory {
    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap()
    }

    pub(super) fn kept_logins(&self) -> MutexGuard<'_, Vec<ServerLogin>> {
        self.2.lock().unwrap()
    }

    pub(super) fn assessments(&self) -> MutexGuard<'_, Assessments> {
        self.1.lock().unwrap()
    }

    pub(super) fn note(&self, events: &[AuditEvent]) {
        self.tables().events.extend_from_slice(events);
    }

    pub(super) fn versions(&self) -> Vec<Version> {
        let tables = self.tables();
        tables
            .entries
            .values()
            .flat_map(|entry| entry.versions.clone())
            .collect()
    }

    pub(crate) fn events(&self) -> Vec<AuditEvent> {
        self.tables().events.clone()
    }

    pub(crate) fn take_events(&self) -> Vec<AuditEvent> {
        std::mem::take(&mut self.tables().events)
    }

    /// The next saves find that somebody was faster.
    pub(crate) fn conflict(&self, times: u32) {
        self.tables().conflicts = times;
    }

    /// From now on nobody is told what a search must know; or again.
    pub(crate) fn slow(&self, is_slow: bool) {
        self.tables().is_slow = is_slow;
    }

    pub(super) fn is_slow(&self) -> bool {
        self.tables().is_slow
    }

    pub(crate) fn get(&self, name: &str) -> Entry {
        self.tables().entries[&name.to_lowercase()].clone()
    }

    pub(crate) fn all(&self) -> Vec<Entry> {
        self.tables().entries.values().cloned().collect()
    }

    /// Changes the store behind the registry's back.
    pub(crate) fn meddle(&self, name: &str, with: impl Fn(&mut Entry)) {
        let mut tables = self.tables();
        with(tables.entries.get_mut(&name.to_lowercase()).unwrap());
        let name = tables.entries[&name.to_lowercase()].server.name.clone();
        tables.touch(&name);
    }

    /// Stores versions as they are, for large corpora.
    pub(crate) fn put(&self, entry: Entry) {
        let mut tables = self.tables();
        tables.touch(&entry.server.name);
        tables.entries.insert(key(&entry.server.name), entry);
    }
}

fn key(name: &ServerName) -> String {
    name.as_str().to_lowercase()
}

fn conflict(what: &impl std::fmt::Display) -> StoreError {
    StoreError::Conflict {
        what: what.to_string(),
    }
}

fn missing(what: &impl std::fmt::Debug) -> StoreError {
    StoreError::NotFound {
        what: format!("{what:?}"),
    }
}

impl Tables {
    pub(super) fn touch(&mut self, name: &ServerName) {
        let next = self.changed.values().max().unwrap_or(&0) + 1;
        self.changed.insert(name.to_string(), next);
    }

    /// Saves one entry, or nothing.
    pub(super) fn save(&mut self, change: EntryChange) -> Result<i64, StoreError> {
        let key = key(&change.server.name);
        let present = self.entries.get(&key).cloned();
        if present.as_ref().map(|entry| entry.revision) != change.expected {
            return Err(conflict(&change.server.name));
        }
        let mut entry = present.unwrap_or(Entry {
            server: change.server.clone(),
            versions: Vec::new(),
            routes: Vec::new(),
            revision: 0,
        });
        entry.server = change.server;
        entry.revision += 1;
        for version in change.versions {
            entry
                .versions
                .retain(|present| present.version != version.version);
            entry.versions.push(version);
        }
        entry
            .versions
            .sort_by(|a, b| (b.published_at, &b.version).cmp(&(a.published_at, &a.version)));
        assert!(entry.versions.iter().filter(|version| version.is_latest).count() <= 1);
        for mut route in change.routes {
            match entry.routes.iter_mut().find(|present| present.id == route.id) {
                Some(present) if present.revision == route.revision && present.slug == route.slug => {
                    route.revision += 1;
                    *present = route;
                }
                Some(present) => return Err(conflict(&present.slug)),
                None => {
                    self.claim(&route)?;
                    entry.routes.push(route);
                }
            }
        }
        let revision = entry.revision;
        self.touch(&entry.server.name);
        self.entries.insert(key, entry);
        self.events.extend(change.events);
        Ok(revision)
    }

    fn claim(&mut self, route: &Route) -> Result<(), StoreError> {
        let claim = (route.slug.clone(), route.server.clone(), route.place());
        match self.slugs.iter().find(|(slug, ..)| *slug == route.slug) {
            Some(present) if *present == claim => {}
            Some(_) => return Err(conflict(&route.slug)),
            None => self.slugs.push(claim),
        }
        Ok(())
    }

    fn refusal(&self, publication: &Publication) -> Option<Published> {
        let name = &publication.change.server.name;
        let versions = || self.entries.values().flat_map(|entry| &entry.versions);
        let spelled = |version: &&Version| {
            version.name.namespace().eq_ignore_ascii_case(name.namespace())
                && version.name.namespace() != name.namespace()
        };
        if let Some(other) = versions().find(spelled) {
            let by = other.name.clone();
            return Some(Published::NamespaceTaken { by });
        }
        for url in &publication.remotes {
            let counts = |version: &&Version| {
                version.name != *name
                    && version.lifecycle != Lifecycle::Retired
                    && version.approval != Approval::Rejected
                    && version.document.contains(&format!("\"{url}\""))
            };
            if let Some(other) = versions().find(counts) {
                let (url, by) = (url.clone(), other.name.clone());
                return Some(Published::RemoteTaken { url, by });
            }
        }
        let waits = |version: &&Version| {
            version.submitted_by == publication.publisher
                && version.approval == Approval::Submitted
                && (&version.name, &version.version) != (name, &publication.version)
        };
        let waiting = u32::try_from(versions().filter(waits).count()).unwrap();
        let is_full = publication.most_waiting.is_some_and(|most| waiting >= most);
        is_full.then_some(Published::TooManyWaiting)
    }

    fn route_mut(&mut self, id: RouteId) -> Result<&mut Route, StoreError> {
        self.entries
            .values_mut()
            .flat_map(|entry| entry.routes.iter_mut())
            .find(|route| route.id == id)
            .ok_or_else(|| missing(&id))
    }
}

#[async_trait]
impl EntryStore for Memory {
    async fn entry(&self, name: &ServerName) -> Result<Option<Entry>, StoreError> {
        Ok(self.tables().entries.get(&key(name)).cloned())
    }

    async fn save(&self, change: EntryChange) -> Result<i64, StoreError> {
        let mut tables = self.tables();
        if tables.conflicts > 0 {
            tables.conflicts -= 1;
            return Err(conflict(&change.server.name));
        }
        tables.save(change)
    }

    async fn publish(&self, publication: Publication) -> Result<Published, StoreError> {
        if let Some(refusal) = self.tables().refusal(&publication) {
            return Ok(refusal);
        }
        self.save(publication.change).await.map(Published::Saved)
    }

    async fn remove(&self, name: &ServerName, expected: i64, event: AuditEvent) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let entry = tables.entries.get(&key(name)).ok_or_else(|| missing(name))?;
        if entry.revision != expected {
            return Err(conflict(name));
        }
        let stored = entry.server.name.clone();
        tables.entries.remove(&key(name));
        tables.touch(&stored);
        tables.events.push(event);
        Ok(())
    }

    async fn list(&self, query: &VersionQuery) -> Result<PageOf<ListedVersion>, StoreError> {
        let tables = self.tables();
        let mut found: Vec<(&Entry, &Version)> = tables
            .entries
            .values()
            .flat_map(|entry| entry.versions.iter().map(move |version| (entry, version)))
            .filter(|(entry, _)| match &query.visibility {
                Visibility::Selected(selection) => selection.admits(entry),
                _ => true,
            })
            .filter(|(_, version)| admits(query, version))
            .collect();
        found.sort_by(|(_, a), (_, b)| place(a).cmp(&place(b)));
        let limit = usize::try_from(query.limit).unwrap();
        let more = found.len() > limit;
        found.truncate(limit);
        let items = found.into_iter().map(|(entry, version)| ListedVersion {
            version: version.clone(),
            route: entry
                .routes
                .iter()
                .find(|route| route.state == RouteState::Active && route.version == version.version)
                .map(|route| (route.slug.clone(), route.entrance())),
        });
        let items = items.collect();
        Ok(PageOf { items, more })
    }

    async fn slug_owner(&self, slug: &Slug) -> Result<Option<(ServerName, Environment)>, StoreError> {
        let tables = self.tables();
        let owner = tables.slugs.iter().find(|(present, ..)| present == slug);
        Ok(owner.map(|(_, name, place)| (name.clone(), place.environment.clone())))
    }

    async fn slug_of(&self, name: &ServerName, place: &Place) -> Result<Option<Slug>, StoreError> {
        let tables = self.tables();
        let own = tables
            .slugs
            .iter()
            .find(|(_, owner, of)| owner == name && of == place);
        Ok(own.map(|(slug, ..)| slug.clone()))
    }

    async fn slug_family(&self, base: &Slug) -> Result<Vec<ServerName>, StoreError> {
        let tables = self.tables();
        let below = format!("{base}--");
        let family = tables
            .slugs
            .iter()
            .filter(|(slug, ..)| slug == base || slug.as_str().starts_with(&below));
        Ok(family.map(|(_, owner, _)| owner.clone()).collect())
    }
}

pub(super) fn place(version: &Version) -> (&str, &str) {
    (version.name.as_str(), version.version.as_str())
}

fn matches_search(version: &Version, search: &str) -> bool {
    let document: serde_json::Value = serde_json::from_str(&version.document).unwrap();
    let search = search.to_lowercase();
    ["name", "title", "description"].iter().any(|field| {
        let text = document[field].as_str().unwrap_or_default();
        text.to_lowercase().contains(&search)
    })
}

pub(super) fn admits(query: &VersionQuery, version: &Version) -> bool {
    let is_visible = match &query.visibility {
        Visibility::All => true,
        Visibility::Selected(_) | Visibility::Listed => {
            version.is_listed() || (query.include_retired && version.approval == Approval::Approved)
        }
    };
    let is_meant = match &query.versions {
        VersionFilter::Any => true,
        VersionFilter::Latest => version.is_latest,
        VersionFilter::Exact(exact) => version.version.as_str() == exact,
    };
    let is_after = |(name, text): &(String, String)| place(version) > (name.as_str(), text.as_str());
    is_visible
        && is_meant
        && query.updated_since.is_none_or(|since| version.updated_at > since)
        && query.after.as_ref().is_none_or(is_after)
        && query
            .search
            .as_deref()
            .is_none_or(|search| matches_search(version, search))
}

#[async_trait]
impl RouteStore for Memory {
    async fn active_routes(&self, known: Option<i64>) -> Result<(i64, News<RouteId, RouteId>), StoreError> {
        // No two states of the routes have one number.
        let mut hasher = DefaultHasher::new();
        let routes = self.routes().await?;
        format!("{routes:?}").hash(&mut hasher);
        let generation = hasher.finish().cast_signed();
        if known == Some(generation) {
            let (changed, gone) = (Vec::new(), Vec::new());
            return Ok((generation, News::Since { changed, gone }));
        }
        let active = routes.iter().filter(|route| route.state == RouteState::Active);
        Ok((generation, News::All(active.map(|route| route.id).collect())))
    }

    async fn route_at(&self, id: RouteId) -> Result<Option<Route>, StoreError> {
        Ok(self.routes().await?.into_iter().find(|route| route.id == id))
    }

    async fn routes(&self) -> Result<Vec<Route>, StoreError> {
        let tables = self.tables();
        let mut routes: Vec<Route> = tables
            .entries
            .values()
            .flat_map(|entry| entry.routes.clone())
            .collect();
        routes.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(routes)
    }

    async fn route(&self, slug: &Slug) -> Result<Option<Route>, StoreError> {
        Ok(self.routes().await?.into_iter().find(|route| route.slug == *slug))
    }

    async fn routes_of(&self, servers: &[ServerName]) -> Result<Vec<Route>, StoreError> {
        let mut routes = self.routes().await?;
        routes.retain(|route| route.state == RouteState::Active && servers.contains(&route.server));
        Ok(routes)
    }

    async fn save_route(&self, change: RouteChange) -> Result<Route, StoreError> {
        let mut tables = self.tables();
        let present = tables.route_mut(change.route.id)?;
        if present.revision != change.route.revision {
            return Err(conflict(&change.route.slug));
        }
        *present = change.route;
        present.revision += 1;
        let saved = present.clone();
        tables.touch(&saved.server);
        tables.events.extend(change.events);
        Ok(saved)
    }

    async fn note_eras(&self, route: RouteId, eras: &[Era]) -> Result<(), StoreError> {
        self.tables().route_mut(route)?.upstream_eras = eras.to_vec();
        Ok(())
    }

    async fn tools(&self, route: RouteId) -> Result<Vec<Tool>, StoreError> {
        let tables = self.tables();
        let of_route = tables.tools.iter().filter(|((id, ..), _)| *id == route);
        Ok(of_route.map(|(_, tool)| tool.clone()).collect())
    }

    async fn tools_seen(&self, seen: ToolsSeen) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.route_mut(seen.route)?;
        if seen.complete {
            for ((route, _, era), tool) in &mut tables.tools {
                if *route == seen.route && *era == seen.era {
                    tool.live = None;
                }
            }
        }
        for definition in seen.tools {
            let place = (seen.route, definition.name.clone(), seen.era);
            let tool = tables
                .tools
                .entry(place)
                .or_insert_with(|| blank(&definition.name, seen.era));
            tool.live = Some(definition);
            tool.seen_at = Some(seen.at);
        }
        tables
            .tools
            .retain(|_, tool| tool.live.is_some() || tool.approved.is_some() || tool.hidden);
        tables.events.extend(seen.events);
        Ok(())
    }

    async fn tools_approved(&self, approved: ToolsApproved) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.route_mut(approved.route)?.pin_state = approved.pin_state;
        for decision in approved.decisions {
            match decision {
                ToolDecision::Approve(era, definition) => {
                    let place = (approved.route, definition.name.clone(), era);
                    let tool = tables
                        .tools
                        .entry(place)
                        .or_insert_with(|| blank(&definition.name, era));
                    tool.approved = Some(definition);
                    tool.approved_by = Some(approved.by.clone());
                    tool.approved_at = Some(approved.at);
                    tool.hidden = false;
                }
                ToolDecision::Hide(name) => mark(&mut tables, approved.route, &name, true),
                ToolDecision::Unhide(name) => mark(&mut tables, approved.route, &name, false),
            }
        }
        tables.events.extend(approved.events);
        Ok(())
    }
}

fn mark(tables: &mut Tables, route: RouteId, name: &str, hidden: bool) {
    for ((id, ..), tool) in &mut tables.tools {
        if *id == route && tool.name == name {
            tool.hidden = hidden;
        }
    }
}

fn blank(name: &str, era: Era) -> Tool {
    Tool {
        name: name.to_owned(),
        era,
        approved: None,
        live: None,
        hidden: false,
        approved_by: None,
        approved_at: None,
        seen_at: None,
    }
}
