//! Servers and their versions, as they are registered, led through their life, and shown.

use portreeve_core::ports::{Entry, ListedVersion};
use portreeve_core::profile::Metadata;
use portreeve_core::server::{Lifecycle, Version};
use portreeve_core::time::Timestamp;
use portreeve_registry::{Outcome, ToolsOutcome};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;
use utoipa::ToSchema;

use super::deployment::{DeploymentShape, RouteOutcomeShape};
use super::profile::{ProfileChangeShape, ProfileShape};
use super::route::RouteShape;
use super::{endpoint_url, labels};

/// A version of a server in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerItem {
    name: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// `draft`, `submitted`, `approved` or `rejected`.
    approval: &'static str,
    /// `design`, `development`, `testing`, `preview`, `production`, `deprecated` or `retired`.
    lifecycle: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<String>,
    /// Whether hosts get this version for `latest`.
    is_latest: bool,
    /// The route that serves exactly this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<RouteLink>,
    #[schema(value_type = String, format = DateTime)]
    published_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A route, as much of it as a list shows.
#[derive(Debug, Serialize, ToSchema)]
struct RouteLink {
    slug: String,
    url: String,
    /// `credential` or `anonymous`.
    access: &'static str,
}

/// A server with its versions and routes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Server)]
pub(crate) struct ServerShape {
    name: String,
    /// Who registered it; left out for those who do not manage it.
    #[serde(skip_serializing_if = "String::is_empty")]
    registered_by: String,
    /// Private hosts that it may reach, as `host:port`.
    private_hosts: Vec<String>,
    /// What people say about it; left out for those who may not use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileShape>,
    /// Newest first.
    versions: Vec<VersionShape>,
    routes: Vec<RouteShape>,
    /// Counts the changes.
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A version of a server.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Version)]
pub(crate) struct VersionShape {
    /// The server's name.
    name: String,
    version: String,
    /// The `server.json` document.
    #[schema(value_type = Object)]
    document: Box<RawValue>,
    /// SHA-256 of the document's canonical form (RFC 8785), hex.
    content_hash: String,
    /// `draft`, `submitted`, `approved` or `rejected`.
    approval: &'static str,
    /// `design`, `development`, `testing`, `preview`, `production`, `deprecated` or `retired`.
    lifecycle: &'static str,
    /// Why it was rejected, deprecated or retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<String>,
    /// Who submitted it; left out for those who do not manage it.
    #[serde(skip_serializing_if = "String::is_empty")]
    submitted_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    /// Whether hosts get it for `latest`.
    is_latest: bool,
    /// Values of custom properties of this version, over those of its server; left out for those who may not use it.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    #[schema(value_type = Object)]
    metadata: Metadata,
    #[schema(value_type = String, format = DateTime)]
    published_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    status_changed_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// What became of a version, and what the gateway made of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Outcome)]
pub(crate) struct OutcomeShape {
    /// The server's name.
    name: String,
    version: VersionShape,
    /// The route that serves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<RouteShape>,
    tools: ToolsShape,
    /// The routes of other environments and major versions that serve it, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<RouteOutcomeShape>,
    /// Private hosts that were granted, as `host:port`.
    private_hosts: Vec<String>,
}

/// Whether the server's tools were seen when it was approved.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
#[schema(as = ToolsOutcome)]
pub(crate) enum ToolsShape {
    /// There is no route, so nobody asked.
    NoRoute,
    /// They were seen, and are approved as they were.
    Pinned {
        /// How many.
        count: usize,
    },
    /// They were not seen; none can be called until they are.
    NotSeen {
        /// Why.
        reason: String,
    },
}

/// A server, or a new version of one, to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewServer {
    /// The `server.json` document.
    #[schema(value_type = Object)]
    pub(crate) document: Box<RawValue>,
    /// Grant the private hosts that its URL needs.
    #[serde(default)]
    pub(crate) internal: bool,
    /// Approve it at once, where the caller may.
    #[serde(default)]
    pub(crate) approve: bool,
    /// Keep it as a draft: nobody is asked for an approval until it is submitted. Not together with `approve`.
    #[serde(default)]
    pub(crate) draft: bool,
    /// What people say about it.
    #[serde(default)]
    pub(crate) profile: ProfileChangeShape,
    /// Values of custom properties; the same as `metadata` in the profile.
    #[schema(value_type = Option<Object>)]
    pub(crate) metadata: Option<Metadata>,
    /// Values of custom properties of this version alone, over those of its server.
    #[schema(value_type = Option<Object>)]
    pub(crate) version_metadata: Option<Metadata>,
    /// Where it runs, beside or instead of its document's remote; in force once the version is approved.
    pub(crate) deployments: Option<Vec<DeploymentShape>>,
}

/// Nothing but the path is needed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// How a version is approved.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ApproveStep {
    /// Grant the private hosts that its URL needs.
    #[serde(default)]
    pub(crate) internal: bool,
    /// The `hash` of the plan that was looked at; when approving would do something else by now, it is refused.
    pub(crate) plan: Option<String>,
}

/// Why a version is sent back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RejectStep {
    /// What its owner should change.
    pub(crate) reason: String,
}

/// How mature a version is from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LifecycleStep {
    /// `design`, `development`, `testing`, `preview`, `production`, `deprecated` or `retired`.
    #[schema(value_type = String)]
    pub(crate) lifecycle: Lifecycle,
    /// What those who use it should know.
    pub(crate) message: Option<String>,
}

/// What people call a server, as its document says.
#[derive(Debug, Default, Deserialize)]
struct Words {
    title: Option<String>,
    description: Option<String>,
}

// === impl ServerItem ===

impl ServerItem {
    pub(crate) fn new(listed: &ListedVersion, public_url: &Url) -> Self {
        let version = &listed.version;
        let words: Words = serde_json::from_str(&version.document).unwrap_or_default();
        let route = listed.route.as_ref().map(|(slug, entrance)| RouteLink {
            slug: slug.to_string(),
            url: endpoint_url(public_url, slug),
            access: entrance.access().as_str(),
        });
        Self {
            name: version.name.to_string(),
            version: version.version.to_string(),
            title: words.title,
            description: words.description,
            approval: version.approval.as_str(),
            lifecycle: version.lifecycle.as_str(),
            status_message: version.status_message.clone(),
            is_latest: version.is_latest,
            route,
            published_at: version.published_at,
            updated_at: version.updated_at,
        }
    }
}

// === impl ServerShape ===

impl ServerShape {
    pub(crate) fn new(entry: &Entry, public_url: &Url) -> Self {
        Self {
            name: entry.server.name.to_string(),
            registered_by: entry.server.registered_by.clone(),
            private_hosts: labels(&entry.server.private_hosts),
            profile: ProfileShape::new(&entry.server.profile),
            versions: entry.versions.iter().map(VersionShape::new).collect(),
            routes: entry
                .routes
                .iter()
                .map(|route| RouteShape::new(route, public_url))
                .collect(),
            revision: entry.revision,
            created_at: entry.server.created_at,
            updated_at: entry.server.updated_at,
        }
    }
}

// === impl VersionShape ===

impl VersionShape {
    pub(crate) fn new(version: &Version) -> Self {
        Self {
            name: version.name.to_string(),
            version: version.version.to_string(),
            document: raw(&version.document),
            content_hash: version.content_hash.clone(),
            approval: version.approval.as_str(),
            lifecycle: version.lifecycle.as_str(),
            status_message: version.status_message.clone(),
            submitted_by: version.submitted_by.clone(),
            decided_by: version.decided_by.clone(),
            is_latest: version.is_latest,
            metadata: version.metadata.clone(),
            published_at: version.published_at,
            status_changed_at: version.status_changed_at,
            updated_at: version.updated_at,
        }
    }
}

// === impl OutcomeShape ===

impl OutcomeShape {
    pub(crate) fn new(outcome: &Outcome, public_url: &Url) -> Self {
        Self {
            name: outcome.version.name.to_string(),
            version: VersionShape::new(&outcome.version),
            route: outcome
                .route
                .as_ref()
                .map(|route| RouteShape::new(route, public_url)),
            tools: ToolsShape::new(&outcome.tools),
            others: outcome
                .others
                .iter()
                .map(|(route, tools)| RouteOutcomeShape::new(route, tools, public_url))
                .collect(),
            private_hosts: labels(&outcome.private_hosts),
        }
    }
}

// === impl ToolsShape ===

impl ToolsShape {
    pub(crate) fn new(outcome: &ToolsOutcome) -> Self {
        match outcome {
            ToolsOutcome::NoRoute => Self::NoRoute,
            ToolsOutcome::Pinned(count) => Self::Pinned { count: *count },
            ToolsOutcome::NotSeen { reason } => Self::NotSeen {
                reason: reason.clone(),
            },
        }
    }
}

/// JSON text as it stands. What the store holds was JSON when it was saved; null stands for anything else.
pub(crate) fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
