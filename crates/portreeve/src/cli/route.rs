//! `portreeve route`: shows the gateway's routes, and switches them.

use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::connection::{Answer, Connection, api_path};
use super::reply::{joined, pairs, table, text, when};
use super::{Failure, Reply, duration, policy};

/// `portreeve route`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RouteCommand {
    /// List the routes
    List,
    /// Show a route with its policies
    Show {
        /// The route's slug, or the name of its server
        #[arg(value_name = "SLUG")]
        slug: String,
    },
    /// Change a route
    Set(SetArgs),
}

/// `portreeve route set`
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true).args(["anonymous", "state", "timeout", "protocol", "sessions", "server_requests", "list_cache", "issuers", "no_issuers", "tokens", "keys"]))]
pub(crate) struct SetArgs {
    /// The route's slug, or the name of its server
    slug: String,
    /// Whether callers without a credential may see and call every approved tool
    #[arg(long, value_enum)]
    anonymous: Option<Switch>,
    /// Whether the gateway serves it
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Longest time to the upstream's answer, and between two parts of it
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    timeout: Option<Duration>,
    /// In which era the gateway speaks with the upstream; `auto` is the host's, where the upstream was seen to speak it
    #[arg(long, value_enum)]
    protocol: Option<Protocol>,
    /// Which calls of modern hosts share a session with a legacy upstream: none, or those of one caller
    #[arg(long, value_enum)]
    sessions: Option<Sessions>,
    /// What becomes of what a legacy upstream asks of a modern host in the middle of a call: nobody can be asked, or the
    /// call waits while the host is asked
    #[arg(long, value_enum)]
    server_requests: Option<ServerRequests>,
    /// How long a list serves its caller again where the upstream does not say how long; `off`: not at all
    #[arg(long, value_name = "TIME", value_parser = kept)]
    list_cache: Option<Duration>,
    /// Take access tokens of this issuer, which the configuration file names, and of no others; may be given several times
    #[arg(long = "issuer", value_name = "NAME", conflicts_with = "no_issuers")]
    issuers: Vec<String>,
    /// Take access tokens of no other issuer than this Portreeve
    #[arg(long)]
    no_issuers: bool,
    /// Whether it takes access tokens that this Portreeve issued
    #[arg(long, value_enum)]
    tokens: Option<Switch>,
    /// Whether it takes API keys
    #[arg(long, value_enum)]
    keys: Option<Switch>,
}

/// Eras to speak with an upstream.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Protocol {
    Auto,
    Modern,
    Legacy,
}

/// Who shares a session with an upstream.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Sessions {
    PerRequest,
    Principal,
}

/// What becomes of what an upstream asks.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ServerRequests {
    Refuse,
    Park,
}

/// On or off.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// Whether a route is served.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum State {
    Active,
    Inactive,
}

/// Reads how long lists are kept, for clap.
fn kept(text: &str) -> Result<Duration, String> {
    match text {
        "off" => Ok(Duration::ZERO),
        text => duration::parse(text),
    }
}

pub(super) async fn run(connection: &Connection, command: RouteCommand) -> Result<Reply, Failure> {
    match command {
        RouteCommand::List => {
            let body = connection.all(&api_path!("routes")).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        RouteCommand::Show { slug } => {
            let body = find(connection, &slug).await?.body;
            let shown = render_one(&body);
            Ok(Reply::new(body, shown))
        }
        RouteCommand::Set(args) => {
            let body = change(connection, &args.slug, |route| args.patch(route)).await?;
            let shown = render_one(&body);
            Ok(Reply::new(body, shown))
        }
    }
}

impl SetArgs {
    /// The credentials that the route shall take, where something of them is to change.
    fn credentials(&self, route: &Value) -> Option<Value> {
        let named = self.no_issuers || !self.issuers.is_empty();
        if !named && self.tokens.is_none() && self.keys.is_none() {
            return None;
        }
        let mut credentials = route.get("credentials").cloned().unwrap_or_else(|| json!({}));
        let mut put = |name: &str, value: Value| {
            if let Some(fields) = credentials.as_object_mut() {
                fields.insert(name.to_owned(), value);
            }
        };
        for (name, switch) in [("tokens", self.tokens), ("keys", self.keys)] {
            if let Some(switch) = switch {
                put(name, json!(matches!(switch, Switch::On)));
            }
        }
        if named {
            put("issuers", json!(self.issuers));
        }
        Some(credentials)
    }

    fn patch(&self, route: &Value) -> Result<Value, Failure> {
        let mut patch = Map::new();
        if let Some(credentials) = self.credentials(route) {
            patch.insert("credentials".to_owned(), credentials);
        }
        if let Some(switch) = self.anonymous {
            let access = match switch {
                Switch::On => "anonymous",
                Switch::Off => "credential",
            };
            patch.insert("access".to_owned(), json!(access));
        }
        if let Some(state) = self.state {
            let state = match state {
                State::Active => "active",
                State::Inactive => "inactive",
            };
            patch.insert("state".to_owned(), json!(state));
        }
        if let Some(timeout) = self.timeout {
            let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            patch.insert("upstreamTimeoutMs".to_owned(), json!(millis));
        }
        if let Some(protocol) = self.protocol {
            let protocol = match protocol {
                Protocol::Auto => "auto",
                Protocol::Modern => "modern",
                Protocol::Legacy => "legacy",
            };
            patch.insert("protocol".to_owned(), json!(protocol));
        }
        if let Some(sessions) = self.sessions {
            let sessions = match sessions {
                Sessions::PerRequest => "per_request",
                Sessions::Principal => "principal",
            };
            patch.insert("sessionAffinity".to_owned(), json!(sessions));
        }
        if let Some(requests) = self.server_requests {
            let requests = match requests {
                ServerRequests::Refuse => "refuse",
                ServerRequests::Park => "park",
            };
            patch.insert("serverRequests".to_owned(), json!(requests));
        }
        if let Some(kept) = self.list_cache {
            let millis = u64::try_from(kept.as_millis()).unwrap_or(u64::MAX);
            patch.insert("listCacheMs".to_owned(), json!(millis));
        }
        Ok(Value::Object(patch))
    }
}

/// The route of that slug, or the production route of the server of that name.
pub(super) async fn find(connection: &Connection, name: &str) -> Result<Answer, Failure> {
    if !name.contains('/') {
        return connection.get(&api_path!("routes/{}", name)).await;
    }
    let entry = connection.get(&api_path!("servers/{}", name)).await?.body;
    let routes = entry.get("routes").and_then(Value::as_array);
    let mut routes = routes.into_iter().flatten();
    let Some(route) = routes.find(|route| text(route, "environment") == "production") else {
        return Err(
            Failure::new(format!("`{name}` has no production route")).hint(format!(
                "approve a version with a remote: `portreeve server approve {name}`"
            )),
        );
    };
    connection.get(&api_path!("routes/{}", text(route, "slug"))).await
}

/// Reads a route, makes a patch of it and saves that, unless somebody else changed the route meanwhile.
pub(super) async fn change(
    connection: &Connection,
    name: &str,
    patch: impl FnOnce(&Value) -> Result<Value, Failure>,
) -> Result<Value, Failure> {
    let route = find(connection, name).await?;
    let path = api_path!("routes/{}", text(&route.body, "slug"));
    let patch = patch(&route.body)?;
    let etag = route.etag.unwrap_or_default();
    Ok(connection.patch(&path, &patch, &etag).await?.body)
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("ROUTE", |route| text(route, "slug")),
            ("SERVER", |route| text(route, "server")),
            ("ENVIRONMENT", |route| text(route, "environment")),
            ("VERSION", |route| text(route, "version")),
            ("STATE", |route| text(route, "state")),
            ("ACCESS", |route| text(route, "access")),
            ("TOOLS", |route| text(route, "pinState")),
            ("POLICIES", |route| policy::kinds(route)),
        ],
        "No routes. A route is made when a version with a remote is approved.",
    )
}

pub(super) fn render_one(route: &Value) -> String {
    let head = pairs(&[
        ("route", text(route, "slug")),
        ("url", text(route, "url")),
        (
            "server",
            format!("{} {}", text(route, "server"), text(route, "version")),
        ),
        ("environment", text(route, "environment")),
        ("state", text(route, "state")),
        ("access", text(route, "access")),
        ("credentials", credentials(route)),
        ("tools", text(route, "pinState")),
        ("upstream", text(route, "upstreamUrl")),
        ("speaks", joined(route, "upstreamEras")),
        ("protocol", text(route, "protocol")),
        ("sessions", text(route, "sessionAffinity").replace('_', "-")),
        ("asks", text(route, "serverRequests")),
        ("timeout", span(route, "upstreamTimeoutMs")),
        ("list cache", span(route, "listCacheMs")),
        ("private hosts", joined(route, "privateHosts")),
        ("updated", when(route, "updatedAt")),
    ]);
    format!("{head}\n\n{}", policy::render(route))
}

/// Which credentials a route takes, as words.
fn credentials(route: &Value) -> String {
    let takes = |name: &str| route.pointer(&format!("/credentials/{name}")) == Some(&Value::Bool(true));
    let mut words = Vec::new();
    if takes("tokens") {
        words.push("tokens".to_owned());
    }
    let issuers = route.pointer("/credentials/issuers").and_then(Value::as_array);
    let named = issuers.into_iter().flatten().filter_map(Value::as_str);
    words.extend(named.map(|name| format!("tokens of {name}")));
    if takes("keys") {
        words.push("keys".to_owned());
    }
    words.join(", ")
}

fn span(route: &Value, name: &str) -> String {
    match route.get(name).and_then(Value::as_u64) {
        Some(0) => "off".to_owned(),
        Some(millis) if millis % 1_000 == 0 => format!("{}s", millis / 1_000),
        Some(millis) => format!("{millis}ms"),
        None => String::new(),
    }
}
