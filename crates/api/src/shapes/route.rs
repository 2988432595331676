//! Routes, as they are shown and changed.

use portreeve_core::route::{
    Access, Credentials, PolicyDocument, Protocol, Route, RouteState, ServerRequests, SessionAffinity,
};
use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::{endpoint_url, labels};

/// A route of the gateway.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Route)]
pub(crate) struct RouteShape {
    /// The same as `slug`.
    name: String,
    /// The part of the URL that names it.
    slug: String,
    /// The gateway's MCP endpoint.
    url: String,
    /// The server it serves.
    server: String,
    /// The environment it serves.
    environment: String,
    /// The major version that it is bound to, as `v1`; without one it serves the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    major: Option<String>,
    /// The approved version it serves.
    version: String,
    /// The upstream's URL; left out for those who do not manage the server.
    #[serde(skip_serializing_if = "String::is_empty")]
    upstream_url: String,
    /// The eras that the upstream was seen to speak: `legacy`, `modern`.
    upstream_eras: Vec<String>,
    /// Private hosts granted to the entry, as `host:port`.
    private_hosts: Vec<String>,
    /// `credential` or `anonymous`.
    access: &'static str,
    /// `active` or `inactive`.
    state: &'static str,
    /// `tools-not-seen` or `pinned`.
    pin_state: &'static str,
    /// Its policies, in the order in which they are asked: each has a `kind`, and beside it the fields of that kind.
    #[schema(value_type = Vec<Object>)]
    policies: Vec<PolicyDocument>,
    /// Longest time to the upstream's answer and between two parts of it, in milliseconds.
    upstream_timeout_ms: u64,
    /// In which era the gateway speaks with the upstream: `auto`, `modern` or `legacy`.
    protocol: &'static str,
    /// Which calls of modern hosts share a session with a legacy upstream: `per_request` or `principal`.
    session_affinity: &'static str,
    /// What becomes of what a legacy upstream asks of a modern host in the middle of a call: `refuse` or `park`.
    server_requests: &'static str,
    /// How long a list of the upstream serves its caller again where the upstream does not say how long, in milliseconds; 0:
    /// not at all.
    list_cache_ms: u64,
    /// Which credentials it takes.
    #[schema(value_type = CredentialsShape)]
    credentials: Credentials,
    /// Counts the changes; the `ETag` is the same number in quotes.
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Which credentials a route takes; what is left out of a change is as if nobody had ever changed it.
#[derive(Debug, ToSchema)]
#[schema(as = RouteCredentials, rename_all = "camelCase")]
#[expect(dead_code, reason = "only described; the noun in core is what is read")]
pub(crate) struct CredentialsShape {
    /// Access tokens that this Portreeve issued for the route. `true` if left out.
    #[schema(required = false)]
    tokens: bool,
    /// API keys. `true` if left out.
    #[schema(required = false)]
    keys: bool,
    /// Access tokens of these issuers, which the configuration file names. None if left out.
    #[schema(required = false)]
    issuers: Vec<String>,
}

/// What shall be different; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = RouteChange)]
pub(crate) struct RouteChangeShape {
    /// `credential` or `anonymous`.
    #[schema(value_type = Option<String>)]
    pub(crate) access: Option<Access>,
    /// All policies, in the order in which they shall be asked.
    #[schema(value_type = Option<Vec<Object>>)]
    pub(crate) policies: Option<Vec<PolicyDocument>>,
    /// `active` or `inactive`.
    #[schema(value_type = Option<String>)]
    pub(crate) state: Option<RouteState>,
    /// Longest time to the upstream's answer and between two parts of it, in milliseconds.
    pub(crate) upstream_timeout_ms: Option<u64>,
    /// In which era the gateway speaks with the upstream: `auto` (the host's, where it was seen to be spoken), `modern` or
    /// `legacy`.
    #[schema(value_type = Option<String>)]
    pub(crate) protocol: Option<Protocol>,
    /// Which calls of modern hosts share a session with a legacy upstream: `per_request` (none) or `principal` (those of one
    /// caller).
    #[schema(value_type = Option<String>)]
    pub(crate) session_affinity: Option<SessionAffinity>,
    /// What becomes of what a legacy upstream asks of a modern host in the middle of a call: `refuse` (it is told that nobody
    /// can be asked) or `park` (the call waits on its node while the host is asked).
    #[schema(value_type = Option<String>)]
    pub(crate) server_requests: Option<ServerRequests>,
    /// How long a list of the upstream serves its caller again where the upstream does not say how long (as no legacy one
    /// does), in milliseconds; 0: not at all. An hour at most.
    pub(crate) list_cache_ms: Option<u64>,
    /// Which credentials it takes, all of them.
    #[schema(value_type = Option<CredentialsShape>)]
    pub(crate) credentials: Option<Credentials>,
}

impl RouteShape {
    pub(crate) fn new(route: &Route, public_url: &Url) -> Self {
        Self {
            name: route.slug.to_string(),
            slug: route.slug.to_string(),
            url: endpoint_url(public_url, &route.slug),
            server: route.server.to_string(),
            environment: route.environment.to_string(),
            major: route.major.map(|major| major.to_string()),
            version: route.version.to_string(),
            upstream_url: route.upstream_url.clone(),
            upstream_eras: labels(&route.upstream_eras),
            private_hosts: labels(&route.private_hosts),
            access: route.access.as_str(),
            state: route.state.as_str(),
            pin_state: route.pin_state.as_str(),
            policies: route.policies.clone(),
            upstream_timeout_ms: route.upstream_timeout_ms,
            protocol: route.protocol.as_str(),
            session_affinity: route.session_affinity.as_str(),
            server_requests: route.server_requests.as_str(),
            list_cache_ms: route.list_cache_ms,
            credentials: route.credentials.clone(),
            revision: route.revision,
            created_at: route.created_at,
            updated_at: route.updated_at,
        }
    }
}
