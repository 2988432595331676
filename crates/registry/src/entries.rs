//! The entries as a caller may know them: who sees the inside of a server sees all of it, others what is listed, in its
//! public form.
//!
//! Before: `publish` and `approve`. After: `api` and `portal` show it.

use portreeve_core::caller::Caller;
use portreeve_core::deployment::Deployments;
use portreeve_core::name::{Environment, ServerName};
use portreeve_core::ports::{Entry, ListedVersion, VersionFilter, VersionQuery};
use portreeve_core::profile::{Metadata, Profile};
use portreeve_core::route::{Route, RouteState};
use portreeve_core::served::PublicDocument;
use portreeve_core::server::Version;
use portreeve_core::visibility::Visibility;

use crate::error::RegistryError;
use crate::horizon::Horizon;
use crate::paging;
use crate::registry::Registry;
use crate::serve::cursor::{Cursor, CursorKind, Filters};
use crate::serve::read_search;

/// Versions that are looked at in one step, for who does not see everything, and steps of one page.
const STEP: u32 = 100;
const STEPS: usize = 10;

/// A question about entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntriesQuery {
    /// Case-insensitive substring of name, title or description.
    pub search: Option<String>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most this many; 30 unless told, never more than 100.
    pub limit: Option<u32>,
}

/// A page of versions, ordered by name and version.
#[derive(Debug, Clone, PartialEq)]
pub struct EntriesPage {
    /// The versions: every one of the servers whose inside the caller sees, the latest of each other server.
    pub items: Vec<ListedVersion>,
    /// Continue with this.
    pub next_cursor: Option<String>,
}

// === impl Registry ===

impl Registry {
    /// One entry. Who sees its inside sees it as it is; others its listed versions without what is internal.
    pub async fn entry(&self, caller: &Caller, name: &ServerName) -> Result<Entry, RegistryError> {
        let horizon = self.horizon(caller)?;
        let entry = self.load(name).await?;
        if !horizon.holds(&entry) {
            return Err(RegistryError::no_server(name));
        }
        if self.may_see(caller, &entry.server.name) {
            return Ok(entry);
        }
        let mut versions: Vec<Version> = entry
            .versions
            .iter()
            .filter(|version| version.is_listed())
            .map(|version| self.veiled(listed(&entry, version)).map(|listed| listed.version))
            .collect::<Result<_, _>>()?;
        if versions.is_empty() {
            return Err(RegistryError::no_server(name));
        }
        let mut server = entry.server;
        let may_discover = self.may_discover(caller, &server.name);
        server.registered_by = String::new();
        server.private_hosts = Vec::new();
        server.deployments = Deployments::default();
        if !may_discover {
            server.profile = Profile::default();
            for version in &mut versions {
                version.metadata = Metadata::new();
            }
        }
        let production = Environment::production();
        Ok(Entry {
            server,
            versions,
            routes: entry
                .routes
                .into_iter()
                .filter(|route| route.state == RouteState::Active)
                .filter(|route| may_discover || route.environment == production)
                .map(veiled_route)
                .collect(),
            revision: entry.revision,
        })
    }

    /// A page of entries.
    pub async fn entries(&self, caller: &Caller, query: EntriesQuery) -> Result<EntriesPage, RegistryError> {
        let horizon = self.horizon(caller)?;
        let search = query
            .search
            .filter(|search| !search.is_empty())
            .map(|search| read_search(&search))
            .transpose()?;
        let (filters, after) = match query.cursor.filter(|cursor| !cursor.is_empty()) {
            None => {
                let filters = Filters {
                    search,
                    ..Filters::default()
                };
                (filters, None)
            }
            Some(text) => {
                let cursor = Cursor::open(CursorKind::Entries, &text, &self.cursor_keys)?;
                if search.is_some() && search != cursor.filters.search {
                    return Err(RegistryError::BadCursor);
                }
                (cursor.filters, Some((cursor.name, cursor.version)))
            }
        };
        let limit = paging::limit(query.limit, 30, 100)?;
        self.entries_page(&horizon, caller, (filters, after, limit)).await
    }

    async fn entries_page(
        &self,
        horizon: &Horizon<'_>,
        caller: &Caller,
        (filters, after, limit): (Filters, Option<(String, String)>, u32),
    ) -> Result<EntriesPage, RegistryError> {
        let visibility = self.parts.authorizer.visibility(caller);
        let is_all = visibility == Visibility::All;
        // Who sees some of the insides is shown drafts among what is listed: everything is read, and looked through.
        let is_some = !is_all && self.parts.authorizer.views_some(caller);
        let query = VersionQuery {
            visibility: if is_some { Visibility::All } else { visibility },
            search: filters.search.clone(),
            versions: if is_all || is_some {
                VersionFilter::Any
            } else {
                VersionFilter::Latest
            },
            updated_since: None,
            include_retired: is_all || is_some,
            after,
            limit,
        };
        let (items, next) = self.items_within((horizon, is_some), query).await?;
        let next_cursor = next.map(|(name, version)| {
            let cursor = Cursor {
                filters,
                name,
                version,
            };
            cursor.seal(CursorKind::Entries, &self.cursor_keys)
        });
        let items = items
            .into_iter()
            .map(|item| {
                if is_all || self.may_see(caller, &item.version.name) {
                    Ok(item)
                } else {
                    self.veiled(item)
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(EntriesPage { items, next_cursor })
    }

    /// The items of a page that exist for the caller, and where the next one begins. For who does not see everything, so
    /// many are looked at and no more: such a page may hold fewer than were asked for, and another one follows.
    async fn items_within(
        &self,
        (horizon, looks_through): (&Horizon<'_>, bool),
        mut query: VersionQuery,
    ) -> Result<(Vec<ListedVersion>, Option<(String, String)>), RegistryError> {
        let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let mut found: Vec<ListedVersion> = Vec::new();
        for _ in 0..STEPS {
            if looks_through || !horizon.is_open() {
                query.limit = STEP;
            }
            let page = self.page_of(&query).await?;
            let last = page.items.last().filter(|_| page.more).map(place_of);
            let mut items = page.items;
            if looks_through {
                items.retain(|item| horizon.shows(item));
            }
            found.extend(horizon.among(items).await?);
            if found.len() > wanted {
                found.truncate(wanted);
                let last = found.last().map(place_of);
                return Ok((found, last));
            }
            if last.is_none() || found.len() == wanted {
                return Ok((found, last));
            }
            query.after = last;
        }
        Ok((found, query.after))
    }

    /// A version in its public form: the gateway's address instead of the upstream's, and nobody's name.
    pub(crate) fn veiled(&self, listed: ListedVersion) -> Result<ListedVersion, RegistryError> {
        let route = listed.route.clone();
        let served = self.served(listed.clone())?;
        let mut version = listed.version;
        version.document = public_text(&served.server)?;
        version.submitted_by = String::new();
        version.decided_by = None;
        version.status_message = served.meta.official.status_message;
        Ok(ListedVersion { version, route })
    }
}

fn place_of(item: &ListedVersion) -> (String, String) {
    (item.version.name.to_string(), item.version.version.to_string())
}

/// A version with the face of the production route that serves exactly it, the one without a major version first.
fn listed(entry: &Entry, version: &Version) -> ListedVersion {
    let production = Environment::production();
    let serves = |route: &&Route| {
        route.environment == production
            && route.state == RouteState::Active
            && route.version == version.version
    };
    let route = entry.routes.iter().filter(serves).min_by_key(|route| route.major);
    let route = route
        .filter(|_| version.is_listed())
        .map(|route| (route.slug.clone(), route.entrance()));
    ListedVersion {
        version: version.clone(),
        route,
    }
}

fn public_text(document: &PublicDocument) -> Result<String, RegistryError> {
    serde_json::to_string(document).map_err(|error| RegistryError::invalid("$", error.to_string()))
}

fn veiled_route(mut route: Route) -> Route {
    route.upstream_url = String::new();
    route.upstream_eras = Vec::new();
    route.private_hosts = Vec::new();
    route.policies = Vec::new();
    route
}
