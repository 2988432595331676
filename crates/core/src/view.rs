//! Registries: views of one store. Each has a path, says who may read it, and selects servers by what is known of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::name::{Environment, NamespacePattern, RegistryName, ServerName};
use crate::ports::Entry;
use crate::route::RouteState;
use crate::server::{Lifecycle, Server, Version};
use crate::time::Timestamp;

/// A registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryRecord {
    /// Its name, as it stands in `GW/registries/{name}/v0.1`.
    pub name: RegistryName,
    /// The name people read.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Who may read it.
    pub visibility: Readers,
    /// What is in it.
    pub selection: Selection,
    /// Submissions in these namespaces are approved at once, if the registry would hold them then.
    pub auto_approve: Vec<NamespacePattern>,
    /// Whether what is in it is approved by somebody else than who submitted it.
    pub approver_differs: bool,
    /// Counts the changes; `If-Match` carries it.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Who may read a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readers {
    /// Anyone who can reach the listener.
    Anonymous,
    /// Anyone with a key.
    Members,
    /// These, by their labels (`key:deploy`, `user:ada`) or groups (`group:finance`), and who manages.
    Only(BTreeSet<String>),
}

/// Which servers a registry holds: those for which everything that is named here is true. All of it is about a server
/// as a whole, so that its versions, its latest and every page agree.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Selection {
    /// It has one of these tags.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// It is served in one of these environments; the routes there are the `remotes` that hosts read.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<Environment>,
    /// Its latest version is in one of these stages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lifecycles: Vec<Lifecycle>,
    /// It is in one of these namespaces.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub namespaces: BTreeSet<NamespacePattern>,
}

// === impl Selection ===

impl Selection {
    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the registry holds this entry. Lists ask the store the same in SQL.
    pub fn admits(&self, entry: &Entry) -> bool {
        let Self {
            environments,
            lifecycles,
            ..
        } = self;
        let is_served = || {
            let mut routes = entry.routes.iter();
            routes.any(|route| route.state == RouteState::Active && environments.contains(&route.environment))
        };
        let is_mature = || {
            let is_meant = |version: &Version| version.is_latest && lifecycles.contains(&version.lifecycle);
            entry.versions.iter().any(is_meant)
        };
        self.concerns(&entry.server)
            && (environments.is_empty() || is_served())
            && (lifecycles.is_empty() || is_mature())
    }

    /// Whether the registry would hold this server, were it only served and mature enough.
    pub fn concerns(&self, server: &Server) -> bool {
        self.is_about(&server.name, &server.profile.tags)
    }

    /// The same of a server of which only its name and its tags are at hand.
    pub fn is_about<T: AsRef<str>>(&self, name: &ServerName, tags: &[T]) -> bool {
        let is_tagged = || tags.iter().any(|tag| self.tags.contains(tag.as_ref()));
        let is_named = || self.namespaces.iter().any(|pattern| pattern.matches(name));
        (self.tags.is_empty() || is_tagged()) && (self.namespaces.is_empty() || is_named())
    }

    /// The environments whose routes hosts read: those that select, or production.
    pub fn remotes(&self) -> BTreeSet<Environment> {
        if self.environments.is_empty() {
            BTreeSet::from([Environment::production()])
        } else {
            self.environments.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::name::NamespacePattern;

    #[test]
    fn a_pattern_speaks_of_a_namespace_and_perhaps_of_what_is_below() {
        let matches = |pattern: &str, name: &str| {
            let pattern: NamespacePattern = pattern.parse().unwrap();
            pattern.matches(&name.parse().unwrap())
        };
        assert!(matches("com.acme", "com.acme/billing"));
        assert!(matches("com.Acme", "COM.acme/billing"));
        assert!(!matches("com.acme", "com.acme.tools/billing"));
        assert!(!matches("com.acme", "com.acmecorp/billing"));
        assert!(matches("com.acme.*", "com.acme/billing"));
        assert!(matches("com.acme.*", "com.acme.tools/billing"));
        assert!(!matches("com.acme.*", "com.acmecorp/billing"));
        for wrong in ["", "*", ".*", "com.acme/*", "com acme", "com.acme.*.*", ".com"] {
            assert!(wrong.parse::<NamespacePattern>().is_err(), "{wrong}");
        }
    }
}
