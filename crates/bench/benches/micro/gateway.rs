//! Steps inside the gateway: figures for operators, and a tool list as a caller may see it.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use portreeve_access::Access;
use portreeve_core::caller::Caller;
use portreeve_core::id::RouteId;
use portreeve_core::limits::Limits;
use portreeve_core::name::{Environment, ServerName};
use portreeve_core::ports::PinWatch;
use portreeve_core::protocol::Era;
use portreeve_core::route::{self, DEFAULT_UPSTREAM_TIMEOUT_MS, PinState, Route, RouteState};
use portreeve_core::time::{Clock as _, SystemClock};
use portreeve_core::tool::{Tool, ToolDefinition};
use portreeve_core::usage::UsageOutcome;
use portreeve_gateway::lists::{self, Key, ReadyLists, Rules, View};
use portreeve_gateway::metrics::Metrics;
use portreeve_gateway::policy::Policies;
use portreeve_gateway::route::ServedRoute;
use portreeve_mcp::envelope::{Message, Outcome};
use prometheus_client::registry::Registry;
use serde_json::json;

use crate::{Numbers, step};

/// Tools in the list.
const TOOLS: usize = 100;

/// Bytes of lists that are kept.
const READY: usize = 16 * 1024 * 1024;

/// Nobody wants to know what the lists say.
struct Unheard;

pub(crate) fn measure(access: Arc<Access>, caller: &Caller, server: &ServerName) -> Result<()> {
    let tools: Vec<String> = (0..TOOLS).map(tool).collect();
    let route = Arc::new(served(server, &tools)?);
    let metrics = Metrics::new(&mut Registry::default());
    step("metrics of a request", || {
        metrics.finished(black_box(&route.route.slug), "tools/call", UsageOutcome::Ok, 212);
    })?;

    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"complete","tools":[{}],"ttlMs":60000,"cacheScope":"public"}}}}"#,
        tools.join(",")
    );
    let message = Message::parse(body.as_bytes())?;
    let Message::Response {
        outcome: Outcome::Result(result),
        ..
    } = message
    else {
        bail!("the list is no result");
    };
    let limits = Limits::default();
    let view = View {
        caller,
        route: &route,
        era: Era::Modern,
        policies: &Policies::new(access),
        pins: &Unheard,
        limits: &limits,
        is_copy: false,
        told: Cell::new(false),
    };
    let filtered = lists::filter(body.as_bytes(), result, &view).context("the list is not filtered")?;
    ensure!(filtered.body.len() > body.len(), "the list lost tools");
    step("tool list of 100 tools, the first time", || {
        lists::filter(black_box(body.as_bytes()), result, &view)
    })?;

    let ready = ReadyLists::new(READY);
    let key = Key {
        route: route.route.id,
        eras: [Era::Modern; 2],
        principal: caller.principal,
        groups: 0,
    };
    let rules = Rules {
        route: &route,
        version: 1,
    };
    let (answer, turned) = (Bytes::from(body.clone()), Bytes::from(filtered.body));
    ready.keep(key, rules, &answer, &turned);
    let find = || ready.find(key, rules, black_box(&answer), ["1", "2"]);
    ensure!(find().is_some(), "the list was not kept");
    step("tool list of 100 tools, again", find)
}

/// A definition of the size that tools have.
fn tool(number: usize) -> String {
    let text = "Searches a table for rows that match a question and returns the best of them first.";
    json!({
        "name": format!("search_table_{number}"),
        "description": text,
        "inputSchema": {
            "type": "object",
            "properties": {
                "question": { "type": "string", "description": "What to look for, in plain words" },
                "most": { "type": "integer", "minimum": 1, "maximum": 100 },
                "where": { "type": "object", "additionalProperties": { "type": "string" } },
            },
            "required": ["question"],
        },
    })
    .to_string()
}

/// A route on which all of them are approved.
fn served(server: &ServerName, tools: &[String]) -> Result<ServedRoute> {
    let now = SystemClock.now();
    let tools: Vec<Tool> = tools
        .iter()
        .map(|text| Ok(approved(portreeve_inspect::tool_definition(text)?)))
        .collect::<Result<_>>()?;
    let route = Route {
        id: RouteId::new(&SystemClock, &Numbers::default()),
        slug: "bench".parse()?,
        server: server.clone(),
        environment: Environment::production(),
        major: None,
        version: "1.0.0".parse()?,
        upstream_url: "http://127.0.0.1:9/mcp".to_owned(),
        upstream_eras: vec![Era::Modern],
        private_hosts: Vec::new(),
        access: route::Access::Credential,
        state: RouteState::Active,
        pin_state: PinState::Pinned,
        policies: Vec::new(),
        upstream_timeout_ms: DEFAULT_UPSTREAM_TIMEOUT_MS,
        protocol: Default::default(),
        session_affinity: Default::default(),
        server_requests: Default::default(),
        list_cache_ms: 0,
        credentials: Default::default(),
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    ServedRoute::new(None, route, tools, Vec::new()).context("the route has no upstream")
}

fn approved(definition: ToolDefinition) -> Tool {
    Tool {
        name: definition.name.clone(),
        era: Era::Modern,
        approved: Some(definition.clone()),
        live: Some(definition),
        hidden: false,
        approved_by: None,
        approved_at: None,
        seen_at: None,
    }
}

impl PinWatch for Unheard {
    fn seen(&self, _route: RouteId, _era: Era, _tools: Vec<ToolDefinition>) {}

    fn list_changed(&self, _route: RouteId) {}
}
