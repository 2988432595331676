//! The second room: path → route. The registry entry and the route are the same object; this is its side that serves.

mod sights;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use portreeve_client::{ClientError, Lines, Upstream};
use portreeve_core::members::Given;
use portreeve_core::name::{ServerName, Slug};
use portreeve_core::protocol::Era;
use portreeve_core::rest::Bindings;
use portreeve_core::route::{Protocol, Route, ServerRequests};
use portreeve_core::tool::Tool;
use portreeve_mcp::mirror::{InvalidMirror, Mirrors};

use self::sights::{Says, Sights};
use crate::policy::Policy;
use crate::upstream::members::{self, Members};
use crate::upstream::rest::{Api, Commons};
use crate::upstream::{Remote, Way};

/// A tool with its name ready to be shared.
#[derive(Debug)]
pub struct ServedTool {
    /// The name.
    pub name: Arc<str>,
    /// What was approved and what was last seen.
    pub tool: Tool,
    /// The arguments that headers repeat (modern), as it was approved; or why nobody can call it so.
    pub mirrors: Result<Mirrors, InvalidMirror>,
}

impl ServedTool {
    fn new(tool: Tool) -> Self {
        let approved = tool.approved.as_ref().filter(|_| tool.era == Era::Modern);
        Self {
            name: tool.name.as_str().into(),
            mirrors: approved.map_or_else(
                || Ok(Mirrors::default()),
                |approved| Mirrors::of_tool(&approved.definition),
            ),
            tool,
        }
    }

    /// Whether it may be called by whoever has the right: approved, not hidden, and such that a host can call it.
    pub fn is_callable(&self) -> bool {
        self.tool.is_callable() && self.mirrors.is_ok()
    }
}

/// A route, compiled for serving.
#[derive(Debug)]
pub struct ServedRoute {
    /// The route.
    pub route: Route,
    /// Where its requests go.
    pub upstream: Way,
    /// Its policies, compiled, in order.
    pub policies: Vec<Arc<dyn Policy>>,
    legacy: HashMap<String, ServedTool>,
    modern: HashMap<String, ServedTool>,
    sights: Sights,
    server_mark: OnceLock<Option<Box<str>>>,
    resource: OnceLock<Box<str>>,
}

impl ServedRoute {
    /// The canonical address of its resource, for which tokens are made out. It is made once: requests need it on their way.
    pub fn resource(&self, make: impl FnOnce(&Slug) -> String) -> &str {
        self.resource
            .get_or_init(|| make(&self.route.slug).into_boxed_str())
    }

    /// Compiles a route, whose server may speak HTTP+SSE over a line. `None` when its upstream is not a URL any more.
    pub fn new(
        lines: Option<&Arc<Lines>>,
        route: Route,
        tools: Vec<Tool>,
        policies: Vec<Arc<dyn Policy>>,
    ) -> Option<Self> {
        let server = Remote::of(&route, lines)?;
        Some(Self::leading(Way::Remote(server), route, tools, policies))
    }

    /// Compiles a route that leads to a REST API. `None` when its upstream is not a URL any more.
    pub fn to_rest(
        commons: &Arc<Commons>,
        route: Route,
        tools: Vec<Tool>,
        policies: Vec<Arc<dyn Policy>>,
        bindings: Arc<Bindings>,
    ) -> Option<Self> {
        let credentials = policies.iter().filter_map(|policy| policy.credential());
        let credentials = credentials.cloned().collect();
        let api = Api::new(commons, &route, &tools, bindings, credentials)?;
        Some(Self::leading(Way::Rest(Arc::new(api)), route, tools, policies))
    }

    /// Compiles a route that leads to others. `None` when its upstream is not that of a virtual server.
    pub fn to_members(
        commons: &Arc<members::Commons>,
        route: Route,
        mut tools: Vec<Tool>,
        policies: Vec<Arc<dyn Policy>>,
        given: Vec<Given>,
    ) -> Option<Self> {
        let server = Members::new(commons, &route, given)?;
        if server.searches() {
            tools.extend(members::served());
        }
        Some(Self::leading(
            Way::Members(Arc::new(server)),
            route,
            tools,
            policies,
        ))
    }

    /// A route that leads this way.
    pub(crate) fn leading(
        upstream: Way,
        route: Route,
        tools: Vec<Tool>,
        policies: Vec<Arc<dyn Policy>>,
    ) -> Self {
        let mut served = Self {
            route,
            upstream,
            policies,
            legacy: HashMap::new(),
            modern: HashMap::new(),
            sights: Sights::default(),
            server_mark: OnceLock::new(),
            resource: OnceLock::new(),
        };
        for tool in tools {
            let map = if tool.era == Era::Legacy {
                &mut served.legacy
            } else {
                &mut served.modern
            };
            map.insert(tool.name.clone(), ServedTool::new(tool));
        }
        served
    }

    /// What is known of a tool on hops of an era.
    pub fn tool(&self, era: Era, name: &str) -> Option<&ServedTool> {
        if era == Era::Legacy {
            self.legacy.get(name)
        } else {
            self.modern.get(name)
        }
    }

    /// All that is known of tools on hops of an era.
    pub fn tools(&self, era: Era) -> impl Iterator<Item = &ServedTool> {
        let tools = if era == Era::Legacy {
            &self.legacy
        } else {
            &self.modern
        };
        tools.values()
    }

    /// A tool that a caller with the right may call: approved, not hidden, and when last seen as it was approved.
    pub fn callable(&self, era: Era, name: &str) -> Option<&ServedTool> {
        self.tool(era, name)
            .filter(|served| match self.sights.of(&served.tool) {
                None => served.is_callable(),
                Some(Says::Differs) => false,
                Some(Says::IsBack) => !served.tool.hidden && served.mirrors.is_ok(),
            })
    }

    /// Notes that a tool was just seen to differ, ahead of the catalogue.
    pub fn mark(&self, era: Era, name: &str, hash: &str) {
        // What nobody can call needs no holding back.
        if let Some(served) = self.tool(era, name) {
            self.sights.differs(&served.tool, hash);
        }
    }

    /// Whether it is news that a tool was seen with a hash that is not the approved one.
    pub fn is_news(&self, served: &ServedTool, hash: &str) -> bool {
        self.sights.is_news(&served.tool, hash)
    }

    /// Notes that a tool was just seen as it is approved, and says whether that is news to the catalogue.
    pub fn is_back(&self, served: &ServedTool, hash: &str) -> bool {
        self.sights.is_back(&served.tool, hash)
    }

    /// Whether lists showed a moment ago what the catalogue may not know yet: each list is judged then, also one that was
    /// judged before.
    pub fn is_ahead(&self) -> bool {
        self.sights.any()
    }

    /// Shares what the route that this one replaces has seen, and what lists that began there will see.
    pub fn inherit(&mut self, before: &Self) {
        self.sights = before.sights.shared();
    }

    /// Whether it leads into this process: such a route is not one of the catalogue.
    pub const fn is_local(&self) -> bool {
        matches!(self.upstream, Way::Local(_))
    }

    /// The server over the network that it leads to.
    ///
    /// # Errors
    ///
    /// When it leads elsewhere.
    pub fn server(&self) -> Result<&Upstream, ClientError> {
        let server = match &self.upstream {
            Way::Remote(remote) => remote.server(&self.route),
            Way::Rest(_) | Way::Local(_) | Way::Members(_) => None,
        };
        server.ok_or_else(|| ClientError::NotMcp("the route leads to no server".to_owned()))
    }

    /// Whether both lead to the same server.
    pub fn leads_as(&self, other: &Self) -> bool {
        match (&self.upstream, &other.upstream) {
            (Way::Remote(_), Way::Remote(_)) => self.route.upstream_url == other.route.upstream_url,
            // Its tools may be others now, and hosts are told so.
            (Way::Rest(_), Way::Rest(_))
            | (Way::Members(_), Way::Members(_))
            | (Way::Local(_), Way::Local(_)) => true,
            _ => false,
        }
    }

    /// The era of the server's hop, for a host of this era: the same, if the server is not known to lack it.
    pub fn hop(&self, host: Era) -> Era {
        match self.upstream {
            Way::Remote(_) => {}
            // The gateway itself is the server, and speaks both.
            Way::Rest(_) | Way::Local(_) => return host,
            // Or one, and puts it into the other.
            Way::Members(_) => return Era::Modern,
        }
        let seen = &self.route.upstream_eras;
        match (self.route.protocol, host) {
            (Protocol::Modern, _) => Era::Modern,
            (Protocol::Legacy, _) => Era::Legacy,
            (Protocol::Auto, host) if seen.is_empty() || seen.contains(&host) => host,
            (Protocol::Auto, Era::Modern) => Era::Legacy,
            (Protocol::Auto, Era::Legacy) => Era::Modern,
        }
    }

    /// Whether calls wait while a modern host is asked what a legacy server wants to know.
    pub fn parks(&self) -> bool {
        self.route.server_requests == ServerRequests::Park
    }

    /// By which it is seen that a route leads to another server: the hash of its URL, which may hold what must not be kept.
    /// `None`: it leads to none that keeps sessions.
    pub fn server_mark(&self) -> Option<&str> {
        let mark = self.server_mark.get_or_init(|| {
            let server = self.server().ok()?;
            Some(portreeve_inspect::sha256_hex(server.url.as_str().as_bytes()).into_boxed_str())
        });
        mark.as_deref()
    }

    /// Whether the upstream is only spoken with in the other era.
    pub fn lacks(&self, era: Era) -> bool {
        self.hop(era) != era
    }
}

/// All routes of a moment.
#[derive(Debug, Default)]
pub struct Routes {
    /// The catalogue's generation.
    pub generation: i64,
    /// By slug; Portreeve's own by what stands for one.
    pub by_slug: HashMap<Arc<str>, Arc<ServedRoute>>,
    /// Servers that nobody may call, whatever routes they have, and why.
    pub revoked: HashMap<ServerName, Arc<str>>,
}

impl Routes {
    /// Why nobody may call a server, if that is so.
    pub fn revoked(&self, server: &ServerName) -> Option<&Arc<str>> {
        // Hardly ever is one revoked, and every request asks.
        if self.revoked.is_empty() {
            return None;
        }
        self.revoked.get(server)
    }
}
