//! The side of a server that is part of this process: speaks both eras, and hands calls to the port `LocalTools`.
//!
//! Before: a request that the policies let pass. After: a reply like that of any server, so that the rooms behind need
//! not know.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use portreeve_client::{ClientError, Reply, ReplyBody};
use portreeve_core::caller::Caller;
use portreeve_core::id::RouteId;
use portreeve_core::name::{Environment, InvalidName, Slug};
use portreeve_core::ports::{Door, Listing, LocalOutcome, LocalServer, LocalTools};
use portreeve_core::protocol::{Era, Revision};
use portreeve_core::route::{Access, PinState, Route, RouteState};
use portreeve_core::time::Timestamp;
use portreeve_core::tool::Tool;
use portreeve_mcp::envelope::Message;
use portreeve_mcp::{answer, code};
use portreeve_net::ResponseBody;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::Way;
use crate::route::ServedRoute;
use crate::translate::Outbound;

/// Longest time that a call may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Hosts may keep its list for this long: the tools change with the binary.
const LIST_TTL_MS: u64 = 3_600_000;

/// A server of our own.
pub struct Server {
    tools: Arc<dyn LocalTools>,
    about: LocalServer,
}

/// Why there is no result.
struct Failure {
    code: i64,
    message: String,
}

/// Portreeve's own route. It stands in no store, has nothing to pin, and admits everyone: what a caller sees is for the
/// server to decide.
///
/// # Errors
///
/// When the version of this binary is not a version.
pub fn route(tools: Arc<dyn LocalTools>) -> Result<ServedRoute, InvalidName> {
    route_at(Slug::of_the_registry(), tools)
}

/// The same at the path of a registry.
///
/// # Errors
///
/// When the version of this binary is not a version.
pub fn route_at(slug: Slug, tools: Arc<dyn LocalTools>) -> Result<ServedRoute, InvalidName> {
    let about = tools.server();
    let route = Route {
        id: identity(&slug),
        slug,
        server: about.name.clone(),
        environment: Environment::production(),
        major: None,
        version: about.version.parse()?,
        upstream_url: String::new(),
        upstream_eras: vec![Era::Legacy, Era::Modern],
        private_hosts: Vec::new(),
        access: Access::Anonymous,
        state: RouteState::Active,
        pin_state: PinState::Pinned,
        policies: Vec::new(),
        upstream_timeout_ms: u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX),
        protocol: Default::default(),
        session_affinity: Default::default(),
        server_requests: Default::default(),
        list_cache_ms: 0,
        credentials: Default::default(),
        revision: 0,
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
    };
    let pins = about.tools.iter().flat_map(|tool| {
        [Era::Legacy, Era::Modern].map(|era| Tool {
            name: tool.definition.name.clone(),
            era,
            approved: Some(tool.definition.clone()),
            live: Some(tool.definition.clone()),
            hidden: false,
            approved_by: None,
            approved_at: None,
            seen_at: None,
        })
    });
    let pins = pins.collect();
    let server = Box::new(Server { tools, about });
    Ok(ServedRoute::leading(Way::Local(server), route, pins, Vec::new()))
}

/// The same for a path on every node, and different for different ones.
fn identity(slug: &Slug) -> RouteId {
    if *slug == Slug::of_the_registry() {
        return RouteId::REGISTRY;
    }
    let hash = portreeve_inspect::sha256_hex(slug.as_str().as_bytes());
    let beginning = hash.get(..32).unwrap_or_default();
    RouteId::from_u128(u128::from_str_radix(beginning, 16).unwrap_or_default())
}

/// What a server without streams and sessions answers to GET and DELETE.
pub fn no_stream() -> Reply {
    reply(StatusCode::METHOD_NOT_ALLOWED, None)
}

fn reply(status: StatusCode, body: Option<Vec<u8>>) -> Reply {
    let body = match body {
        Some(bytes) => ReplyBody::Json(ResponseBody::ready(bytes.into())),
        None => ReplyBody::Other(ResponseBody::ready(Bytes::new())),
    };
    Reply {
        status,
        session: None,
        retry_after: None,
        body,
    }
}

fn method_not_found(method: &str) -> Failure {
    Failure {
        code: code::METHOD_NOT_FOUND,
        message: format!("Method not found: {method}"),
    }
}

// === impl Server ===

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("name", &self.about.name).finish()
    }
}

impl Server {
    /// Whether a caller is let in.
    pub fn door(&self, caller: &Caller) -> Door {
        self.tools.door(caller)
    }

    /// Answers one message.
    pub async fn answer(&self, caller: &Caller, outbound: &Outbound) -> Result<Reply, ClientError> {
        let message =
            Message::parse(&outbound.body).map_err(|error| ClientError::NotMcp(error.to_string()))?;
        let Message::Request { id, method, params } = message else {
            return Ok(reply(StatusCode::ACCEPTED, None));
        };
        let params = read(params);
        let outcome = match outbound.era {
            Era::Legacy => self.legacy(caller, &method, params).await,
            Era::Modern => self.modern(caller, &method, params).await,
        }?;
        let missing = |failure: &Failure| failure.code == code::METHOD_NOT_FOUND;
        let status = match &outcome {
            Err(failure) if outbound.era == Era::Modern && missing(failure) => StatusCode::NOT_FOUND,
            _ => StatusCode::OK,
        };
        let body = match outcome {
            Ok(result) => answer::result(id, result),
            Err(failure) => answer::error(Some(id), failure.code, &failure.message, None),
        };
        Ok(reply(status, Some(body)))
    }

    async fn legacy(&self, caller: &Caller, method: &str, params: Map<String, Value>) -> Answered {
        Ok(match method {
            "initialize" => {
                let proposed = params.get("protocolVersion").and_then(Value::as_str);
                let known = proposed.and_then(|text| text.parse::<Revision>().ok());
                let agreed = known
                    .filter(|revision| revision.era() == Era::Legacy)
                    .unwrap_or(Revision::NEWEST_LEGACY);
                Ok(json!({
                    "protocolVersion": agreed.as_str(),
                    "capabilities": {"tools": {}},
                    "serverInfo": self.identity(),
                    "instructions": self.about.instructions,
                }))
            }
            "ping" => Ok(json!({})),
            "tools/list" => self.list(),
            "tools/call" => self.call(caller, params).await?,
            other => Err(method_not_found(other)),
        })
    }

    async fn modern(&self, caller: &Caller, method: &str, params: Map<String, Value>) -> Answered {
        let outcome = match method {
            "server/discover" => Ok(json!({
                "supportedVersions": Revision::ALL.map(Revision::as_str),
                "capabilities": {"tools": {}},
                "instructions": self.about.instructions,
            })),
            "tools/list" => self.list(),
            "tools/call" => self.call(caller, params).await?,
            other => Err(method_not_found(other)),
        };
        Ok(outcome.map(|mut result| {
            result["resultType"] = json!("complete");
            result["_meta"] = json!({"io.modelcontextprotocol/serverInfo": self.identity()});
            if method != "tools/call" {
                result["ttlMs"] = json!(LIST_TTL_MS);
                result["cacheScope"] = json!("private");
            }
            result
        }))
    }

    fn identity(&self) -> Value {
        json!({
            "name": self.about.name.as_str(),
            "title": self.about.title,
            "version": self.about.version,
        })
    }

    /// The definitions as they are pinned, byte for byte.
    fn list(&self) -> Result<Value, Failure> {
        let shown = self
            .about
            .tools
            .iter()
            .filter(|tool| tool.listing == Listing::Shown);
        let read = |text: &str| {
            serde_json::from_str::<Value>(text).map_err(|error| Failure {
                code: code::INTERNAL_ERROR,
                message: format!("Internal error: {error}"),
            })
        };
        let tools: Result<Vec<_>, _> = shown.map(|tool| read(&tool.definition.definition)).collect();
        Ok(json!({"tools": tools?}))
    }

    async fn call(&self, caller: &Caller, mut params: Map<String, Value>) -> Answered {
        let invalid = |message: &str| Failure {
            code: code::INVALID_PARAMS,
            message: message.to_owned(),
        };
        let Some(Value::String(tool)) = params.remove("name") else {
            return Ok(Err(invalid("Invalid params: `name` is missing")));
        };
        let arguments = match params.remove("arguments") {
            None => Map::new(),
            Some(Value::Object(arguments)) => arguments,
            Some(_) => return Ok(Err(invalid("Invalid params: `arguments` must be an object"))),
        };
        let called = tokio::time::timeout(PATIENCE, self.tools.call(caller, &tool, arguments)).await;
        Ok(Ok(match called {
            Err(_) => return Err(ClientError::Timeout(PATIENCE.as_secs())),
            Ok(LocalOutcome::Complaint(text)) => {
                json!({"content": [{"type": "text", "text": text}], "isError": true})
            }
            // Hosts of before 2025-06-18 know nothing but texts.
            Ok(LocalOutcome::Done(result)) => {
                let text = serde_json::to_string(&result).unwrap_or_default();
                json!({"content": [{"type": "text", "text": text}], "structuredContent": result})
            }
        }))
    }
}

/// A result, or why there is none, or why there is no answer at all.
type Answered = Result<Result<Value, Failure>, ClientError>;

/// What is no object holds nothing that is asked for here.
fn read(params: Option<&RawValue>) -> Map<String, Value> {
    params
        .and_then(|params| serde_json::from_str(params.get()).ok())
        .unwrap_or_default()
}
