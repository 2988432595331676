//! Versions as hosts read them, of the store in memory: the texts of versions, joined one by one.

use async_trait::async_trait;
use portreeve_core::name::Environment;
use portreeve_core::ports::{
    EntryStore as _, ServedEntry, ServedItems, ServedOrder, ServedQuery, ServedRoute, ServedStore,
    ServedVersion, StoreError, VersionQuery,
};
use portreeve_core::route::{Route, RouteState};
use portreeve_core::served::ServedText;
use portreeve_core::server::{Approval, Lifecycle, Version};

use super::Memory;

#[async_trait]
impl ServedStore for Memory {
    async fn served(&self, query: &ServedQuery) -> Result<ServedItems, StoreError> {
        let all = VersionQuery {
            limit: u32::MAX,
            ..query.versions.clone()
        };
        let is_asked = |version: &Version| {
            let mut names = query.among.iter().flatten();
            query.among.is_none() || names.any(|name| *name == version.name.as_str())
        };
        let listed = self.list(&all).await?.items.into_iter().map(|item| item.version);
        let mut found: Vec<Version> = listed
            .filter(|version| version.approval == Approval::Approved && is_asked(version))
            .collect();
        if query.order == ServedOrder::Newest {
            found.sort_by(|one, other| {
                (other.published_at, other.version.as_str()).cmp(&(one.published_at, one.version.as_str()))
            });
        }
        let limit = usize::try_from(query.versions.limit).unwrap();
        let more = found.len() > limit;
        found.truncate(limit);
        let mut page = ServedItems::default();
        for version in &found {
            let text = ServedText::of(version).unwrap();
            let joined = self.joined(version, query);
            let remotes = joined
                .get(text.head.len()..joined.len() - text.tail.len())
                .unwrap();
            let write = |items: &mut String| {
                items.push_str(remotes);
                Ok::<_, StoreError>(())
            };
            page.push((&text.head, &text.tail), write)?;
        }
        let last = found.last().filter(|_| more);
        page.next = last.map(|last| (last.name.to_string(), last.version.to_string()));
        Ok(page)
    }

    async fn served_entries(&self, names: &[String]) -> Result<Vec<ServedEntry>, StoreError> {
        if self.is_slow() {
            std::future::pending::<()>().await;
        }
        let tables = self.tables();
        let entries = names
            .iter()
            .filter_map(|name| tables.entries.get(&name.to_lowercase()));
        let entries = entries.map(|entry| {
            let mut routes: Vec<_> = entry.routes.iter().collect();
            routes.retain(|route| route.state == RouteState::Active);
            routes.sort_by_key(|route| {
                let is_production = route.environment == Environment::production();
                (!is_production, route.major, route.slug.clone())
            });
            let mut approved: Vec<&Version> = entry.versions.iter().collect();
            approved.retain(|version| version.approval == Approval::Approved);
            approved.sort_by_key(|version| version.version.clone());
            let stage = entry.versions.iter().find(|version| version.is_latest);
            ServedEntry {
                name: entry.server.name.to_string(),
                tags: entry.server.profile.tags.iter().cloned().collect(),
                stage: stage.map(|version| version.lifecycle),
                environments: routes.iter().map(|route| route.environment.clone()).collect(),
                versions: approved
                    .into_iter()
                    .map(|one| served_version(one, &routes))
                    .collect(),
            }
        });
        Ok(entries.filter(|entry| !entry.versions.is_empty()).collect())
    }
}

fn served_version(version: &Version, routes: &[&Route]) -> ServedVersion {
    let serving = routes
        .iter()
        .filter(|route| route.version == version.version && version.lifecycle != Lifecycle::Retired);
    ServedVersion {
        version: version.version.to_string(),
        lifecycle: version.lifecycle,
        is_latest: version.is_latest,
        published_at: version.published_at,
        updated_at: version.updated_at,
        text: ServedText::of(version).unwrap(),
        routes: serving
            .map(|route| ServedRoute {
                environment: route.environment.clone(),
                entrance: route.entrance(),
                slug: route.slug.clone(),
            })
            .collect(),
    }
}

impl Memory {
    fn joined(&self, version: &Version, query: &ServedQuery) -> String {
        let tables = self.tables();
        let entry = tables.entries.get(&version.name.as_str().to_lowercase()).unwrap();
        let mut routes: Vec<_> = entry.routes.iter().collect();
        routes.retain(|route| {
            route.version == version.version
                && route.state == RouteState::Active
                && query.remotes.environments.contains(&route.environment)
                && version.is_listed()
        });
        routes.sort_by_key(|route| {
            let is_production = route.environment == Environment::production();
            (!is_production, route.major, route.slug.clone())
        });
        let faces: Vec<_> = routes
            .into_iter()
            .map(|route| (route.slug.clone(), route.entrance()))
            .collect();
        ServedText::of(version).unwrap().joined(&faces, &query.remotes)
    }
}
