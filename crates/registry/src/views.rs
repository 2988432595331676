//! A registry as one caller reads it. What he may not see is answered as what does not exist.
//!
//! Before: a face has a path and perhaps a caller. After: `serve` lists and shows what the view holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::{Environment, RegistryName};
use portreeve_core::route::{Entrance, Route, RouteState};
use portreeve_core::server::Version;
use portreeve_core::view::{Readers, RegistryRecord, Selection};
use portreeve_core::visibility::Visibility;

use crate::error::RegistryError;
use crate::registry::Registry;
use crate::serve::cursor::CursorKind;

/// A registry as one caller reads it.
#[derive(Debug, Clone)]
pub struct View {
    name: RegistryName,
    selection: Arc<Selection>,
    remotes: BTreeSet<Environment>,
    /// The reader, where the registry is not for everybody.
    reader: Option<String>,
}

/// The address of a route, as hosts read it.
pub(crate) type Face = (portreeve_core::name::Slug, Entrance);

// === impl View ===

impl View {
    /// The default registry, whoever reads.
    pub(crate) fn main() -> Self {
        let selection = Selection::default();
        Self {
            name: RegistryName::main(),
            remotes: selection.remotes(),
            selection: Arc::new(selection),
            reader: None,
        }
    }

    fn of(record: &RegistryRecord, caller: Option<&Caller>) -> Self {
        let reader = match record.visibility {
            Readers::Anonymous => None,
            Readers::Members | Readers::Only(_) => caller.map(|caller| caller.principal.to_string()),
        };
        Self {
            name: record.name.clone(),
            selection: Arc::new(record.selection.clone()),
            remotes: record.selection.remotes(),
            reader,
        }
    }

    pub(crate) fn name(&self) -> &RegistryName {
        &self.name
    }

    pub(crate) fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Whether what it shows is for its reader alone, and must not be kept by anyone between.
    pub fn is_personal(&self) -> bool {
        self.reader.is_some()
    }

    pub(crate) fn visibility(&self) -> Visibility {
        if self.selection.is_everything() {
            Visibility::Listed
        } else {
            Visibility::Selected(Arc::clone(&self.selection))
        }
    }

    /// A cursor of one registry and reader means nothing to another.
    pub(crate) fn cursors(&self) -> CursorKind<'_> {
        let (registry, reader) = self.reading();
        CursorKind::Served { registry, reader }
    }

    /// The registry, and its reader where it is not for everybody.
    pub(crate) fn reading(&self) -> (&str, &str) {
        (self.name.as_str(), self.reader.as_deref().unwrap_or_default())
    }

    /// The routes of the registry's environments that serve exactly this version, those without a major version first.
    pub(crate) fn faces<'a>(
        &self,
        routes: impl IntoIterator<Item = &'a Route>,
        version: &Version,
    ) -> Vec<Face> {
        let serving = serving(routes, version).into_iter();
        let read = serving.filter(|route| self.remotes.contains(&route.environment));
        read.map(face).collect()
    }

    /// The environments whose routes hosts read.
    pub(crate) fn remotes(&self) -> &BTreeSet<Environment> {
        &self.remotes
    }
}

// === impl Registry ===

impl Registry {
    /// Opens a registry for a caller; `None` is the default one. Without a credential, one that does not exist and one
    /// that is not for everybody are answered alike, and with one, so are one that does not exist and one that is not
    /// for him.
    pub fn view(&self, name: Option<&RegistryName>, caller: Option<&Caller>) -> Result<View, RegistryError> {
        let main = RegistryName::main();
        let name = name.unwrap_or(&main);
        let registries = self.parts.views.registries();
        let record = registries.iter().find(|record| record.name == *name);
        match (record, caller) {
            (Some(record), _) if record.visibility == Readers::Anonymous => Ok(View::of(record, caller)),
            (_, None) => Err(RegistryError::Unauthenticated),
            (Some(record), Some(caller)) if self.may_read(caller, record) => {
                Ok(View::of(record, Some(caller)))
            }
            _ => Err(no_registry(name)),
        }
    }

    /// The default registry as a caller reads it who may be a stranger.
    pub fn main_view(&self, caller: &Caller) -> Result<View, RegistryError> {
        let known = Some(caller).filter(|caller| caller.principal != Principal::Anonymous);
        self.view(None, known)
    }

    pub(crate) fn may_read(&self, caller: &Caller, record: &RegistryRecord) -> bool {
        match &record.visibility {
            Readers::Anonymous | Readers::Members => true,
            Readers::Only(labels) => {
                caller.is_among(labels) || self.may(caller, Action::View, &Target::Registry(&record.name))
            }
        }
    }
}

/// The routes that serve exactly this version, those in production and without a major version first.
pub(crate) fn serving<'a>(routes: impl IntoIterator<Item = &'a Route>, version: &Version) -> Vec<&'a Route> {
    let serves = |route: &&Route| {
        version.is_listed()
            && route.server == version.name
            && route.state == RouteState::Active
            && route.version == version.version
    };
    let mut serving: Vec<&Route> = routes.into_iter().filter(serves).collect();
    serving.sort_by_key(|route| {
        let is_production = route.environment == Environment::production();
        (!is_production, route.major, route.slug.clone())
    });
    serving
}

/// A route as hosts read it.
pub(crate) fn face(route: &Route) -> Face {
    (route.slug.clone(), route.entrance())
}

pub(crate) fn no_registry(name: &RegistryName) -> RegistryError {
    RegistryError::NotFound {
        what: format!("registry `{name}`"),
    }
}
