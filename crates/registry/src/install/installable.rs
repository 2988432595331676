//! A version as one caller may install it: from a registry that he reads, or from none, where somebody lets him use a server of
//! which no registry tells him.
//!
//! Before: `entries` says that the server exists for him. After: `offers` says how each host is told.

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::{Environment, RegistryName};
use portreeve_core::ports::Entry;
use portreeve_core::route::Route;
use portreeve_core::server::Version;

use crate::error::RegistryError;
use crate::registry::Registry;
use crate::serve::Served;
use crate::views::{self, Face, View};

/// A version as one caller may install it.
#[derive(Debug, Clone)]
pub struct Installable {
    /// As his hosts read it.
    pub served: Served,
    /// The registry that they read it in. `None`: he may read none that holds it.
    pub registry: Option<RegistryName>,
}

// === impl Registry ===

impl Registry {
    /// What a caller may install of a version whose entry he sees. The default registry says it to its readers. Whoever is
    /// none of them has it from another one that holds it, and at the routes that he was let in to. Nothing where it is not
    /// listed, or where neither a registry nor a right leads to it.
    pub async fn installable(
        &self,
        caller: &Caller,
        entry: &Entry,
        version: &Version,
    ) -> Result<Option<Installable>, RegistryError> {
        if !version.is_listed() {
            return Ok(None);
        }
        match self.main_view(caller) {
            Ok(view) => return self.installable_in(&view, version).await,
            // The default registry is not for everybody, and not for him.
            Err(RegistryError::NotFound { .. } | RegistryError::Unauthenticated) => {}
            Err(error) => return Err(error),
        }
        let mut read = None;
        for view in self.other_views(caller)? {
            let found = self.installable_in(&view, version).await?;
            let leads = |one: &Installable| one.served.server.get("remotes").is_some();
            match found {
                Some(found) if leads(&found) => return Ok(Some(found)),
                Some(found) if read.is_none() => read = Some(found),
                _ => {}
            }
        }
        let faces = self.open_to(caller, entry, version);
        if faces.is_empty() && (read.is_some() || !self.may_discover(caller, &version.name)) {
            return Ok(read);
        }
        Ok(Some(Installable {
            served: self.served_at(version, &faces)?,
            registry: read.and_then(|read| read.registry),
        }))
    }

    async fn installable_in(
        &self,
        view: &View,
        version: &Version,
    ) -> Result<Option<Installable>, RegistryError> {
        let wanted = (&version.name, version.version.as_str());
        match self.serve_version_in(view, wanted, false).await {
            Ok(served) => Ok(Some(Installable {
                served,
                registry: Some(view.name().clone()),
            })),
            Err(RegistryError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The registries that a caller may read, by their names, without the default one.
    fn other_views(&self, caller: &Caller) -> Result<Vec<View>, RegistryError> {
        let known = Some(caller).filter(|caller| caller.principal != Principal::Anonymous);
        let main = RegistryName::main();
        let registries = self.parts.views.registries();
        let mut views = Vec::new();
        for record in registries.iter().filter(|record| record.name != main) {
            match self.view(Some(&record.name), known) {
                Ok(view) => views.push(view),
                Err(RegistryError::NotFound { .. } | RegistryError::Unauthenticated) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(views)
    }

    /// The routes of a version that a caller may use: those in production, and where there are none, those elsewhere.
    fn open_to(&self, caller: &Caller, entry: &Entry, version: &Version) -> Vec<Face> {
        let target = Target::Server(&version.name);
        let is_open = |route: &&Route| {
            let authorizer = &self.parts.authorizer;
            let said = authorizer.may_in(caller, Action::Discover, &target, &route.environment);
            said.is_permit()
        };
        let mut open = views::serving(&entry.routes, version);
        open.retain(is_open);
        let production = Environment::production();
        if open.iter().any(|route| route.environment == production) {
            open.retain(|route| route.environment == production);
        }
        open.into_iter().map(views::face).collect()
    }
}
