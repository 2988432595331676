//! Versions as hosts read them, of the store in memory: the texts of versions, joined one by one.

use async_trait::async_trait;
use portreeve_core::name::Environment;
use portreeve_core::ports::{
    EntryStore as _, ServedItems, ServedOrder, ServedQuery, ServedStore, StoreError, VersionQuery,
};
use portreeve_core::route::RouteState;
use portreeve_core::served::ServedText;
use portreeve_core::server::{Approval, Version};

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
        let items: Vec<String> = found.iter().map(|version| self.joined(version, query)).collect();
        let last = found.last().filter(|_| more);
        Ok(ServedItems {
            items: items.join(","),
            count: items.len(),
            next: last.map(|last| (last.name.to_string(), last.version.to_string())),
        })
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
            .map(|route| (route.slug.clone(), route.access))
            .collect();
        ServedText::of(version).unwrap().joined(&faces, &query.remotes)
    }
}
