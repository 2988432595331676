//! What decisions depend on besides grants: which groups own a server, and which registries are about it.
//!
//! Before: `state` reads a snapshot. After: `policies` makes them the parents of a server.

use std::collections::HashMap;

use portreeve_core::name::{GroupName, RegistryName, ServerName};
use portreeve_core::ports::Owned;
use portreeve_core::view::RegistryRecord;

/// What is known of servers and registries.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// What is said of a server, by its name in lower case.
    servers: HashMap<String, Owned>,
    registries: Vec<RegistryRecord>,
}

// === impl Facts ===

impl Facts {
    pub(crate) fn new(owned: &[Owned], registries: &[RegistryRecord]) -> Self {
        let servers = owned
            .iter()
            .map(|owned| (owned.server.as_str().to_ascii_lowercase(), owned.clone()));
        Self {
            servers: servers.collect(),
            registries: registries.to_vec(),
        }
    }

    /// The groups that own a server.
    pub(crate) fn owners(&self, server: &ServerName) -> &[GroupName] {
        self.of(server).map_or(&[], |owned| &owned.groups)
    }

    /// The registries that are about a server, whether it is served or not.
    pub(crate) fn registries<'a>(&'a self, server: &'a ServerName) -> impl Iterator<Item = &'a RegistryName> {
        let tags = self.of(server).map_or(&[][..], |owned| &owned.tags);
        self.registries
            .iter()
            .filter(move |record| record.selection.is_about(server, tags))
            .map(|record| &record.name)
    }

    fn of(&self, server: &ServerName) -> Option<&Owned> {
        self.servers.get(&server.as_str().to_ascii_lowercase())
    }
}
