//! Served, as cards: what a host may know of a server before it connects (Server Card, SEP-2127), and the catalogue that
//! leads to the cards.
//!
//! Before: `serve`, whose anonymous view this is: what it does not list has no card. After: `api` writes them out.

use portreeve_core::name::{RegistryName, ServerName, Slug};
use portreeve_core::protocol::Revision;
use portreeve_core::route::{Route, RouteState};
use portreeve_core::view::{Readers, RegistryRecord};
use serde_json::{Map, Value, json};

use crate::error::RegistryError;
use crate::mcp_face;
use crate::registry::Registry;
use crate::routes::no_route;
use crate::serve::Served;
use crate::serve::document::endpoint_url;
use crate::views::{View, no_registry};

/// The schema that a card is written in.
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json";
/// The media type of a card.
pub const CARD_TYPE: &str = "application/mcp-server-card+json";
/// The media type of a catalogue.
pub const CATALOG_TYPE: &str = "application/ai-catalog+json";
/// Servers that a catalogue names. The others are found by searching the registry, which it names first.
const CATALOG_ENTRIES: usize = 1_000;
/// Servers that are read at once for it.
const CATALOG_STEP: usize = 100;

// === impl Registry ===

impl Registry {
    /// The card of a route, if the anonymous view lists what it serves.
    pub async fn server_card(&self, slug: &Slug) -> Result<Value, RegistryError> {
        let route = self
            .parts
            .routes
            .route(slug)
            .await?
            .ok_or_else(|| no_route(slug))?;
        // Cards are for everybody: where the registry is not, there are none.
        let view = self.view(None, None).map_err(|_| no_route(slug))?;
        let served = self
            .serve_version_in(&view, (&route.server, route.version.as_str()), false)
            .await;
        let served = served.map_err(|error| match error {
            RegistryError::NotFound { .. } => no_route(slug),
            other => other,
        })?;
        let url = endpoint_url(slug, &self.parts.public_url);
        // Only the production route is the face of a version; others are nobody's to see.
        let remote = remotes(&served)
            .into_iter()
            .find(|remote| remote["url"] == url.as_str())
            .ok_or_else(|| no_route(slug))?;
        Ok(card(&served, remote, &route))
    }

    /// The card of the default registry, in this version of the product.
    fn own_card(&self, version: &str) -> Value {
        json!({
            "$schema": SCHEMA,
            "name": mcp_face::NAME,
            "title": mcp_face::TITLE,
            "description": "The register of approved MCP servers: search it, and fetch what a host needs to install",
            "version": version,
            "remotes": [{
                "type": "streamable-http",
                "url": endpoint_url(&Slug::of_the_registry(), &self.parts.public_url),
                "supportedProtocolVersions": versions(),
            }],
        })
    }

    /// The card of a registry, in this version of the product. Cards are for everybody: a registry that is not has none.
    pub fn registry_card(&self, name: &RegistryName, version: &str) -> Result<Value, RegistryError> {
        self.view(Some(name), None).map_err(|_| no_registry(name))?;
        let mut card = self.own_card(version);
        if *name != RegistryName::main() {
            card["name"] = json!(format!("{}.{name}", mcp_face::NAME));
            card["title"] = json!(self.title_of(name));
            card["remotes"][0]["url"] = json!(endpoint_url(&Slug::of_registry(name), &self.parts.public_url));
        }
        Ok(card)
    }

    fn title_of(&self, name: &RegistryName) -> String {
        let registries = self.parts.views.registries();
        let record = registries.iter().find(|record| record.name == *name);
        record.map_or_else(|| name.to_string(), |record| record.title.clone())
    }

    /// The catalogue's entries of registries that everybody may read, besides the default one.
    fn catalogued_registries(&self, host: &str) -> Vec<Value> {
        let registries = self.parts.views.registries();
        let is_open = |record: &&RegistryRecord| {
            record.visibility == Readers::Anonymous && record.name != RegistryName::main()
        };
        let entry = |record: &RegistryRecord| {
            json!({
                "identifier": format!("urn:air:{host}:mcp:registry.{}", record.name),
                "displayName": record.title,
                "type": CARD_TYPE,
                "url": card_url(&endpoint_url(&Slug::of_registry(&record.name), &self.parts.public_url)),
            })
        };
        registries.iter().filter(is_open).map(entry).collect()
    }

    /// The catalogue of the cards: the registry itself, then what is listed and served, by name.
    pub async fn ai_catalog(&self) -> Result<Value, RegistryError> {
        let host = self.parts.public_url.host_str().unwrap_or("localhost");
        let mut entries = Vec::new();
        if self.view(None, None).is_ok() {
            entries.push(json!({
                "identifier": format!("urn:air:{host}:mcp:registry"),
                "displayName": mcp_face::TITLE,
                "type": CARD_TYPE,
                "url": card_url(&endpoint_url(&Slug::of_the_registry(), &self.parts.public_url)),
            }));
        }
        entries.extend(self.catalogued_registries(host));
        if let Ok(view) = self.view(None, None) {
            let made = self
                .catalogue
                .get(self, (), async || self.catalogued(&view).await);
            entries.extend_from_slice(&made.await?);
        }
        Ok(json!({"specVersion": "1.0", "entries": entries}))
    }
}

impl Registry {
    /// The catalogue's entries of servers that are listed and served, by name. It goes through the routes: most entries of
    /// a large registry have none.
    async fn catalogued(&self, view: &View) -> Result<Vec<Value>, RegistryError> {
        let mut names: Vec<ServerName> = self
            .parts
            .routes
            .routes()
            .await?
            .into_iter()
            .filter(|route| route.state == RouteState::Active && view.remotes().contains(&route.environment))
            .map(|route| route.server)
            .collect();
        names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        names.dedup();
        let mut entries = Vec::new();
        for some in names.chunks(CATALOG_STEP) {
            let page = self.serve_latest_of(view, some).await?;
            entries.extend(page.iter().filter_map(catalogued));
            if entries.len() >= CATALOG_ENTRIES {
                break;
            }
        }
        entries.truncate(CATALOG_ENTRIES);
        Ok(entries)
    }
}

fn card(served: &Served, mut remote: Value, route: &Route) -> Value {
    if !route.upstream_eras.is_empty() {
        remote["supportedProtocolVersions"] = versions();
    }
    let document = served.server.to_map();
    let mut card = Map::new();
    card.insert("$schema".to_owned(), SCHEMA.into());
    for key in ["name", "title", "description", "version", "websiteUrl"] {
        card.extend(
            document
                .get(key)
                .filter(|value| value.is_string())
                .map(|value| (key.to_owned(), value.clone())),
        );
    }
    let has = |value: &Value, keys: &[&str]| keys.iter().all(|key| value[*key].is_string());
    if let Some(repository) = document
        .get("repository")
        .filter(|value| has(value, &["url", "source"]))
    {
        card.insert("repository".to_owned(), repository.clone());
    }
    if let Some(Value::Array(icons)) = document.get("icons") {
        let icons: Vec<_> = icons.iter().filter(|icon| has(icon, &["src"])).cloned().collect();
        card.insert("icons".to_owned(), icons.into());
    }
    card.insert("remotes".to_owned(), json!([remote]));
    Value::Object(card)
}

/// A listed server as a catalogue names it; `None` when nothing serves it.
fn catalogued(served: &Served) -> Option<Value> {
    let name: ServerName = served.server.text("name")?.parse().ok()?;
    let url = remotes(served).first()?["url"].as_str().map(card_url)?;
    let mut domain: Vec<&str> = name.namespace().split('.').collect();
    domain.reverse();
    let mut entry = json!({
        "identifier": format!("urn:air:{}:mcp:{}", domain.join("."), name.short()),
        "displayName": served.server.text("title").unwrap_or_else(|| name.to_string()),
        "type": CARD_TYPE,
        "url": url,
        "version": served.server.text("version"),
        "updatedAt": served.meta.official.updated_at,
    });
    if let Some(description) = served.server.text("description") {
        entry["description"] = description.into();
    }
    Some(entry)
}

fn remotes(served: &Served) -> Vec<Value> {
    let remotes = served.server.get("remotes").map(serde_json::from_str);
    remotes.and_then(Result::ok).unwrap_or_default()
}

fn card_url(endpoint: &str) -> String {
    format!("{endpoint}/server-card")
}

/// What the gateway serves over Streamable HTTP to any server: what such a server does not speak is bridged.
fn versions() -> Value {
    Revision::ALL
        .into_iter()
        .filter(|revision| *revision > Revision::V2024_11_05)
        .map(Revision::as_str)
        .collect()
}
