//! The writing side of the registry API: publish, edit, status, and a look at a document before.
//!
//! Before it: `publisher.rs` found out who writes. After it: `registry::publishing`, which knows what he may.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use portreeve_registry::{Served, StatusChange, Verdict};
use serde::Serialize;

use super::publisher::Known;
use crate::Api;
use crate::content::{Content, Document};
use crate::problem::Problem;
use crate::query::{PathParts, server_name, version_text};

/// The versions whose status changed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusChanged {
    /// How many.
    updated_count: usize,
    /// Each as it is now.
    servers: Vec<Served>,
}

/// `POST /v0.1/publish`
pub(crate) async fn publish(
    State(api): State<Api>,
    Known(publisher): Known,
    Document(document): Document,
) -> Result<Json<Served>, Problem> {
    let published = api.registry.publish(&publisher, &document).await;
    published.map(Json).map_err(Problem::of_publication)
}

/// `PUT /v0.1/servers/{name}/versions/{version}`
pub(crate) async fn edit(
    State(api): State<Api>,
    Known(publisher): Known,
    PathParts((name, version)): PathParts<(String, String)>,
    Document(document): Document,
) -> Result<Json<Served>, Problem> {
    let (name, version) = (server_name(&name)?, version_text(&version)?);
    let edited = api.registry.edit(&publisher, &name, &version, &document).await;
    edited.map(Json).map_err(Problem::of_publication)
}

/// `DELETE /v0.1/servers/{name}/versions/{version}`: optional in the specification, which asks for this answer where it
/// is absent.
pub(crate) async fn delete() -> Problem {
    Problem::new(
        StatusCode::NOT_IMPLEMENTED,
        "Deletion is not supported by this registry",
    )
    .hint("set its status to `deleted`: PATCH .../versions/{version}/status")
}

/// `PATCH /v0.1/servers/{name}/versions/{version}/status`
pub(crate) async fn set_status(
    State(api): State<Api>,
    Known(publisher): Known,
    PathParts((name, version)): PathParts<(String, String)>,
    Content(change): Content<StatusChange>,
) -> Result<Json<Served>, Problem> {
    let (name, version) = (server_name(&name)?, version_text(&version)?);
    let changed = api
        .registry
        .set_status(&publisher, &name, &version, &change)
        .await;
    changed.map(Json).map_err(Problem::of_publication)
}

/// `PATCH /v0.1/servers/{name}/status`
pub(crate) async fn set_status_of_all(
    State(api): State<Api>,
    Known(publisher): Known,
    PathParts(name): PathParts<String>,
    Content(change): Content<StatusChange>,
) -> Result<Json<StatusChanged>, Problem> {
    let name = server_name(&name)?;
    let changed = api.registry.set_status_of_all(&publisher, &name, &change).await;
    let servers = changed.map_err(Problem::of_publication)?;
    Ok(Json(StatusChanged {
        updated_count: servers.len(),
        servers,
    }))
}

/// `POST /v0.1/validate`
pub(crate) async fn validate(State(api): State<Api>, Document(document): Document) -> Json<Verdict> {
    Json(api.registry.check(&document))
}
