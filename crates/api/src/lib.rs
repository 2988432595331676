//! The JSON face: the management API under `/api/v1`, and the official registry API under `/v0.1` and `/v0`.
//!
//! A request comes in through [`router`]: `enter.rs` brings its path into one form (`path.rs`), the routers of
//! `router.rs` find the handler, `credential.rs` finds the caller, and the handler calls one use case of a room and
//! shows the answer (`shapes.rs`). Every refusal becomes a document in `problem.rs`. No rule of the product lives
//! here: what a caller may do is decided by the rooms.

mod router;

mod enter;
mod path;

mod content;
mod credential;
mod query;

mod badge;
mod cards;
mod icons;
mod management;
mod oauth;
mod registry_api;
mod well_known;

mod paging;
mod shapes;

mod cors;
mod etag;
mod problem;

mod openapi;

use std::fmt;
use std::sync::Arc;

use portreeve_access::{Access, AccessRequests, Approvals, AuthorizationServer, Login, Publishing, Vault};
use portreeve_core::doctor::Doctor;
use portreeve_core::limits::Limits;
use portreeve_core::ports::Refresh;
use portreeve_core::time::Clock;
use portreeve_gateway::Gateway;
use portreeve_insight::{Insight, Webhooks};
use portreeve_registry::Registry;
use portreeve_registry::partners::Partners;
use url::Url;

pub use openapi::document as openapi_document;
pub use router::{Endpoint, endpoints, router};

/// What the API is made from.
pub struct ApiParts {
    /// An entry's way.
    pub registry: Arc<Registry>,
    /// Partners' servers.
    pub partners: Arc<Partners>,
    /// Who is calling, and what they may do.
    pub access: Arc<Access>,
    /// Issues tokens to clients.
    pub oauth: Arc<AuthorizationServer>,
    /// Who signs in.
    pub login: Arc<Login>,
    /// How publishers prove who they are.
    pub publishing: Arc<Publishing>,
    /// Named secrets.
    pub vault: Arc<Vault>,
    /// Requests for access.
    pub access_requests: Arc<AccessRequests>,
    /// Calls that a person must allow first.
    pub approvals: Arc<Approvals>,
    /// A request's way, to be explained.
    pub gateway: Arc<Gateway>,
    /// Usage and audit.
    pub insight: Arc<Insight>,
    /// Who is told of changes.
    pub webhooks: Arc<Webhooks>,
    /// Brings a change into force before it is answered.
    pub refresh: Arc<dyn Refresh>,
    /// Examines the installation.
    pub doctor: Arc<dyn Doctor>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Every limit on what comes from outside.
    pub limits: Arc<Limits>,
    /// The origin under which hosts reach the gateway.
    pub public_url: Url,
    /// The version of this binary.
    pub version: &'static str,
}

impl fmt::Debug for ApiParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiParts")
            .field("public_url", &self.public_url.as_str())
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The state of every handler.
type Api = Arc<ApiParts>;
