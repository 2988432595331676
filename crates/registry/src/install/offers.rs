//! What there is to install of a version, way by way and host by host, for one reader.
//!
//! Before: `views` says what he may read, and `serve` how hosts read it. After: `api` and `portal` show it.

use portreeve_core::name::{RegistryName, ServerName};
use portreeve_core::ports::Entry;
use portreeve_core::route::{Route, RouteState};
use serde_json::{Map, Value};

use super::{Connector, Door, HOSTS, Setup, Snippet, config};
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::serve::Served;
use crate::serve::document::endpoint_url;
use crate::views::View;

/// What there is to install of a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Installation {
    /// The server.
    pub name: String,
    /// The version.
    pub version: String,
    /// What a host is given that takes a registry for its gallery. `None`: the reader has it from no registry.
    pub gallery: Option<String>,
    /// The ways to it; the gateway's comes before what runs locally.
    pub offers: Vec<Offer>,
    /// The file for Power Platform, where the gateway serves the version.
    pub connector: Option<Connector>,
}

/// One way to a server.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// What a host must know.
    pub setup: Setup,
    /// The hosts that can be told.
    pub hosts: Vec<HostOffer>,
}

/// What one host is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostOffer {
    /// Its name in links.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What one clicks or pastes, the best first.
    pub snippets: Vec<Snippet>,
}

// === impl Offer ===

impl Offer {
    fn of(setup: Setup, has_gallery: bool) -> Self {
        let offer = |host: &&dyn super::Host| {
            let mut snippets = host.snippets(&setup);
            snippets.retain(|snippet| has_gallery || !snippet.is_looked_up);
            HostOffer {
                id: host.id(),
                title: host.title(),
                snippets,
            }
        };
        let hosts = HOSTS
            .iter()
            .map(offer)
            .filter(|host| !host.snippets.is_empty())
            .collect();
        Self { setup, hosts }
    }

    /// The configuration in the words of VS Code, and what a person is asked for.
    pub fn config(&self) -> (Map<String, Value>, Value) {
        config(&self.setup)
    }
}

// === impl Installation ===

impl Installation {
    /// What there is of a document that is served at these doors. Without a gallery no host is told to look into one.
    pub fn of(
        document: &Map<String, Value>,
        gallery: Option<String>,
        (origin, doors): (&str, &[Door]),
    ) -> Self {
        let text = |name: &str| {
            document
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let setups = Setup::entered(document, origin, doors);
        let connector = setups.iter().find_map(Connector::of);
        Self {
            name: text("name"),
            version: text("version"),
            offers: setups
                .into_iter()
                .map(|setup| Offer::of(setup, gallery.is_some()))
                .filter(|offer| !offer.hosts.is_empty())
                .collect(),
            gallery,
            connector,
        }
    }

    /// Only what one host is told.
    ///
    /// # Errors
    ///
    /// When nobody knows such a host.
    pub fn only(mut self, host: &str) -> Result<Self, RegistryError> {
        if !HOSTS.iter().any(|known| known.id() == host) {
            let shown: String = host.chars().take(60).collect();
            return Err(RegistryError::NotFound {
                what: format!("host `{shown}`"),
            });
        }
        for offer in &mut self.offers {
            offer.hosts.retain(|known| known.id == host);
        }
        self.offers.retain(|offer| !offer.hosts.is_empty());
        Ok(self)
    }
}

// === impl Registry ===

impl Registry {
    /// What a reader may install of a version that a registry holds; `latest` is a version, too.
    pub async fn installation(
        &self,
        view: &View,
        (name, version): (&ServerName, &str),
    ) -> Result<Installation, RegistryError> {
        let served = self.serve_version_in(view, (name, version), false).await?;
        let entry = self.load(name).await?;
        Ok(self.installation_of(&served, &entry, Some(view.name())))
    }

    /// The same of a version that was read already, in that registry if it was in one.
    pub fn installation_of(
        &self,
        served: &Served,
        entry: &Entry,
        registry: Option<&RegistryName>,
    ) -> Installation {
        let origin = self.parts.public_url.as_str().trim_end_matches('/');
        let doors = self.doors(&entry.routes);
        let gallery = registry.map(|name| self.gallery(name));
        Installation::of(&served.server.to_map(), gallery, (origin, &doors))
    }

    /// How routes are entered that are served now.
    pub(crate) fn doors(&self, routes: &[Route]) -> Vec<Door> {
        let door = |route: &Route| Door {
            slug: route.slug.clone(),
            url: endpoint_url(&route.slug, &self.parts.public_url),
            access: route.access,
            credentials: route.credentials.clone(),
        };
        let active = routes.iter().filter(|route| route.state == RouteState::Active);
        active.map(door).collect()
    }

    /// The best way to each of some versions, entered as its route is entered.
    pub(crate) async fn setups_of(&self, all: &[Served]) -> Result<Vec<Option<Setup>>, RegistryError> {
        let names = all
            .iter()
            .filter_map(|served| served.server.text("name")?.parse().ok());
        let names: Vec<ServerName> = names.collect();
        let routes = if names.is_empty() {
            Vec::new()
        } else {
            self.parts.routes.routes_of(&names).await?
        };
        let doors = self.doors(&routes);
        let origin = self.parts.public_url.as_str().trim_end_matches('/');
        let setup = |served: &Served| {
            let setups = Setup::entered(&served.server.to_map(), origin, &doors);
            setups.into_iter().next()
        };
        Ok(all.iter().map(setup).collect())
    }

    /// What a host is given that takes a registry for its gallery: the paths of the registry API are appended to it.
    pub fn gallery(&self, registry: &RegistryName) -> String {
        let origin = self.parts.public_url.as_str().trim_end_matches('/');
        if *registry == RegistryName::main() {
            origin.to_owned()
        } else {
            format!("{origin}/registries/{registry}")
        }
    }
}
