//! The side of a REST API: the gateway itself is the MCP server in front of it, in both eras. It answers handshakes and
//! lists from what was approved, and turns each call of a tool into requests to the API.
//!
//! Before: a request that the policies let pass, which names a tool and nothing of the API. After: a reply like that of
//! any MCP server, so that the rooms behind need not know.

mod protocol;

mod call;
mod content;
mod credential;
mod events;
mod exchange;
mod failure;
mod graphql;
mod pages;
mod schema;
mod shape;

mod prompts;
mod resources;
mod uris;

mod news;
mod results;
mod told;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use portreeve_core::limits::Limits;
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::rest::{Binding, Bindings};
use portreeve_core::route::Route;
use portreeve_core::tool::Tool;
use portreeve_net::{Destination, NetError, Reach};
use tokio::sync::watch;
use url::Url;

pub use self::credential::Secrets;
pub use self::schema::Schemas;
use crate::metrics::Metrics;
use crate::policy::Credential;
use crate::route::Routes;

/// What all REST APIs of a node share.
pub struct Commons {
    /// The limits.
    pub limits: Arc<Limits>,
    /// For the boundaries of bodies, and the moments of retries.
    pub rng: Arc<dyn Rng>,
    /// Figures for operators.
    pub metrics: Metrics,
    /// Opened secrets.
    pub secrets: Arc<Secrets>,
    /// Compiled schemas of arguments.
    pub schemas: Schemas,
    /// The routes in force: tells streams when tools changed.
    pub routes: watch::Sender<Arc<Routes>>,
}

/// A REST API.
pub struct Api {
    commons: Arc<Commons>,
    route: Arc<str>,
    name: String,
    version: String,
    bindings: Arc<Bindings>,
    /// What is shown to it.
    credentials: Vec<Credential>,
    /// What paths are appended to, by the text of the binding; the route's own under the empty one.
    bases: HashMap<String, Base>,
    /// The definitions that may be called, by era and name.
    tools: [BTreeMap<String, Approved>; 2],
    /// What may be read.
    uris: uris::Uris,
    /// Stands for the definition of what has none: the schema of a resource is the binding's.
    unlisted: Approved,
    /// Longest wait, where the tool has none of its own.
    timeout: Duration,
    /// What is left for retries, in tenths of one.
    retries: AtomicI64,
}

/// An approved definition.
struct Approved {
    definition: Arc<str>,
    hash: Arc<str>,
}

/// An origin with a base path.
struct Base {
    url: Url,
    destination: Result<Destination, NetError>,
}

// === impl Commons ===

impl Commons {
    /// What the APIs of a node share.
    pub fn new(limits: Arc<Limits>, rng: Arc<dyn Rng>, metrics: Metrics, secrets: Arc<Secrets>) -> Self {
        Self {
            schemas: Schemas::new(limits.rest_schema_bytes),
            limits,
            rng,
            metrics,
            secrets,
            routes: watch::Sender::new(Arc::default()),
        }
    }
}

impl fmt::Debug for Commons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Commons")
    }
}

// === impl Api ===

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("route", &self.route).finish()
    }
}

impl Api {
    /// The API behind a route. `None` when the route's upstream is not a URL any more.
    pub fn new(
        commons: &Arc<Commons>,
        route: &Route,
        tools: &[Tool],
        bindings: Arc<Bindings>,
        credentials: Vec<Credential>,
    ) -> Option<Self> {
        let reach = Reach::granted(&route.private_hosts);
        let own = Base::new(&route.upstream_url, &reach)?;
        let mut bases = HashMap::from([(String::new(), own)]);
        for base in bindings
            .all()
            .filter_map(|(_, binding)| binding.base_url.as_ref())
        {
            if !bases.contains_key(base)
                && let Some(made) = Base::new(base, &reach)
            {
                bases.insert(base.clone(), made);
            }
        }
        let mut approved = [BTreeMap::new(), BTreeMap::new()];
        for tool in tools.iter().filter(|tool| tool.is_callable()) {
            if let (Some(definition), [legacy, modern]) = (&tool.approved, &mut approved) {
                let of_era = if tool.era == Era::Legacy { legacy } else { modern };
                let definition = Approved {
                    definition: definition.definition.as_str().into(),
                    hash: definition.hash.as_str().into(),
                };
                of_era.insert(tool.name.clone(), definition);
            }
        }
        Some(Self {
            commons: Arc::clone(commons),
            route: route.slug.as_str().into(),
            name: route.server.to_string(),
            version: route.version.to_string(),
            uris: uris::Uris::of(&bindings),
            unlisted: Approved {
                definition: "".into(),
                hash: "".into(),
            },
            bindings,
            credentials,
            bases,
            tools: approved,
            timeout: Duration::from_millis(route.upstream_timeout_ms),
            retries: AtomicI64::new(exchange::RETRIES_AT_ONCE * exchange::COST),
        })
    }

    /// Longest wait for the head of an answer, and between two pieces of its body. Tools may have longer ones of their own.
    pub fn patience(&self) -> Duration {
        let own = self.bindings.all().filter_map(|(_, binding)| binding.timeout_ms);
        let longest = own.max().map_or(Duration::ZERO, Duration::from_millis);
        self.timeout
            .max(longest.min(self.commons.limits.rest.tool_timeout))
    }

    fn tools(&self, era: Era) -> &BTreeMap<String, Approved> {
        let [legacy, modern] = &self.tools;
        if era == Era::Legacy { legacy } else { modern }
    }

    fn base(&self, binding: &Binding) -> Option<&Base> {
        self.bases.get(binding.base_url.as_deref().unwrap_or_default())
    }

    /// Whether a base is of the origin (scheme, host and port) that the route leads to.
    fn is_own_origin(&self, base: &Base) -> bool {
        let own = self.bases.get("");
        own.is_some_and(|own| own.url.origin() == base.url.origin())
    }
}

// === impl Base ===

impl Base {
    fn new(url: &str, reach: &Reach) -> Option<Self> {
        let mut url = Url::parse(url).ok()?;
        // What stands behind the base path is written anew for every request.
        url.set_query(None);
        url.set_fragment(None);
        Some(Self {
            destination: Destination::new(&url, reach),
            url,
        })
    }

    /// The base path, without a slash behind it.
    fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests;
