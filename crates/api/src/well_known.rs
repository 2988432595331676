//! Metadata documents under `/.well-known/`: for each MCP endpoint, what a host must know to get a credential for it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use portreeve_gateway::Gateway;

use crate::cors;
use crate::problem::Problem;

/// The router of the metadata documents.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route(
            "/.well-known/oauth-protected-resource/s/{slug}/mcp",
            get(protected_resource),
        )
        .with_state(gateway)
}

/// RFC 9728: the protected resource metadata of one MCP endpoint. Public, for browsers of any origin.
async fn protected_resource(State(gateway): State<Arc<Gateway>>, Path(slug): Path<String>) -> Response {
    let mut response = match gateway.resource_metadata(&slug) {
        Some(document) => Json(document).into_response(),
        None => Problem::not_found(format!("route `{slug}`")).into_response(),
    };
    cors::allow(cors::Methods::Read, response.headers_mut());
    response
}
