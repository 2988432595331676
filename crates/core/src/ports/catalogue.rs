//! How the gateway reads what the registry wrote: a whole snapshot first, then what moved, and a counter that tells when to
//! read again.

use std::sync::Arc;

use async_trait::async_trait;

use super::StoreError;
use crate::access_policy::AccessPolicy;
use crate::caller::{ApiKey, User};
use crate::grant::Grant;
use crate::members::Given;
use crate::name::{GroupName, ServerName, Slug};
use crate::partner::RevokedServer;
use crate::rest::Bindings;
use crate::route::Route;
use crate::token::{EndedAuthorization, SigningKey};
use crate::tool::Tool;
use crate::view::RegistryRecord;

/// A route with its tools.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteSnapshot {
    /// The route.
    pub route: Route,
    /// Its tools, in both eras.
    pub tools: Vec<Tool>,
    /// How its tools are called, if it leads to a REST API rather than to an MCP server: the route's upstream URL is then
    /// what their paths are appended to. A tool without a binding cannot be called.
    pub rest: Option<Arc<Bindings>>,
    /// The names that it gives to what its members have, if it is a virtual server.
    pub given: Vec<Given>,
}

/// Things with keys, as a reader needs them who knows a generation, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News<T, K> {
    /// All there are, and no others.
    All(Vec<T>),
    /// What happened since. What is named by neither is as it was.
    Since {
        /// Those that are new, or not as they were.
        changed: Vec<T>,
        /// Those that are not there any more. One that came back is in both.
        gone: Vec<K>,
    },
}

/// Everything that decisions need.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The catalogue's generation when the snapshot was begun. It may already hold some of what came after.
    pub generation: i64,
    /// Active routes, which may be many: those that moved.
    pub routes: News<RouteSnapshot, Slug>,
    /// Keys that are not revoked.
    pub keys: Vec<ApiKey>,
    /// Users.
    pub users: Vec<User>,
    /// Grants.
    pub grants: Vec<Grant>,
    /// Access policies, by name.
    pub policies: Vec<AccessPolicy>,
    /// Registries.
    pub registries: Vec<RegistryRecord>,
    /// Servers that groups own, or that have a tag which some registry selects by.
    pub owned: Vec<Owned>,
    /// Keys that sign access tokens, in their order.
    pub signing_keys: Vec<SigningKey>,
    /// Authorizations that ended while tokens of them may still be about.
    pub ended: Vec<EndedAuthorization>,
    /// Servers that nobody may call, each once.
    pub revoked: Vec<RevokedServer>,
}

/// A server with what decisions depend on: the groups that own it, whose members may publish it, and those of its tags by
/// which registries select it. A server that has neither is not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The server.
    pub server: ServerName,
    /// The groups, by name.
    pub groups: Vec<GroupName>,
    /// Its tags, by name; none that no registry selects by.
    pub tags: Vec<String>,
}

/// The catalogue as the gateway sees it.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// Counts every change of routes, tools, keys, users, grants, access policies, owning groups, tags that registries select by,
    /// signing keys, ended authorizations and what was revoked.
    async fn generation(&self) -> Result<i64, StoreError>;

    /// Everything; of the routes what moved since the generation that the reader knows. A reader who knows none, or one that
    /// is not of this store's past, is told all of them.
    async fn snapshot(&self, known: Option<i64>) -> Result<Snapshot, StoreError>;
}

/// Brings a changed catalogue into force on this node. Called after a change, so that who made it sees it at once;
/// other nodes follow within a second.
#[async_trait]
pub trait Refresh: Send + Sync {
    /// Reads the catalogue again. Returns when decisions follow it; failures are logged and retried by the watcher.
    async fn refresh(&self);
}
