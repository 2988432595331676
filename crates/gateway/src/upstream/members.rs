//! The side of a virtual server: the gateway itself is the MCP server in front of its members. It speaks the modern era; hosts
//! of the other one come over the bridge, as to any modern server.
//!
//! Before: a request that the policies of the virtual server's route let pass. After: requests to the routes of its members,
//! through the whole corridor and for the same caller: a virtual server opens nothing that its members keep shut.

mod asking;
mod discover;
mod forward;
mod listen;
mod lists;
mod names;
mod pages;
mod remembered;
mod resources;
mod search;
mod wrapped;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use portreeve_client::{ClientError, Reply, ReplyBody};
use portreeve_core::caller::Caller;
use portreeve_core::limits::Limits;
use portreeve_core::members::{Given, Kind, Naming, SEARCH_TOOLS, VirtualServer};
use portreeve_core::name::Slug;
use portreeve_core::ports::GivenNames;
use portreeve_core::protocol::Era;
use portreeve_core::route::Route;
use portreeve_mcp::envelope::Message;
use portreeve_mcp::{answer, code};
use portreeve_net::ResponseBody;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::watch;

use self::asking::Asking;
use self::remembered::Remembered;
pub use self::search::{is_meta, served};
pub use self::wrapped::{Came, unwrap};
use super::Way;
use crate::metrics::Metrics;
use crate::pipeline::Gateway;
use crate::route::{Routes, ServedRoute, ServedTool};
use crate::translate::Outbound;

/// What all virtual servers of a node share.
pub struct Commons {
    /// The routes in force, which members are among.
    pub routes: watch::Sender<Arc<Routes>>,
    names: Arc<dyn GivenNames>,
    remembered: Remembered,
    metrics: Metrics,
}

/// A virtual server.
pub struct Members {
    commons: Arc<Commons>,
    route: Route,
    server: VirtualServer,
    given: Vec<Given>,
    naming: Naming,
    timeout: Duration,
}

/// A member that a caller may know of.
#[derive(Debug, Clone)]
struct Peer {
    slug: Slug,
    route: Arc<ServedRoute>,
}

/// Why there is no result.
#[derive(Debug)]
struct Failure {
    code: i64,
    message: String,
    data: Option<Value>,
}

// === impl Commons ===

impl Commons {
    /// What the virtual servers of a node share.
    pub fn new(names: Arc<dyn GivenNames>, metrics: Metrics, limits: &Limits) -> Self {
        Self {
            routes: watch::Sender::new(Arc::default()),
            names,
            remembered: Remembered::new(limits.member_lists_bytes),
            metrics,
        }
    }
}

impl fmt::Debug for Commons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Commons")
    }
}

// === impl Members ===

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").field("server", &self.server).finish()
    }
}

impl Members {
    /// The virtual server behind a route. `None` when the route leads to none.
    pub fn new(commons: &Arc<Commons>, route: &Route, given: Vec<Given>) -> Option<Self> {
        Some(Self {
            commons: Arc::clone(commons),
            server: VirtualServer::at(&route.upstream_url)?,
            naming: Naming::of(given.iter().cloned()),
            given,
            timeout: Duration::from_millis(route.upstream_timeout_ms),
            route: route.clone(),
        })
    }

    /// Longest wait for the head of an answer, and between two pieces of its body.
    pub const fn patience(&self) -> Duration {
        self.timeout
    }

    /// The route of a member and what a tool is called there; `None` when the tool is of no member that is served.
    pub fn tool(&self, name: &str) -> Option<(Arc<ServedRoute>, &str)> {
        let (slug, own) = self.naming.owner(Kind::Tool, name)?;
        Some((self.member(slug)?, own))
    }

    /// The route of a member, if it is served. One that is a virtual server itself is none: no request goes in circles.
    fn member(&self, slug: &Slug) -> Option<Arc<ServedRoute>> {
        self.server.member(slug)?;
        let routes = self.commons.routes.borrow();
        let found = routes.by_slug.get(slug.as_str()).cloned();
        found.filter(|route| {
            let is_open = routes.revoked(&route.route.server).is_none();
            is_open && matches!(route.upstream, Way::Remote(_) | Way::Rest(_))
        })
    }

    /// The members that a caller may know of, in their order.
    fn peers(&self, asking: &Asking<'_>) -> Vec<Peer> {
        let members = self.server.members.iter();
        let served = members.filter_map(|member| {
            Some(Peer {
                slug: member.route.clone(),
                route: self.member(&member.route)?,
            })
        });
        served
            .filter(|peer| asking.gateway.policies.admit(asking.caller, &peer.route))
            .collect()
    }

    /// Answers one message.
    pub async fn answer(
        self: &Arc<Self>,
        gateway: &Arc<Gateway>,
        caller: &Caller,
        outbound: &Outbound,
    ) -> Result<Reply, ClientError> {
        let message =
            Message::parse(&outbound.body).map_err(|error| ClientError::NotMcp(error.to_string()))?;
        let Message::Request { id, method, params } = message else {
            return Ok(reply(StatusCode::ACCEPTED, None));
        };
        let asking = Asking {
            gateway,
            caller,
            route: &self.route.slug,
            outbound,
            params,
        };
        let outcome = match &*method {
            "server/discover" => self.discover(&asking).await,
            "tools/list" if self.searches() => self.list_of_two(),
            "tools/call" if self.searches() && outbound.name.as_deref() == Some(SEARCH_TOOLS) => {
                self.search(&asking)
            }
            "tools/list" => self.list(&asking, &lists::TOOLS).await,
            "prompts/list" => self.list(&asking, &lists::PROMPTS).await,
            "resources/list" => self.list(&asking, &lists::RESOURCES).await,
            "resources/templates/list" => self.list(&asking, &lists::TEMPLATES).await,
            "tools/call"
            | "prompts/get"
            | "resources/read"
            | "completion/complete"
            | "tasks/get"
            | "tasks/update"
            | "tasks/cancel" => match self.forward(&asking, &method).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => Err(failure),
            },
            "subscriptions/listen" => match self.listen(&asking, id).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => Err(failure),
            },
            other => Err(Failure {
                code: code::METHOD_NOT_FOUND,
                message: format!("Method not found: {other}"),
                data: None,
            }),
        };
        Ok(answered(id, outcome))
    }

    fn identity(&self) -> Value {
        json!({"name": self.route.server, "version": self.route.version})
    }
}

// === impl Peer ===

impl Peer {
    /// The era of the hop to it.
    fn era(&self) -> Era {
        self.route.hop(Era::Modern)
    }

    /// Whether it shows the caller a tool now. What it showed earlier may have been hidden since.
    fn shows(&self, asking: &Asking<'_>, tool: &str) -> bool {
        let policies = &asking.gateway.policies;
        let tool = self.route.callable(self.era(), tool);
        tool.is_some_and(|tool| policies.see(asking.caller, &self.route, tool))
    }

    /// What is approved of it, in the order of the names.
    fn approved(&self) -> Vec<&ServedTool> {
        let era = self.era();
        let all = self.route.tools(era);
        let mut approved: Vec<&ServedTool> = all
            .filter(|tool| self.route.callable(era, &tool.name).is_some())
            .collect();
        approved.sort_by(|one, other| one.name.cmp(&other.name));
        approved
    }
}

// === impl Failure ===

impl Failure {
    fn invalid(message: String) -> Self {
        Self {
            code: code::INVALID_PARAMS,
            message,
            data: None,
        }
    }

    fn internal(error: &serde_json::Error) -> Self {
        Self {
            code: code::INTERNAL_ERROR,
            message: format!("Internal error: {error}"),
            data: None,
        }
    }
}

fn answered(id: &RawValue, outcome: Result<Box<RawValue>, Failure>) -> Reply {
    let failure = match outcome {
        Ok(result) => return replied(StatusCode::OK, answer::result(id, result)),
        Err(failure) => failure,
    };
    let status = match failure.code {
        code::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    };
    let data = failure.data.as_ref();
    replied(
        status,
        answer::error(Some(id), failure.code, &failure.message, data),
    )
}

fn raw(text: String) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(text).map_err(|error| Failure::internal(&error))
}

fn reply(status: StatusCode, body: Option<ReplyBody>) -> Reply {
    Reply {
        status,
        session: None,
        retry_after: None,
        body: body.unwrap_or_else(|| ReplyBody::Other(ResponseBody::ready(bytes::Bytes::new()))),
    }
}

fn replied(status: StatusCode, body: Vec<u8>) -> Reply {
    reply(status, Some(ReplyBody::Json(ResponseBody::ready(body.into()))))
}
