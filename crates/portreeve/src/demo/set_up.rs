//! Takes the sample server into the registry, as an admin would take in one of the company's own.

use portreeve_core::caller::Caller;
use portreeve_core::name::ServerName;
use portreeve_core::route::PolicyDocument;
use portreeve_registry::{Approve, Internal, RegistryError, RoutePatch, Submission};
use serde_json::json;

use super::{DemoServer, start};
use crate::cli::Failure;
use crate::data::DataDirectory;
use crate::wire::Node;

/// The sample server's name.
pub(crate) const NAME: &str = "com.example/port";
/// One of its read-only tools.
pub(crate) const TOOL: &str = "list_ships";

const PORT_FILE: &str = "demo.port";

/// The sample server, taken in.
#[derive(Debug)]
pub(crate) struct Sample {
    /// The slug of its route.
    pub(crate) slug: String,
    _server: DemoServer,
}

/// Starts the sample server and registers it, approved, with a rate limit. Does nothing that was done before.
pub(crate) async fn set_up(node: &Node, data: &DataDirectory) -> Result<Sample, Failure> {
    let told =
        |error: RegistryError| Failure::new(format!("the sample server cannot be registered: {error}"));
    let port = data
        .read(PORT_FILE)
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0);
    let server = start(port)
        .await
        .map_err(|error| Failure::new(format!("the sample server cannot start: {error}")))?;
    let url = server.url.clone();
    let port = url
        .rsplit(':')
        .next()
        .and_then(|rest| rest.strip_suffix("/mcp"))
        .unwrap_or_default();
    data.write(PORT_FILE, port)?;

    let system = Caller::system();
    let name: ServerName = NAME.parse().map_err(|error| Failure::new(format!("{error}")))?;
    match node.registry.entry(&system, &name).await {
        Ok(entry) => {
            if let Some(route) = entry.routes.iter().find(|route| route.upstream_url == url) {
                return Ok(Sample {
                    slug: route.slug.to_string(),
                    _server: server,
                });
            }
            // It listens elsewhere now. Its slug stays its own, and grants go by its name.
            node.registry.remove(&system, &name).await.map_err(told)?;
        }
        Err(RegistryError::NotFound { .. }) => {}
        Err(error) => return Err(told(error)),
    }
    let submission = Submission {
        document: document(&url),
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
    Ok(Sample {
        slug: route.slug.to_string(),
        _server: server,
    })
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
