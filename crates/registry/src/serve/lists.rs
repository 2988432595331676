//! Answers of the registry API as the bytes that are sent: from the shelf, or from the store where the shelf is not at
//! hand. Nothing of them is parsed here, so that a page costs what its bytes cost.
//!
//! Before: `params` judged the question. After: `items` writes the answer, and `api` adds the entity tag. Who needs values
//! reads them out of the same bytes, so that all readers agree.

use std::sync::Arc;

use portreeve_core::name::ServerName;
use portreeve_core::ports::{ServedOrder, ServedQuery, VersionFilter, VersionQuery};

use super::cursor::Cursor;
use super::items::{Items, Page, ServedJson};
use super::params::Wanted;
use super::shelf::Shelf;
use super::{ListParams, PageMetadata, Served, ServedPage};
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::views::View;

/// Names that are looked at in one step, when there are not enough of them in the first one.
const NAMES: usize = 256;

// === impl Registry ===

impl Registry {
    /// A page of a registry, ordered by name and version, as JSON.
    pub async fn list_json(&self, view: &View, params: &ListParams) -> Result<ServedJson, RegistryError> {
        Ok(ServedJson::page(self.served_page(view, params).await?))
    }

    /// All versions of a server that a registry holds, newest first, as JSON.
    pub async fn versions_json(
        &self,
        view: &View,
        name: &ServerName,
        include_deleted: bool,
    ) -> Result<ServedJson, RegistryError> {
        let page = self.served_versions(view, name, include_deleted).await?;
        Ok(ServedJson::page(page))
    }

    /// One version of a server that a registry holds, or its latest, as JSON.
    pub async fn version_json(
        &self,
        view: &View,
        wanted: (&ServerName, &str),
        include_deleted: bool,
    ) -> Result<ServedJson, RegistryError> {
        let item = self.served_version(view, wanted, include_deleted).await?;
        Ok(ServedJson::one(item))
    }

    /// A page of a registry, ordered by name and version.
    pub async fn serve_list_in(&self, view: &View, params: &ListParams) -> Result<ServedPage, RegistryError> {
        self.served_page(view, params).await?.into_values()
    }

    /// All versions of a server that a registry holds, newest first.
    pub async fn serve_versions_in(
        &self,
        view: &View,
        name: &ServerName,
        include_deleted: bool,
    ) -> Result<ServedPage, RegistryError> {
        self.served_versions(view, name, include_deleted)
            .await?
            .into_values()
    }

    /// One version of a server that a registry holds, or its latest.
    pub async fn serve_version_in(
        &self,
        view: &View,
        wanted: (&ServerName, &str),
        include_deleted: bool,
    ) -> Result<Served, RegistryError> {
        self.served_version(view, wanted, include_deleted).await?.value()
    }

    /// The latest versions of some servers, by name.
    pub(crate) async fn serve_latest_of(
        &self,
        view: &View,
        names: &[ServerName],
    ) -> Result<Vec<Served>, RegistryError> {
        let mut versions = of_server(view, Some("latest"), false);
        versions.limit = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let mut query = self.served_query(view, versions);
        query.among = Some(names.iter().map(ToString::to_string).collect());
        self.served_items(&query).await?.values()
    }

    /// What a question finds.
    async fn served_items(&self, query: &ServedQuery) -> Result<Items, RegistryError> {
        let shelf = self.shelf_at_hand().await?;
        self.served_from(shelf.as_deref(), query).await
    }

    async fn shelf_at_hand(&self) -> Result<Option<Arc<Shelf>>, RegistryError> {
        Ok(self.shelf.now(self.parts.limits.list_wait).await?)
    }

    /// What a question finds on the shelf, or else in the store, which says the same and takes longer.
    async fn served_from(&self, shelf: Option<&Shelf>, query: &ServedQuery) -> Result<Items, RegistryError> {
        let found = shelf.map(|shelf| shelf.find(query)).transpose()?.flatten();
        match found {
            Some(found) => Ok(Items::found(found, &query.remotes)),
            None => Ok(self.parts.served.served(query).await?.into()),
        }
    }

    async fn served_page(&self, view: &View, params: &ListParams) -> Result<Page, RegistryError> {
        let wanted = Wanted::read(params, |text| {
            Cursor::open(view.cursors(), text, &self.cursor_keys)
        })?;
        let versions = VersionQuery {
            visibility: view.visibility(),
            search: wanted.filters.search.clone(),
            versions: VersionFilter::asked(wanted.filters.version.as_deref()),
            updated_since: wanted.filters.updated_since,
            include_retired: wanted.filters.include_deleted,
            after: wanted.after,
            limit: wanted.limit,
        };
        let query = self.served_query(view, versions);
        let mut items = match query.versions.search.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => self.served_containing(query.clone(), text).await?,
            None => self.served_items(&query).await?,
        };
        let next_cursor = items.next.take().map(|(name, version)| {
            let cursor = Cursor {
                filters: wanted.filters,
                name,
                version,
            };
            cursor.seal(view.cursors(), &self.cursor_keys)
        });
        let metadata = PageMetadata {
            next_cursor,
            count: items.count,
        };
        Ok(Page { items, metadata })
    }

    async fn served_versions(
        &self,
        view: &View,
        name: &ServerName,
        include_deleted: bool,
    ) -> Result<Page, RegistryError> {
        let mut versions = of_server(view, None, include_deleted);
        versions.limit = self.parts.limits.versions_listed;
        let mut query = self.served_query(view, versions);
        query.among = Some(vec![name.to_string()]);
        query.order = ServedOrder::Newest;
        let items = self.served_items(&query).await?;
        if items.count == 0 {
            return Err(RegistryError::no_server(name));
        }
        let metadata = PageMetadata {
            next_cursor: None,
            count: items.count,
        };
        Ok(Page { items, metadata })
    }

    /// One version. An unknown server and an unknown version look alike: nothing is said about what is not
    /// shown.
    async fn served_version(
        &self,
        view: &View,
        (name, version): (&ServerName, &str),
        include_deleted: bool,
    ) -> Result<Items, RegistryError> {
        let mut query = self.served_query(view, of_server(view, Some(version), include_deleted));
        query.among = Some(vec![name.to_string()]);
        let items = self.served_items(&query).await?;
        if items.count == 0 {
            return Err(RegistryError::no_server(name));
        }
        Ok(items)
    }

    /// As [`ServedStore::served`](portreeve_core::ports::ServedStore::served) with a text to be contained: only entries
    /// that may contain it are read.
    async fn served_containing(&self, mut query: ServedQuery, text: &str) -> Result<Items, RegistryError> {
        if !self.knows_all().await? {
            // The store finds the same, and takes longer.
            return Ok(self.parts.served.served(&query).await?.into());
        }
        // One for all steps.
        let shelf = self.shelf_at_hand().await?;
        let wanted = usize::try_from(query.versions.limit).unwrap_or(usize::MAX);
        let after = query.versions.after.as_ref();
        let mut from = after.map(|(name, _)| name.clone()).unwrap_or_default();
        let mut found = Items::default();
        // Most servers have few versions, so the first step mostly suffices.
        let mut step = wanted.saturating_add(1).clamp(8, NAMES);
        loop {
            let (names, next) = self.containing(&query.versions, text, (&from, step));
            query.among = Some(names);
            let page = self.served_from(shelf.as_deref(), &query).await?;
            if found.count == wanted && page.count > 0 {
                found.next = Some(found.last()?);
                return Ok(found);
            }
            found.append(page)?;
            let Some(next) = next.filter(|_| found.next.is_none()) else {
                return Ok(found);
            };
            // Of a page that is full already it is only asked whether another one follows.
            query.versions.limit = u32::try_from(wanted - found.count).unwrap_or(u32::MAX).max(1);
            query.versions.after = None;
            from = next;
            step = NAMES;
        }
    }

    fn served_query(&self, view: &View, versions: VersionQuery) -> ServedQuery {
        ServedQuery {
            versions,
            among: None,
            order: ServedOrder::Name,
            remotes: self.remotes.within(view.remotes().clone()),
        }
    }
}

/// One version of a server, or all of them.
fn of_server(view: &View, version: Option<&str>, include_deleted: bool) -> VersionQuery {
    VersionQuery {
        visibility: view.visibility(),
        search: None,
        versions: VersionFilter::asked(version),
        updated_since: None,
        include_retired: include_deleted,
        after: None,
        limit: if version.is_some() { 1 } else { u32::MAX },
    }
}
