//! Deployments, and what an approval would do to routes.

use portreeve_core::deployment::{Deployment, DeploymentState, Major};
use portreeve_core::name::{Environment, VersionText};
use portreeve_core::ports::{DeployedServer, Entry};
use portreeve_core::profile::Metadata;
use portreeve_core::route::Route;
use portreeve_registry::{Deployed, Move, MoveKind, Plan, Stop, ToolsOutcome};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::route::RouteShape;
use super::server::ToolsShape;
use super::{endpoint_url, labels};

/// A server in an environment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Deployment)]
pub(crate) struct DeploymentShape {
    /// The environment's name.
    #[schema(value_type = String)]
    environment: Environment,
    /// The major version that it is bound to, as `v1`: its route serves the highest approved version of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    major: Option<Major>,
    /// The one version that runs there. Without it, the highest approved one is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    version: Option<VersionText>,
    /// Its MCP endpoint (Streamable HTTP).
    url: String,
    /// `active` or `inactive`; an inactive one is kept and not served.
    #[serde(default = "active")]
    #[schema(value_type = String, default = "active")]
    state: DeploymentState,
    /// Values of custom properties.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    #[schema(value_type = Object)]
    metadata: Metadata,
}

/// The deployments of a server, in force and proposed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Deployments)]
pub(crate) struct DeploymentsShape {
    /// The server's name.
    name: String,
    /// What is in force.
    deployments: Vec<DeploymentShape>,
    /// What waits for an approval, and would be in force instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposed: Option<ProposedShape>,
    /// The routes of the server, by environment.
    routes: Vec<RouteShape>,
    /// The routes that were made or moved just now, with what is known of their tools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    moved: Vec<RouteOutcomeShape>,
    /// Private hosts that were granted just now, as `host:port`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    private_hosts: Vec<String>,
    /// Counts the changes of the entry; the `ETag` is the same number in quotes.
    revision: i64,
}

/// A deployment in the list of all of them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeployedServer)]
pub(crate) struct DeployedShape {
    /// The server's name.
    name: String,
    /// The environment's name.
    environment: String,
    /// The major version that it is bound to, as `v1`.
    major: Option<String>,
    /// The one version that runs there; null for the highest approved one.
    version: Option<String>,
    /// Its MCP endpoint (Streamable HTTP).
    url: String,
    /// `active` or `inactive`; `proposed` while it waits for an approval.
    state: &'static str,
    /// Values of custom properties.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    #[schema(value_type = Object)]
    metadata: Metadata,
    /// The gateway's endpoint of the place, as far as there is one.
    gateway_url: Option<String>,
    /// The version that this endpoint leads to.
    serves: Option<String>,
}

/// Deployments that wait for an approval.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProposedShape {
    /// Who proposed them.
    by: String,
    /// All of them.
    deployments: Vec<DeploymentShape>,
}

/// Where a server runs from now on: all of its deployments.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewDeployments)]
pub(crate) struct NewDeploymentsShape {
    /// All of them; what is not among them ends.
    pub(crate) deployments: Vec<DeploymentShape>,
    /// Grant the private hosts that their URLs need.
    #[serde(default)]
    pub(crate) internal: bool,
}

/// A route with what is known of its tools.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RouteOutcome)]
pub(crate) struct RouteOutcomeShape {
    route: RouteShape,
    tools: ToolsShape,
}

/// What an approval would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Plan)]
pub(crate) struct PlanShape {
    /// The server's name.
    name: String,
    /// The version that would be approved; left out when only deployments wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The version that hosts get for `latest` now.
    latest_now: Option<String>,
    /// The version that hosts would get for `latest` then.
    latest_then: Option<String>,
    /// The routes that would be made, moved, started or stopped.
    moves: Vec<MoveShape>,
    /// Stands for all of it, and for the document. `approve` takes it as `plan`.
    hash: String,
}

/// What would become of a route.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Move)]
struct MoveShape {
    /// `create`, `move`, `start` or `stop`.
    kind: &'static str,
    /// The route's slug.
    slug: String,
    environment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    major: Option<String>,
    /// Where it leads now, if it is served.
    from: Option<StopShape>,
    /// Where it would lead then, if it is served.
    to: Option<StopShape>,
}

/// Where a route leads.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Stop)]
struct StopShape {
    version: String,
    url: String,
}

fn active() -> DeploymentState {
    DeploymentState::Active
}

// === impl DeployedShape ===

impl DeployedShape {
    pub(crate) fn new(one: &DeployedServer, public_url: &Url) -> Self {
        let (deployment, route) = (&one.deployment, one.route.as_ref());
        Self {
            name: one.server.to_string(),
            environment: deployment.environment.to_string(),
            major: deployment.major.map(|major| major.to_string()),
            version: deployment.version.as_ref().map(ToString::to_string),
            url: deployment.url.clone(),
            state: if one.is_proposed {
                "proposed"
            } else {
                deployment.state.as_str()
            },
            metadata: deployment.metadata.clone(),
            gateway_url: route.map(|(slug, _)| endpoint_url(public_url, slug)),
            serves: route.map(|(_, version)| version.to_string()),
        }
    }
}

// === impl DeploymentShape ===

impl DeploymentShape {
    fn new(deployment: &Deployment) -> Self {
        Self {
            environment: deployment.environment.clone(),
            major: deployment.major,
            version: deployment.version.clone(),
            url: deployment.url.clone(),
            state: deployment.state,
            metadata: deployment.metadata.clone(),
        }
    }

    pub(crate) fn into_deployment(self) -> Deployment {
        Deployment {
            environment: self.environment,
            major: self.major,
            version: self.version,
            url: self.url,
            state: self.state,
            metadata: self.metadata,
        }
    }
}

// === impl DeploymentsShape ===

impl DeploymentsShape {
    pub(crate) fn new(entry: &Entry, public_url: &Url) -> Self {
        let all = &entry.server.deployments;
        let shapes = |deployments: &[Deployment]| deployments.iter().map(DeploymentShape::new).collect();
        Self {
            name: entry.server.name.to_string(),
            deployments: shapes(&all.current),
            proposed: all.proposed.as_ref().map(|proposed| ProposedShape {
                by: proposed.by.clone(),
                deployments: shapes(&proposed.deployments),
            }),
            routes: entry
                .routes
                .iter()
                .map(|route| RouteShape::new(route, public_url))
                .collect(),
            moved: Vec::new(),
            private_hosts: Vec::new(),
            revision: entry.revision,
        }
    }

    pub(crate) fn deployed(deployed: &Deployed, public_url: &Url) -> Self {
        Self {
            moved: deployed
                .routes
                .iter()
                .map(|(route, tools)| RouteOutcomeShape::new(route, tools, public_url))
                .collect(),
            private_hosts: labels(&deployed.private_hosts),
            ..Self::new(&deployed.entry, public_url)
        }
    }
}

// === impl RouteOutcomeShape ===

impl RouteOutcomeShape {
    pub(crate) fn new(route: &Route, tools: &ToolsOutcome, public_url: &Url) -> Self {
        Self {
            route: RouteShape::new(route, public_url),
            tools: ToolsShape::new(tools),
        }
    }
}

// === impl PlanShape ===

impl PlanShape {
    pub(crate) fn new(name: String, plan: &Plan) -> Self {
        let text = |version: &Option<VersionText>| version.as_ref().map(ToString::to_string);
        Self {
            name,
            version: text(&plan.version),
            latest_now: text(&plan.latest.0),
            latest_then: text(&plan.latest.1),
            moves: plan.moves.iter().map(MoveShape::new).collect(),
            hash: plan.hash.clone(),
        }
    }
}

// === impl MoveShape ===

impl MoveShape {
    fn new(one: &Move) -> Self {
        let stop = |stop: &Stop| StopShape {
            version: stop.version.to_string(),
            url: stop.url.clone(),
        };
        Self {
            kind: match one.kind {
                MoveKind::Create => "create",
                MoveKind::Move => "move",
                MoveKind::Start => "start",
                MoveKind::Stop => "stop",
            },
            slug: one.slug.to_string(),
            environment: one.place.environment.to_string(),
            major: one.place.major.map(|major| major.to_string()),
            from: one.from.as_ref().map(stop),
            to: one.to.as_ref().map(stop),
        }
    }
}
