//! Metadata documents under `/.well-known/`: for each MCP endpoint, what a host must know to get a credential for it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use portreeve_core::name::{RegistryName, Slug};
use portreeve_gateway::{Endpoint, Gateway};

use crate::cors;
use crate::problem::Problem;

/// The router of the metadata documents.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route(
            "/.well-known/oauth-protected-resource/s/{slug}/mcp",
            get(protected_resource),
        )
        .route(
            "/.well-known/oauth-protected-resource/s/{slug}/sse",
            get(protected_stream),
        )
        .route(
            "/.well-known/oauth-protected-resource/mcp",
            get(protected_registry),
        )
        .route(
            "/.well-known/oauth-protected-resource/registries/{registry}/mcp",
            get(protected_named),
        )
        .route(
            "/.well-known/oauth-protected-resource/v0.1",
            get(protected_registry_api),
        )
        .route(
            "/.well-known/oauth-protected-resource/registries/{registry}/v0.1",
            get(protected_named_api),
        )
        .with_state(gateway)
}

/// RFC 9728: the protected resource metadata of one MCP endpoint. Public, for browsers of any origin.
async fn protected_resource(State(gateway): State<Arc<Gateway>>, Path(slug): Path<String>) -> Response {
    metadata(&gateway, &slug, Endpoint::Mcp)
}

/// The same of its endpoint for hosts that speak HTTP+SSE.
async fn protected_stream(State(gateway): State<Arc<Gateway>>, Path(slug): Path<String>) -> Response {
    metadata(&gateway, &slug, Endpoint::Sse)
}

/// The same of the registry as an MCP server.
async fn protected_registry(State(gateway): State<Arc<Gateway>>) -> Response {
    metadata(&gateway, Slug::of_the_registry().as_str(), Endpoint::Mcp)
}

/// The same of a named registry, whether there is one or not: who is let in, its door says.
async fn protected_named(State(gateway): State<Arc<Gateway>>, Path(name): Path<String>) -> Response {
    match name.parse::<RegistryName>() {
        Ok(name) => metadata(&gateway, Slug::of_registry(&name).as_str(), Endpoint::Mcp),
        Err(_) => metadata(&gateway, &name, Endpoint::Mcp),
    }
}

/// The same of the official API of the registry.
async fn protected_registry_api(State(gateway): State<Arc<Gateway>>) -> Response {
    metadata(&gateway, Slug::of_the_registry().as_str(), Endpoint::RegistryApi)
}

/// The same of the official API of a named registry.
async fn protected_named_api(State(gateway): State<Arc<Gateway>>, Path(name): Path<String>) -> Response {
    match name.parse::<RegistryName>() {
        Ok(name) => metadata(&gateway, Slug::of_registry(&name).as_str(), Endpoint::RegistryApi),
        Err(_) => metadata(&gateway, &name, Endpoint::RegistryApi),
    }
}

fn metadata(gateway: &Gateway, slug: &str, of: Endpoint) -> Response {
    let mut response = match gateway.resource_metadata(slug, of) {
        Some(document) => Json(document).into_response(),
        None => Problem::not_found(format!("route `{slug}`")).into_response(),
    };
    cors::allow(cors::Methods::Read, response.headers_mut());
    response
}
