//! The official MCP registry API, v0.1, of every registry: what hosts read.
//!
//! The default registry is for everybody, unless an administrator closes it; a named one is for members, unless set
//! otherwise. A publisher also sees what is his and waits, in the default registry. Its parameters are those of the
//! official registry and unknown ones are ignored, as there. Before it: `enter.rs`, which adds the cross-origin headers.
//! After it: `registry`, which answers with bytes that are JSON already. What is written stands in `publishing.rs`, how a publisher gets a token in `auth.rs`.

pub(crate) mod auth;
mod parameters;
mod publisher;
pub(crate) mod publishing;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::credential::Reading;
use crate::problem::Problem;
use crate::query::{PathParts, server_name};
use crate::{Api, etag};
use parameters::{include_deleted, list_params};
use publisher::Viewer;

/// `GET /v0.1/servers`
pub(crate) async fn servers(
    State(api): State<Api>,
    Reading(view): Reading,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = list_params(query.as_deref())?;
    let page = api
        .registry
        .list_json(&view, &params)
        .await
        .map_err(Problem::of_query)?;
    etag::viewed(&view, &headers, page)
}

/// `GET /v0.1/servers/{name}/versions`
pub(crate) async fn versions(
    State(api): State<Api>,
    viewer: Viewer,
    PathParts(name): PathParts<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let deleted = include_deleted(query.as_deref())?;
    let name = server_name(&name)?;
    if let Some(publisher) = viewer.publisher_of(&api, &name) {
        let page = api.registry.publisher_versions(publisher, &name, deleted).await?;
        return etag::tagged_for_one(&headers, &page);
    }
    let view = viewer.view()?;
    let page = api.registry.versions_json(&view, &name, deleted).await?;
    etag::viewed(&view, &headers, page)
}

/// `GET /v0.1/servers/{name}/versions/{version}`
pub(crate) async fn version(
    State(api): State<Api>,
    viewer: Viewer,
    PathParts((name, version)): PathParts<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let deleted = include_deleted(query.as_deref())?;
    let name = server_name(&name)?;
    if let Some(publisher) = viewer.publisher_of(&api, &name) {
        let served = api
            .registry
            .publisher_version(publisher, &name, &version, deleted)
            .await?;
        return etag::tagged_for_one(&headers, &served);
    }
    let view = viewer.view()?;
    let served = api
        .registry
        .version_json(&view, (&name, &version), deleted)
        .await?;
    etag::viewed(&view, &headers, served)
}

/// `GET /v0.1/health`. The official publisher takes the client that it signs in to GitHub with from here.
pub(crate) async fn health(State(api): State<Api>) -> Json<Value> {
    let mut health = json!({ "status": "ok" });
    if let Some(client) = api.publishing.github_client_id() {
        health["github_client_id"] = client.into();
    }
    Json(health)
}

/// `GET /v0.1/ping`
pub(crate) async fn ping() -> Json<Value> {
    Json(json!({ "pong": true }))
}

/// `GET /v0.1/version`. The official answer names a commit and a build time too; readers want the members there.
pub(crate) async fn about(State(api): State<Api>) -> Json<Value> {
    Json(json!({ "version": api.version, "git_commit": "unknown", "build_time": "unknown" }))
}
