//! Takes the sample servers into the registry, as an admin would take in the company's own.

mod rest;

use portreeve_core::caller::Caller;
use portreeve_core::name::ServerName;
use portreeve_core::route::PolicyDocument;
use portreeve_registry::{Approve, Internal, RegistryError, RoutePatch, Submission};
use serde_json::json;

pub(crate) use self::rest::{API, API_TOOL};

use super::{DemoServer, start};
use crate::cli::Failure;
use crate::data::DataDirectory;
use crate::wire::Node;

/// The sample server's name.
pub(crate) const NAME: &str = "com.example/port";
/// One of its read-only tools.
pub(crate) const TOOL: &str = "list_ships";

const PORT_FILE: &str = "demo.port";

/// The sample servers, taken in.
#[derive(Debug)]
pub(crate) struct Sample {
    /// The slug of the MCP server's route.
    pub(crate) slug: String,
    /// Whether the REST API is there to be called.
    pub(crate) has_api: bool,
    _server: DemoServer,
}

/// Starts the sample servers and registers them, approved, with a rate limit. Does nothing that was done before.
pub(crate) async fn set_up(node: &Node, data: &DataDirectory) -> Result<Sample, Failure> {
    let server = started(data).await?;
    let slug = take_in(node, &server.url).await?;
    let has_api = rest::take_in(node, &server.api_url).await?;
    Ok(Sample {
        slug,
        has_api,
        _server: server,
    })
}

/// Starts them where they were before, if they were, since their addresses are part of what was approved.
async fn started(data: &DataDirectory) -> Result<DemoServer, Failure> {
    let port = data
        .read(PORT_FILE)
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0);
    let server = start(port)
        .await
        .map_err(|error| Failure::new(format!("the sample server cannot start: {error}")))?;
    let port = server
        .url
        .rsplit(':')
        .next()
        .and_then(|rest| rest.strip_suffix("/mcp"))
        .unwrap_or_default();
    data.write(PORT_FILE, port)?;
    Ok(server)
}

/// Registers the MCP server, and says which slug its route has.
async fn take_in(node: &Node, url: &str) -> Result<String, Failure> {
    let system = Caller::system();
    let name: ServerName = NAME.parse().map_err(|error| Failure::new(format!("{error}")))?;
    match node.registry.entry(&system, &name).await {
        Ok(entry) => {
            if let Some(route) = entry.routes.iter().find(|route| route.upstream_url == url) {
                return Ok(route.slug.to_string());
            }
            // It listens elsewhere now. Its slug stays its own, and grants go by its name.
            node.registry.remove(&system, &name).await.map_err(told)?;
        }
        Err(RegistryError::NotFound { .. }) => {}
        Err(error) => return Err(told(error)),
    }
    let submission = Submission {
        document: document(url),
        internal: Internal::Grant,
        approve: Approve::Now,
    };
    let outcome = node.registry.add(&system, submission).await.map_err(told)?;
    let route = outcome
        .route
        .ok_or_else(|| Failure::new("the sample server got no route"))?;
    node.registry
        .change_route(&system, &route.slug, limit(), None)
        .await
        .map_err(told)?;
    Ok(route.slug.to_string())
}

fn told(error: RegistryError) -> Failure {
    Failure::new(format!("the sample server cannot be registered: {error}"))
}

fn limit() -> RoutePatch {
    let config = serde_json::Map::from_iter([
        ("calls".to_owned(), 60.into()),
        ("per_seconds".to_owned(), 60.into()),
    ]);
    RoutePatch {
        policies: Some(vec![PolicyDocument {
            kind: "rate_limit".to_owned(),
            config,
        }]),
        ..RoutePatch::default()
    }
}

fn document(url: &str) -> String {
    json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": NAME,
        "title": "Sample port",
        "description": "A small harbour to try things on: ships, moorings, cargo and tides",
        "version": "1.0.0",
        "remotes": [{"type": "streamable-http", "url": url}],
    })
    .to_string()
}
