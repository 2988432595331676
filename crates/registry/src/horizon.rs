//! What exists for a caller. An entry that he may not see does not exist for him, whichever door he asks at: one that the
//! default registry lists exists for its readers, one of another registry for the readers of that one, and any for who has a
//! right to it.
//!
//! Before: a face knows who asks. After: `entries` and `search` show what there is.

use std::collections::HashSet;
use std::sync::Arc;

use portreeve_core::caller::Caller;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{Entry, ListedVersion};
use portreeve_core::view::Selection;
use portreeve_core::visibility::Visibility;

use crate::error::RegistryError;
use crate::registry::Registry;
use crate::search::may_hold;

/// What exists for a caller, besides what his visibility says.
pub(crate) struct Horizon<'a> {
    registry: &'a Registry,
    caller: &'a Caller,
    /// What the registries hold that he may read; `None` when the default one is among them, which holds everything.
    selections: Option<Vec<Selection>>,
}

impl std::fmt::Debug for Horizon<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Horizon")
            .field("selections", &self.selections)
            .finish_non_exhaustive()
    }
}

// === impl Registry ===

impl Registry {
    /// How far the caller sees. Strangers are refused where the default registry is not for everybody.
    pub(crate) fn horizon<'a>(&'a self, caller: &'a Caller) -> Result<Horizon<'a>, RegistryError> {
        let selections = match self.main_view(caller) {
            Ok(_) => None,
            Err(RegistryError::NotFound { .. }) => Some(self.readable_selections(caller)),
            Err(refused) => return Err(refused),
        };
        Ok(Horizon {
            registry: self,
            caller,
            selections,
        })
    }

    fn readable_selections(&self, caller: &Caller) -> Vec<Selection> {
        let registries = self.parts.views.registries();
        let readable = registries.iter().filter(|record| self.may_read(caller, record));
        readable.map(|record| record.selection.clone()).collect()
    }
}

// === impl Horizon ===

impl Horizon<'_> {
    /// Whether everything that is listed exists for him.
    pub(crate) fn is_open(&self) -> bool {
        self.selections.is_none()
    }

    /// Whether an entry exists for him, if something of it is listed.
    pub(crate) fn holds(&self, entry: &Entry) -> bool {
        let Some(selections) = &self.selections else {
            return true;
        };
        self.has_right(&entry.server.name) || selections.iter().any(|selection| selection.admits(entry))
    }

    /// Whether a version is listed for everybody, or one of a server whose inside he sees.
    pub(crate) fn shows(&self, item: &ListedVersion) -> bool {
        let version = &item.version;
        (version.is_latest && version.is_listed()) || self.registry.may_see(self.caller, &version.name)
    }

    /// The same for an entry of the search index.
    pub(crate) fn finds(&self, entry: &portreeve_search::Entry<'_>) -> bool {
        let Some(selections) = &self.selections else {
            return true;
        };
        let admits = |selection: &Selection| may_hold(selection, entry);
        selections.iter().any(admits) || self.has_right(entry.name())
    }

    /// Those of a page that exist for him.
    pub(crate) async fn among(&self, items: Vec<ListedVersion>) -> Result<Vec<ListedVersion>, RegistryError> {
        if self.is_open() || items.is_empty() {
            return Ok(items);
        }
        let mut known: HashSet<(String, String)> = HashSet::new();
        let mut open: Vec<(String, String)> = Vec::new();
        for item in &items {
            let key = key_of(item);
            if self.has_right(&item.version.name) {
                known.insert(key);
            } else {
                open.push(key);
            }
        }
        for selection in self.selections.iter().flatten() {
            let visibility = Visibility::Selected(Arc::new(selection.clone()));
            let held = self.registry.parts.feed.listed(&visibility, &open).await?;
            known.extend(held.iter().map(key_of));
        }
        Ok(items
            .into_iter()
            .filter(|item| known.contains(&key_of(item)))
            .collect())
    }

    fn has_right(&self, name: &ServerName) -> bool {
        self.registry.may_discover(self.caller, name) || self.registry.may_see(self.caller, name)
    }
}

fn key_of(item: &ListedVersion) -> (String, String) {
    (item.version.name.to_string(), item.version.version.to_string())
}
